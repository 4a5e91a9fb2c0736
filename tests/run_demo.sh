#!/usr/bin/env bash
# run_demo.sh BIN OUT: the whole workflow on a synthetic data set whose mechanism is known.
set -euo pipefail
bin=$1
out=$2
seed=1

say() { printf '\n== %s\n' "$*"; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}

rm -rf "$out"
mkdir -p "$out"
start=$SECONDS

say "A data set: 1600 enhancers, 24 genes; in each DNA window one site acts and one decoy does not"
run "$bin/cdt-synth" --preset demo --seed $seed --out "$out/data"

say "Train a small CDT (the sizes are options; without them it is the released 60 M parameters)"
# Sharing matrices this small between threads costs more than computing them on one.
run "$bin/cdt-train" --data "$out/data" --out "$out/run" --seed $seed --threads 1 \
  --hidden 32 --heads 4 --pool-heads 4 --feed-forward 64 --fusion 64 --dropout 0 \
  --lr 1e-3 --epochs 12

say "Evaluate it on enhancers that took no part in training, next to baselines that know no DNA"
run "$bin/cdt-predict" --data "$out/data" --model "$out/run/model.safetensors" --threads 1 \
  --split test --out "$out/prediction"

say "Explain 240 validation pairs: where does each gene look, and what drives each prediction"
run "$bin/cdt-attribute" --data "$out/data" --model "$out/run/model.safetensors" --threads 1 \
  --split val --sample 240 --seed $seed --methods all --baseline mean --occlude-bins 1 --paths \
  --maps dna_self_attn_layers.0,dna_to_rna --maps-per-head --annotations "$out/data/sites.bed" \
  --out "$out/attribution"

say "Put it on one page"
run "$bin/cdt-report" --data "$out/data" --run "$out/run" --prediction "$out/prediction" \
  --attribution "$out/attribution" --annotations "$out/data/sites.bed" --threads 1 --out "$out/report.html"

say "Done in $((SECONDS - start)) s. Look at"
printf '  %-40s %s\n' \
  "$out/report.html" "all of it as one page for a browser" \
  "$out/data/truth.json" "what was planted (sites.bed: as a track)" \
  "$out/run/metrics.jsonl" "the training, one line per epoch" \
  "$out/prediction/metrics.json" "the numbers above, in full" \
  "$out/attribution/pairs.tsv" "every pair with its peaks" \
  "$out/attribution/tracks/" "tracks for IGV and the UCSC browser"
