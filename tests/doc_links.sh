#!/usr/bin/env bash
# Checks every relative link in every Markdown file: the file exists, a heading has GitHub's slug for it,
# and a line anchor (#L12, #L12-L20) points at the definition of the name in the link's text.
#
#   tests/doc_links.sh [--fix] [ROOT]     --fix: updates the line numbers of names that have moved
#
# Prints one line per fault, FILE:LINE: what is wrong; exit status 1 if there is any. The text of a link to
# a line is one name: `function`, `Class::function`, `Suite.Test`, or a call such as `tape.record`. It must
# have one definition in that file or, without any, occur on one line; `function(Var out` picks one of
# several.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
fix=0
if [ "${1:-}" = --fix ]; then
  fix=1
  shift
fi
cd "${1:-$here/..}"

renewed=$(mktemp -d)
trap 'rm -rf "$renewed"' EXIT

# All paths of the project, folders with a slash at the end, without build folders and hidden ones.
paths() {
  find . -mindepth 1 \( -path './.git' -o -path './build' -o -path './build-*' \) -prune -o \
    \( -type d -printf '%P/\n' -o -printf '%P\n' \)
}

status=0
paths | awk -v fix="$fix" -v renewed="$renewed" -f "$here/doc_names.awk" -f "$here/doc_links.awk" || status=$?
[ "$status" -le 1 ] || exit "$status"

if [ -s "$renewed/list" ]; then
  while IFS=$'\t' read -r number file; do
    cat "$renewed/$number" >"$file"
  done <"$renewed/list"
fi
exit "$status"
