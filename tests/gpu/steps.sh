# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# The steps of tests/gpu_first.sh and tests/gpu_check.sh; tests/gpu/runner.sh says how they run and what is
# set. Programs come from $build, or with EMULATED=1 from $build/emulated, where they run on the emulated
# GPU at small sizes.

# NAME LIMIT FUNCTION... | the question it answers. Most informative first; limits in seconds are two to
# four times the expected time on an H100 with 16 cores.
list_steps() {
  cat <<'STEPS'
facts                 40 card | which card; how fast it copies and multiplies; does cuBLASLt offer emulated float32
kernel-tests          90 kernel_tests | does each kernel compute what the CPU does
forms                 60 attention_forms | are fused attention and score blocks equal at production shapes, and which is faster
bench-bf16            90 bench bf16 | training step, prediction and attribution at paper scale in bf16; device memory
profile-bf16          60 profile bf16 | where the time of that step goes, op by op
same-bits-bf16        60 same_bits bf16 | is a recorded step the step launched one by one, and every run the same, bit for bit
readouts-bf16         90 readouts bf16 | what the gene readout costs in training and prediction, at most 10 %
pytorch-bf16         120 pytorch bf16 | the same workloads through PyTorch, and the ratios
pytorch-bf16-compiled 120 pytorch bf16 --compile --workloads train | the training step through compiled PyTorch
bench-tf32            90 bench tf32 | the engine in tf32
bench-fp32            90 bench fp32 | the engine in fp32: float32 accuracy on tensor cores
bench-fp32-fma        90 bench fp32-fma | the engine in float32 multiply-adds
tests-fp32            60 device_tests fp32 | ops against float64 formulas, fixtures recorded from PyTorch, in fp32
tests-fp32-fma        60 device_tests fp32-fma | the same in fp32-fma
tests-tf32            60 device_tests tf32 | the same in tf32
tests-bf16            60 device_tests bf16 | the same in bf16
train-fp32            40 compare_training fp32 | does a whole training with dropout 0.3 agree with the CPU's
train-tf32            40 compare_training tf32 | how far does tf32 stray from it
train-bf16            40 compare_training bf16 | how far does bf16 stray from it
attribute-fp32        40 compare_attribution fp32 | do windows of all methods, paths, gene gradients and maps agree with the CPU's
attribute-tf32        40 compare_attribution tf32 | the same in tf32
attribute-bf16        40 compare_attribution bf16 | the same in bf16
gemm-bf16             60 gemm bf16 | cuBLASLt on the products of a step: first algorithm against best of 8; would CudaOptions::any_reduction be faster, and as repeatable
cudnn                 60 cudnn_attention | does cuDNN's attention compute what ours does without dropout, and which is faster
cudnn-bf16            90 cudnn_bench bf16 | prediction and attribution with --attention cudnn; which shapes cuDNN takes
memcheck              90 sanitize memcheck | accesses out of bounds in the fused kernels
racecheck             90 sanitize racecheck | races in the fused kernels
pytorch-tf32          90 pytorch tf32 | PyTorch in tf32, and the ratios
pytorch-fp32          90 pytorch fp32 | PyTorch in true float32, and the ratios
programs             240 app_tests | do the programs work with --device auto taking the GPU
gemm-tf32             60 gemm tf32 | the products in tf32
gemm-fp32-fma         60 gemm fp32-fma | the products in float32 multiply-adds
same-bits-tf32        60 same_bits tf32 | the same bits in tf32
same-bits-fp32        60 same_bits fp32 | the same bits in fp32
pytorch-bf16-rest    150 pytorch bf16 --compile --workloads predict,attribute | prediction and attribution through compiled PyTorch
cpu-16               120 cpu_bench 16 | the CPU engine on 16 threads
cpu-8                120 cpu_bench 8 | on 8
cpu-4                150 cpu_bench 4 | on 4
cpu-2                200 cpu_bench 2 | on 2
cpu-1                300 cpu_bench 1 | on 1: how it scales
STEPS
}

skip() {
  echo "$1" >&2
  exit "$kSkip"
}

