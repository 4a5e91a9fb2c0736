#!/bin/bash
# cdt-train --verify runs a run again: it says which thing differs first, writes nothing to the run, and leaves
# nothing beside it. Also --max-steps, --accumulate and --monitor from the outside.
source tests/apps/lib.sh
tiny_training
state() { (cd "$1" && find . -type f -exec md5sum {} + | sort -k 2); }
# verify STATUS RUN ARGS...: that exit status; the run is as it was and no other folder remains.
verify() {
  local expected=$1 run=$work/$2 status=0 before
  before=$(state "$run"; ls "$work")
  "$train" --verify "$run" --quiet "${@:3}" >"$work/out/verified" 2>"$work/out/errors" || status=$?
  if [ $status -ne "$expected" ]; then
    fail "--verify $2: exit status $status, expected $expected" "$work/out/verified" "$work/out/errors"
  else
    pass
  fi
  check "--verify $2: nothing is written to the run or left beside it" \
    [ "$before" = "$(state "$run"; ls "$work")" ]
}
says() { check "--verify says $1" grep -qE "^$1" "$work/out/verified" || cat "$work/out/verified"; }
mkdir "$work/out"

# --- equal: a run, one that was interrupted and resumed, one of several batches a step, one of another number
expect_ok "${new[@]}" --out "$work/run" --epochs 2 --seed 3
verify 0 run --threads 2
expect_ok "$train" --verify "$work/run"
expect_text "$work/stderr" ', at most 2 epochs;'
for thing in data code build machine 'best weights' 'last weights' optimiser metrics; do
  says "$thing"$'\tequal'
done
says $'result\tequal bit for bit$'
check 'a line each' [ "$(wc -l <"$work/out/verified")" -eq 9 ]
expect_ok "${new[@]}" --out "$work/parts" --epochs 3 --accumulate 3 --max-steps 19 --monitor loss
steps=$(sed 's/.*"step":\([0-9]*\),.*/\1/' "$work/parts/metrics.jsonl" | paste -sd ' ')
check 'whole steps, then the last one' [ "$steps" = '8 16 19' ]
expect_text "$work/stdout" $'epochs\t3\t(all --max-steps are done)'
expect_text "$work/stdout" $'best validation loss\t0.'
expect_text "$work/parts/metrics.jsonl" '"monitor":{"name":"val_loss","value":0.'
expect_text "$work/parts/config.json" '"accumulate": 3'
expect_text "$work/parts/config.json" '"max-steps": 19'
expect_text "$work/parts/config.json" '"monitor": "loss"'
for word in accumulate max-steps monitor positive-below; do
  check "a run with the default --$word does not record it" [ "$(grep -c "\"$word\"" "$work/run/config.json")" -eq 0 ]
done
verify 0 parts
"${shell_signals[@]}" "$train" --data "$data" --out "$work/stopped" --epochs 100 --patience 100 "${sizes[@]}" \
  --accumulate 2 --quiet >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 2000; i++)); do
  [ "$(wc -l 2>/dev/null <"$work/stopped/metrics.jsonl" || echo 0)" -lt 1 ] || break
  sleep 0.01
done
# A run that is being written to cannot be compared.
expect_fail 2 'lock: cannot be verified: a cdt-train is writing to this run' "$train" --verify "$work/stopped" --quiet
kill -TERM $pid
wait $pid 2>/dev/null
verify 0 stopped
expect_ok "$train" --out "$work/stopped" --resume --epochs $(($(wc -l <"$work/stopped/metrics.jsonl") + 2)) --quiet
verify 0 stopped
expect_ok "${new[@]}" --out "$work/tuned" --epochs 1 --model "$work/run/model.safetensors"
verify 0 tuned
expect_ok "$train" --out "$work/tuned" --resume --epochs 2 --quiet
verify 0 tuned
verify 0 run --out "$work/out/kept"
check '--out keeps the second run' cmp "$work/run/model.safetensors" "$work/out/kept/model.safetensors"

# --- different: the first tensor, the first number
# poke FILE BYTES: its last four
cp -r "$work/run" "$work/planted"
run=$work/planted
poke() { printf '%b' "$2" | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 4)) conv=notrunc status=none; }
poke "$run/model.safetensors" '\x00\x00\x00\x40'
verify 1 planted
says $'best weights\tdifferent\t[a-z_.0-9]+: largest difference [0-9.e+-]+; 1 of [0-9]+ tensors differ$'
says $'last weights\tequal'
says $'result\tdifferent$'
cp -r "$work/run/." "$run"
sed -i '2s/"val_mae":[^,]*/"val_mae":7/' "$run/metrics.jsonl"
verify 1 planted
says $'metrics\tdifferent\tepoch 2: val_mae: 7 in the run, '
cp -r "$work/run/." "$run"
sed -i 's/"seconds":[^,]*/"seconds":7/' "$run/metrics.jsonl"
verify 0 planted
# Lines of epochs that the run did not finish; a kill may leave one, of the epoch that was about to be saved.
tail -n 1 "$work/run/metrics.jsonl" >>"$run/metrics.jsonl"
verify 1 planted
says $'metrics\tdifferent\t.*: line 3 is of no finished epoch$'
sed -i '3s/"epoch":2/"epoch":3/' "$run/metrics.jsonl"
verify 0 planted
sed -i '3p' "$run/metrics.jsonl"
verify 1 planted
cp -r "$work/run/." "$run"
# Other code or another machine alone are said, but only results count.
sed -i 's/"version": "[0-9.]*"/"version": "0.0.1"/; s/"cpu": .*/"cpu": "i386",/' "$run/provenance.json"
verify 0 planted
says $'code\tdifferent\tcode.version: "0.0.1" in the run, '
says $'machine\tdifferent\tdevice.cpu: "i386" in the run, '
rm "$run/provenance.json"
verify 0 planted
says $'code\tdifferent\tthe run does not record it'

