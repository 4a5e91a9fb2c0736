#!/bin/bash
# Fuzzes the readers, one target after another, and keeps what was learnt (docs/fuzzing.md):
#   tests/fuzz/corpus/TARGET      the smallest set of inputs with the coverage of all that were found
#   BUILD/inputs/TARGET           all inputs with new coverage; the next run begins with them
#   BUILD/findings/TARGET-*       inputs that show a mistake
#   BUILD/fuzz.tsv                a line for each target: executions of this version of its sources, in all runs, and
#                                 the seconds of processor time that they took
#
#   tests/fuzz/fuzz.sh BUILD REPLAY [TARGET...]
#   FUZZ_SECONDS=60               for each target
#   FUZZ_RUNS=10000000            instead: until a target has been executed as often as this, in all runs
# Exit status 1 after a finding; the other targets are fuzzed nevertheless.
set -u
export LC_ALL=C
build=${1:?usage: tests/fuzz/fuzz.sh BUILD REPLAY [TARGET...]} replay=${2:?usage: tests/fuzz/fuzz.sh BUILD REPLAY [TARGET...]}
shift 2
# shellcheck source=tests/fuzz/lib.sh
source tests/fuzz/lib.sh
# tsv FIELD...: a line of a table.
tsv() { (IFS=$'\t' && printf '%s\n' "$*"); }

record=$build/fuzz.tsv
mkdir -p "$build/findings" "$build/logs"
columns=(target executions seconds executions_per_second edges edges_of_sources inputs bytes findings sources)
[ -e "$record" ] || tsv "${columns[@]}" >"$record"

# source_files PREFIX...: the files of a target.
source_files() {
  local prefix
  for prefix in "$@"; do printf '%s\n' "$prefix"*; done | sort -u
}

# recorded TARGET COLUMN DIGEST: what the record has of a target with these sources, or 0.
recorded() {
  awk -F '\t' -v target="$1" -v column="$2" -v digest="$3" \
    '$1 == target && $NF == digest { n = $column } END { print n + 0 }' "$record"
}

# put_record LINE: in place of the line of the same target.
put_record() {
  { head -n 1 "$record"
    { tail -n +2 "$record" | awk -F '\t' -v target="${1%%$'\t'*}" '$1 != target'; echo "$1"; } | sort
  } >"$record.new" && mv "$record.new" "$record"
}

# minimise TARGET LONGEST: the corpus becomes the smallest set of inputs that covers what all inputs cover.
minimise() {
  local corpus=tests/fuzz/corpus/$1 new=$build/new
  rm -rf "$new"
  mkdir -p "$new"
  run_fuzzer "$build/fuzz" "$1" "$build/logs/$1.merge" -set_cover_merge=1 -use_counters=0 -max_len="$2" "$new" \
    "$build/inputs/$1" "$corpus" || { echo "make fuzz: $1: the corpus could not be minimised: $build/logs/$1.merge" >&2; return 1; }
  find "$corpus" -type f ! -name 'finding-*' -delete
  cp "$new"/* "$corpus/"
}

# edges TARGET LONGEST SOURCE...: prints the edges that the corpus covers in these sources, and all that they have.
edges() {
  local target=$1 longest=$2 log=$build/logs/$1.coverage
  shift 2
  run_fuzzer "$build/fuzz" "$target" "$log" -runs=0 -print_coverage=1 -max_len="$longest" "tests/fuzz/corpus/$target"
  source_files "$@" | awk '
    NR == FNR { of[$1] = 1; next }
    match($0, /COVERED_FUNC: hits: [0-9]+ edges: [0-9]+\/[0-9]+ /) {
      split(substr($0, RSTART, RLENGTH), word, /[ \/]/)
      file = $NF; sub(/:[0-9]+$/, "", file); sub(/^\.\//, "", file)
      for (source in of) if (file == source || substr(file, length(file) - length(source)) == "/" source) {
        covered += word[5]; all += word[6]
      }
    }
    END { print covered + 0, all + 0 }' - "$log"
}

# run_target NAME LONGEST DICTIONARY DIGEST: fuzzes for FUZZ_SECONDS, or in pieces of a million until FUZZ_RUNS. After
# each piece its executions are in the record, so that an interrupted run counts.
run_target() {
  local name=$1 log=$build/logs/$1.log goal=${FUZZ_RUNS:-0} piece=1000000 status=0 runs seconds limit
  while :; do
    runs=$(recorded "$name" 2 "$4") seconds=$(recorded "$name" 3 "$4")
    limit=(-max_total_time="${FUZZ_SECONDS:-60}")
    if [ "$goal" -gt 0 ]; then
      [ "$runs" -lt "$goal" ] || return 0
      limit=(-runs=$((goal - runs < piece ? goal - runs : piece)))
    fi
    run_fuzzer "$build/fuzz" "$name" "$log" "${limit[@]}" -max_len="$2" -dict="tests/fuzz/dictionaries/$3.dict" \
      -artifact_prefix="$build/findings/$name-" -print_final_stats=1 "$build/inputs/$name" "tests/fuzz/corpus/$name" || status=$?
    runs=$((runs + $(executions "$log"))) seconds=$((seconds + $(processor_seconds "$log")))
    put_record "$(tsv "$name" "$runs" "$seconds" $((runs / seconds)) 0 0 0 0 0 "$4")"
    if [ $status -ne 0 ]; then
      echo "make fuzz: $name: a finding: $(find "$build/findings" -name "$name-*" | paste -s -d ' '); its report: $log" >&2
      return 1
    fi
    [ "$goal" -gt 0 ] || return 0
  done
}

# fuzz_target NAME LONGEST DICTIONARY SOURCES
fuzz_target() {
  local name=$1 status=0 sources digest covered runs seconds counts
  read -r -a sources <<<"$4"
  digest=$(source_files "${sources[@]}" | xargs cat | sha256sum | cut -c 1-12)
  mkdir -p "$build/inputs/$name" "tests/fuzz/corpus/$name"
  run_target "$name" "$2" "$3" "$digest" || status=1
  minimise "$name" "$2" || status=1
  read -r -a covered < <(edges "$name" "$2" "${sources[@]}")
  runs=$(recorded "$name" 2 "$digest") seconds=$(recorded "$name" 3 "$digest")
  counts=("$(find "tests/fuzz/corpus/$name" -type f | wc -l)" "$(cat "tests/fuzz/corpus/$name"/* | wc -c)"
    "$(find "$build/findings" -name "$name-*" | wc -l)")
  put_record "$(tsv "$name" "$runs" "$seconds" $((runs / seconds)) "${covered[@]}" "${counts[@]}" "$digest")"
  printf '%-14s %10d executions, %6d/s, %d of %d edges of its sources, %d inputs (%d bytes), %d findings\n' "$name" "$runs" \
    $((runs / seconds)) "${covered[@]}" "${counts[@]}"
  return $status
}

targets=$(read_targets "$replay" "$@") || exit 2
failed=0
while IFS=$'\t' read -r name longest dictionary sources; do
  fuzz_target "$name" "$longest" "$dictionary" "$sources" || failed=1
done <<<"$targets"
exit $failed
