#!/usr/bin/env bash
# run_bench_pytorch.sh PYTHON BUILD [DEVICE [PRECISION]]: times the workloads of `make bench` in PyTorch and
# prints the ratios.
set -euo pipefail
python=$1 build=$2 device=${3:-cpu} precision=${4:-fp32}

if ! "$python" -c 'import torch' 2> /dev/null; then
  echo "bench-pytorch: $python has no PyTorch; install it or name another: make bench-pytorch PYTHON=..." >&2
  exit 2
fi
mkdir -p "$build"
"$python" tests/bench/bench_pytorch.py --device "$device" --precision "$precision" > "$build/bench_pytorch.json.new"
mv "$build/bench_pytorch.json.new" "$build/bench_pytorch.json"
cat "$build/bench_pytorch.json"
if [ ! -f "$build/bench.json" ]; then
  echo "no $build/bench.json to compare with; run make bench first" >&2
  exit 0
fi
"$python" - "$build/bench.json" "$build/bench_pytorch.json" << 'PYTHON'
import json
import sys

ours, torch = (json.load(open(name)) for name in sys.argv[1:])
kinds = [{"device": "cpu" if r["device"] == "cpu" else "cuda", "precision": r["precision"]}
         for r in (ours, torch)]  # PyTorch's names the card
if kinds[0] != kinds[1]:
    sys.exit(f"no ratios: make bench ran with {kinds[0]}, PyTorch with {kinds[1]}")
for key, label in (("train_step_s", "training step"),
                   ("predict_s_per_enhancer", "prediction, per enhancer"),
                   ("attribute_s_per_pair", "attribution, per pair")):
    print(f"{label:26} {ours[key]:9.4f} s   PyTorch {torch[key]:9.4f} s   "
          f"{torch[key] / ours[key]:.2f} times as fast")
PYTHON
