#!/bin/bash
# Models with the gene readout, positions and gene windows: training, resuming, prediction, attribution, report, and what
# they refuse (docs/extensions.md).
source tests/apps/lib.sh
data=$work/data
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 24 --fusion 16)
train=("$CDT_BIN/cdt-train" --lr 1e-3 --quiet "${sizes[@]}")
extended=(--readout gene --bin-position distance --gene-position distance)
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --genes 20 --gene-starts --seed 3 --out "$data" --quiet

# --- training, and resuming it
expect_ok "${train[@]}" --epochs 2 --data "$data" "${extended[@]}" --out "$work/run"
expect_text "$work/run/config.json" '"readout": "gene"'
expect_text "$work/run/provenance.json" '"extensions": "gene readout, bin position, gene position"'
for tensor in task_layer.0.weight task_layer.3.weight bin_position.weight gene_position.bias; do
  expect_text "$work/run/model.safetensors" "\"$tensor\""
done
expect_ok "${train[@]}" --data "$data" "${extended[@]}" --epochs 1 --out "$work/resumed"
cp "$data/genes.bed" "$work/genes.bed"
awk -F '\t' -v OFS='\t' '{ $2 += 30000; $3 += 30000; print }' "$work/genes.bed" >"$data/genes.bed"
expect_fail 2 'gene_starts: is not what' "$CDT_BIN/cdt-train" --resume --epochs 2 --quiet --out "$work/resumed"
cp "$work/genes.bed" "$data/genes.bed"
expect_ok "$CDT_BIN/cdt-train" --resume --epochs 2 --quiet --out "$work/resumed"
expect_same "$work/run/model.safetensors" "$work/resumed/model.safetensors"
expect_ok "$CDT_BIN/cdt-train" --verify "$work/run" --quiet
expect_ok "$CDT_BIN/cdt-train" --dry-run --data "$data" "${extended[@]}" "${sizes[@]}"
check 'the first line names the extensions' test "$(head -1 "$work/stdout")" = \
  'extensions: gene readout, bin position, gene position, which the released model does not have'
expect_text "$work/stdout" 'gene_position'
expect_ok "$CDT_BIN/cdt-convert" "$work/run/last" "$work/converted"
expect_text "$work/converted/provenance.json" '"extensions": "gene readout, bin position, gene position"'
expect_ok "${train[@]}" --epochs 1 --data "$data" --out "$work/plain"
expect_ok "$CDT_BIN/cdt-train" --dry-run --data "$data" "${sizes[@]}"
cp "$work/stdout" "$work/plain-dry-run"
expect_ok "$CDT_BIN/cdt-convert" "$work/plain/last" "$work/plain-converted"
check 'no extension in other runs' test -z \
  "$(grep -lE 'readout|_position|extend|extensions' "$work/plain/config.json" "$work/plain/model.safetensors" \
    "$work/plain-dry-run" "$work/plain-converted/provenance.json")"

# --- genes without a known start are counted, once and only if starts matter
loud=("$CDT_BIN/cdt-train" "${sizes[@]}" --epochs 1 --data "$data")
unknown="note: $data/genes.bed: $((20 - $(wc -l <"$data/genes.bed"))) of 20 genes are not in it: their starts are unknown"
expect_ok "${loud[@]}" "${extended[@]}" --out "$work/loud"
check 'said once' test "$(grep -cxF "cdt-train: $unknown" "$work/stderr")" -eq 1
expect_ok "$CDT_BIN/cdt-train" --out "$work/loud" --resume --epochs 2
check 'a resumed run does not repeat it' test "$(grep -cF "$unknown" "$work/stderr")" -eq 0
expect_ok "${loud[@]}" --out "$work/indifferent"
check 'nor does another model' test "$(grep -cF "$unknown" "$work/stderr")" -eq 0

# --- prediction
predict() { "$CDT_BIN/cdt-predict" --data "$data" --quiet "$@"; }
expect_ok predict --model "$work/run/model.safetensors" --split val --out "$work/prediction"
cp "$work/stdout" "$work/table"
expect_text "$work/table" 'extensions: gene readout, bin position, gene position, which the released model does not have.'
expect_text "$work/prediction/metrics.json" '"extensions": "gene readout, bin position, gene position"'
check 'where bins lie may count' grep -q "The model knows how far each bin is from the window's centre" \
  <(tr -s ' \n' ' ' <"$work/table")
