#!/bin/bash
# --profile of cdt-train, cdt-predict and cdt-attribute, on the CPU and on the emulated GPU: a table and a
# JSON file of time by op, and not one bit of the results changes.
source tests/apps/lib.sh
export CDT_EMULATED_MEMORY=$((32 << 30))
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/data" --seed 1 --quiet

# train PROGRAM OUT OPTIONS...
train() {
  "$1" --data "$work/data" --out "$work/$2" --epochs 1 --batch-size 8 --seed 3 --threads 1 --quiet --hidden 16 \
    --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 "${@:3}"
}
# row PASS OP: the calls in that row of the table on stdout, 0 if it is missing.
row() { awk -v pass="$1" -v op="$2" '$1 == pass && $2 == op { calls = $3 } END { print calls + 0 }' "$work/stdout"; }
# whole FOLDER: the JSON file is valid and its shares add up to 1.
whole() {
  local json=$work/$1/profile.json
  check "$1: profile.json" test -s "$json"
  check "$1: shares add up to 1" awk -F '[:,]' '/^      "share"/ { sum += $2 }
    END { exit !(sum > 0.999999 && sum < 1.000001) }' "$json"
  if command -v python3 >/dev/null; then
    check "$1: JSON" python3 -m json.tool "$json" "$work/parsed"
  fi
}

for device in cpu cuda; do
  bin=$CDT_BIN
  [ $device = cpu ] || bin=$CDT_BUILD/emulated/bin
  expect_ok train "$bin/cdt-train" plain-$device --device $device
  check "$device: no profile unless it is asked for" test ! -e "$work/plain-$device/profile.json"
  expect_ok train "$bin/cdt-train" train-$device --device $device --profile
  expect_same "$work/plain-$device/model.safetensors" "$work/train-$device/model.safetensors"
  whole train-$device
  # Each step calls the loss once, forward and backward, and updates the weights once.
  steps=$(sed -n '$s/.*"step":\([0-9]*\),.*/\1/p' "$work/train-$device/metrics.jsonl")
  for place in 'forward huber' 'backward huber' 'outside adamw'; do
    # shellcheck disable=SC2086  # two words
    check "$device: $place, $steps steps" test "$(row $place)" -eq "$steps"
  done
  check "$device: more than the steps went forward" test "$(row forward linear)" -gt "$(row backward linear)"
  expect_text "$work/stdout" "s that the program ran on $device"

  model=$work/plain-cpu/model.safetensors
  for program in predict attribute; do
    arguments=(--data "$work/data" --model "$model" --split val --device "$device" --quiet)
    [ $program = predict ] || arguments+=(--sample 3 --tracks 0)
    out=$program-$device
    expect_ok "$bin/cdt-$program" "${arguments[@]}" --out "$work/$out" --profile
    check "$out: forward" test "$(row forward attention_pool)" -gt 0
    check "$out: backward only in attribution" \
      test "$(row backward linear)" -gt 0 -o $program = predict
    whole "$out"
    cp -r "$work/$out" "$work/$out-before"
    # The profile of an earlier run is deleted; the rest of the folder stays the same.
    expect_ok "$bin/cdt-$program" "${arguments[@]}" --out "$work/$out" --overwrite
    check "$out: a stale profile goes" test ! -e "$work/$out/profile.json"
    rm "$work/$out-before/profile.json"
    check "$out: the same results" diff -rq --exclude provenance.json "$work/$out" "$work/$out-before"
  done
done

expect_fail 2 "--profile: a dry run computes nothing to measure" "$CDT_BIN/cdt-train" --dry-run --profile
finish
