#!/bin/bash
# cdt-predict: what it writes, that repeated runs agree, and what it refuses.
source tests/apps/lib.sh
predict=$CDT_BIN/cdt-predict
tiny_model
pairs=$(grep -c '^val' "$data/pairs.tsv")

expect_ok "$predict" --data "$data" --model "$model" --out "$work/one"
expect_text "$work/stdout" "val: $pairs pairs"
expect_text "$work/stdout" 'gene mean'
expect_text "$work/stdout" 'noise ceiling'
check 'one row per pair' [ "$(wc -l <"$work/one/predictions.tsv")" -eq $((pairs + 1)) ]
# columns FOLDER FILE: the names of a table's columns.
columns() { head -n 1 "$work/$1/$2" | tr '\t' ' '; }
of_genes='baseline_global_mean baseline_gene_mean baseline_gene_median baseline_clipped_gene_mean'
of_genes="enhancer gene beta prediction $of_genes baseline_shrunk_gene_mean"
check 'header, with every baseline' [ "$(columns one predictions.tsv)" = "$of_genes" ]
cut -f 2-4 <(grep '^val' "$data/pairs.tsv") >"$work/expected"
check 'pairs of pairs.tsv in their order' cmp "$work/expected" \
  <(tail -n +2 "$work/one/predictions.tsv" | cut -f 1-3)
for field in '"n": '"$pairs" '"version": 4' '"fingerprint": {' '"pearson": {' '"interval_95": [' '"pearson_p": ' '"spearman": ' \
  '"r2": ' '"mse": ' '"mae": ' '"global_mean": ' '"gene_mean": ' '"share_of_ceiling": ' \
  '"note": "all predictions are equal' '"calibration_slope": ' '"within_genes": ' '"within_enhancers": ' \
  '"classification": null' '"difference": {'; do
  expect_text "$work/one/metrics.json" "$field"
done

python=$(command -v python3 || true)
# value_is MESSAGE VALUE FOLDER EXPRESSION: the value of an expression over metrics.json, m.
value_is() {
  if [ -z "$python" ]; then
    skip "$1" 'no python3'
  else
    check "$1" [ "$("$python" -c 'import json, sys
m = json.load(open(sys.argv[1] + "/metrics.json"))
print(eval(sys.argv[2]))' "$3" "$4")" = "$2" ]
  fi
}

# r_of_column COLUMN: an awk program for r of a column with beta, from sums: x, y, xx, yy, xy.
r_of_column() {
  echo "NR > 1 { x = \$($1); y = \$3; ++n; sx += x; sy += y; xx += x * x; yy += y * y; xy += x * y }
    END { printf \"%.12g\", (xy - sx * sy / n) / sqrt((xx - sx * sx / n) * (yy - sy * sy / n)) }"
}

# Controls, and what may be concluded: nothing from the split that chose the model.
value_is 'each control has its draws' '[20, 1, 1]' "$work/one" \
  '[m["controls"][c]["draws"] for c in ("shuffled_dna", "mean_dna", "shuffled_genes")]'
value_is 'a difference is what r loses' True "$work/one" 'all(
  abs(m["pearson"]["value"] - m["controls"][c]["pearson"] - m["controls"][c]["difference"]["value"])
  < 1e-12
  for c in ("shuffled_dna", "mean_dna"))'
value_is 'which gene has which embedding moves nothing' True "$work/one" \
  'm["controls"]["shuffled_genes"]["largest_change"] < 1e-4'
value_is 'nothing is claimed of val' False "$work/one" 'any(c["said"] for c in m["claims"].values())'
expect_text "$work/stdout" 'positions: The model has no positional encoding'
check 'no line is wider than 100 columns' awk 'length($0) > 100 { exit 1 }' "$work/stdout"

# The controls' predictions, in the order of predictions.tsv.
draws=$(printf ' shuffled_dna_%d' {1..20})
check 'header of the controls' \
  [ "$(columns one controls.tsv)" = "enhancer gene shuffled_genes mean_dna$draws" ]
check 'rows of the controls' cmp <(cut -f 1,2 "$work/one/predictions.tsv") \
  <(cut -f 1,2 "$work/one/controls.tsv")
value_is 'r of a control is that of its column' True "$work/one" "abs(m['controls']['mean_dna']['pearson'] - $(
  paste "$work/one/predictions.tsv" "$work/one/controls.tsv" | awk -F '\t' "$(r_of_column 13)")) < 1e-6"