check 'distance may be all' grep -q 'a high r may come from that distance alone' <(tr -s ' \n' ' ' <"$work/table")
check 'three draws of other DNA at the own place' \
  [ "$(head -1 "$work/prediction/controls.tsv" | tr '\t' '\n' | grep -c '^shuffled_dna')" -eq 3 ]
expect_ok predict --model "$work/run/model.safetensors" --split val --batch-size 1 --no-controls --out "$work/alone"
check 'a batch of one predicts the same' awk -F '\t' 'NR == FNR { p[FNR] = $4; next }
  FNR > 1 { d = p[FNR] - $4; if (d < 0) d = -d; if (d > 1e-5) bad = 1 } END { exit bad || FNR < 3 }' \
  "$work/prediction/predictions.tsv" "$work/alone/predictions.tsv"
expect_ok predict --model "$work/plain/model.safetensors" --split val --out "$work/released"
check 'no extension, no word of it' test -z "$(grep -l extensions "$work/released/metrics.json" "$work/stdout")"
expect_fail 2 'fingerprint.extensions: is of another kind of model' "$CDT_BIN/cdt-predict" --data "$data" \
  --combine "$work/prediction" --combine "$work/released" --out "$work/refused"
expect_ok predict --combine "$work/prediction" --out "$work/study"
expect_text "$work/stdout" 'extensions: gene readout, bin position, gene position'
expect_text "$work/study/provenance.json" '"extensions": "gene readout, bin position, gene position"'
expect_ok "$CDT_BIN/cdt-report" --study "$work/study" --quiet --out "$work/study.html"
expect_text "$work/study.html" 'The models have extensions: gene readout, bin position, gene position'

# --- the genes' places matter to the predictions, and only through genes.bed
mkdir "$work/moved"
cp -r "$data/." "$work/moved"
awk -F '\t' -v OFS='\t' '{ $2 += 30000; $3 += 30000; print }' "$data/genes.bed" >"$work/moved/genes.bed"
moved=("$CDT_BIN/cdt-predict" --data "$work/moved" --model "$work/run/model.safetensors" --split val --quiet
  --no-controls --out "$work/elsewhere")
expect_fail 2 'gene_starts: differs in the data set' "${moved[@]}"
expect_ok "${moved[@]}" --other-inputs
expect_ok "$CDT_BIN/cdt-predict" --data "$work/moved" --model "$work/plain/model.safetensors" --split val --quiet \
  --no-controls --out "$work/unmoved"
check 'a model without gene positions does not look at them' cmp <(cut -f 4 "$work/unmoved/predictions.tsv") \
  <(cut -f 4 "$work/released/predictions.tsv")
check 'other places, other predictions' test \
  "$(cut -f 4 "$work/elsewhere/predictions.tsv")" != "$(cut -f 4 "$work/alone/predictions.tsv")"

# --- attribution: five paths, which add up
expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$work/run/model.safetensors" --split val --sample 3 \
  --paths --path-heads --gene-gradients --methods gradient_x_input,occlusion,attention_rollout,attention_gmar --tracks 1 --quiet \
  --out "$work/attribution"
expect_text "$work/stdout" "via the gene's own RNA token"
check 'five paths' grep -qaF "'shape': (3, 5, 16)" "$work/attribution/paths.npy"
expect_text "$work/attribution/summary.json" '"own_protein"'
expect_text "$work/attribution/summary.json" '"extensions": "gene readout, bin position, gene position"'
check 'every path but the direct one by head' test "own_protein own_rna via_protein via_rna " = \
  "$(tail -n +2 "$work/attribution/path_heads.tsv" | cut -f 3 | sort -u | tr '\n' ' ')"
expect_ok "$CDT_BIN/cdt-report" --run "$work/run" --data "$data" --attribution "$work/attribution" --quiet \
  --out "$work/report.html"
