#!/bin/bash
# The cost model of data-parallel training (tests/cost/ranks.awk): docs/scale-cost.md has what it prints, its counted terms
# are those of the programs, and its measured and estimated ones those of the results they name.
source tests/apps/lib.sh
cost() { awk -f tests/cost/ranks.awk "$@"; }
term() { awk -F '\t' -v name="$1" '$1 == name { print $2 }' tests/cost/ranks.tsv; }

# in_document: its tables, between the mark and the next chapter.
in_document() {
  awk '/^<!-- tests\/cost\/ranks.awk -->$/ { open = 1; next } /^## / { open = 0 } open' docs/scale-cost.md |
    sed '1{/^$/d}' | sed '${/^$/d}'
}
expect_ok cost tests/cost/ranks.tsv
cp "$work/stdout" "$work/tables"
check 'the document has these tables' diff "$work/tables" <(in_document)
check 'with numbers for 16 ranks' grep -qE '^\| 10 GbE \| 16 \| 16 \| [0-9.]+ s ' "$work/tables"
sed 's/^reached\t0.78/reached\t0.7/' tests/cost/ranks.tsv >"$work/other.tsv"
cost "$work/other.tsv" >"$work/other"
check 'another rate gives other tables' [ "$(diff "$work/tables" "$work/other" | grep -c '^> | 10 GbE')" -gt 4 ]
grep -v '^cpu_step' tests/cost/ranks.tsv >"$work/other.tsv"
check 'a missing term is refused' grep -q 'no term cpu_step' <(cost "$work/other.tsv" 2>&1)

# trace BATCH EXPRESSION: of the step that --trace counts.
trace() {
  "$CDT_BIN/cdt-train" --dry-run --trace --trace-format json --device cpu --batch-size "$1" >"$work/trace.json"
  python3 -c "
import json, sys
trace = json.load(open(sys.argv[1]))
print($2)" "$work/trace.json"
}
# near NAME VALUE: the term, to the digits that it has.
near() { check "$1: $2" awk -v a="$(term "$1")" -v b="$2" 'BEGIN { exit !(a != "" && (a - b) ^ 2 < (0.002 * b) ^ 2) }'; }
if command -v python3 >/dev/null; then
  total='trace["sum"]["step"]["flop"]'
  one=$(trace 1 "$total") eight=$(trace 8 "$total")
  near sample_gflop "$(awk -v a="$one" -v b="$eight" 'BEGIN { print (b - a) / 7e9 }')"
  near shared_gflop "$(awk -v a="$one" -v b="$eight" 'BEGIN { print (8 * a - b) / 7e9 }')"
  near backward_share "$(trace 8 "trace['sum']['backward']['flop'] / $total")"
  near update_bytes "$(trace 8 'sum(row["bytes"] for row in trace["profile"] if row["op"] in ("adamw", "clip", "fill"))')"
  near parameters "$(trace 8 'trace["sum"]["parameters"]')"
else
  skip 'counted terms' 'no Python 3'
fi
near cpu_step "$(grep -oE '"train_step_s": 17[0-9.]*' docs/results/cpu-2026-11-25.md | cut -d ' ' -f 2)"
# estimated WORKLOAD: its time on an H200, in milliseconds.
estimated() { awk -v of="$1" '$1 " " $2 == of && $3 == "launches" { here = 1 } here && $1 == "step" { print $7; exit }' docs/results/step-cost.txt; }
for precision in bf16 fp32; do
  near "gpu_step_$precision" "$(awk -v ms="$(estimated "train $precision")" 'BEGIN { print ms / 1e3 }')"
done
finish
