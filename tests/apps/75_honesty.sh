#!/bin/bash
# One seed of tests/honesty.sh: if DNA carries no information, neither a prediction nor its page claims that
# it does, and if it does, both claim it. `make honesty` measures the rates.
source tests/apps/lib.sh
out=$work/honesty
seeds=1

# said MECHANISM SPLIT CLAIM [FOLDER]: whether the claim is made for these pairs, one digit per seed.
said() {
  awk -F '\t' -v m="$1" -v s="$2" -v c="$3" '
    NR == 1 { for (i = 6; i <= NF; ++i) if ($i == c) at = i; next }
    $1 == m && $3 == s { printf "%s", $at }' "${4:-$out}/honesty.tsv"
}

expect_ok tests/honesty.sh "$CDT_BIN" "$out" $seeds
check 'a row for each split, seed and mechanism' test "$(wc -l <"$out/honesty.tsv")" -eq $((1 + 10 * seeds))
for mechanism in none gene-only; do
  for claim in dna baseline; do
    check "$mechanism: $claim is not claimed" test "$(said $mechanism test $claim)" = 0
  done
done
for mechanism in dna product specific; do
  for claim in dna baseline; do
    check "$mechanism: $claim is claimed" test "$(said $mechanism test $claim)" = 1
    check "$mechanism: not of the pairs that chose the model" test "$(said $mechanism val $claim)" = 0
  done
done
check 'the summary counts them' grep -qE $'^dna\ttest\tdna\tDNA\t1\t1\t100.0\t' "$out/summary.tsv"
check 'none of val says more than metrics.json' test "$(said dna val sites)" = nan

# The pages.
if ! command -v gnuplot >/dev/null; then
  skip pages 'gnuplot is missing (apt-get install gnuplot-nox)'
else
  for mechanism in none gene-only; do
    check "$mechanism: no page finds a site" test "$(said $mechanism test sites)" = 0
  done
  for mechanism in dna product; do
    check "$mechanism: pages find the site" test "$(said $mechanism test sites)" = 1
  done
  check 'claims about the model stand beside' grep -qE $'^none\ttest\tuniform\tmodel\t1\t' "$out/summary.tsv"

  # Without gnuplot only the predictions are counted.
  mkdir "$work/few"
  for name in awk bash cat cksum grep mkdir mv rm sed tee tr xargs; do
    ln -s "$(command -v $name)" "$work/few/$name"
  done
  expect_ok env PATH="$work/few" tests/honesty.sh "$(realpath "$CDT_BIN")" "$work/predicted" 1
  expect_text "$work/stderr" 'gnuplot is missing: no pages'
  check 'the same predictions' cmp <(cut -f 1-8 "$out/honesty.tsv") \
    <(cut -f 1-8 "$work/predicted/honesty.tsv")
  check 'nothing of pages' test "$(said dna test sites "$work/predicted")" = nan
  check 'nor in the summary' test "$(grep -cE $'\tsites\t' "$work/predicted/summary.tsv")" -eq 0
fi

# Finished work is kept; what is missing is computed again, with the same result.
cp "$out/honesty.tsv" "$work/before.tsv"
rm "$out/rows/none-1.tsv"
touch -d '2001-01-01' "$out"/rows/*
expect_ok tests/honesty.sh "$CDT_BIN" "$out" $seeds
expect_same "$work/before.tsv" "$out/honesty.tsv"
check 'one row was made anew' test "$(find "$out/rows" -newermt 2002-01-01 -type f | wc -l)" -eq 1
echo 1 >"$out/made_by"
status=0
tests/honesty.sh "$CDT_BIN" "$out" 1 >/dev/null 2>"$work/stderr" || status=$?
check 'rows of other programs are refused' test $status -eq 1
expect_text "$work/stderr" 'holds rows of other programs'

finish