emulated() { [ -n "${EMULATED:-}" ]; }

# path_of PROGRAM: its path, or a line that says that it was not built.
path_of() {
  local folder
  for folder in ${EMULATED:+"$build/emulated/tests" "$build/emulated/bin"} "$build/tests" "$build/bin"; do
    if [ -x "$folder/$1" ]; then
      echo "$folder/$1"
      return 0
    fi
  done
  echo "not built: $1"
  return 1
}

# ours PROGRAM ARGUMENT...: skips the step if the program was not built.
ours() {
  local path
  path=$(path_of "$1") || skip "$path"
  with_libraries "$path" "${@:2}"
}

# small PROGRAM: the options of a rehearsal; nothing on a GPU.
small() {
  emulated || return 0
  case $1 in
    gpu_facts) echo --size 48 --copy-mib 1 ;;
    measure_forms | measure_attention) echo --batch 2 --heads 1 --head-dim 32 --queries 66 --keys 130 ;;
    measure_gemm | paper_bench)
      echo --batch 2 --bins 7 --genes 5 --hidden 32 --heads 4 --dna-dim 12 --rna-dim 5 --protein-dim 6 ;;
    kernel_tests) echo '--gtest_filter=FusedAttentionKernels.SeveralCotangents' ;;
    unit_tests) echo '--gtest_filter=Optim.*' ;;
    parity_tests) echo '--gtest_filter=*/ModelParity.EvalForward*' ;;
  esac
}

repeats() { if emulated; then echo 1; else echo "$1"; fi; }

# measure PROGRAM OPTION...: saves its numbers, and shows them in the log.
measure() {
  local status=0
  # shellcheck disable=SC2046  # several options
  ours "$@" $(small "$1") >"$numbers" || status=$?
  cat "$numbers"
  return $status
}

# number FILE KEY: the first value of that key in a JSON file.
number() { grep -oE "\"$2\": *[-+0-9.eE]+" "$1" | head -n 1 | sed 's/.*: *//'; }

# --- the card and its kernels
card() {
  nvidia-smi 2>/dev/null
  measure gpu_facts
}

# google_test COMMAND...: distributes the tests over processes, because a kernel error on a GPU ends all
# later tests of its process. A filter that matches no test is a failure.
google_test() {
  local parts=$(($(nproc) < 8 ? $(nproc) : 8)) i pids=() failed=0 passed
  for ((i = 0; i < parts; i++)); do
    GTEST_BRIEF=1 GTEST_TOTAL_SHARDS=$parts GTEST_SHARD_INDEX=$i "$@" >"$folder/said.$i" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
  cat "$folder"/said.*
  passed=$(cat "$folder"/said.* | sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?.*/\1/p' | paste -sd + | sed 's/^$/0/')
  echo "$((passed)) tests passed, $failed of $parts processes failed"
  [ $failed -eq 0 ] && [ $((passed)) -gt 0 ]
}

# Single kernels against the CPU backend, float32 and bfloat16.
kernel_tests() {
  # shellcheck disable=SC2046
  google_test ours kernel_tests $(small kernel_tests)
}

# The device-independent tests on the CUDA backend; in tf32 and bf16 without those that need float32.
device_tests() {
  local suite failures=0
  export CDT_TEST_DEVICE=cuda CDT_TEST_PRECISION=$1
  GTEST_FILTER=$(tr '\n' : <tests/device_tests.txt)
  [[ $1 == fp32* ]] || GTEST_FILTER+=-$(sed 's/ *#.*//' tests/float32_tests.txt | tr '\n' :)
  export GTEST_FILTER
  for suite in unit parity; do
    # shellcheck disable=SC2046
    google_test ours ${suite}_tests $(small ${suite}_tests) || failures=1
  done
  return $failures
}

attention_forms() {
  measure measure_forms || return
  echo "$(grep -o '_us"' "$numbers" | wc -l) times, values out of bounds: $(number "$numbers" out_of_bounds)"
}

gemm() {
  measure measure_gemm --precision "$1" --algorithms "$(if emulated; then echo 2; else echo 8; fi)" || return
  grep -o '"totals": {.*}' "$numbers" | tail -n 1 >"$folder/totals"
  awk -v engine="$(number "$folder/totals" engine_us)" -v best="$(number "$folder/totals" best_us)" \
    -v any="$(number "$folder/totals" any_reduction_us)" -v products="$(number "$folder/totals" distinct)" \
    -v repeats="$(grep -o '"any_reduction_repeats": [a-z]*' "$folder/totals" | sed 's/.* //')" 'BEGIN {
      printf "%d products: %.2f ms, best of the algorithms %.2f; with any_reduction %.2f, bits %s: %s\n", products,
        engine * 1e-3, best * 1e-3, any * 1e-3, repeats == "true" ? "equal each time" : "that differ",
        any < 0.98 * engine && repeats == "true" ? "choose it" : "leave it" }'
}

