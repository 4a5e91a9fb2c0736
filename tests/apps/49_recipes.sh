#!/bin/bash
# Switches of cdt-train for small data sets (docs/training.md), from the outside: a run without them does not mention
# them, --resume, --verify, --state and --dry-run follow them, and what does not go together is refused.
source tests/apps/lib.sh
tiny_training
none=("$train" --data "$data" --out "$work/none" --quiet "${sizes[@]}")
switches=(schedule warmup-steps final-lr-share no-decay lr-scale label-transform clip-share pair-weights mask-bins
  feature-dropout epoch-controls)

expect_ok "${new[@]}" --out "$work/plain" --epochs 2
expect_ok "${new[@]}" --out "$work/named" --epochs 2 --schedule plateau --warmup-steps 0 --no-decay none \
  --label-transform none --pair-weights none --mask-bins 0 --feature-dropout 0 --epoch-controls all
for word in "${switches[@]}"; do
  check "a run without --$word does not record it" [ "$(grep -c "\"$word\"" "$work/named/config.json")" -eq 0 ]
done
expect_same "$work/plain/config.json" "$work/named/config.json"
expect_same "$work/plain/last/state.safetensors" "$work/named/last/state.safetensors"
expect_same "$work/plain/model.safetensors" "$work/named/model.safetensors"

# verified NAME SWITCH...: a run with the switches is another than that without, --verify finds it equal, and a dry run
# and its trace accept them.
verified() {
  local run=$work/$1
  expect_ok "${new[@]}" --out "$run" --epochs 2 "${@:2}"
  check "$1: another run" [ "$(cmp -s "$run/model.safetensors" "$work/plain/model.safetensors" && echo same)" = "" ]
  expect_ok "$train" --verify "$run" --quiet
  expect_text "$work/stdout" $'result\tequal bit for bit'
  expect_ok "$train" --dry-run --data "$data" "${sizes[@]}" "${@:2}"
  for form in text json svg; do
    expect_ok "$train" --dry-run --trace --trace-format $form --data "$data" "${sizes[@]}" "${@:2}"
  done
}
verified rates --schedule cosine --warmup-steps 10 --final-lr-share 0.1 --weight-decay 0.5 --no-decay biases-and-norms
expect_text "$work/rates/config.json" '"schedule": "cosine"'
expect_text "$work/rates/config.json" '"warmup-steps": 10'
expect_text "$work/rates/config.json" '"final-lr-share": 0.1'
expect_text "$work/rates/config.json" '"no-decay": "biases-and-norms"'
verified line --schedule linear

# Controls steer nothing: without them an epoch has the same model and the same numbers, but those of the controls.
expect_ok "${new[@]}" --out "$work/bare" --epochs 2 --epoch-controls none
expect_same "$work/plain/model.safetensors" "$work/bare/model.safetensors"
without_controls() { sed -E 's/,"val_controls":.*"best":/,"best":/; s/,"seconds":.*//' "$1/metrics.jsonl"; }
check 'epochs have controls' [ "$(grep -c '"val_controls":{' "$work/plain/metrics.jsonl")" -eq 2 ]
check 'and none without' [ "$(grep -c val_controls "$work/bare/metrics.jsonl")" -eq 0 ]
check 'the same numbers' cmp <(without_controls "$work/plain") <(without_controls "$work/bare")
expect_ok "$train" --verify "$work/bare" --quiet
# 24 steps per epoch: the last one of the run has 1/48 of the rate, that of the first epoch 25/48.
rates=$(sed 's/.*"lr":\([^,]*\),.*/\1/' "$work/line/metrics.jsonl" |
  awk '{ printf "%s%.4f", (NR > 1 ? " " : ""), $1 * 48 / 1e-4 }')
check "rates of the last steps: $rates" [ "$rates" = '25.0000 1.0000' ]
expect_fail 2 '--epochs: differs from the run being resumed (expected 2, got 3)' \
  "$train" --out "$work/line" --resume --epochs 3
