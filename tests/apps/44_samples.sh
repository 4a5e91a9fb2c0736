#!/bin/bash
# RNA that differs between samples: import, training, resuming, prediction, attribution, report and what is refused
# (docs/extensions.md).
source tests/apps/lib.sh
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 24 --fusion 16)
train=("$CDT_BIN/cdt-train" --lr 1e-3 --quiet "${sizes[@]}")
for seed in 3 4 5; do
  expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed $seed --out "$work/of$seed" --quiet
done
plain=$work/of3 data=$work/data

# npy DESCR SHAPE FILE...: an .npy whose values are the bytes of the files.
npy() {
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"
  cat "${@:3}"
}
npy '<f4' 60,16,8 "$plain/dna.f32" >"$work/dna.npy"
npy '<f4' 3,8,6 "$plain/rna.f32" "$work/of4/rna.f32" "$work/of5/rna.f32" >"$work/rna.npy"
npy '<f4' 8,6 "$plain/rna.f32" >"$work/one.npy"
npy '<f4' 8,5 "$plain/protein.f32" >"$work/protein.npy"
printf 'liver\nlung\nskin\n' >"$work/samples.txt"
awk -v OFS='\t' 'BEGIN { split("liver lung skin", name, " ") }
  { print $0, NR == 1 ? "sample" : name[1 + NR % 3] }' "$plain/pairs.tsv" >"$work/pairs.tsv"
import=("$CDT_BIN/cdt-import" --dna "$work/dna.npy" --protein "$work/protein.npy" --genes "$plain/rna.genes.txt"
  --enhancers "$plain/enhancers.bed" --bin-bp 128 --assembly hg38 --quiet)

# --- import
expect_ok "${import[@]}" --rna "$work/rna.npy" --samples "$work/samples.txt" --pairs "$work/pairs.tsv" --out "$data"
expect_text "$work/stdout" 'RNA of 3 samples'
expect_text "$data/audit.json" '"samples": 3'
expect_same "$work/samples.txt" "$data/rna.samples.txt"
check 'the samples in order' cmp <(cat "$plain/rna.f32" "$work/of4/rna.f32" "$work/of5/rna.f32") "$data/rna.f32"
check 'the column sample is kept' cmp <(awk -F '\t' '{ print $NF }' "$work/pairs.tsv") \
  <(awk -F '\t' '{ print $NF }' "$data/pairs.tsv")
refused() { expect_fail 2 "$1" "${import[@]}" "${@:2}" --out "$work/refused"; }
refused "$work/rna.npy: array: has the wrong shape; RNA of samples needs --samples (expected (genes, features), got" \
  --rna "$work/rna.npy" --pairs "$work/pairs.tsv"
refused "$work/one.npy: array: has the wrong shape (expected (samples, genes, features), got" \
  --rna "$work/one.npy" --samples "$work/samples.txt" --pairs "$work/pairs.tsv"
head -2 "$work/samples.txt" >"$work/two.txt"
refused "$work/two.txt: lines: there must be a sample for each table" \
  --rna "$work/rna.npy" --samples "$work/two.txt" --pairs "$work/pairs.tsv"
expect_ok "${import[@]}" --rna "$work/one.npy" --pairs "$work/pairs.tsv" --out "$work/pooled"
expect_text "$work/stderr" "note: $work/pairs.tsv: column sample is left out: without --samples the RNA has no samples"
check 'it is' [ "$(head -1 "$work/pooled/pairs.tsv" | tr '\t' '\n' | grep -c sample)" -eq 0 ]
printf 'liver\nlung\nliver\n' >"$work/twice.txt"
refused "$work/twice.txt: line 3: sample liver is in line 1 already" \
  --rna "$work/rna.npy" --samples "$work/twice.txt" --pairs "$work/pairs.tsv"
refused "$plain/pairs.tsv: " --rna "$work/rna.npy" --samples "$work/samples.txt" --pairs "$plain/pairs.tsv"
expect_text "$work/stderr" 'sample: missing; the RNA is of samples'
sed '2s/[a-z]*$/heart/' "$work/pairs.tsv" >"$work/unknown.tsv"
refused "$work/unknown.tsv: line 2, column sample: unknown name" \
  --rna "$work/rna.npy" --samples "$work/samples.txt" --pairs "$work/unknown.tsv"
