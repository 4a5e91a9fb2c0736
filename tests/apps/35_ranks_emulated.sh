#!/bin/bash
# Data-parallel training on emulated GPUs: mpirun starts the ranks, and the gradients go from GPU to GPU through a
# stand-in for NCCL's calls (tests/emulation/nccl.h), in steps that are recorded and replayed.
source tests/apps/lib.sh
train=$CDT_BUILD/emulated/bin/cdt-train
if [ -z "$(mpi_flags)" ] || ! command -v mpirun >/dev/null; then
  skip 'training on emulated GPUs' 'this build has no MPI, or there is no mpirun'
  finish
elif [ ! -x "$train" ]; then
  skip 'training on emulated GPUs' 'this build has no emulated GPU'
  finish
elif ! unshare --pid --fork true 2>/dev/null; then
  skip 'training on emulated GPUs' 'no process namespaces'
  finish
fi
allow_mpirun_here
data=$work/data
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet
words=(--data "$data" --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --batch-size 4 --epochs 1
  --max-steps 6 --epoch-controls none --device cuda --quiet)
# two FOLDER OPTION...: two ranks. The emulation has one GPU, so each rank needs a host of its own, as which a process
# namespace counts.
two() {
  local rank=("$train" "${words[@]}" --out "$work/$1" "${@:2}")
  mpirun -n 1 "${rank[@]}" : -n 1 unshare --pid --fork "${rank[@]}"
}
# loss FOLDER: the training loss.
loss() { grep -o '"train_loss":[-0-9.e]*' "$work/$1/metrics.jsonl" | cut -d : -f 2; }
# close FOLDER FOLDER SHARE: losses that differ by at most a share of the first.
close() {
  check "$1 and $2: $(loss "$1"), $(loss "$2")" awk -v a="$(loss "$1")" -v b="$(loss "$2")" -v share="$3" \
    'BEGIN { d = a > b ? a - b : b - a; exit !(a > 0 && b > 0 && d < share * a) }'
}

expect_ok "$train" "${words[@]}" --out "$work/one"
expect_ok two two
expect_ok two again
for file in model.safetensors last/model.safetensors; do expect_same "$work/two/$file" "$work/again/$file"; done
close one two 1e-6
expect_ok two plain --no-graph
for file in model.safetensors last/model.safetensors; do expect_same "$work/two/$file" "$work/plain/$file"; done
expect_ok "$train" "${words[@]}" --out "$work/one16" --precision bf16
expect_ok two two16 --precision bf16
close one16 two16 2e-3
expect_text "$work/two/provenance.json" '"ranks": 2'
finish
