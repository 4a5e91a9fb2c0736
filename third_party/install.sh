#!/bin/sh
# Installs the packages that the build and the tests need on Debian 12, Ubuntu 22.04 or newer: as
# root, or with sudo if that asks for no password. Otherwise prints the command that installs them,
# with sudo, or with su where there is no sudo.
#
#   third_party/install.sh [PACKAGE...]      without names: everything in packages.txt
set -u

here=$(dirname "$0")
# shellcheck disable=SC2046  # one word for each package
[ $# -gt 0 ] || set -- $(cat "$here/packages.txt")

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v apt-get >/dev/null; then
  echo "this is no Debian or Ubuntu; install these packages or their like by hand: $*" >&2
  exit 2
fi

wanted=''
for package in "$@"; do
  case " $wanted " in *" $package "*) continue ;; esac
  is_installed "$package" || wanted="$wanted $package"
done
[ -n "$wanted" ] || exit 0

line="apt-get update && apt-get install -y --no-install-recommends$wanted"
if [ "$(id -u)" = 0 ]; then
  as_root=''
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root='sudo -n'
else
  # "su -": plain su keeps a user's PATH, where dpkg does not find its own tools.
  through='su - -c'
  ! command -v sudo >/dev/null || through='sudo sh -c'
  echo "missing packages; install them with this line, then try again:" >&2
  echo "$through '$line'" >&2
  exit 2
fi

echo "installing:$wanted" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a command prefix and a list of packages
if ! { $as_root apt-get -q update && $as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get -q -y install --no-install-recommends $wanted; } >&2; then
  echo "installation failed; the line was: $line" >&2
  exit 2
fi
