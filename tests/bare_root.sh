#!/bin/bash
# Tries README.md as a new user would: a bare Debian root in FOLDER, and in it the commands of the README up to
# `make test`, each with its exit status and its time. For maintainers: it needs root, debootstrap and a network,
# and takes as long as a build and all tests; `make test` does not run it.
#
#   tests/bare_root.sh DIST FOLDER [LINE...]
#
#   DIST      bookworm, trixie or another release that debootstrap knows
#   FOLDER    where the root is made; one that exists is used as it is
#   LINE      runs these commands instead, in the clone if there is one
#
# From the environment: MIRROR (debootstrap's default), ROOT_USER (the user who types, made if need be; default
# root).
#
# `git clone ADDRESS FOLDER` clones the commit that is checked out here. The last line says how many commands
# ran and which failed; exit status 1 if one did.
set -eu
cd "$(dirname "$0")/.."

if [ $# -lt 2 ]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' tests/bare_root.sh >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  echo "bare_root.sh: needs root and debootstrap" >&2
  exit 2
fi
release=$1
mkdir -p "$2"
root=$(realpath "$2")
user=${ROOT_USER:-root}
shift 2

# readme_lines: the commands of README.md's code blocks that begin on a bare machine, up to `make test`. Where it
# says in words that the repository is cloned, the two commands for that.
readme_lines() {
  awk '
    /^```/ { inside = !inside; next }
    !inside || !/^(apt-get|git clone|cd|make demo|make test)( |$)/ { next }
    /^git clone/ { cloned = 1 }
    /^make/ && !cloned { print "git clone THIS_REPOSITORY cdt-engine"; print "cd cdt-engine"; cloned = 1 }
    { sub(/  +#.*/, ""); print }
    /^make test/ { exit }' README.md
}

given=${1:-}
if [ -n "$given" ]; then lines=("$@"); else mapfile -t lines < <(readme_lines); fi
if [ ${#lines[@]} -eq 0 ]; then
  echo "bare_root.sh: README.md: no code block with the first commands" >&2
  exit 2
fi

if [ ! -e "$root/etc/debian_version" ]; then
  began=$SECONDS
  debootstrap --variant=minbase "$release" "$root" ${MIRROR:+"$MIRROR"} >"$root.log" 2>&1 || {
    echo "bare_root.sh: debootstrap failed; the end of $root.log:" >&2
    tail -n 5 "$root.log" >&2
    exit 1
  }
  echo "$release: root made in $((SECONDS - began)) s"
fi

# The machine's way into the network; /proc; and the root as a mount point, as a machine's is, without which
# `unshare -m` fails in it.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump 2>/dev/null | grep -i '^Acquire::https\{0,1\}::Proxy' >"$root/etc/apt/apt.conf.d/00proxy" || true
if ! mountpoint -q "$root"; then
  mount --bind "$root" "$root"
  trap 'umount -R "$root"' EXIT
fi
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"

home=/root
if [ "$user" != root ]; then
  home=/home/$user
  chroot "$root" id "$user" >/dev/null 2>&1 || chroot "$root" /usr/sbin/useradd -m "$user"
fi
git bundle create -q "$root$home/cdt.bundle" HEAD
chmod a+r "$root$home/cdt.bundle"

# The steps, in one shell as a user types them. No locale, no variable of this machine.
{
  cat <<'STEPS'
ran=0 failed=''
step() {
  printf '\n== $ %s\n' "$1"
  local began=$SECONDS status=0
  eval "$1" || status=$?
  ran=$((ran + 1))
  printf '== exit status %d, %d s\n' $status $((SECONDS - began))
  [ $status -eq 0 ] || failed="${failed:+$failed; }$1"
}
. /etc/os-release
printf '%s, %s cores, absent:' "$PRETTY_NAME" "$(nproc)"
for name in make git sudo curl python3 g++; do command -v $name >/dev/null || printf ' %s' $name; done
echo
cd
STEPS
  [ -z "$given" ] || cat <<'STEPS'
for makefile in */Makefile; do [ ! -f "$makefile" ] || cd "$(dirname "$makefile")"; done
STEPS
  for line in "${lines[@]}"; do
    if [[ $line =~ ^git\ clone\ ([^ ]+)(\ ([^ ]+))?$ ]]; then
      folder=${BASH_REMATCH[3]:-$(basename "${BASH_REMATCH[1]}" .git)}
      line="git -c advice.detachedHead=false clone -q ~/cdt.bundle $folder"
    fi
    printf 'step %q\n' "$line"
  done
  cat <<'STEPS'
printf '\n%d commands, failed: %s\n' $ran "${failed:-none}"
[ -z "$failed" ]
STEPS
} >"$root$home/steps.sh"

chroot --userspec="$user" "$root" /usr/bin/env -i HOME="$home" TERM=dumb \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash "$home/steps.sh"