expect_text "$work/report.html" 'with gene readout, bin position, gene position, which the released model does not have'
expect_text "$work/report.html" "own protein token"
for option in '' "--prediction $work/prediction"; do
  # shellcheck disable=SC2086
  expect_ok "$CDT_BIN/cdt-report" --run "$work/run" --data "$data" --split val $option --quiet --overwrite \
    --out "$work/page.html"
  expect_text "$work/page.html" "The model knows how far each bin is from the window"
  expect_text "$work/page.html" 'a high r may come from that distance alone'
  check 'a page of a model with positions' [ "$(grep -c 'no positional encoding' "$work/page.html")" -eq 0 ]
done
check 'nothing about a model without positions' test -z "$(grep -o 'sees no positions' "$work/report.html")"

# --- a warm start from the column readout takes everything but the head
expect_ok "$CDT_BIN/cdt-train" --data "$data" --readout gene "${sizes[@]}" --epochs 1 \
  --init-from "$work/plain/model.safetensors" --out "$work/warm"
expect_text "$work/stderr" 'not taken'
check 'the head is new' grep -q 'task_layer.0.weight' "$work/stderr"

# --- a window at the gene's start: the first rows of dna stand for those of the genes
windows=$work/windows
row=$((16 * 8 * 4))
cp -r "$data" "$windows"
head -c $((20 * row)) "$data/dna.f32" >"$windows/dna_gene.f32"
sed -i 's|"dna": {|"dna_gene": {"file": "dna_gene.f32", "shape": [20, 16, 8]}, &|' "$windows/dataset.json"
window=(--readout gene --gene-window dna_gene)
expect_ok "${train[@]}" --epochs 2 --data "$windows" "${window[@]}" --out "$work/windowed"
expect_text "$work/windowed/config.json" '"gene_window": true'
expect_text "$work/windowed/provenance.json" '"extensions": "gene readout, gene window"'
expect_ok "${train[@]}" --epochs 1 --data "$windows" "${window[@]}" --out "$work/half"
dd if="$data/dna.f32" of="$windows/dna_gene.f32" bs=$row skip=40 seek=7 count=1 conv=notrunc status=none
expect_fail 2 'dna: is not what' "$CDT_BIN/cdt-train" --resume --epochs 2 --quiet --out "$work/half"
head -c $((20 * row)) "$data/dna.f32" >"$windows/dna_gene.f32"
expect_fail 2 '--gene-window' "$CDT_BIN/cdt-train" --resume --epochs 2 --gene-window none --quiet --out "$work/half"
expect_ok "$CDT_BIN/cdt-train" --resume --epochs 2 --quiet --out "$work/half"
expect_same "$work/windowed/model.safetensors" "$work/half/model.safetensors"
expect_ok "$CDT_BIN/cdt-train" --verify "$work/windowed" --quiet
expect_ok "$CDT_BIN/cdt-train" --dry-run --trace --data "$windows" "${window[@]}" "${sizes[@]}"
check 'a trace names the extensions' test "$(sed -n 2p "$work/stdout")" = \
  'released form extended by gene readout, gene window'
expect_text "$work/stdout" 'gene_window'
expect_ok "${train[@]}" --epochs 1 --data "$windows" "${window[@]}" --init-from "$work/warm/model.safetensors" \
  --mask-bins 0.2 --feature-dropout 0.1 --accumulate 2 --out "$work/noise"
windowed=("$CDT_BIN/cdt-predict" --model "$work/windowed/model.safetensors" --split val --quiet)
expect_ok "${windowed[@]}" --data "$windows" --out "$work/near"
expect_text "$work/stdout" 'extensions: gene readout, gene window, which the released model does not have.'
cp -r "$windows" "$work/other"
gene=$(sed -n 2p "$work/near/predictions.tsv" | cut -f 2)
at=$(($(grep -nx "$gene" "$data/rna.genes.txt" | cut -d : -f 1) - 1))
dd if="$data/dna.f32" of="$work/other/dna_gene.f32" bs=$row skip=40 seek=$at count=1 conv=notrunc status=none
expect_ok "${windowed[@]}" --data "$work/other" --no-controls --batch-size 3 --out "$work/far"
moved=$(awk -F '\t' 'NR == FNR { p[FNR] = $4; next } FNR > 1 { d = p[FNR] - $4; if (d > 1e-5 || d < -1e-5) print $2 }' \
  "$work/near/predictions.tsv" "$work/far/predictions.tsv" | sort -u)
