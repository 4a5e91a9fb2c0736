#!/bin/bash
# cdt-convert and --state: a model and a run are converted to PyTorch's form and back without losing a bit,
# and a bad checkpoint is refused in one line with nothing written.
source tests/apps/lib.sh
convert=$CDT_BIN/cdt-convert train=$CDT_BIN/cdt-train predict=$CDT_BIN/cdt-predict
pt=tests/parity/fixtures/pt
tiny_model
run=$work/run

# The model alone.
expect_ok "$convert" "$model" "$work/model.pt"
expect_text "$work/stdout" 'model	109 tensors'
expect_ok "$convert" "$work/model.pt" "$work/model.safetensors"
expect_same "$model" "$work/model.safetensors"
for form in "$model" "$work/model.pt"; do
  expect_ok "$predict" --data "$data" --model "$form" --out "$work/by-$(basename "$form")" --quiet
done
expect_same "$work/by-model.safetensors/predictions.tsv" "$work/by-model.pt/predictions.tsv"

# A run of three epochs against one epoch, a conversion to PyTorch's form and back, and two more epochs.
settings=(--data "$data" --quiet)
expect_ok "$train" "${settings[@]}" --out "$work/straight" --model "$model" --epochs 3
expect_ok "$train" "${settings[@]}" --out "$work/begun" --model "$model" --epochs 1
expect_ok "$convert" "$work/begun/last" "$work/begun.pt"
expect_text "$work/stdout" 'optimiser	after 12 steps, learning rate'
expect_ok "$convert" "$work/begun.pt" "$work/back"
for form in "$work/begun.pt" "$work/back"; do
  state=$form weights=$form to=$work/from-$(basename "$form" .pt)
  [ -d "$form" ] && state=$form/state.safetensors weights=$form/model.safetensors
  expect_ok "$train" "${settings[@]}" --out "$to" --model "$weights" --state "$state" --epochs 2
  check 'the epochs are counted on' [ "$(cut -c 1-10 "$to/metrics.jsonl")" = '{"epoch":2' ]
  expect_ok "$train" --resume --out "$to" --epochs 3 --quiet
  expect_same "$work/straight/last/model.safetensors" "$to/last/model.safetensors"
  expect_ok "$convert" "$to/last" "$to.pt"
done
expect_ok "$convert" "$work/straight/last" "$work/straight.pt"
expect_same "$work/straight.pt" "$work/from-back.pt"
expect_same "$work/straight.pt" "$work/from-begun.pt"
expect_ok "$train" "${settings[@]}" --out "$work/other-lr" --model "$work/begun.pt" \
  --state "$work/begun.pt" --lr 1e-3 --weight-decay 0 --epochs 2
expect_text "$work/other-lr/config.json" '"lr": 0.001'
check 'another learning rate leads elsewhere' [ -s "$work/other-lr/last/model.safetensors" ]
if cmp -s "$work/other-lr/last/model.safetensors" "$work/from-back/last/model.safetensors"; then
  fail 'another learning rate changes nothing'
fi

# Files written by PyTorch.
expect_ok "$convert" "$pt/plain_state_dict.pt" "$work/plain.safetensors" --heads 3 --pool-heads 5
expect_text "$work/stderr" 'the model is its model_state_dict'
expect_text "$work/stderr" 'every name begins with module., which is left out'

# Outputs: never over another kind of file, and over an earlier output only with --overwrite.
expect_fail 2 'already holds a checkpoint of cdt-convert; --overwrite' "$convert" "$model" "$work/model.pt"
expect_ok "$convert" "$model" "$work/model.pt" --overwrite
expect_fail 2 'would overwrite what IN reads' "$convert" "$work/model.pt" "$work/model.pt" --overwrite
echo precious >"$work/notes.pt"
expect_fail 2 'exists and is not' "$convert" "$model" "$work/notes.pt" --overwrite
expect_fail 2 'belongs to a run' "$convert" "$work/model.pt" "$model" --overwrite
expect_fail 2 'its name does not say what to write' "$convert" "$model" "$work/model.bin"
expect_fail 2 'there is none in it; name OUT.safetensors' "$convert" "$model" "$work/folder"
expect_fail 2 'OUT: required, but not given' "$convert" "$model"
expect_fail 2 'no option takes this word' "$convert" "$model" "$work/a.pt" "$work/b.pt"
check 'nothing was written' [ ! -e "$work/folder" ]

# Inputs.
refused() { # NEEDLE IN
  expect_fail 2 "$1" "$convert" "$2" "$work/none.safetensors"
  check "$1: nothing written" [ ! -e "$work/none.safetensors" ]
}
refused 'No such file' "$work/missing.pt"
refused 'refers to posix.system' "$pt/refused_command.pt"
refused 'holds a whole Python object, of __main__.Affine' "$pt/refused_whole_module.pt"
refused "is in PyTorch's old form" "$pt/refused_old_form.pt"
refused 'no such tensor; this is no checkpoint of the model' "$pt/dict.pt"
refused 'format: is a TorchScript program' "$pt/refused_torchscript.pt"
size=$(stat -c %s "$work/begun.pt")
for part in 0 1 30 $((size / 2)) $((size - 1)); do
  head -c "$part" "$work/begun.pt" >"$work/cut.pt"
  refused "$work/cut.pt: " "$work/cut.pt"
done
cp "$work/begun.pt" "$work/flipped.pt"
printf '\x7f' | dd of="$work/flipped.pt" bs=1 seek=$((size / 5)) conv=notrunc status=none
refused 'archive/data/' "$work/flipped.pt"
cp "$work/begun.pt" "$work/flipped.pt" # in the moments, which are read when the model is known
printf '\x7f\x7f\x7f\x7f' | dd of="$work/flipped.pt" bs=1 seek=$((size * 3 / 4)) conv=notrunc status=none
expect_fail 2 'damaged' "$convert" "$work/flipped.pt" "$work/folder"
check 'half a checkpoint is none' [ ! -e "$work/folder" ]

# States that cannot be continued.
not_begun() { # NEEDLE OPTION...
  expect_fail 2 "$1" "$train" "${settings[@]}" --out "$work/none" "${@:2}"
  check "$1: no output" [ ! -e "$work/none" ]
}
not_begun '--state: changes nothing here: it needs --model' --state "$work/begun.pt"
not_begun 'optimizer_state_dict: is missing' --model "$work/model.pt" --state "$work/model.pt"
not_begun 'all epochs are done' --model "$work/begun.pt" --state "$work/begun.pt" --epochs 1
not_begun 'whole epochs of 48 steps, as here with --batch-size 2' --model "$work/begun.pt" \
  --state "$work/begun.pt" --batch-size 2
not_begun 'the model is of another moment or run' --model "$model" \
  --state "$work/straight/last/state.safetensors"
not_begun 'holds no optimiser' --model "$model" --state "$model"
expect_fail 2 'state.safetensors: is missing; a run keeps it' "$convert" "$run" "$work/none.pt"
expect_fail 2 '--state' "$train" --resume --out "$run" --state "$work/begun.pt"
finish
