#!/bin/bash
# The comparison that judges a GPU's training runs: runs that are equal up to rounding pass, planted
# mistakes do not.
source tests/apps/lib.sh
compare_runs=$CDT_BUILD/tests/compare_runs

# train OUT START OPTIONS...
train() {
  "$CDT_BIN/cdt-train" --data "$work/data" --out "$work/$1" --model "$2" --epochs 2 --batch-size 2 \
    --threads 1 --seed "${run_seed:-3}" --quiet "${@:3}"
}
# compare CANDIDATE
compare() { "$compare_runs" "${arguments[@]}" --candidate "$work/$1"; }
# expect_refused CANDIDATE NEEDLE: exit status 1 and a line on stderr that contains NEEDLE.
expect_refused() {
  local status=0
  compare "$1" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "$1: exit status 1, not $status" test $status -eq 1
  expect_text "$work/stderr" "$2"
}

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/data" --seed 1 --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$work/data" --out "$work/first" --epochs 1 --threads 1 \
  --hidden 32 --heads 4 --pool-heads 2 --feed-forward 64 --fusion 48 --batch-size 2 --quiet
start=$work/first/model.safetensors
arguments=(compare --start "$start" --reference "$work/reference"
  --control "$work/control1" --control "$work/control2")
for seed in 1 2 3; do
  expect_ok "$compare_runs" perturb --model "$start" --out "$work/moved$seed.safetensors" --seed $seed
done
expect_ok train reference "$start"
expect_ok train control1 "$work/moved1.safetensors"
expect_ok train control2 "$work/moved2.safetensors"

# --- passes: another rounding of the start, another instruction set for matrix products
expect_ok train rounding "$work/moved3.safetensors"
expect_ok compare rounding
expect_text "$work/stdout" '"outside": 0'
ONEDNN_MAX_CPU_ISA=SSE41 expect_ok train instructions "$start"
expect_ok compare instructions

# --- planted mistakes: a learning rate off by a thousandth, another mask, no clipping, one tensor, one loss
expect_ok train rate "$start" --lr 1.001e-4
expect_refused rate "differs by"
run_seed=4 expect_ok train mask "$start"
expect_refused mask "train_loss: differs by"
expect_ok "$compare_runs" perturb --model "$start" --out "$work/far.safetensors" --epsilon 1e-4
expect_ok train far "$work/far.safetensors"
expect_refused far "differs by"
cp -r "$work/reference" "$work/loss"
sed -i '2s/"val_loss":0\.0*[1-9]/&9/' "$work/loss/metrics.jsonl"
expect_refused loss "val_loss: differs by"
cp -r "$work/reference" "$work/nan"
sed -i '2s/"train_loss":[^,]*/"train_loss":1e999/' "$work/nan/metrics.jsonl"
status=0
compare nan >"$work/stdout" 2>"$work/stderr" || status=$?
check "a loss that is no number: exit status $status" test $status -ne 0

# --- runs that cannot be compared
cp -r "$work/reference" "$work/short"
sed -i '$d' "$work/short/metrics.jsonl"
expect_fail 2 "another number of epochs (expected 2, got 1)" \
  "$compare_runs" "${arguments[@]}" --candidate "$work/short"
expect_fail 2 "--candidate" "$compare_runs" "${arguments[@]}"
expect_fail 2 "verb: is unknown (expected perturb or compare" "$compare_runs" other
finish
