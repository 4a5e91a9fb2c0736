#!/bin/bash
# Finds wording that readers stumbled over, listed in tests/wording.tsv, in comments, messages and docs.
# Prints "FILE:LINE: the words (write: what to write instead)" with the line where the paragraph begins.
# Exit status 1 if anything was found.
#
#   tests/wording.sh [FILE...]      default: every text file of the project
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 2

# project_files: one per line.
project_files() {
  if [ -e .git ]; then git ls-files; else find . -type f -not -path './build*' | sed 's|^\./||'; fi |
    grep -E '\.(cc|h|cu|cuh|inc|sh|awk|py|mk|md|cff|txt)$|(^|/)Makefile$' | grep -vE 'fixtures/|tests/wording'
}

# paragraphs FILE...: "FILE:LINE<tab>TEXT" for each comment, paragraph of prose, and text between quotes in
# apps/, engine/, io/ and model/, on one line; text between quotes with its first quote, so that ^ matches comments
# and prose only. Code spans and fenced blocks of Markdown are left out.
paragraphs() {
  awk '
    function flush() { if (text != "") print at "\t" text; text = "" }
    function add(line) {
      gsub(/^[ \t]+|[ \t]+$/, "", line)
      if (text == "") at = FILENAME ":" FNR
      text = text (text == "" ? "" : " ") line
    }
    FNR == 1 { flush(); fenced = 0; kind = FILENAME ~ /\.(cc|h|cu|cuh|inc)$/ ? "c" : FILENAME ~ /\.md$/ ? "md" : "#" }
    kind == "c" {
      if (match($0, /(^|[^:"])\/\/+( |$)/)) {
        if ($0 !~ /^ *\/\//) flush()
        add(substr($0, RSTART + RLENGTH))
        next
      }
      flush()
      if (FILENAME ~ /(^|\/)(apps|engine|io|model)\//) while (match($0, /"([^"\\]|\\.)*"/)) {
        if (RLENGTH > 12) { add(substr($0, RSTART, RLENGTH - 1)); flush() }
        $0 = substr($0, RSTART + RLENGTH)
      }
    }
    kind == "#" {
      if (match($0, /(^|[ \t])#+( |$)/) && $0 !~ /^#!/) {
        if ($0 !~ /^ *#/) flush()
        add(substr($0, RSTART + RLENGTH))
      } else flush()
    }
    kind == "md" {
      if (/^ *```/) { flush(); fenced = !fenced; next }
      if (fenced) next
      if (/^ *$/ || /^ *([-*|#>]|[0-9]+\.) ?/) flush()
      gsub(/`[^`]*`/, "`")
      if (!/^ *$/) add($0)
    }
    END { flush() }' "$@"
}

prose=$(mktemp)
trap 'rm -f "$prose"' EXIT
if [ $# -eq 0 ]; then mapfile -t files < <(project_files); else files=("$@"); fi
paragraphs "${files[@]}" >"$prose"

status=0
while IFS=$'\t' read -r pattern instead; do
  [[ -n $pattern && $pattern != '#'* ]] || continue
  while IFS=$'\t' read -r place text; do
    found=$(grep -oiP -m 1 -- "$pattern" <<<"$text" | head -n 1)
    printf '%s: "%s" (write: %s)\n' "$place" "$found" "$instead"
    status=1
  done < <(grep -iP -- "^[^\t]*\t(?:.*?)(?:${pattern/#^/(?<=\\t)})" "$prose")
done <tests/wording.tsv
exit $status
