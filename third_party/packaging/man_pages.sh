#!/bin/bash
# Writes a man page for every program of a folder, made from what its --help prints. Programs that do
# not run on this machine (built for another one) have none: exit status 1 and one line.
#
#   third_party/packaging/man_pages.sh BIN FOLDER
set -euo pipefail
bin=${1:?usage: man_pages.sh BIN FOLDER} folder=${2:?}
here=$(dirname "$0")
day=$(sed -n 's/^date-released: "\(.*\)"/\1/p' "$here/../../CITATION.cff")
mkdir -p "$folder"
names=$(cd "$bin" && printf '%s\n' cdt-*)
for name in $names; do
  if ! help=$("$bin/$name" --help) || ! version=$("$bin/$name" --version); then
    echo "man pages are left out: $bin/$name does not run here" >&2
    exit 1
  fi
  printf '%s\n' "$help" | awk -v name="$name" -v version="$(sed -n '1s/^[^ ]* //p' <<<"$version")" \
    -v day="$day" -v all="$names" -f "$here/man_page.awk" >"$folder/$name.1"
done