expect_ok "$predict" --data "$data" --model "$model" --out "$work/plain" --quiet
check 'the controls have their table' [ -s "$work/plain/controls.tsv" ]
expect_ok "$predict" --data "$data" --model "$model" --out "$work/plain" --no-controls --quiet \
  --overwrite
check 'no stale controls' [ ! -e "$work/plain/controls.tsv" ]
expect_same "$work/one/predictions.tsv" "$work/plain/predictions.tsv"
value_is 'no claim without its control' "(False, 'dna,baseline')" "$work/plain" \
  '("controls" in m or m["claims"]["dna"]["said"], ",".join(m["claims"]))'
expect_text "$work/stdout" 'dna: The controls were not computed'

# With gene starts there are four more baselines, in the table too, and the numbers by distance.
awk -v OFS='\t' '{ print "chr" NR % 3 + 1, 1000000 * NR, 1000000 * NR + 500, $1, 0, NR % 2 ? "+" : "-" }' \
  "$data/rna.genes.txt" | tail -n +2 >"$work/genes.bed"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/genes" --genes "$work/genes.bed"
expect_text "$work/stderr" 'genes.bed: '
check 'four columns more' [ "$(columns genes predictions.tsv)" = \
  "$of_genes baseline_distance baseline_nearest_gene baseline_ridge_no_dna baseline_ridge" ]
expect_text "$work/stdout" 'ridge without DNA'
expect_text "$work/stdout" '100-2500 kb'
expect_text "$work/stdout" 'further away, or at an unknown distance: '
check 'the same model' cmp <(cut -f 1-9 "$work/genes/predictions.tsv") "$work/one/predictions.tsv"
value_is 'r of the ridge is that of its column' True "$work/genes" "abs(m['baselines']['ridge']['pearson']['value'] - $(
  awk -F '\t' "$(r_of_column 13)" "$work/genes/predictions.tsv")) < 1e-6"
value_is 'every pair is at one distance' True "$work/genes" \
  'sum(r["n"] for r in m["by_distance"]["ranges"]) + m["by_distance"]["elsewhere"] == m["n"]'
value_is 'a difference to each baseline' True "$work/genes" 'all(
  abs(m["pearson"]["value"] - (b["pearson"]["value"] or 0) - b["difference"]["value"]) < 1e-12
  for b in m["baselines"].values() if isinstance(b, dict))'
check 'no line is wider than 100 columns' awk 'length($0) > 100 { exit 1 }' "$work/stdout"

# The data set's own starts are the default.
cp -r "$data" "$work/placed"
cp "$work/genes.bed" "$work/placed/genes.bed"
sed -i 's/"pairs": "pairs.tsv"/&, "gene_starts": "genes.bed"/' "$work/placed/dataset.json"
expect_ok "$predict" --data "$work/placed" --model "$model" --out "$work/own"
expect_text "$work/stderr" "$work/placed/genes.bed: 1 of "
expect_same "$work/genes/predictions.tsv" "$work/own/predictions.tsv"
value_is 'the file is named' "$work/placed/genes.bed" "$work/own" 'm["baselines"]["gene_starts"]'

# Without them --ridge fits the ridge regressions on gene and DNA.
expect_ok "$predict" --data "$data" --model "$model" --out "$work/ridge" --ridge --no-controls
check 'two columns more' [ "$(columns ridge predictions.tsv)" = \
  "$of_genes baseline_ridge_no_dna baseline_ridge" ]
