#!/bin/bash
# The programs that measure a GPU, at tiny sizes on the emulated one: each prints one JSON object with the
# documented numbers, and its exit status is its verdict. The times mean nothing here.
source tests/apps/lib.sh
measures=$CDT_BUILD/emulated/tests
export CDT_EMULATED_MEMORY=$((32 << 30))
sizes=(--batch 2 --bins 7 --genes 5 --hidden 32 --heads 4 --dna-dim 12 --rna-dim 5 --protein-dim 6)

# expect_json NAME FIELD...: $work/stdout is a JSON object with these fields, and the emulation found
# nothing.
expect_json() {
  local field
  if command -v python3 >/dev/null; then
    check "$1: JSON" python3 -m json.tool "$work/stdout" "$work/parsed.json"
  else
    skip "$1: JSON" "no python3"
  fi
  for field in "${@:2}"; do expect_text "$work/stdout" "\"$field\": "; done
  check "$1: nothing on stderr" test ! -s "$work/stderr"
}

# --- facts about the GPU
expect_ok "$measures/gpu_facts" --size 48 --copy-mib 1
expect_json gpu_facts gpu compute_capability driver_cuda_version runtime_version cublaslt_version \
  multiprocessors l2_bytes memory_bytes memory_free_bytes sm_clock_mhz memory_clock_mhz copy_tb_per_s \
  bf16_48_tflops tf32_48_tflops fp32_48_tflops fp32_fma_48_tflops emulated_float32
expect_text "$work/stdout" '"sm_clock_mhz": null'
expect_text "$work/stdout" '"emulated_float32": "not offered", "emulated_float32_tflops": null'

# --- the engine's products, issued exactly as the engine does
products() { grep -c '"engine_us": .*"best_us": .*"any_reduction_us": .*"engine": ' "$work/stdout"; }
expect_ok "$measures/measure_gemm" "${sizes[@]}" --algorithms 4
expect_json measure_gemm gpu cublaslt workload precisions products totals
for precision in fp32-fma tf32 bf16; do expect_text "$work/stdout" "\"precision\": \"$precision\""; done
expect_ok "$measures/measure_gemm" "${sizes[@]}" --algorithms 2 --precision bf16
check "all distinct products" grep -q "\"totals\": {\"distinct\": $(products), " "$work/stdout"
# The first map of the DNA feed-forward, for two layers: 2 x 7 rows, 32 to 128, with its bias, once forward
# and once more backward. The gradient of its weight is accumulated.
check "a product with bias" grep -qE '"m": 14, "n": 128, "k": 32, .*"trans_b": true, "factors": "bfloat16", .*"bias": true, "beta": 0, .*"calls": 4, ' \
  "$work/stdout"
gradient='"m": 128, "n": 32, "k": 14, .*"trans_a": true, .*"result": "float32", "bias": false, "beta": 1, .*"calls": 2, '
check "a product that accumulates" grep -qE "$gradient" "$work/stdout"
# The engine's sums over k have their own order; others are timed for comparison.
check "the engine's reductions" test -z "$(grep -oE '"engine": \{[^}]*\}' "$work/stdout" | grep -vE '"(none|compute type)"')"
# The algorithm that CudaOptions::any_reduction would use is timed too, and must repeat its bits.
check "any reduction" grep -q '"any_reduction": {[^}]*"reduction": "compute type"' "$work/stdout"
check "that repeat" grep -q '"totals": {.*"any_reduction_repeats": true}' "$work/stdout"
# Products for which the library has no algorithm use the plain kernel.
CDT_EMULATED_NO_ALGORITHM=all expect_ok "$measures/measure_gemm" "${sizes[@]}" --precision bf16
expect_text "$work/stdout" '"engine": null, "best": null'
check "all of them" test "$(grep -c '"engine": null' "$work/stdout")" -eq "$(products)"
for workload in predict attribute; do
  expect_ok "$measures/measure_gemm" "${sizes[@]}" --algorithms 1 --precision fp32-fma --workload $workload
  expect_json "measure_gemm $workload" totals
  check "$workload: products" test "$(products)" -gt 10
  check "$workload: no gradients of weights" test "$(grep -cE "${gradient%, .*\"calls*}" "$work/stdout")" -eq 0
done