check 'nothing was written' test ! -e "$work/refused"
expect_ok "${import[@]}" --rna "$work/rna.npy" --samples "$work/samples.txt" --pairs "$work/unknown.tsv" \
  --unknown-names drop --out "$work/dropped"
check 'one pair fewer' [ "$(wc -l <"$work/dropped/pairs.tsv")" -eq "$(($(wc -l <"$data/pairs.tsv") - 1))" ]

# --- audit: rows of one sample
npy '<f4' 3,8,6 "$plain/rna.f32" "$work/of4/rna.f32" <(head -c 24 /dev/zero) <(tail -c +25 "$work/of5/rna.f32") \
  >"$work/zero.npy"
expect_ok "${import[@]}" --rna "$work/zero.npy" --samples "$work/samples.txt" --pairs "$work/pairs.tsv" --out "$work/zero"
expect_ok "$CDT_BIN/cdt-audit" --data "$work/zero" --quiet
expect_text "$work/stdout" 'rna_rows_zero: 1 of 8'
expect_text "$work/stdout" 'RNA features of zeros in some sample'

# --- training, resuming, verifying; one sample is the same as none
expect_ok "${train[@]}" --data "$data" --epochs 2 --out "$work/run"
expect_ok "${train[@]}" --data "$data" --epochs 1 --out "$work/resumed"
expect_ok "$CDT_BIN/cdt-train" --resume --epochs 2 --quiet --out "$work/resumed"
expect_same "$work/run/model.safetensors" "$work/resumed/model.safetensors"
expect_ok "$CDT_BIN/cdt-train" --verify "$work/run" --quiet
cp -r "$data" "$work/swapped"
cat "$work/of4/rna.f32" "$plain/rna.f32" "$work/of5/rna.f32" >"$work/swapped/rna.f32"
expect_fail 2 'rna: is not what' "$CDT_BIN/cdt-train" --resume --epochs 3 --quiet --data "$work/swapped" --out "$work/resumed"
expect_ok "$CDT_BIN/cdt-train" --dry-run --data "$data" "${sizes[@]}" --trace
expect_text "$work/stdout" '8x8x6'

# --- prediction: the sample matters, and only the sample's RNA
predict=("$CDT_BIN/cdt-predict" --quiet --model "$work/run/model.safetensors")
expect_ok "${predict[@]}" --data "$data" --split val --out "$work/prediction"
check 'tables name the sample' [ "$(head -1 "$work/prediction/predictions.tsv" | cut -f 1-5)" = \
  $'enhancer\tgene\tsample\tbeta\tprediction' ]
check 'so do controls' [ "$(head -1 "$work/prediction/controls.tsv" | cut -f 3)" = sample ]
check 'three draws of other DNA in the own sample' \
  [ "$(head -1 "$work/prediction/controls.tsv" | tr '\t' '\n' | grep -c '^shuffled_dna')" -eq 3 ]
expect_fail 2 'rna: differs in the data set' "${predict[@]}" --data "$work/swapped" --split val --out "$work/refused"
expect_ok "${predict[@]}" --data "$work/swapped" --split val --other-inputs --no-controls --batch-size 1 --out "$work/other"
# predictions SAMPLES-PATTERN FOLDER
predictions() { awk -F '\t' -v s="$1" '$3 ~ s { printf "%s %s %.4f\n", $1, $2, $5 }' "$2/predictions.tsv"; }
check 'skin has the RNA that it had' cmp <(predictions skin "$work/prediction") <(predictions skin "$work/other")
check 'liver has not' test "$(predictions liver "$work/prediction")" != "$(predictions liver "$work/other")"
cut -f 2- "$data/pairs.tsv" >"$work/replicate.tsv"
expect_ok "${predict[@]}" --data "$data" --split val --replicate "$work/replicate.tsv" --no-controls --out "$work/measured"
expect_text "$work/measured/metrics.json" '"replicate"'
expect_ok "${predict[@]}" --data "$data" --split val --ridge --no-controls --out "$work/ridge"
expect_text "$work/ridge/metrics.json" '"ridge_no_dna"'
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --combine "$work/prediction" --quiet --out "$work/study"
check 'a study names the sample' [ "$(head -1 "$work/study/predictions.tsv" | cut -f 3)" = sample ]
expect_fail 2 'rna: differs in the data set' "${predict[@]}" --data "$plain" --split val --out "$work/refused"