expect_ok "$train" --out "$work/line" --resume
expect_text "$work/stderr" 'note: all 2 epochs are done'

# --- learning rates of modules
verified modules --lr-scale '*=0.5' --lr-scale task_layer=2
expect_text "$work/modules/config.json" '"*=0.5"'
expect_fail 2 '--lr-scale: bad value (expected PATTERN=FACTOR, got vce)' "${none[@]}" --lr-scale vce
expect_fail 2 '--lr-scale: vcx names no parameter of the model' "${none[@]}" --lr-scale vcx=2
for trace in '' --trace; do
  expect_fail 2 '--lr-scale: vcx names no parameter of the model' "$train" --dry-run ${trace:+"$trace"} --lr-scale vcx=2
done

for words in --out\ "$work/none" --dry-run '--dry-run --trace'; do
  # shellcheck disable=SC2086  # options
  expect_fail 2 '--lr-scale: vce.fusion=0.1 changes nothing here: --freeze keeps all that it names' "$train" $words \
    --data "$data" "${sizes[@]}" --quiet --freeze vce --lr-scale vce.fusion=0.1
done
verified half-frozen --freeze vce.fusion --lr-scale vce=0.1

# --- noise in the DNA
verified noise --mask-bins 0.2 --feature-dropout 0.1
expect_text "$work/noise/config.json" '"mask-bins": 0.2'
expect_ok "$train" --dry-run --trace --data "$data" "${sizes[@]}" --feature-dropout 0.1
check 'dropout of the DNA begins its projector' \
  [ "$(grep -A 1 '^dna_projector' "$work/stdout" | tail -n 1 | awk '{ print $1 }')" = dropout ]

# --- weights of pairs
expect_fail 2 'pairs.tsv: se: there is no such column; --pair-weights se needs it' "${none[@]}" --pair-weights se
cp -r "$data" "$work/measured"
awk -F '\t' -v OFS='\t' 'NR == 1 { print $0, "se"; next } { print $0, 0.01 * (1 + NR % 7) }' "$data/pairs.tsv" \
  >"$work/measured/pairs.tsv"
new[2]=$work/measured
expect_ok "${new[@]}" --out "$work/equal" --epochs 1
data=$work/measured verified weights --pair-weights se
sed -i '2s/[^\t]*$/0.5/' "$work/measured/pairs.tsv"
expect_fail 2 'standard_errors: is not what' "$train" --out "$work/weights" --resume
expect_fail 2 'standard_errors: is not what' "$train" --verify "$work/weights" --quiet
expect_ok "$train" --out "$work/equal" --resume
new[2]=$data

# --- what the loss sees
verified scaled --label-transform scale
verified clipped --label-transform clip --clip-share 0.2
verified ranked --label-transform rank --monitor auprc --positive-below -0.1
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$work/scaled/model.safetensors" --out "$work/predicted" --quiet
best=$(awk '/"best":true/ { line = NR } END { print line }' "$work/scaled/metrics.jsonl")
# number NAME: the value of a key on stdin
number() { grep -oE "\"$1\": ?[^,}]*" | head -n 1 | sed 's/.*: *//'; }
for name in mse mae; do
  there=$(number "val_$name" < <(sed -n "${best}p" "$work/scaled/metrics.jsonl"))
  here=$(number "$name" <"$work/predicted/metrics.json")
  check "$name of the scaled model's predictions: $here, in training $there" \
    awk -v a="$here" -v b="$there" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-10 * b ^ 2) }'