check 'the window of a gene changes the predictions of that gene alone' test "$moved" = "$gene"
expect_ok "$CDT_BIN/cdt-attribute" --data "$windows" --model "$work/windowed/model.safetensors" --split val --sample 3 \
  --paths --gene-gradients --methods gradient_x_input,occlusion,attention_rollout,attention_gmar --quiet \
  --out "$work/window_attribution"
expect_text "$work/window_attribution/summary.json" '"extensions": "gene readout, gene window"'
# Shards: every enhancer has its own mean window prediction and draws of DNA, windows of genes are read by each shard.
for i in 1 2 3; do
  expect_ok predict --model "$work/run/model.safetensors" --split val --shard $i/3 --out "$work/shards-run/$i"
  expect_ok "${windowed[@]}" --data "$windows" --shard $i/3 --out "$work/shards-windowed/$i"
done
for pair in run:prediction windowed:near; do
  expect_ok "$CDT_BIN/cdt-merge" --quiet "$work/merged-${pair%:*}" "$work/shards-${pair%:*}"/*
  check "shards of the ${pair%:*}" diff -r -x provenance.json "$work/${pair#*:}" "$work/merged-${pair%:*}"
done

expect_ok "$CDT_BIN/cdt-report" --run "$work/windowed" --data "$windows" --quiet --out "$work/windowed.html"
expect_text "$work/windowed.html" 'with gene readout, gene window, which the released model does not have'
expect_fail 2 "$data/dataset.json: dna_gene: missing; a model with gene windows reads" \
  "${train[@]}" --data "$data" "${window[@]}" --out "$work/refused"
expect_fail 2 "$data/dataset.json: dna_gene: missing" "${windowed[@]}" --data "$data" --out "$work/refused"
expect_fail 2 '--gene-window: is read by the gene readout: it needs --readout gene' \
  "${train[@]}" --data "$windows" --gene-window dna_gene --out "$work/refused"
printf '\0\0\300\177' | dd of="$work/other/dna_gene.f32" bs=4 seek=$((at * row / 4 + 8)) conv=notrunc status=none
expect_fail 2 "dna_gene.f32: gene $gene" "${windowed[@]}" --data "$work/other" --out "$work/refused"
expect_fail 2 "dna_gene.f32: gene $gene" "${train[@]}" --data "$work/other" "${window[@]}" --out "$work/bad"

# --- refused
mkdir "$work/without"
cp -r "$data/." "$work/without"
sed -i '/genes\.bed/d' "$work/without/dataset.json"
expect_fail 2 "$work/without/dataset.json: gene_starts: missing; a model with gene positions needs" \
  "${train[@]}" --data "$work/without" "${extended[@]}" --out "$work/refused"
expect_fail 2 "$work/without/dataset.json: gene_starts: missing" "$CDT_BIN/cdt-predict" --data "$work/without" \
  --model "$work/run/model.safetensors" --quiet --out "$work/refused"
expect_fail 2 '--readout' "${train[@]}" --data "$data" --readout row --out "$work/refused"
expect_fail 2 'readout' "${train[@]}" --data "$data" --readout column --model "$work/run/model.safetensors" \
  --out "$work/refused"
cp -r "$data" "$work/halved"
sed -i 's/16,/8,/' "$work/halved/dataset.json"
half=$(($(stat -c %s "$data/dna.f32") / 2))
truncate -s $half "$work/halved/dna.f32"
rm "$work/halved/truth.json"
expect_fail 2 "bins: does not fit the data set $work/halved (expected 16, got 8)" "$CDT_BIN/cdt-predict" \
  --data "$work/halved" --model "$work/run/model.safetensors" --other-inputs --quiet --out "$work/refused"
expect_ok "$CDT_BIN/cdt-predict" --data "$work/halved" --model "$work/plain/model.safetensors" --other-inputs --quiet \
  --no-controls --out "$work/halves"
check 'nothing was written' test ! -e "$work/refused"
finish
