#!/bin/bash
# The cost of a step: a dry run lists exactly the work that a real run requests; the model's arithmetic
# gives hand-computed values on tiny inputs; and every kernel of a step has its line in the model's table.
source tests/apps/lib.sh

count_step=$CDT_BUILD/emulated/tests/count_step
# cost TABLE LEVELS LIST: prints the report.
cost() { awk -f tests/cuda_cost.awk "$@"; }
# tabs: replaces spaces between words by tabs, and "_" in words by spaces.
tabs() { tr -s ' ' '\t' | tr '_' ' '; }

# --- the arithmetic, with round constants that a person can follow
{
  printf 'constant\t%s\t%s\n' bandwidth '1 2' reached 1 processors 10 clock 1 hiding 4 mma 8 latency 0 threads 2048 \
    registers 65536 shared 232448 gap 1 bf16 100 fp32 10
  printf 'tile\t%s\n' $'100\t100\t1\t1'
  printf 'kernel\t%s\n' $'^tiles\tattention\tcall\tturns keys/64\t-\ttile 2' \
    $'^passes\trows\telements*8\taccesses elements/lanes*2\t-\telement' $'^nested\trows\tcall\tturns 2\tturns 6\t-'
} >"$work/table"
# kind name registers, then for outside, a turn and an inner turn: instructions, tensor, shared, accesses.
tabs >"$work/levels" <<'END'
sm_90 tiles 32  100 0 0 0  1000 96 50 0  0 0 0 0
sm_90 passes 32  10 0 0 0  80 0 0 8  0 0 0 0
sm_90 passes 32  1 0 0 0  8 0 0 8  0 0 0 0
sm_90 nested 32  10 0 0 0  20 0 0 1  5 0 40 0
END
columns='workload precision recorded function kind name blocks deep threads shared m n k problems flop bytes elements columns
batch heads width queries keys times'
# list LINE...: with the column names from above, as count_step prints it.
list() {
  echo $columns | tr ' ' '\t'
  printf '%s\n' "$@" | tabs
}
# expect_row NAME LAUNCHES GB TFLOP ISSUED H100 H200 BOUND
expect_row() { check "$*" grep -qE "^${1//_/ } +$2 +$3 +$4 +$5 +$6 +$7  ${8}$" "$work/stdout"; }

# Ten blocks of 4 warps on ten multiprocessors: 4 of 8 instructions issue. 2 turns for 65 keys: 2100
# instructions a warp in 2100 x 4 / 4 / 0.5 clocks, 4.2 us; on tensor cores 2 x 96 x 8 = 1.5 us. 1000
# launches take 4.2 ms.
list "train bf16 1 attention kernel tiles 10 1 128 0 0 0 0 0 0 1000 640 96 1 1 96 64 65 1000" >"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_row attention 1000 0.00 0.03 84.0 4.20 4.20 issue
expect_text "$work/stdout" "tiles: 1000 a warp and tile of 16 x 64 x 96"
check "gaps" grep -qE '^gaps between nodes +1\.00 +1\.00$' "$work/stdout"
expect_row step 1000 0.00 0.03 84.0 5.20 5.20 "an estimate"

# 8 elements a thread take 16 accesses, 2 turns; among kernels of the same name the longest counts: 170
# instructions. 320 threads in 10 blocks of a warp: 1 of 5 instructions issues, 170 / 4 / 0.2 clocks. The
# bytes are 20,480: 0.02 us at 1 TB/s, half of that at 2.
list "train bf16 1 gelu kernel passes 10 1 32 0 0 0 0 0 0 1 2560 256 0 0 0 0 0 10000" >"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_row rows 10000 0.20 0.00 17.0 2.12 2.12 issue
expect_text "$work/stdout" "passes: 20 an element"
# With one more block, one multiprocessor has two of them: two warps issue 2 of 6.
list "train bf16 1 gelu kernel passes 11 1 32 0 0 0 0 0 0 1 2816 256 0 0 0 0 0 10000" >"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_row rows 10000 0.23 0.00 18.7 2.55 2.55 issue