# with_cudnn COMMAND...: with the library's folder in the path, if it is found.
with_cudnn() {
  local where
  if where=$(folder_of libcudnn.so.9); then libraries=$libraries${libraries:+:}$where; fi
  "$@"
}

cudnn_attention() {
  local status=0
  with_cudnn measure measure_attention || status=$?
  [ $status -ne 2 ] || skip "no cuDNN of version 9.13.1 or newer here"
  [ $status -eq 0 ] || return $status
  echo "$(grep -c '"cudnn_us"' "$numbers") shapes, $(grep -c '"unsupported"' "$numbers") without a kernel; values out of bounds: $(number "$numbers" out_of_bounds)"
}

# Times come from a run without a profile; the notes of a run with one say whose kernels computed what.
cudnn_bench() {
  local options="--device cuda --precision $1 --attention cudnn --workloads predict,attribute" shapes status=0
  # shellcheck disable=SC2086  # several options
  with_cudnn measure paper_bench $options --repeat 1 --profile || status=$?
  [ $status -ne 2 ] || skip "a build without cuDNN"
  [ $status -eq 0 ] || return $status
  shapes=$(grep -oE '"attention[^"]*: (cuDNN.s|our own)' "$numbers" | sed 's/.*: //' | sort | uniq -c | paste -sd , | tr -s ' ')
  # shellcheck disable=SC2086
  with_cudnn measure paper_bench $options --repeat "$(repeats 20)" || return
  awk -v predict="$(number "$numbers" predict_s_per_enhancer)" -v pair="$(number "$numbers" attribute_s_per_pair)" \
    -v shapes="$shapes" 'BEGIN { printf "%.0f enhancers/s, %.0f pairs/s; attentions:%s\n", 1 / predict, 1 / pair, shapes }'
}