value_is 'nothing by distance' False "$work/ridge" '"by_distance" in m'

# Positives: pairs with an effect below a number, or with label 1. Five pairs are below the sixth.
sixth=$(awk -F '\t' '$1 == "val" { print $4 }' "$data/pairs.tsv" | sort -g | sed -n 6p)
expect_ok "$predict" --data "$data" --model "$model" --out "$work/below" --no-controls \
  --positive-below "$sixth"
expect_text "$work/stdout" "positives, beta below $sixth: 5 of $pairs pairs"
check 'no line is wider than 100 columns' awk 'length($0) > 100 { exit 1 }' "$work/stdout"
value_is 'AUPRC by its definition' True "$work/below" "abs(m['classification']['auprc']['value'] - $(
  awk -F '\t' -v sixth="$sixth" 'NR > 1 { score[NR] = -$4; positive[NR] = $3 < sixth; positives += positive[NR] }
    END {
      for (i in score) if (positive[i]) {
        above = hits = 0
        for (j in score) if (score[j] >= score[i]) { ++above; hits += positive[j] }
        sum += hits / above
      }
      printf "%.12g", sum / positives
    }' "$work/below/predictions.tsv")) < 1e-9"
cp -r "$data" "$work/labelled"
awk -F '\t' -v OFS='\t' -v sixth="$sixth" 'NR == 1 { print $0, "label"; next } { print $0, $4 < sixth ? 1 : 0 }' \
  "$data/pairs.tsv" >"$work/labelled/pairs.tsv"
expect_ok "$predict" --data "$work/labelled" --model "$model" --out "$work/label" --no-controls
expect_text "$work/stdout" "positives, label 1: 5 of $pairs pairs"
numbers() { sed -n '/"classification": {/,/^  }/p' "$work/$1/metrics.json" | grep -v beta_below; }
expect_same <(numbers below) <(numbers label)
expect_fail 2 '--positive-below: not a number' "$predict" --data "$data" --model "$model" \
  --out "$work/none" --positive-below low
printf 'chr1\t1\t2\tNOSUCH\n' >"$work/other.bed"
expect_fail 2 'other.bed: names: ' "$predict" --data "$data" --model "$model" --out "$work/none" \
  --genes "$work/other.bed"
cp -r "$data" "$work/no_train"
sed 's/^train/test/' "$data/pairs.tsv" >"$work/no_train/pairs.tsv"
expect_fail 2 'pairs.tsv: split: --genes needs training pairs' "$predict" --data "$work/no_train" \
  --model "$model" --out "$work/none" --genes "$work/genes.bed"
expect_fail 2 'pairs.tsv: split: --ridge needs training pairs' "$predict" --data "$work/no_train" \
  --model "$model" --out "$work/none" --ridge
expect_ok "$predict" --data "$work/no_train" --model "$model" --out "$work/untrained" --quiet
value_is 'no baseline, but controls' True "$work/untrained" \
  'm["baselines"] is None and m["controls"]["loci"] > 1 and not m["claims"]["dna"]["said"]'

# The same input gives the same bytes with any number of threads; only the bootstrap depends on the seed.
expect_ok "$predict" --data "$data" --model "$model" --out "$work/two" --threads 1 --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
expect_same "$work/one/predictions.tsv" "$work/two/predictions.tsv"
expect_same "$work/one/metrics.json" "$work/two/metrics.json"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/seed" --seed 9 --quiet
expect_same "$work/one/predictions.tsv" "$work/seed/predictions.tsv"
check 'another seed, another interval' test -n "$(cmp "$work/one/metrics.json" "$work/seed/metrics.json")"

# The batch size changes at most the last digits.
expect_ok "$predict" --data "$data" --model "$model" --out "$work/batch" --batch-size 1 --quiet
check 'any batch size' awk -F '\t' 'NR == FNR { a[FNR] = $4; next }
  FNR > 1 { d = a[FNR] - $4; if (d < 0) d = -d; if (d > 1e-5) bad = 1 } END { exit bad }' \
  "$work/one/predictions.tsv" "$work/batch/predictions.tsv"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/test" --split test --quiet
