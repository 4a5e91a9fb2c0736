#!/bin/bash
# cdt-predict: what it writes, that it says the same each time, and what it refuses.
source tests/apps/lib.sh
predict=$CDT_BIN/cdt-predict
tiny_model
pairs=$(grep -c '^val' "$data/pairs.tsv")

expect_ok "$predict" --data "$data" --model "$model" --out "$work/one"
expect_text "$work/stdout" "val: $pairs pairs"
expect_text "$work/stdout" 'gene mean'
expect_text "$work/stdout" 'noise ceiling'
check 'one row per pair' [ "$(wc -l <"$work/one/predictions.tsv")" -eq $((pairs + 1)) ]
check 'header' [ "$(head -n 1 "$work/one/predictions.tsv")" = $'enhancer\tgene\tbeta\tprediction' ]
cut -f 2-4 <(grep '^val' "$data/pairs.tsv") >"$work/expected"
check 'pairs of pairs.tsv in their order' cmp "$work/expected" \
  <(tail -n +2 "$work/one/predictions.tsv" | cut -f 1-3)
for field in '"n": '"$pairs" '"pearson": ' '"pearson_p": ' '"pearson_ci95": [' '"spearman": ' \
  '"r2": ' '"mse": ' '"mae": ' '"global_mean": ' '"gene_mean": ' '"share_of_ceiling": ' \
  '"note": "all predictions are equal'; do
  expect_text "$work/one/metrics.json" "$field"
done

# Same input, same bytes, whatever the threads; only the bootstrap depends on the seed.
expect_ok "$predict" --data "$data" --model "$model" --out "$work/two" --threads 1 --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
expect_same "$work/one/predictions.tsv" "$work/two/predictions.tsv"
expect_same "$work/one/metrics.json" "$work/two/metrics.json"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/seed" --seed 9 --quiet
expect_same "$work/one/predictions.tsv" "$work/seed/predictions.tsv"
check 'another seed, another interval' test -n "$(cmp "$work/one/metrics.json" "$work/seed/metrics.json")"

# The size of a batch changes at most the last digits.
expect_ok "$predict" --data "$data" --model "$model" --out "$work/batch" --batch-size 1 --quiet
check 'any batch size' awk -F '\t' 'NR == FNR { a[FNR] = $4; next }
  FNR > 1 { d = a[FNR] - $4; if (d < 0) d = -d; if (d > 1e-5) bad = 1 } END { exit bad }' \
  "$work/one/predictions.tsv" "$work/batch/predictions.tsv"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/test" --split test --quiet
expect_text "$work/test/metrics.json" '"split": "test"'

expect_fail 2 '--model' "$predict" --data "$data" --out "$work/none"
expect_fail 2 '--split' "$predict" --data "$data" --model "$model" --out "$work/none" --split all
expect_fail 2 '--batch-size' "$predict" --data "$data" --model "$model" --out "$work/none" \
  --batch-size 0
expect_fail 2 'absent.safetensors' "$predict" --data "$data" --model "$work/absent.safetensors" \
  --out "$work/none"
touch "$work/file"
expect_fail 2 "$work/file" "$predict" --data "$data" --model "$model" --out "$work/file"

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --genes 5 --out "$work/other" --quiet
expect_fail 2 'genes' "$predict" --data "$work/other" --model "$model" --out "$work/none"

cp -r "$data" "$work/no_val"
grep -v '^val' "$data/pairs.tsv" >"$work/no_val/pairs.tsv"
expect_fail 2 'pairs.tsv: split: no pairs in split val' "$predict" --data "$work/no_val" \
  --model "$model" --out "$work/none"

cp -r "$data" "$work/bad_truth"
sed 's/"version": 1/"version": 7/' "$data/truth.json" >"$work/bad_truth/truth.json"
expect_fail 2 'truth.json: version' "$predict" --data "$work/bad_truth" --model "$model" \
  --out "$work/none"

# Not a number in the window of an enhancer that is reached after others.
cp -r "$data" "$work/nan"
row=$(grep -n "$(grep '^val' "$data/pairs.tsv" | tail -n 1 | cut -f 2)" "$data/enhancers.bed" | cut -d : -f 1)
printf '\x00\x00\xc0\x7f' |
  dd of="$work/nan/dna.f32" bs=4 seek=$(((row - 1) * 16 * 8 + 11)) conv=notrunc status=none
expect_fail 2 'dna.f32' "$predict" --data "$work/nan" --model "$model" --out "$work/none" --quiet
check 'a refused input leaves no folder' [ ! -e "$work/none" ]

finish