# compute-sanitizer on the fused kernels alone, excluding library kernels; on everything it takes many
# minutes. A machine that the tool cannot attach to says nothing about the kernels.
sanitize() {
  local tool path option only=() status=0
  tool=$(command -v compute-sanitizer) || tool=$(cuda_folders | sed 's|/[^/]*$|/bin/compute-sanitizer|' |
    while read -r path; do if [ -x "$path" ]; then echo "$path"; fi; done | head -n 1)
  [ -n "$tool" ] || skip "no compute-sanitizer in the PATH or in a toolkit"
  path=$(path_of kernel_tests) || skip "$path"
  for option in --kernel-name --filter; do
    if [ ${#only[@]} -eq 0 ] && "$tool" --help 2>&1 | grep -qe "$option"; then only=("$option" kns=cdt); fi
  done
  google_test with_libraries "$tool" --tool "$1" ${only[@]+"${only[@]}"} --error-exitcode 9 "$path" \
    --gtest_filter='FusedAttentionKernels.*' || status=$?
  if [ $status -ne 0 ] && grep -q 'Device not supported' "$folder"/said.*; then
    skip "compute-sanitizer does not support this machine"
  fi
  return $status
}

# --- paper scale
bench() {
  measure paper_bench --device cuda --precision "$1" --repeat "$(repeats 20)" || return
  awk -v step="$(number "$numbers" train_step_s)" -v memory="$(number "$numbers" train_peak_device_bytes)" \
    -v predict="$(number "$numbers" predict_s_per_enhancer)" -v pair="$(number "$numbers" attribute_s_per_pair)" \
    -v four="$(number "$numbers" attribute_s_per_pair_four_genes)" 'BEGIN {
      printf "step %.2f ms, %.2f GB on the device; %.0f enhancers/s; %.0f pairs/s, %.0f with four genes each\n",
        step * 1e3, memory / 1e9, 1 / predict, 1 / pair, 1 / four }'
}

readouts() {
  measure paper_bench --device cuda --precision "$1" --readouts --repeat "$(repeats 5)" || return
  awk -F '"gene_over_column": ' '{ printf "gene readout over column readout: training %.3f, prediction %.3f\n", $2, $3 }' "$numbers"
}

profile() {
  measure paper_bench --device cuda --precision "$1" --repeat "$(repeats 20)" --workloads train --profile || return
  echo "$(grep -o '"op"' "$numbers" | wc -l) ops: the table is in log.txt"
}

same_bits() {
  local status=0
  measure paper_bench --device cuda --precision "$1" --same-bits || status=$?
  grep -oE '"(recorded_equals_eager|twice_equal)": [a-z]+' "$numbers" | tr -d '"' | paste -sd ' '
  return $status
}

cpu_bench() {
  [ "$(nproc)" -ge "$1" ] || skip "$(nproc) processors here"
  measure paper_bench --device cpu --threads "$1" --repeat 1 --workloads train,predict,attribute
}

# pytorch PRECISION [OPTION...]: the workloads of bench-PRECISION, and the ratios to it. Without our
# LD_LIBRARY_PATH: PyTorch brings its own libraries.
pytorch() {
  local python=${PYTHON:-python3} theirs mine key ratios=''
  ! emulated || skip "an emulated GPU is none for PyTorch"
  "$python" -c 'import torch; raise SystemExit(not torch.cuda.is_available())' 2>/dev/null ||
    skip "$python has no PyTorch that sees the GPU"
  "$python" tests/bench/bench_pytorch.py --device cuda --precision "$1" --repeat 20 \
    --train-batch 8 --predict-batch 8 "${@:2}" >"$numbers" || return
  cat "$numbers"
  for key in train_step_s predict_s_per_enhancer attribute_s_per_pair; do
    grep -q "\"$key\"" "$numbers" || continue
    theirs=$(number "$numbers" $key) mine=$(number "$scratch/bench-$1.json" $key 2>/dev/null)
    ratios+=$(awk -v a="$theirs" -v b="$mine" -v name="${key%%_*}" 'BEGIN {
      printf a == "" ? "%s not measured" : "%s %.2f ms", name, a * 1e3
      if (a > 0 && b > 0) printf ", the engine %.2f times as fast", a / b
      printf "; " }')
  done
  echo "${ratios%; }"
}

# --- the programs' own tests: those that need no compiler and no emulation, in parallel. A process on a GPU
# spends most of its time on starting.
app_tests() {
  local names='25_device 40_predict 50_attribute 51_zero_dna 52_gradient_methods 53_occlude_region 55_tracks cdt_train'
  local program failures
  ! emulated || names=51_zero_dna
  mkdir -p "$folder/bin"
  for program in synth train predict attribute; do
    printf '#!/bin/bash\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries:${LD_LIBRARY_PATH:-}" \
      "$(realpath "$(path_of cdt-$program)")" >"$folder/bin/cdt-$program"
    chmod +x "$folder/bin/cdt-$program"
  done
  # shellcheck disable=SC2016  # for the inner shell
  tr ' ' '\n' <<<"$names" | xargs -P "$(nproc)" -I{} bash -c \
    'CDT_BIN=$1/bin CDT_BUILD=$1 bash "tests/apps/$2.sh" >"$1/$2.log" 2>&1 || : >"$1/$2.failed"' - "$folder" {}
  for program in $names; do
    printf '== %s\n' "$program"
    cat "$folder/$program.log"
  done
  failures=$(find "$folder" -name '*.failed' | wc -l)
  echo "$(echo "$names" | wc -w) scripts, $failures failed"
  [ "$failures" -eq 0 ]
}