done
# of_mean_dna: R2 of the control with one mean window, from JSON on stdin.
of_mean_dna() { tr -d ' \n' | grep -oE '"mean_dna":\{[^}]*' | grep -oE '"r2":[^,]*' | sed 's/.*://'; }
there=$(of_mean_dna < <(sed -n "${best}p" "$work/scaled/metrics.jsonl"))
here=$(of_mean_dna <"$work/predicted/metrics.json")
check "R2 of a control of the scaled model: $here, in training $there" \
  awk -v a="$here" -v b="$there" 'BEGIN { exit !(a != 0 && (a - b) ^ 2 < 1e-8 * b ^ 2) }'
expect_ok "$CDT_BIN/cdt-convert" "$work/scaled/model.safetensors" "$work/scaled.pt"
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$work/scaled.pt" --out "$work/from-pt" --quiet
expect_same "$work/predicted/predictions.tsv" "$work/from-pt/predictions.tsv"
# A new run from the model has the unit of its own; after a step of nothing its predictions are those of the model.
expect_ok "${new[@]}" --out "$work/effects" --model "$work/scaled/model.safetensors" --epochs 1 --lr 1e-12
expect_ok "${new[@]}" --out "$work/effects-from" --init-from "$work/scaled/model.safetensors" --epochs 1 --lr 1e-12
for run in effects effects-from; do
  there=$(number val_mse <"$work/$run/metrics.jsonl")
  here=$(number mse <"$work/predicted/metrics.json")
  check "$run: mse $there, of the model $here" \
    awk -v a="$here" -v b="$there" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-8 * b ^ 2) }'
done
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$work/ranked/model.safetensors" --out "$work/ranks" \
  --positive-below -0.1
expect_text "$work/stderr" 'predicts normal scores of the ranks of effects'
expect_text "$work/stdout" 'outputs: The model predicts normal scores'
check 'errors of ranks are undefined' [ "$(grep -cE '^  "(r2|mse|mae)": null' "$work/ranks/metrics.json")" -eq 3 ]
expect_ok "$CDT_BIN/cdt-report" --run "$work/ranked" --data "$data" --prediction "$work/ranks" --quiet --out "$work/ranks.html"
expect_text "$work/ranks.html" 'predicts normal scores of the ranks of effects'
check 'a page about ranks has no R2 card' [ "$(grep -c 'coefficient of determination' "$work/ranks.html")" -eq 0 ]
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --combine "$work/ranks" --quiet --out "$work/of-ranks"
expect_text "$work/stdout" 'outputs: normal scores of ranks, not effects'
expect_fail 2 'outputs: is of another kind of model' "$CDT_BIN/cdt-predict" --data "$data" --combine "$work/ranks" \
  --combine "$work/predicted" --out "$work/mixed"
expect_fail 2 'metadata.outputs: its model predicts something else' "${new[@]}" --out "$work/mixed" \
  --model "$work/ranked/model.safetensors"
expect_fail 2 'expected normal scores of ranks, got effects' "${new[@]}" --out "$work/mixed" \
  --model "$work/scaled/model.safetensors" --label-transform rank
check 'nothing of the two was written' test ! -e "$work/mixed"
expect_text "$work/ranks/metrics.json" '"outputs": "normal scores of ranks"'
check 'effects have no such entry' [ "$(grep -c '"outputs"' "$work/predicted/metrics.json")" -eq 0 ]
expect_text "$work/ranked/metrics.jsonl" '"val_r2":null'
expect_fail 2 '--clip-share: changes nothing here: it needs --label-transform clip' "${none[@]}" --clip-share 0.1
expect_fail 2 '--label-transform: ' "${none[@]}" --label-transform log
cp -r "$data" "$work/one"
awk -F '\t' '$1 != "train" || !seen++' "$data/pairs.tsv" >"$work/one/pairs.tsv"
for transform in scale clip rank; do
  expect_fail 2 'pairs.tsv: split: too few train pairs for one batch (expected at least 4, got 1)' "$train" \
    --data "$work/one" --out "$work/none" --quiet "${sizes[@]}" --label-transform $transform
done

