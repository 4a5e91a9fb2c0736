# shellcheck shell=bash
# The steps of tests/gpu_check.sh. Each runs in a process of its own with build, logs and step set, is
# judged by its exit status, and says in its last line how it went. Numbers go to $logs/$step.json.
kSkip=77

# NAME LIMIT FUNCTION, in the order they run: what must hold first, then what is measured.
list_steps() {
  cat <<'STEPS'
build               1200 build_all
tests               1500 run_suite
device-tests         600 run_device_tests
train-fp32           600 compare_training
train-fp32-dropout   600 compare_training
train-tf32-dropout   600 compare_training
train-bf16-dropout   600 compare_training
same-bits            300 train_twice
attribute-fp32       300 compare_attribution
attribute-tf32       300 compare_attribution
attribute-bf16       300 compare_attribution
memcheck            1200 sanitize
racecheck           1200 sanitize
bench-fp32           300 bench
bench-tf32           300 bench
bench-bf16           300 bench
pytorch-fp32         600 bench_pytorch
pytorch-tf32         600 bench_pytorch
pytorch-bf16         600 bench_pytorch
gemm                 300 measure
attention            300 measure
forms                300 measure
STEPS
}

skip() {
  echo "$1"
  exit $kSkip
}

bin() { echo "${CDT_BIN:-$build/bin}"; }

# Warnings of a compiler that nobody here has met are no reason not to measure.
build_all() { "${MAKE:-make}" -j"$(nproc)" WERROR= gpu-check-build; }

# make test's own suite: here --device auto takes the GPU, so the programs run on it.
run_suite() {
  tests/run_tests.sh "$build"
}

# device_tests NAME WRAPPER...: the tests of a GoogleTest binary that do not depend on the device, on
# the CUDA backend.
device_tests() {
  CDT_TEST_DEVICE=cuda GTEST_FILTER=$(tr '\n' : <tests/device_tests.txt) GTEST_BRIEF=1 \
    "${@:2}" "$build/tests/$1_tests"
}

# Single kernels against the CPU backend, in float32 and bfloat16; the ops against float64 formulas,
# optimiser, attribution, checkpoints; fixtures recorded from PyTorch.
run_device_tests() {
  local failures=0
  GTEST_BRIEF=1 "$build/tests/kernel_tests" || failures=1
  device_tests unit || failures=1
  device_tests parity || failures=1
  return $failures
}

# A run of a small model from common weights: train OUT START DEVICE PRECISION DROPOUT.
train() {
  rm -rf "$1"
  "$(bin)/cdt-train" --data "$folder/data" --out "$1" --model "$2" --device "$3" --precision "$4" \
    --dropout "$5" --epochs "${CDT_EPOCHS:-3}" --batch-size 8 --seed 3 --quiet
}

# make_start: data and weights that all runs of a step begin with. Heads of 32: attention in bf16 is
# fused.
make_start() {
  folder=$logs/$step
  rm -rf "$folder"
  mkdir -p "$folder"
  "$(bin)/cdt-synth" --preset "${CDT_PRESET:-demo}" --out "$folder/data" --seed 1 --quiet &&
    "$(bin)/cdt-train" --data "$folder/data" --out "$folder/first" --device cpu --epochs 1 \
      --hidden 128 --heads 4 --pool-heads 2 --feed-forward 128 --fusion 96 --seed 3 --quiet
}

# train-PRECISION[-dropout]: a whole training on the CPU and on the GPU. Controls (compare_runs) start
# from weights moved by the rounding of the precision: half a unit in the last place of float32,
# tf32 (10 bits of mantissa) or bfloat16 (7).
compare_training() {
  local precision dropout=0 epsilon start=first/model.safetensors seed
  precision=$(echo "$step" | cut -d - -f 2)
  [[ $step == *-dropout ]] && dropout=0.3
  case $precision in fp32) epsilon=1.2e-7 ;; tf32) epsilon=4.9e-4 ;; bf16) epsilon=3.9e-3 ;; esac
  make_start || return 1
  start=$folder/$start
  train "$folder/cpu" "$start" cpu fp32 $dropout || return 1
  for seed in 1 2; do
    "$build/tests/compare_runs" perturb --model "$start" --out "$folder/moved$seed.safetensors" \
      --epsilon $epsilon --seed $seed &&
      train "$folder/control$seed" "$folder/moved$seed.safetensors" cpu fp32 $dropout || return 1
  done
  train "$folder/cuda" "$start" cuda "$precision" $dropout || return 1
  "$build/tests/compare_runs" compare --start "$start" --reference "$folder/cpu" \
    --control "$folder/control1" --control "$folder/control2" --candidate "$folder/cuda" \
    >"$logs/$step.json" || return 1
  cat "$logs/$step.json"
}

# Twice the same training on the GPU, in each precision: the same bits.
train_twice() {
  local precision
  make_start || return 1
  for precision in fp32 tf32 bf16; do
    train "$folder/one" "$folder/first/model.safetensors" cuda $precision 0.3 &&
      train "$folder/two" "$folder/first/model.safetensors" cuda $precision 0.3 || return 1
    cmp "$folder/one/last/model.safetensors" "$folder/two/last/model.safetensors" || return 1
  done
  echo "fp32, tf32 and bf16: the same weights, bit for bit"
}

