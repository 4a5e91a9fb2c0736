#!/bin/bash
# A data file that is truncated under a running program ends it with one line that names the file; the last
# saved state stays intact, and once the file is restored the run resumes to the same bits.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
data=$work/data run=$work/run
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --batch-size 2)
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet
cp "$data/dna.f32" "$work/dna.f32"

"$train" --data "$data" --out "$run" --epochs 100000 --patience 100000 --threads 1 --quiet \
  "${sizes[@]}" >"$work/stdout" 2>"$work/stderr" &
pid=$!
for ((i = 0; i < 2000; i++)); do
  [ -s "$run/metrics.jsonl" ] && break
  sleep 0.01
done
truncate -s 5000 "$data/dna.f32"
status=0
wait $pid || status=$?
check "exit status 1, not $status" test $status -eq 1
check "one line" test "$(wc -l <"$work/stderr")" -eq 1
expect_text "$work/stderr" "cdt-train: $data/dna.f32: size: the file was cut short"

# Truncated, the file is the user's error; restored, the run resumes from its last state.
expect_fail 2 "dna.f32: size: wrong size" "$train" --out "$run" --resume
cp "$work/dna.f32" "$data/dna.f32"
epochs=$(($(wc -l <"$run/metrics.jsonl") + 2))
expect_ok "$train" --out "$run" --resume --epochs $epochs --quiet
expect_ok "$train" --data "$data" --out "$work/straight" --epochs $epochs --patience 100000 \
  --threads 1 --quiet "${sizes[@]}"
expect_same "$work/straight/last/model.safetensors" "$run/last/model.safetensors"
finish
