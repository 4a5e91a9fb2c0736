#!/bin/bash
# The machinery of make gpu-check, without a GPU: nvidia-smi and the GPU's programs are stand-ins that
# run on the CPU, right or with a planted mistake.
source tests/apps/lib.sh
build=$work/build

# program NAME LINE...: an executable script.
program() {
  mkdir -p "$(dirname "$1")"
  { echo '#!/bin/bash'; printf '%s\n' "${@:2}"; } >"$1"
  chmod +x "$1"
}
# gpu_check STEP...: with the stand-ins; nothing is built.
gpu_check() {
  status=0
  env PATH="$work/bin:$PATH" MAKE=true CDT_BIN="$work/programs" CDT_PRESET=tiny CDT_EPOCHS=2 \
    tests/gpu_check.sh "$build" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
}

# --- no GPU
program "$work/none/nvidia-smi" 'echo "No devices were found"' 'exit 6'
status=0
env PATH="$work/none:$PATH" tests/gpu_check.sh "$build" 2>"$work/stderr" >"$work/stdout" || status=$?
check "no GPU: exit status 2, not $status" test $status -eq 2
check "no GPU: one line" test "$(wc -l <"$work/stderr")" -eq 1
expect_text "$work/stderr" "gpu-check: no GPU: "
check "no GPU: nothing on stdout" test ! -s "$work/stdout"

# --- no toolkit
program "$work/bin/nvidia-smi" 'case $* in *gpu=name*) echo "Stand-in \"X\"" ;; *) echo 1.0 ;; esac'
mkdir -p "$build/tests"
printf 'CUDA_VERSION := \nCUDA_MISSING := no nvcc\n' >"$build/cuda.mk"
gpu_check
check "no toolkit: exit status 2, not $status" test $status -eq 2
expect_text "$work/stderr" "gpu-check: no CUDA toolkit: no nvcc"

# --- a training that agrees, one that does not, steps that are skipped or run too long
printf 'CUDA_VERSION := 13.0\n' >"$build/cuda.mk"
cp "$CDT_BUILD/tests/compare_runs" "$build/tests/"
ln -s "$(realpath "$CDT_BIN/cdt-synth")" "$work/cdt-synth"
mkdir -p "$work/programs"
cp "$work/cdt-synth" "$work/programs/cdt-synth"
# shellcheck disable=SC2016  # the stand-in expands them
train_on_cpu=('args=("${@/#cuda/cpu}")' 'args=("${args[@]/#[tb]f[31][26]/fp32}")' "exec '$(realpath "$CDT_BIN")/cdt-train' \"\${args[@]}\"")
program "$work/programs/cdt-train" "${train_on_cpu[@]}"
gpu_check train-fp32 same-bits gemm
check "agreeing: exit status 0, not $status" test $status -eq 0
expect_text "$work/stdout" '"outside": 0'
check "a row of each step" grep -qE '^gemm +skipped +[0-9]+ s +not built' "$work/stdout"
expect_text "$work/stdout" "3 steps, 0 failed"
expect_text "$build/gpu-check.json" '"gpu": "Stand-in \"X\""'
expect_text "$build/gpu-check.json" '"step": "train-fp32", "status": "passed"'

# --- windows that agree, and some that do not
attribute_on_cpu=("${train_on_cpu[@]/cdt-train/cdt-attribute}")
program "$work/programs/cdt-attribute" "${attribute_on_cpu[@]}"
gpu_check attribute-bf16
check "equal windows: exit status 0, not $status" test $status -eq 0
expect_text "$work/stdout" "22 files, 0 out of bounds, largest error 0.0e+00 (all equal)"
# shellcheck disable=SC2016
program "$work/programs/cdt-attribute" '[[ $* == *cuda* ]] && set -- "$@" --smooth-noise 1' \
  "${attribute_on_cpu[@]}"
gpu_check attribute-fp32
check "other windows: exit status 1, not $status" test $status -eq 1
expect_text "$work/stdout" "22 files, 1 out of bounds"
expect_text "$work/stdout" "(methods/smoothgrad.npy)"

# shellcheck disable=SC2016
program "$work/programs/cdt-train" '[[ $* == *cuda* ]] && set -- "$@" --weight-decay 0.01' \
  "${train_on_cpu[@]}"
gpu_check train-fp32 same-bits gemm
check "a mistake: exit status 1, not $status" test $status -eq 1
check "a mistake: failed" grep -qE '^train-fp32 +failed' "$work/stdout"
check "the same bits" grep -qE '^same-bits +passed' "$work/stdout"
expect_text "$work/stdout" "3 steps, 1 failed"
expect_text "$build/gpu-check.json" '"step": "gemm", "status": "skipped"'

program "$work/programs/cdt-train" 'sleep 60'
CDT_STEP_LIMIT=2 gpu_check train-fp32 gemm
check "too long: exit status 1, not $status" test $status -eq 1
expect_text "$work/stdout" "ran past 2 s"
# What a step wrote before it broke off is no part of the results.
program "$build/tests/measure_gemm" 'echo "{\"half\":"' 'exit 1'
gpu_check gemm
check "broken off" grep -qE '^gemm +failed' "$work/stdout"
if command -v python3 >/dev/null; then
  check "one JSON file" python3 -m json.tool "$build/gpu-check.json" "$work/parsed.json"
else
  skip "one JSON file" "no python3"
fi
gpu_check no-such-step
check "an unknown step: exit status 2, not $status" test $status -eq 2
expect_text "$work/stderr" "no such step: no-such-step"
finish
