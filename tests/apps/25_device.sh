#!/bin/bash
# --device on a machine without a usable GPU: cuda is refused in one line that says why, before anything is
# written; auto uses the CPU.
source tests/apps/lib.sh
data=$work/data
sizes=(--hidden 32 --heads 4 --pool-heads 2 --feed-forward 64 --fusion 32 --batch-size 2)
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/run" --device cpu --epochs 1 --quiet \
  "${sizes[@]}"
model=$work/run/model.safetensors

if "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val --out "$work/probe" \
  --device cuda --quiet >/dev/null 2>"$work/stderr"; then
  skip "--device cuda without a GPU" "there is a GPU"
else
  reason="$(sed -n 's/^cdt-predict: command line: --device: \(.*\) (expected auto or cpu, got cuda)$/\1/p' \
    "$work/stderr")"
  check "a reason: '$reason'" test -n "$reason"
  for device in cuda cuda:0; do
    out=$work/none
    refused="--device: $reason (expected auto or cpu, got $device)"
    expect_fail 2 "$refused" "$CDT_BIN/cdt-train" --data "$data" --out "$out" --device $device \
      --epochs 1 "${sizes[@]}"
    expect_fail 2 "$refused" "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val \
      --out "$out" --device $device
    expect_fail 2 "$refused" "$CDT_BIN/cdt-attribute" --data "$data" --model "$model" --split val \
      --out "$out" --device $device
    check "nothing made" test ! -e "$out"
  done
  for precision in tf32 bf16; do
    expect_fail 2 "--precision" "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val \
      --out "$work/none" --device auto --precision $precision
  done
fi
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val --out "$work/auto" \
  --device auto --quiet
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val --out "$work/cpu" \
  --device cpu --quiet
for program in cdt-predict cdt-attribute; do
  expect_fail 2 '--no-graph: changes nothing on the CPU' "$CDT_BIN/$program" --data "$data" \
    --model "$model" --split val --out "$work/none" --device cpu --no-graph
  refused="--attention: the CPU has none of cuDNN's (expected auto or own, got cudnn)"
  expect_fail 2 "$refused" "$CDT_BIN/$program" --data "$data" --model "$model" --split val \
    --out "$work/none" --device cpu --attention cudnn
  expect_fail 2 "--attention: no such choice" "$CDT_BIN/$program" --data "$data" --model "$model" \
    --split val --out "$work/none" --device cpu --attention fused
done
check "the CPU's predictions" test -s "$work/cpu/predictions.tsv"
expect_fail 2 "no such device" "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val \
  --out "$work/none" --device gpu
# Every pattern in the list of tests that also run on a device must match some test.
if [ -x "$CDT_BUILD/tests/unit_tests" ]; then
  while read -r pattern; do
    for suite in unit parity; do "$CDT_BUILD/tests/${suite}_tests" --gtest_list_tests "--gtest_filter=$pattern"; done |
      grep -q '^  ' || fail "tests/device_tests.txt: no test is called $pattern"
  done <tests/device_tests.txt
  pass
fi
finish
