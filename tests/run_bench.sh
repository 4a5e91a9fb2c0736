#!/usr/bin/env bash
# run_bench.sh BUILD [DEVICE [PRECISION]]: paper-scale timings into BUILD/bench.json, then, on the CPU,
# timings of single kernels.
set -euo pipefail
build=$1 device=${2:-cpu} precision=${3:-fp32}

echo "paper scale: batch 8, 896 bins x 3072, 2360 genes, 60,093,752 parameters, $precision, $device" >&2
"$build/tests/paper_bench" --device "$device" --precision "$precision" | tee "$build/bench.json.new"
mv "$build/bench.json.new" "$build/bench.json"
awk -v FS='[,{}]' '
  function line(name, seconds, unit, workload, more) {
    printf "%-15s %8.*f %s %s%s   peak memory %.2f GB%s\n", name, digits, seconds * scale, time, unit, more,
      v[workload "_peak_rss_bytes"] / 1e9,
      gpu ? sprintf(", on the device %.2f GB", v[workload "_peak_device_bytes"] / 1e9) : ""
  }
  {
    for (i = 1; i <= NF; ++i) if (split($i, part, ": ") == 2) { gsub(/[" ]/, "", part[1]); v[part[1]] = part[2] }
    gpu = v["device"] ~ /cuda/
    scale = gpu ? 1000 : 1; time = gpu ? "ms" : "s"; digits = 3
    line("training step", v["train_step_s"], "", "train")
    line("prediction", v["predict_s_per_enhancer"], " per enhancer", "predict")
    line("attribution", v["attribute_s_per_pair"], " per pair", "attribute",
      sprintf(", %.*f %s with four genes of an enhancer", digits,
        v["attribute_s_per_pair_four_genes"] * scale, time))
  }' "$build/bench.json"
if [ "$device" = cpu ] && [ -x "$build/tests/kernels_bench" ]; then
  "$build/tests/kernels_bench" --benchmark_min_time=0.2
fi
