#!/usr/bin/env bash
# run_bench.sh BUILD: paper-scale timings into BUILD/bench.json, then the kernels one by one.
set -euo pipefail
build=$1

echo "paper scale: batch 8, 896 bins x 3072, 2360 genes, 60,093,752 parameters, float32" >&2
"$build/tests/paper_bench" | tee "$build/bench.json.new"
mv "$build/bench.json.new" "$build/bench.json"
awk -v FS='[,{}]' '{
  for (i = 1; i <= NF; ++i) if (split($i, part, ": ") == 2) { gsub(/[" ]/, "", part[1]); v[part[1]] = part[2] }
  printf "training step   %8.2f s   peak memory %.2f GB\n", v["train_step_s"], v["train_peak_rss_bytes"] / 1e9
  printf "prediction      %8.3f s per enhancer   peak memory %.2f GB\n", v["predict_s_per_enhancer"], v["predict_peak_rss_bytes"] / 1e9
  printf "attribution     %8.3f s per pair, %.3f s with four genes of an enhancer   peak memory %.2f GB\n", v["attribute_s_per_pair"], v["attribute_s_per_pair_four_genes"], v["attribute_peak_rss_bytes"] / 1e9
}' "$build/bench.json"
if [ -x "$build/tests/kernels_bench" ]; then "$build/tests/kernels_bench" --benchmark_min_time=0.2; fi