# --- an optimiser continues with the settings of its run, which a converted file would lose.
expect_ok "$train" --data "$data" --model "$work/rates/last/model.safetensors" \
  --state "$work/rates/last/state.safetensors" --out "$work/continued" --epochs 3 --batch-size 4 --warmup-steps 3
expect_text "$work/stderr" 'note: schedule is cosine, as in '
expect_text "$work/stderr" 'note: warmup-steps is 3 as given; '
expect_text "$work/continued/config.json" '"no-decay": "biases-and-norms"'
expect_fail 2 'its updates depend on --schedule, --warmup-steps, --final-lr-share, --no-decay of the run' \
  "$CDT_BIN/cdt-convert" "$work/rates/last" "$work/rates.pt"
expect_fail 2 'optimiser: its updates depend on' "$CDT_BIN/cdt-convert" "$work/rates/last" "$work/rates-folder"
# continued RUN OPTION...: a third epoch of RUN, in $work/continued, with the optimiser of the first two.
continued() {
  expect_ok "$train" --data "$data" --model "$work/$1/last/model.safetensors" --state "$work/$1/last/state.safetensors" \
    --out "$work/continued" --overwrite --epochs 3 --batch-size 4 "${@:2}"
}
continued noise --feature-dropout 0
expect_text "$work/stderr" 'note: mask-bins is 0.2, as in '
expect_text "$work/stderr" 'note: feature-dropout is 0 as given; '
expect_text "$work/continued/config.json" '"mask-bins": 0.2'
expect_ok "$train" --verify "$work/continued" --quiet
data=$work/measured continued weights
expect_text "$work/continued/config.json" '"pair-weights": "se"'
continued bare
check 'controls are chosen anew' [ "$(grep -c '"val_controls":{' "$work/continued/metrics.jsonl")" -eq 1 ]
# What an option changes is known when the settings of the run are: cosine has a final rate, clip a share.
continued rates --final-lr-share 0.2
expect_text "$work/continued/config.json" '"final-lr-share": 0.2'
continued clipped --clip-share 0.1
expect_text "$work/continued/config.json" '"clip-share": 0.1'
from_clipped=("$train" --model "$work/clipped/last/model.safetensors" --state "$work/clipped/last/state.safetensors")
expect_fail 2 '--clip-share: changes nothing here: it needs --label-transform clip' "${from_clipped[@]}" \
  --data "$data" --out "$work/none" --label-transform none --clip-share 0.1
expect_fail 2 '--clip-share: changes nothing here: it needs --label-transform clip' "${from_clipped[@]}" --dry-run \
  --label-transform none --clip-share 0.1
expect_fail 2 '--final-lr-share: changes nothing here' "${from_clipped[@]}" --dry-run --final-lr-share 0.1
expect_ok "${from_clipped[@]}" --dry-run --clip-share 0.1
expect_fail 2 'its updates depend on --pair-weights of the run' "$CDT_BIN/cdt-convert" "$work/weights/last" \
  "$work/weights.pt"
expect_fail 2 'its updates depend on --mask-bins, --feature-dropout of the run' "$CDT_BIN/cdt-convert" \
  "$work/noise/last" "$work/noise.pt"
expect_ok "$CDT_BIN/cdt-convert" "$work/rates/last" "$work/rates.safetensors"
expect_ok "$CDT_BIN/cdt-convert" "$work/plain/last" "$work/plain.pt"

expect_fail 2 '--final-lr-share: changes nothing here: it needs --schedule cosine or linear' "${none[@]}" \
  --final-lr-share 0.5
expect_fail 2 '--warmup-steps: leaves no step at the full learning rate' "${none[@]}" --epochs 1 --warmup-steps 24
expect_fail 2 '--schedule: ' "${none[@]}" --schedule steps
expect_fail 2 '--no-decay: differs from the run being resumed' "$train" --out "$work/plain" --resume \
  --no-decay biases-and-norms
check 'nothing is written' [ ! -e "$work/none" ]
finish