# 2 turns and 6 inner ones: 10 + 40 + 30 instructions, and 240 clocks of shared memory a warp.
list "train bf16 1 gelu kernel nested 10 1 1024 0 0 0 0 0 0 1 2560 256 0 0 0 0 0 1000" >"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_row rows 1000 0.00 0.00 25.6 7.68 7.68 shared

# 3 x 4 tiles take 2 waves of 10: 0.6 of the rate. 24 us at 100 TFLOP/s; 40. With two tiles, a k of 512 is
# split in two: 4 of 10 multiprocessors.
list "train bf16 1 gemm product bf16_to_bf16 0 0 0 0 300 400 10000 1 2400000000 1 0 0 0 0 0 0 0 1000" \
  "train bf16 1 gemm product bf16_to_fp32 0 0 0 0 100 200 512 1 20480000 1 0 0 0 0 0 0 0 1000" \
  "train bf16 0 - copy to_host 0 0 0 0 0 0 0 0 0 99999999999 0 0 0 0 0 0 0 1" >"$work/list"
printf '# memory\ttrain\tbf16\t3000000000\t8\t1000000000\t1900000000\t50000000\n' >>"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_row products 2000 0.00 2.42 0.0 40.51 40.51 product
check "8 results in 42.5 ms" grep -qE '^results a second +188 +188$' "$work/stdout"
expect_text "$work/stdout" \
  "train bf16, recorded: 2000 nodes: 0 kernels, 2000 products, 0 copies; 2.42 TFLOP; 3.00 GB of device memory (1.00 lasting, 1.90 step, 0.05 scratch)"

# Without instruction counts the requested work is still reported; kernels missing in the table are named.
expect_ok cost "$work/table" /dev/null "$work/list"
expect_text "$work/stdout" "2000 nodes"
check "no times" test "$(grep -c 'H200' "$work/stdout")" -eq 0
list "train bf16 1 gemm kernel strange 10 1 32 0 0 0 0 0 0 1 1 1 0 0 0 0 0 1" >"$work/list"
expect_ok cost "$work/table" "$work/levels" "$work/list"
expect_text "$work/stdout" "no line in $work/table, taken as without loops: strange"
expect_text "$work/stdout" "not among the kernels that were counted: strange"

# expect_refused NEEDLE: cost refuses $work/table, levels and list.
expect_refused() {
  local status=0
  cost "$work/table" "$work/levels" "$work/list" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "$1: exit status 2, not $status" test $status -eq 2
  expect_text "$work/stderr" "$1"
}
list "train bf16 1 gemm product fp8_to_fp32 0 0 0 0 1 2 5 1 2 1 0 0 0 0 0 0 0 1" >"$work/list"
expect_refused "no rate for products in fp8"
list "train bf16 1 gemm kernel" >"$work/list"
expect_refused "line 2: not the columns of its first line"
printf 'kernel\t^x\trows\n' >>"$work/table"
expect_refused "not the 7 columns of a kernel"

# --- a dry run at a small size lists what a real run requests
if [ ! -x "$count_step" ]; then
  skip "what a step asks for" "no emulated programs in $CDT_BUILD"
  finish
fi
sizes=(--batch 2 --bins 66 --genes 17 --hidden 32 --heads 2 --dna-dim 24 --rna-dim 16 --protein-dim 16)
expect_ok "$count_step" "${sizes[@]}"
mv "$work/stdout" "$work/dry"
expect_ok "$count_step" "${sizes[@]}" --computed
expect_same "$work/stdout" "$work/dry"
for workload in train predict attribute; do
  check "$workload: kernels" grep -qE "^$workload.*"$'\tkernel\t' "$work/dry"
done

# --- at full size, in every precision: a recorded step without a kernel that the model does not know
expect_ok "$count_step"
tests/cuda_names.sh <"$work/stdout" >"$work/list"
expect_ok cost tests/cuda_cost.tsv /dev/null "$work/list"
if debug_build; then
  skip "recorded steps" "a debug build runs each step as it is"
else
  for precision in bf16 tf32 fp32; do
    for workload in train predict attribute; do
      check "$workload $precision" grep -qE "^$workload $precision, recorded: [0-9]+ nodes" "$work/stdout"
    done
  done
fi
check "every kernel has a line in tests/cuda_cost.tsv" test "$(grep -c '^no line' "$work/stdout")" -eq 0
finish
