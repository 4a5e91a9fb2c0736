#!/bin/bash
# Removes the files that DOCDIR/installed.txt lists, and the folders below DOCDIR that this empties.
#
#   third_party/packaging/uninstall.sh      environment: docdir, and DESTDIR
set -euo pipefail
root=${DESTDIR:-} list=${DESTDIR:-}${docdir:?}/installed.txt
if [ ! -f "$list" ]; then
  echo "uninstall: $list is not there: nothing is installed under these names" >&2
  exit 2
fi
mapfile -t files <"$list"
for file in "${files[@]}"; do rm -f "$root$file"; done
find "$root$docdir" -depth -type d -exec rmdir --ignore-fail-on-non-empty {} +
echo "removed ${#files[@]} files"