# --- what a killed --verify left beside the run is removed by the next one; that of a running one is not
mkdir -p "$work/run.verify-abcdef/last" "$work/run.verify-locked/last" "$work/run.verify-notes.d/last"
exec 8<"$work/run.verify-locked"
flock 8
expect_ok "$train" --verify "$work/run" --quiet
check 'only the leftover is removed' [ "$(cd "$work" && echo run.verify-*)" = 'run.verify-locked run.verify-notes.d' ]
exec 8<&-
verify_again=$(expect_ok "$train" --verify "$work/run" --quiet; cd "$work" && echo run.verify-*)
check 'then the other' [ "$verify_again" = run.verify-notes.d ]
rmdir -p "$work/run.verify-notes.d/last" 2>/dev/null

# --- what cannot be run again
cp -r "$data" "$work/changed"
sed -i '2s/[^\t]*$/0.25/' "$work/changed/pairs.tsv"
expect_fail 2 'changed: pairs: is not what' "$train" --verify "$work/run" --quiet --data "$work/changed"
cp "$work/run/model.safetensors" "$work/run-model"
cp "$work/parts/model.safetensors" "$work/run/model.safetensors"
expect_fail 2 'weights: cannot be verified: the run was started from others' "$train" --verify "$work/tuned" --quiet
mv "$work/run-model" "$work/run/model.safetensors"
expect_fail 2 'no such folder' "$train" --verify "$work/none"
expect_fail 2 'config.json: ' "$train" --verify "$data"
expect_fail 2 '--lr: the run has its own' "$train" --verify "$work/run" --lr 0.1
expect_fail 2 '--resume: does not go with --verify' "$train" --verify "$work/run" --resume
expect_fail 2 '--out: cannot be verified: it is in the run' \
  "$train" --verify "$work/run" --out "$work/run/again" --quiet
sed -i 's/"dropout": 0.3/"dropout": 0.2/' "$run/config.json"
expect_fail 2 'options: cannot be verified: they are not those of' "$train" --verify "$run" --quiet

# --- --monitor: bad combinations, and an optimiser that followed another number
none=("${new[@]}" --out "$work/none")
expect_fail 2 '--positive-below: changes nothing here: it needs --monitor auprc' "${none[@]}" --positive-below -0.1
expect_fail 2 'pairs.tsv: label: there is no such column; --monitor auprc needs it' "${none[@]}" --monitor auprc
expect_fail 2 'pairs.tsv: beta: --monitor auprc ranks positive val pairs' \
  "${none[@]}" --monitor auprc --positive-below -100
expect_fail 2 'pairs.tsv: split: too few train pairs for one optimiser step (expected at least 100, got 96)' \
  "${none[@]}" --accumulate 25
expect_fail 2 '--monitor: differs from the run being resumed (expected loss, got pearson)' \
  "$train" --out "$work/parts" --resume --monitor pearson
expect_fail 2 '--max-steps: differs from the run being resumed (expected 19, got 30)' \
  "$train" --out "$work/parts" --resume --max-steps 30
check 'nothing made' [ ! -e "$work/none" ]
expect_ok "${new[@]}" --out "$work/auprc" --monitor auprc --positive-below -0.1 --epochs 2
expect_text "$work/auprc/metrics.jsonl" '"monitor":{"name":"val_auprc","value":0.'
verify 0 auprc
expect_ok "${new[@]}" --out "$work/lossy" --monitor loss --epochs 1
expect_ok "$CDT_BIN/cdt-convert" "$work/lossy/last" "$work/lossy.pt"
again=(--model "$work/lossy.pt" --state "$work/lossy.pt" --epochs 2)
expect_fail 2 'monitor: its schedule follows another number than --monitor (expected loss, got pearson)' \
  "${new[@]}" --out "$work/continued" "${again[@]}"
expect_ok "${new[@]}" --out "$work/continued" "${again[@]}" --monitor loss
expect_ok "$train" --out "$work/lossy" --resume --epochs 2 --quiet
check 'through PyTorch and back: the same weights' cmp "$work/lossy/last/model.safetensors" \
  "$work/continued/last/model.safetensors"
finish
