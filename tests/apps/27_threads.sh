#!/bin/bash
# More threads than the machine has cores: every program, with all memory-hungry options, gives the same
# bytes as with one thread, at odd sizes.
source tests/apps/lib.sh
data=$work/data model=$work/run-1/model.safetensors
sizes=(--epochs 1 --hidden 24 --heads 3 --pool-heads 1 --feed-forward 40 --fusion 10 --batch-size 3)
# same FOLDER FOLDER: compares all files except those that contain the command or the time taken.
same() {
  local file
  while IFS= read -r file; do
    expect_same "$1/$file" "$2/$file"
  done < <(cd "$1" && find . -type f ! -name 'provenance.json' ! -name 'config.json' \
    ! -name 'metrics.jsonl' ! -name lock ! -name '.*' | sort)
}

for threads in 1 64 256; do
  expect_ok "$CDT_BIN/cdt-synth" --preset tiny --genes 19 --out "$work/data-$threads" --seed 1 \
    --threads $threads --quiet
done
cp -r "$work/data-1" "$data"
for threads in 64 256; do same "$work/data-1" "$work/data-$threads"; done

for threads in 1 64 256; do
  expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/run-$threads" "${sizes[@]}" \
    --threads $threads --quiet
  expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split test --batch-size 3 \
    --bootstrap 100 --out "$work/prediction-$threads" --threads $threads --quiet
  expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$model" --split test --sample 3 \
    --methods all --maps all --maps-per-head --paths --path-heads --gene-gradients \
    --occlude-region 2-5 --smooth-samples 3 --null-replicates 99 --baseline mean \
    --out "$work/attribution-$threads" --threads $threads --quiet
  expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$model" --split test --sample 2 \
    --all-genes --methods gradient_x_input --null-replicates 99 --out "$work/genes-$threads" \
    --threads $threads --quiet
done
for threads in 64 256; do
  for folder in run prediction attribution genes; do
    same "$work/$folder-1" "$work/$folder-$threads"
  done
done

# The default options of a larger model with many threads.
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/larger" --epochs 1 --hidden 32 \
  --threads 4096 --quiet
expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$work/larger/model.safetensors" \
  --split test --sample 1 --out "$work/larger-attribution" --threads 4096 --quiet
finish