# --- fused attention against score matrices, past one tile of queries and of keys
expect_ok "$measures/measure_forms" --batch 2 --heads 1 --head-dim 32 --queries 66 --keys 130
expect_json measure_forms gpu bounds values out_of_bounds forms out log_sum_exp dq dk dv forward_us \
  backward_tflops
expect_text "$work/stdout" '"out_of_bounds": 0'
check "both dropouts" test "$(grep -c '"dropout": .*"log_sum_exp": ' "$work/stdout")" -eq 2
expect_fail 2 "--head-dim: there is no fused kernel for it" "$measures/measure_forms" --head-dim 136
expect_fail 2 "--keys: is missing" "$measures/measure_forms" --queries 9

# --- cuDNN's attention against ours
attention=("$measures/measure_attention" --batch 2 --heads 1 --head-dim 32 --queries 66 --keys 130)
expect_ok "${attention[@]}"
expect_json measure_attention gpu cudnn bounds attention out_of_bounds shared_queries out log_sum_exp cudnn_us \
  own_tflops workspace_bytes
expect_text "$work/stdout" '"out_of_bounds": 0'
CDT_EMULATED_CUDNN=no-engine expect_ok "${attention[@]}"
expect_json "measure_attention without an engine" unsupported
status=0
CDT_EMULATED_CUDNN=wrong "${attention[@]}" >"$work/stdout" 2>"$work/stderr" || status=$?
check "a wrong library ends with 1" test $status -eq 1
expect_text "$work/stdout" '"out_of_bounds": 2'
CDT_EMULATED_CUDNN=missing expect_fail 2 "cuDNN: library: libcudnn.so.9 is not there" "${attention[@]}"
expect_fail 2 "--head-dim: there is no fused kernel for it" "$measures/measure_attention" --head-dim 136

# --- paper-scale workloads at small sizes
bench=("$measures/paper_bench" --device cuda "${sizes[@]}" --repeat 1)
expect_ok "${bench[@]}"
expect_json paper_bench train_step_s train_peak_device_bytes predict_s_per_enhancer attribute_s_per_pair \
  attribute_s_per_pair_four_genes attribute_peak_rss_bytes
expect_ok "${bench[@]}" --workloads predict --no-graph --precision bf16
expect_json "paper_bench predict" predict_s_per_enhancer
expect_text "$work/stdout" '"graphs": false'
check "predict alone" test "$(grep -cE 'train|attribute' "$work/stdout")" -eq 0
expect_ok "${bench[@]}" --workloads predict,attribute --precision bf16 --attention cudnn --profile
expect_text "$work/stdout" '"attention": "cudnn"'
expect_text "$work/stdout" "heads of 8, 5 queries, 7 keys: cuDNN's; cuDNN 9.19.0 differs by "
expect_ok "${bench[@]}" --workloads train,attribute --profile
expect_text "$work/stderr" "s that the program ran on cuda"
for part in train_profile attribute_profile attribute_four_genes_profile; do
  expect_text "$work/stdout" "\"$part\": {"
done
check "each with self-attention, forward and backward" \
  test "$(grep -c '"op": "self_attention"' "$work/stdout")" -eq 6
if command -v python3 >/dev/null; then
  check "paper_bench --profile: JSON" python3 -m json.tool "$work/stdout" "$work/parsed.json"
fi
for precision in fp32 bf16; do
  expect_ok "${bench[@]}" --same-bits --precision $precision
  expect_json "paper_bench --same-bits" recorded eager recorded_again
  for found in same_start weights_moved finite recorded_equals_eager twice_equal; do
    expect_text "$work/stdout" "\"$found\": true"
  done
done
expect_ok "${bench[@]}" --readouts
expect_json "paper_bench --readouts" column_s gene_s gene_over_column
check "both workloads" test "$(grep -o '"gene_over_column"' "$work/stdout" | wc -l)" -eq 2
expect_fail 2 "--workloads: no such workload" "${bench[@]}" --workloads train,explain
expect_fail 2 "--hidden: not a multiple of the heads" "$measures/paper_bench" --hidden 30

# --- no GPU is one line
export CDT_EMULATED_DEVICES=0
for program in gpu_facts measure_gemm measure_forms measure_attention; do
  expect_fail 2 "GPU: 0: no CUDA-capable device" "$measures/$program"
done
expect_fail 2 "--device" "${bench[@]}"
finish