# --- attribution
pair=$(awk -F '\t' 'NR > 1 && $3 == "skin" { print $1 ":" $2 ":" $3; exit }' "$work/prediction/predictions.tsv")
explain=("$CDT_BIN/cdt-attribute" --data "$data" --model "$work/run/model.safetensors" --quiet)
expect_ok "${explain[@]}" --split val --sample 6 --paths --path-heads --gene-gradients --occlude-region 3-5 \
  --methods gradient_x_input,integrated_gradients --out "$work/attribution"
for table in pairs peaks path_heads occlusion_regions integrated_gradients; do
  check "$table.tsv names the sample" [ "$(head -1 "$work/attribution/$table.tsv" | cut -f 1-3)" = \
    $'enhancer\tgene\tsample' ]
done
expect_ok "${explain[@]}" --pair "$pair" --pair "${pair%:*}:liver" --out "$work/two"
# number COLUMN FILE SAMPLE PAIR: the pair's number in a table.
number() {
  awk -F '\t' -v column="$1" -v pair="${4%:*}:$3" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) c = i }
    $1 ":" $2 ":" $3 == pair { printf "%.4f", $c }' "$2"
}
check 'the prediction of the sample is explained' test \
  "$(number prediction "$work/two/pairs.tsv" skin "$pair")" = \
  "$(number prediction "$work/prediction/predictions.tsv" skin "$pair")"
check 'and that of the other sample' test "$(number prediction "$work/two/pairs.tsv" liver "$pair")" != \
  "$(number prediction "$work/two/pairs.tsv" skin "$pair")"
check 'tracks name the sample' grep -q 'in sample skin' "$work"/two/tracks/2_*_skin.gradient.bedGraph
check '--pairs needs the sample too' grep -q 'enhancer and gene, with samples also sample' \
  <("$CDT_BIN/cdt-attribute" --help | tr -s ' \n' ' ')
awk -F '\t' -v OFS='\t' 'NR < 5 { print $2, $3, $NF }' "$work/pairs.tsv" >"$work/chosen.tsv"
cut -f 1,2 "$work/chosen.tsv" >"$work/unsampled.tsv"
expect_ok "${explain[@]}" --pairs "$work/chosen.tsv" --out "$work/listed"
expect_fail 2 'unsampled.tsv: line 1, column sample: column is missing' "${explain[@]}" --pairs "$work/unsampled.tsv" \
  --out "$work/refused"
expect_fail 2 '--pair: does not end in a sample of the data set' "${explain[@]}" --pair "${pair%:*}" --out "$work/refused"
expect_fail 2 '--maps: whole attention maps are not written' "${explain[@]}" --pair "$pair" --maps all --out "$work/refused"
expect_ok "$CDT_BIN/cdt-report" --run "$work/run" --data "$data" --prediction "$work/prediction" \
  --attribution "$work/two" --pair "$pair" --quiet --out "$work/report.html"
expect_text "$work/report.html" 'in sample skin'

# --- shards: batches of one sample, enhancers in all samples (58_shards.sh)
expect_ok "${explain[@]}" --split val --tracks 0 --out "$work/explained"
for i in 1 2 3; do
  expect_ok "${predict[@]}" --data "$data" --split val --shard $i/3 --out "$work/of-prediction/$i"
  expect_ok "${explain[@]}" --split val --tracks 0 --shard $i/3 --out "$work/of-explained/$i"
done
for whole in prediction explained; do
  expect_ok "$CDT_BIN/cdt-merge" --quiet "$work/merged-$whole" "$work/of-$whole"/*
  check "shards of the $whole" diff -r -x provenance.json "$work/$whole" "$work/merged-$whole"
done

expect_fail 2 'samples: RNA of samples and gene windows do not go together' "${train[@]}" --data "$data" \
  --readout gene --gene-window dna_gene --out "$work/refused"

# --- truth.json knows no samples
cp "$plain/truth.json" "$data/truth.json"
expect_fail 2 'truth.json: pairs: have no samples' "${predict[@]}" --data "$data" --split val --out "$work/refused"
check 'nothing was written' test ! -e "$work/refused"
finish
