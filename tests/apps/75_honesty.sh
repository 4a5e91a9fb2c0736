#!/bin/bash
# A few seeds of tests/honesty.sh: where DNA tells nothing, no prediction of these claims that it does,
# and where it does, all claim it. The rates are those of `make honesty`.
source tests/apps/lib.sh
out=$work/honesty
seeds=2

# said MECHANISM SPLIT: what is claimed of these pairs, a digit for each seed
said() { awk -F '\t' -v m="$1" -v s="$2" '$1 == m && $3 == s { printf "%s", $6 }' "$out/honesty.tsv"; }

expect_ok tests/honesty.sh "$CDT_BIN" "$out" $seeds
check 'a row for each split, seed and mechanism' test "$(wc -l <"$out/honesty.tsv")" -eq $((1 + 8 * seeds))
for mechanism in none gene-only; do
  check "$mechanism: nothing is claimed" test "$(said $mechanism test)" = 00
done
for mechanism in dna specific; do
  check "$mechanism: DNA is found" test "$(said $mechanism test)" = 11
  check "$mechanism: not by the pairs that chose the model" test "$(said $mechanism val)" = 00
done
check 'the summary counts them' grep -qE $'^dna\ttest\t2\t2\t100.0\t' "$out/summary.tsv"

# What is done stays; what is missing is made again, the same.
cp "$out/honesty.tsv" "$work/before.tsv"
rm "$out/rows/none-2.tsv"
touch -d '2001-01-01' "$out"/rows/*
expect_ok tests/honesty.sh "$CDT_BIN" "$out" $seeds
expect_same "$work/before.tsv" "$out/honesty.tsv"
check 'one seed was made anew' test "$(find "$out/rows" -newermt 2002-01-01 -type f | wc -l)" -eq 1
echo 1 >"$out/made_by"
status=0
tests/honesty.sh "$CDT_BIN" "$out" 1 >/dev/null 2>"$work/stderr" || status=$?
check 'rows of other programs are refused' test $status -eq 1
expect_text "$work/stderr" 'holds rows of other programs'

finish
