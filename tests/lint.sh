#!/bin/bash
# Checks formatting, clang-tidy findings, the length of the sources and the wording of comments and docs;
# prints every finding.
#
#   tests/lint.sh JOBS FILE... -- COMPILER_FLAG...
set -u
kMaxLines=500
jobs=$1
shift
files=()
while [ "$1" != -- ]; do
  files+=("$1")
  shift
done
shift
status=0

for tool in "${CLANG_FORMAT:=clang-format}" "${CLANG_TIDY:=clang-tidy}"; do
  if ! command -v "$tool" >/dev/null; then
    echo "lint: $tool is missing; apt-get install clang-format clang-tidy, or name it:" \
      "make lint CLANG_FORMAT=... CLANG_TIDY=..." >&2
    exit 2
  fi
done

"$CLANG_FORMAT" --dry-run -Werror "${files[@]}" || status=1

long=$(wc -l "${files[@]}" | awk -v max=$kMaxLines '$1 > max && $2 != "total"')
if [ -n "$long" ]; then
  printf 'longer than %d lines:\n%s\n' $kMaxLines "$long"
  status=1
fi

tests/wording.sh || status=1

findings=$(printf '%s\n' "${files[@]}" | grep '\.cc$' |
  xargs -P "$jobs" -I{} "$CLANG_TIDY" --quiet --warnings-as-errors='*' {} -- "$@" 2>&1) || status=1
printf '%s\n' "$findings" | grep -vE '^$|^[0-9]+ warnings? (generated|treated as errors?)'

[ $status -eq 0 ] && echo "lint: ${#files[@]} files, nothing found"
exit $status
