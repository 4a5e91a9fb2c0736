#!/bin/bash
# Warm starts from outside: a new run from another model's file (--init-from), with parts of it kept fixed
# (--freeze).
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
tiny_model
rest=(--pool-heads 2 --feed-forward 32 --fusion 16 --threads 1)
sizes=(--hidden 16 --heads 2 "${rest[@]}")

# refused NEEDLE OPTION...
refused() {
  expect_fail 2 "$1" "$train" --data "$data" --out "$work/none" --quiet "${rest[@]}" "${@:2}"
  check "$1: nothing made" [ ! -e "$work/none" ]
}
# said NEEDLE...: each appears on stderr
said() {
  local needle
  for needle in "$@"; do expect_text "$work/stderr" "$needle"; done
}

# --- another foundation model, another window, some other genes: new projector, old rest
new=$work/new
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 4 --dna-dim 12 --bins 24 --out "$new" --quiet
for file in rna.genes.txt protein.genes.txt pairs.tsv; do sed -i 's/GENE00003/OTHER/' "$new/$file"; done
warm=("$train" --data "$new" --init-from "$model" "${sizes[@]}" --freeze 'rna_*'
  --freeze protein_self_attn_layers --freeze vce)
expect_ok "${warm[@]}" --dry-run
check 'dry run: what is trained' grep -qE '^vce +21 +4,400 +0$' "$work/stdout"
said '109 tensors are taken from'
expect_ok "${warm[@]}" --epochs 3 --out "$work/straight"
said "108 of 109 tensors are taken from $model:" \
  'dna_projector.linear.weight     (16, 12), in the file (16, 8)' \
  'by gene: 7 of 8 taken; initialised from scratch: 1 gene (OTHER); not used: 1 gene (GENE00003)' \
  ' of them trained, about'
expect_text "$work/straight/config.json" "\"init_from\": \"$model\""
check 'what is frozen is recorded' \
  [ "$(tr -d ' \n' <"$work/straight/config.json" | grep -c '"freeze":\["rna_\*","protein_self_attn_layers","vce"\]')" = 1 ]
check 'no moments of what is frozen' \
  [ "$(grep -ac '"m.vce\|"v.rna_' "$work/straight/last/state.safetensors")" = 0 ]

# --- an interrupted and resumed run equals an uninterrupted one
expect_ok "${warm[@]}" --epochs 1 --out "$work/parts" --quiet
check 'quiet' [ ! -s "$work/stderr" ]
expect_ok "$train" --out "$work/parts" --resume --epochs 3 --threads 1 --quiet
for file in model last/model last/state; do
  expect_same "$work/straight/$file.safetensors" "$work/parts/$file.safetensors"
done
expect_text "$work/parts/config.json" "\"init_from\": \"$model\""
expect_fail 2 '--freeze: differs from the run being resumed (expected rna_* protein_self_attn_layers vce, got vce)' \
  "$train" --out "$work/parts" --resume --freeze vce
expect_fail 2 '--init-from: a resumed run continues its own weights' \
  "$train" --out "$work/parts" --resume --init-from "$model"
expect_fail 2 '--out: would overwrite what --init-from reads' "$train" --data "$data" --out "$work/run" \
  --overwrite --init-from "$model"
expect_ok "$train" --data "$data" --out "$work/tuned" --model "$model" --freeze 'vce.*' --epochs 1 --quiet

# --- a part that is not taken can still be frozen
expect_ok "${warm[@]}" --epochs 1 --out "$work/stuck" --init-from-except vce.fusion --init-head mean
said 'vce                             6 tensors, excluded by --init-from-except' \
  "warning: frozen, although not taken from $model: 6 tensors (vce.fusion.0.weight, "

# --- bad input
refused '--init-from: begins a new model, and --model' --init-from "$model" --model "$model"
refused '--init-from-genes: changes nothing here' --init-from-genes "$data/rna.genes.txt"
refused '--init-from-except: changes nothing here' --init-from-except vce
refused 'old.safetensors: ' --init-from "$work/old.safetensors"
refused 'dataset.json: header: ' --init-from "$data/dataset.json"
refused 'metadata.format: not a model checkpoint' --init-from "$work/run/last/state.safetensors"
refused 'model.safetensors: hidden: fits no model of another hidden size; --hidden 16 makes one' \
  --init-from "$model" --hidden 32 --heads 2
refused 'model.safetensors: heads: its attention means something else' --init-from "$model" --hidden 16 \
  --heads 4
refused 'model.safetensors: genes: are recorded in the file' --init-from "$model" --hidden 16 \
  --heads 2 --init-from-genes "$data/rna.genes.txt"
refused '--init-from-except: vcf names no parameter of the model (did you mean vce?)' \
  --init-from "$model" --hidden 16 --heads 2 --init-from-except vcf
refused '--freeze: vce.fusoin names no parameter of the model (did you mean vce.fusion?)' \
  --freeze vce.fusoin
refused '--freeze: freezes all parameters' --freeze '*'
expect_fail 2 '--init-from: its rows go by gene; it needs --data' "$train" --dry-run --init-from "$model"
finish