# attribute-PRECISION: windows of all methods on the GPU against the CPU's. A window may be off by 16
# roundings of the precision; in float32, whose sums run in another order, by 1e-4.
compare_attribution() {
  local precision=${step#attribute-} device error
  case $precision in fp32) error=1e-4 ;; tf32) error=7.8e-3 ;; bf16) error=6.25e-2 ;; esac
  make_start || return 1
  for device in cpu cuda; do
    "$(bin)/cdt-attribute" --data "$folder/data" --model "$folder/first/model.safetensors" --split val \
      --sample 8 --tracks 0 --methods all --paths --gene-gradients --maps all --device $device \
      --precision "$([ $device = cpu ] && echo fp32 || echo "$precision")" --out "$folder/$device" \
      --quiet || return 1
  done
  tests/gpu/compare_windows.sh "$folder/cpu" "$folder/cuda" 0.99 $error
}

# memcheck, racecheck: compute-sanitizer over single kernels, over the unit tests that run on the
# device, and over an epoch in bf16. A machine that the tool cannot attach to says nothing about the
# kernels.
sanitize() {
  local tool status=0
  tool=$(command -v compute-sanitizer) || tool=$(sed -n 's/^NVCC := \(.*\)nvcc$/\1/p' "$build/cuda.mk")compute-sanitizer
  [ -x "$tool" ] || skip "no compute-sanitizer in the PATH or beside nvcc"
  GTEST_BRIEF=1 "$tool" --tool "$step" --error-exitcode 9 "$build/tests/kernel_tests" &&
    device_tests unit "$tool" --tool "$step" --error-exitcode 9 || status=$?
  if [ $status -ne 0 ] && grep -q 'Device not supported' "$logs/$step.log"; then
    skip "compute-sanitizer does not support this machine"
  fi
  [ $status -eq 0 ] || return $status
  CDT_PRESET=tiny make_start || return 1
  "$tool" --tool "$step" --error-exitcode 9 "$(bin)/cdt-train" --data "$folder/data" \
    --out "$folder/bf16" --model "$folder/first/model.safetensors" --device cuda --precision bf16 \
    --dropout 0.3 --epochs 1 --batch-size 8 --quiet
}

# bench-PRECISION: paper scale on the GPU.
bench() {
  "$build/tests/paper_bench" --device cuda --precision "${step#bench-}" --repeat 20 \
    >"$logs/$step.json" || return 1
  awk -v RS='[,{}]' -F '": ' '{ sub(/^ *"/, "", $1); v[$1] = $2 } END {
    printf "step %.2f ms, %.2f GB on the device; %.0f enhancers/s; %.0f pairs/s, %.0f with four genes each\n",
      v["train_step_s"] * 1e3, v["train_peak_device_bytes"] / 1e9, 1 / v["predict_s_per_enhancer"],
      1 / v["attribute_s_per_pair"], 1 / v["attribute_s_per_pair_four_genes"] }' "$logs/$step.json"
}

# pytorch-PRECISION: the same workloads through PyTorch, and the ratios to bench-PRECISION.
bench_pytorch() {
  local python=${PYTHON:-python3} ours=$logs/bench-${step#pytorch-}.json
  "$python" -c 'import torch; raise SystemExit(not torch.cuda.is_available())' 2>/dev/null ||
    skip "$python has no PyTorch that sees the GPU"
  "$python" tests/bench/bench_pytorch.py --device cuda --precision "${step#pytorch-}" --repeat 20 \
    --predict-batch 8 >"$logs/$step.json" || return 1
  "$python" - "$logs/$step.json" "$ours" <<'PYTHON'
import json
import os
import sys

torch = json.load(open(sys.argv[1]))
print(f"step {torch['train_step_s'] * 1e3:.2f} ms, "
      f"{torch['train_peak_device_bytes'] / 1e9:.2f} GB on the device; "
      f"{1 / torch['predict_s_per_enhancer']:.0f} enhancers/s; "
      f"{1 / torch['attribute_s_per_pair']:.0f} pairs/s", end="")
if os.path.exists(sys.argv[2]):
    ours = json.load(open(sys.argv[2]))
    ratios = [f"{torch[k] / ours[k]:.2f}" for k in
              ("train_step_s", "predict_s_per_enhancer", "attribute_s_per_pair")]
    print(f"; the engine is {', '.join(ratios)} times as fast", end="")
print()
PYTHON
}

# gemm, attention: what NVIDIA's libraries reach on the shapes of CDT; forms: the engine's attention.
measure() {
  [ -x "$build/tests/measure_$step" ] || skip "not built: $build/tests/measure_$step"
  "$build/tests/measure_$step" >"$logs/$step.json" || return 1
  echo "$(grep -c '_us"' "$logs/$step.json") measurements"
}
