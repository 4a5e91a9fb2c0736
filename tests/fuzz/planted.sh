#!/bin/bash
# Tests the fuzzer: takes one check away from each reader (planted.tsv), in a copy, and fuzzes its target from the
# committed corpus. Prints after how many executions the mistake was found. A line of planted.tsv that is no longer in
# its file is an error.
#
#   tests/fuzz/planted.sh BUILD REPLAY [TARGET...]
#   FUZZ_RUNS=1000000             executions within which a mistake must be found
#   tests/fuzz/planted.sh --check     only compares planted.tsv with the sources, and says what is wrong
# Exit status 1 if a mistake was not found.
set -u
export LC_ALL=C

planted_rows() { grep -v '^#' tests/fuzz/planted.tsv; }

# plant FILE LINE REPLACEMENT: prints the file with the line replaced; fails unless it has the line exactly once.
plant() {
  LINE=$2 REPLACEMENT=$3 awk '$0 == ENVIRON["LINE"] { found++; print ENVIRON["REPLACEMENT"]; next } { print }
    END { exit found != 1 }' "$1"
}

check_rows() {
  local bad=0 target file line replacement
  while IFS=$'\t' read -r target file line replacement; do
    plant "$file" "$line" "$replacement" >/dev/null || { echo "planted.tsv: $target: not once in $file: $line"; bad=1; }
  done < <(planted_rows)
  return $bad
}

if [ "${1:-}" = --check ]; then
  check_rows
  exit
fi

build=${1:?usage: tests/fuzz/planted.sh BUILD REPLAY [TARGET...]} replay=${2:?usage: tests/fuzz/planted.sh BUILD REPLAY [TARGET...]}
shift 2
# shellcheck source=tests/fuzz/lib.sh
source tests/fuzz/lib.sh
check_rows || exit 1
folder=$build/planted
mkdir -p "$folder"

# build_planted TARGET FILE LINE REPLACEMENT: $folder/TARGET, the fuzzer with this mistake. The objects are those of
# the fuzzer except for one.
build_planted() {
  local source=$folder/$1.cc object=$folder/$1.o
  plant "$2" "$3" "$4" >"$source"
  $FUZZ_COMPILE -w -c "$source" -o "$object" || die "$1: the planted mistake does not compile"
  local objects=${FUZZ_OBJECTS//"$build/obj/${2%.cc}.o"/$object}
  [ "$objects" != "$FUZZ_OBJECTS" ] || die "$1: $2 is not one of the fuzzer's sources"
  # shellcheck disable=SC2086  # lists of words
  $FUZZ_LINK $objects $FUZZ_LIBRARIES -o "$folder/$1"
}

# try TARGET LONGEST DICTIONARY: whether the fuzzer finds the mistake.
try() {
  local log=$folder/$1.log status=0
  rm -rf "$folder/inputs"
  mkdir "$folder/inputs"
  run_fuzzer "$folder/$1" "$1" "$log" -seed=1 -runs="${FUZZ_RUNS:-1000000}" -max_len="$2" \
    -dict="tests/fuzz/dictionaries/$3.dict" -artifact_prefix="$folder/inputs/" -print_final_stats=1 \
    "$folder/inputs" "tests/fuzz/corpus/$1" || status=$?
  if [ $status -eq 0 ]; then
    printf '%-14s NOT found in %d executions\n' "$1" "$(executions "$log")"
    return 1
  fi
  printf '%-14s found after %d executions: %s\n' "$1" "$(executions "$log")" \
    "$(grep -m 1 -aE 'what\(\): |runtime error: |Assertion|ERROR: ' "$log" | sed 's/^==[0-9]*== *//; s/^ *//' | cut -c 1-120)"
}

targets=$(read_targets "$replay" "$@") || exit 2
missed=0
while IFS=$'\t' read -r target file line replacement; do
  row=$(awk -F '\t' -v target="$target" '$1 == target' <<<"$targets")
  [ -n "$row" ] || continue
  IFS=$'\t' read -r _ longest dictionary _ <<<"$row"
  build_planted "$target" "$file" "$line" "$replacement"
  try "$target" "$longest" "$dictionary" || missed=$((missed + 1))
  rm -f "$folder/$target"
done < <(planted_rows)
[ $missed -eq 0 ] || { echo "make fuzz-planted: $missed not found" >&2; exit 1; }