expect_text "$work/test/metrics.json" '"split": "test"'

# A second screen with the noiseless effects: its agreement with the measured ones is the ceiling.
{
  printf 'gene\tbeta\tenhancer\n'
  tr -d ' \n' <"$data/truth.json" | grep -o '{"enhancer":"[^"]*","gene":"[^}]*}' |
    sed 's/.*"enhancer":"\([^"]*\)","gene":"\([^"]*\)".*"noiseless_beta":\([-0-9.e]*\).*/\2\t\3\t\1/'
} >"$work/screen.tsv"
gzip -k "$work/screen.tsv"
expect_ok "$predict" --data "$data" --model "$model" --out "$work/replicate" --quiet \
  --replicate "$work/screen.tsv.gz"
expect_text "$work/stdout" "second screen, $pairs pairs: r "
expect_text "$work/stderr" 'rows are not of this split and are skipped: '
replicate() { sed -n '/"replicate": {/,/}/p' "$work/replicate/metrics.json" |
  tr -d ' \n' | sed "s/\"value\"://" | grep -oP "\"$1\":\{?\K[-0-9.e]+"; }
check 'agreement is the ceiling' awk -v a="$(replicate pearson)" \
  -v b="$(sed -n 's/.*"noise_ceiling": \([0-9.]*\),/\1/p' "$work/replicate/metrics.json")" \
  'BEGIN { exit !(b > 0 && a - b < 1e-6 && b - a < 1e-6) }'
check 'two ratios' awk -v m="$(replicate model_pearson)" -v r="$(replicate pearson)" \
  -v s="$(replicate model_over_replicate)" -v c="$(replicate model_corrected_for_attenuation)" \
  'BEGIN { d = m / r - s; e = m / sqrt(r) - c; exit !(d * d + e * e < 1e-12 && r > 0) }'
bad_screen() { # NEEDLE CONTENT
  printf '%b' "$2" >"$work/bad.tsv"
  expect_fail 2 "$1" "$predict" --data "$data" --model "$model" --out "$work/none" --quiet \
    --replicate "$work/bad.tsv"
}
val=$(awk -F '\t' '$1 == "val" { print $2; exit }' "$data/pairs.tsv")
row=$(grep -m 1 -P "\t$val\$" "$work/screen.tsv" | sed 's/\t/\\t/g')
bad_screen 'bad.tsv: line 1, column enhancer: column is missing' 'gene\tbeta\nx\t1\n'
bad_screen 'bad.tsv: line 2, column beta: not a number (expected a finite decimal number, got NA)' \
  "gene\tbeta\tenhancer\n$(awk -F '\\\\t' '{ print $1 "\\tNA\\t" $3 }' <<<"$row")\n"
bad_screen 'bad.tsv: line 3, column enhancer: twice: ' "gene\tbeta\tenhancer\n$row\n$row\n"
bad_screen 'bad.tsv: rows: none of 1 is of a pair of this split' 'gene\tbeta\tenhancer\ng\t1\te\n'
bad_screen 'bad.tsv: rows: fewer than three pairs of the split val' "gene\tbeta\tenhancer\n$row\n"

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

# NaN in the window of an enhancer that is read after others.
cp -r "$data" "$work/nan"
row=$(grep -n "$(grep '^val' "$data/pairs.tsv" | tail -n 1 | cut -f 2)" "$data/enhancers.bed" | cut -d : -f 1)
printf '\x00\x00\xc0\x7f' |
  dd of="$work/nan/dna.f32" bs=4 seek=$(((row - 1) * 16 * 8 + 11)) conv=notrunc status=none
expect_fail 2 'dna.f32' "$predict" --data "$work/nan" --model "$model" --out "$work/none" --quiet
check 'a refused input leaves no folder' [ ! -e "$work/none" ]

finish
