#!/bin/bash
# cdt-train from the outside: the table of --dry-run, and that interruption, kill, thread count and a later
# --epochs change no bit of the result.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
data=$work/data
sizes=(--hidden 64 --heads 4 --pool-heads 2 --feed-forward 128 --fusion 48 --batch-size 2)

# become OUT EPOCHS ARGS...: this shell becomes a run on the tiny data set, so that in the background its
# process id is that of cdt-train.
become() {
  local out=$1 epochs=$2
  shift 2
  exec "${shell_signals[@]}" "$train" --data "$data" --out "$out" --epochs "$epochs" --threads "${threads:-1}" --quiet \
    "${sizes[@]}" "$@"
}
start() { (become "$@"); }
# The metrics without fields that depend on the clock and the machine.
numbers() { sed -E 's/,"seconds":.*//' "$1/metrics.jsonl"; }
expect_same_run() {
  expect_same "$1/model.safetensors" "$2/model.safetensors"
  expect_same "$1/last/model.safetensors" "$2/last/model.safetensors"
  check "$2: metrics as in $1" cmp <(numbers "$1") <(numbers "$2")
}
# wait_for_epochs OUT N PID: until there are N lines of metrics or the run is over.
wait_for_epochs() {
  local i
  for ((i = 0; i < 2000; i++)); do
    [ "$(wc -l 2>/dev/null <"$1/metrics.jsonl" || echo 0)" -ge "$2" ] && return
    kill -0 "$3" 2>/dev/null || return
    sleep 0.01
  done
}

# --- what it would train
expect_ok "$train" --dry-run
check "109 tensors" grep -qE '^total +109 +60,093,752$' "$work/stdout"
check "modules" grep -qE '^dna_self_attn_layers.1 +12 +7,087,872$' "$work/stdout"
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet
expect_ok "$train" --dry-run --data "$data" "${sizes[@]}" --variant paper

# --- uninterrupted runs, the reference for all others
expect_ok start "$work/straight" 4 --seed 3
cp "$work/stdout" "$work/straight.out"
check "four epochs" test "$(wc -l <"$work/straight/metrics.jsonl")" -eq 4
check "config.json" test -s "$work/straight/config.json"
threads=2 expect_ok start "$work/threads" 4 --seed 3
expect_same_run "$work/straight" "$work/threads"
expect_ok start "$work/other-seed" 4 --seed 4
check "another seed, other weights" \
  test "$(cmp "$work/straight/model.safetensors" "$work/other-seed/model.safetensors" | wc -c)" -gt 0

# --- SIGTERM and SIGINT inside an epoch, then --resume
run=$work/interrupted
epochs=1 resume=(--seed 3)
for signal in TERM INT TERM; do
  become "$run" 4 "${resume[@]}" >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  wait_for_epochs "$run" $epochs $pid
  kill -$signal $pid
  status=0
  wait $pid || status=$?
  check "$signal: exit status 1, not $status" test $status -eq 1
  check "$signal: says where" grep -qE \
    '^cdt-train: interrupted at epoch [0-9]+ step [0-9]+; continue with --resume$' "$work/stderr"
  resume=(--resume)
  epochs=$((epochs + 1))
done
expect_ok start "$run" 4 --resume
expect_same_run "$work/straight" "$run"
expect_same "$work/straight/last/state.safetensors" "$run/last/state.safetensors"

# --- kill -9 leaves a state to resume from
run=$work/killed
resume=(--seed 3)
for epochs in 1 2 3; do
  become "$run" 4 "${resume[@]}" >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  wait_for_epochs "$run" $epochs $pid
  kill -9 $pid
  wait $pid 2>/dev/null
  resume=(--resume)
done
expect_ok start "$run" 4 --resume
expect_same_run "$work/straight" "$run"

# --- settings come from the run; only --epochs may change
run=$work/longer
expect_ok start "$run" 2 --seed 3
expect_fail 2 "--lr: differs from the run being resumed (expected 1e-04, got 0.01)" \
  "$train" --out "$run" --resume --lr 0.01
expect_fail 2 "--hidden: differs" "$train" --out "$run" --resume --hidden 32
expect_fail 2 "--model: " "$train" --out "$run" --resume --model "$run/model.safetensors"
# A state of a version that drew other dropout masks.
cp -r "$run" "$work/older"
sed -i 's/"version":"4"/"version":"2"/;s/"digest":/"nodige":/' "$work/older/last/state.safetensors"
expect_fail 2 "state.safetensors: metadata.version: not a training state this version reads (expected 4, got 2)" \
  "$train" --out "$work/older" --resume
expect_fail 2 "already holds a run" "$train" --data "$data" --out "$run"
expect_ok "$train" --out "$run" --resume --epochs 4 --threads 1 --quiet
expect_same_run "$work/straight" "$run"
expect_ok "$train" --out "$run" --resume --threads 1 --quiet
expect_text "$work/stdout" "best epoch"
expect_ok "$train" --out "$run" --resume --threads 1
expect_text "$work/stderr" "note: all 4 epochs are done; a larger --epochs continues"
expect_same_run "$work/straight" "$run"

# --- all DNA is read once: a bad row is found before the first step, and another one on resuming
# poke_dna DATA ROW BYTES: the first value of a row
poke_dna() { printf '%b' "$3" | dd of="$1/dna.f32" bs=1 seek=$(($2 * 16 * 8 * 4)) conv=notrunc status=none; }
unused=$work/unused
cp -r "$data" "$unused"
sed -i "/$(sed -n 38p "$data/enhancers.bed" | cut -f 4)/d" "$unused/pairs.tsv"
expect_ok "$train" --data "$unused" --out "$work/row" --epochs 1 --seed 3 --quiet "${sizes[@]}"
cp -r "$work/row" "$work/row-before"
poke_dna "$unused" 37 '\x00\x00\x00\x3f'
expect_fail 2 "unused: dna: is not what $work/row/last/state.safetensors was trained on" \
  "$train" --out "$work/row" --resume --epochs 2 --quiet
check "last/ is as it was" diff -r "$work/row-before/last" "$work/row/last"
poke_dna "$unused" 37 '\x00\x00\xc0\x7f'
expect_fail 2 "dna.f32: enhancer $(sed -n 38p "$data/enhancers.bed" | cut -f 4) (row 37), bin 0, feature 0" \
  "$train" --data "$unused" --out "$work/nan" --quiet "${sizes[@]}"
check "no run" test ! -e "$work/nan"
expect_fail 2 "(row 37), bin 0, feature 0" "$train" --out "$work/row" --resume --epochs 2 --quiet
check "last/ is as it was" diff -r "$work/row-before/last" "$work/row/last"

# --- other data, no run, no data, no validation pairs
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/other-data" --seed 2 --quiet
expect_fail 2 "was trained on" "$train" --out "$run" --resume --data "$work/other-data"
expect_fail 2 "no run to resume" "$train" --out "$work/none" --resume
expect_fail 2 "--data: is required" "$train" --out "$work/none"
expect_fail 2 "--out: is required" "$train" --data "$data"
expect_fail 2 "heads 5 does not divide" "$train" --data "$data" --out "$work/none" --heads 5
expect_fail 2 "--batch" "$train" --data "$data" --out "$work/none" --batch 4
check "nothing made" test ! -e "$work/none"
cp -r "$data" "$work/no-val"
sed -i '/^val/d' "$work/no-val/pairs.tsv"
expect_fail 2 "training needs val pairs" "$train" --data "$work/no-val" --out "$work/none"

# --- starting from weights
expect_ok "$train" --data "$data" --out "$work/tuned" --model "$work/straight/model.safetensors" \
  --epochs 1 --threads 1 --quiet
expect_fail 2 "--hidden: differs" "$train" --data "$data" --out "$work/none" --hidden 32 \
  --model "$work/straight/model.safetensors"

check "dropout of the model, said aloud" test "$("$train" --dry-run --data "$data" \
  --model "$work/straight/model.safetensors" 2>&1 >/dev/null | grep -c dropout)" -eq 0
expect_ok "$train" --data "$data" --out "$work/dropout" "${sizes[@]}" --epochs 1 --dropout 0.1 --quiet
expect_ok "$train" --data "$data" --out "$work/dropout-kept" --epochs 1 \
  --model "$work/dropout/model.safetensors"
expect_text "$work/stderr" "note: dropout is 0.1, as in the training of $work/dropout/model.safetensors; --dropout P for another"
expect_text "$work/dropout-kept/config.json" '"dropout": 0.1'
expect_ok "$train" --data "$data" --out "$work/dropout-given" --epochs 1 --dropout 0.2 \
  --model "$work/dropout/model.safetensors"
expect_text "$work/stderr" "note: dropout is 0.2 as given; $work/dropout/model.safetensors was trained"

# --- constant effects: the first epoch's model stays the best
cp -r "$data" "$work/constant"
sed -i -E 's/^(val\t[^\t]*\t[^\t]*\t)[^\t]*/\10.5/' "$work/constant/pairs.tsv"
expect_ok "$train" --data "$work/constant" --out "$work/sound" --epochs 3 --seed 3 --threads 1 \
  "${sizes[@]}"
expect_text "$work/stderr" "pairs.tsv: beta: all 18 val pairs have the effect 0.5: the correlation"
expect_text "$work/stderr" "model of 269,944 parameters, about "
expect_text "$work/stderr" " MiB of memory; 96 train pairs, 48 steps per epoch, at most 3 epochs"
check "no smaller model is advised" test "$(grep -c 'smaller model' "$work/stderr")" -eq 0
expect_text "$work/stderr" "r undefined R2 undefined, lr 0.0001"
expect_text "$work/stdout" $'best validation pearson\tundefined'
expect_text "$work/stdout" $'best epoch\t1'
expect_ok "$train" --data "$data" --out "$work/small" --epochs 1 --hidden 16 --heads 4 --pool-heads 2 \
  --feed-forward 32 --fusion 48 --batch-size 2 --quiet

# --- pairs in two splits, one val pair, missing size options
cp -r "$data" "$work/odd"
{ cat "$data/pairs.tsv"; sed -n 's/^val/test/p' "$data/pairs.tsv"; sed -n '/^val/{s/^val/train/;p;q}' "$data/pairs.tsv"; } \
  >"$work/odd/pairs.tsv"
expect_ok "$train" --data "$work/odd" --out "$work/twice" --epochs 1 --quiet "${sizes[@]}"
first=$(sed -n '/^val/{p;q}' "$data/pairs.tsv" | awk -F '\t' '{ print $2 ":" $3 }')
expect_text "$work/stderr" "pairs.tsv: split: 18 pair(s) in both val and test, the first $first;"
expect_text "$work/stderr" "pairs.tsv: split: 1 pair(s) in both train and val, the first $first; results on val"
{ grep -v '^val' "$data/pairs.tsv"; sed -n '/^val/{p;q}' "$data/pairs.tsv"; } >"$work/odd/pairs.tsv"
expect_ok "$train" --data "$work/odd" --out "$work/one-val" --epochs 1 --quiet "${sizes[@]}"
expect_text "$work/stderr" "pairs.tsv: beta: no more than 1 val pair: the correlation"
expect_fail 2 "--lr: out of range (expected 1e-12 to 1000, got 0)" "$train" --data "$data" \
  --out "$work/none" --lr 0
expect_fail 2 "--weight-decay: times --lr it takes the weights to zero" "$train" --data "$data" \
  --out "$work/none" --lr 1 --weight-decay 1

# --- a run whose files do not belong together is refused on --resume
run=$work/spoilt
poke_nan() { printf '\x00\x00\xc0\x7f' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 4)) conv=notrunc status=none; }
# spoilt NEEDLE COMMAND...: a run of three epochs, the first the best, without an earlier save, after COMMAND in
# its folder.
spoilt() {
  rm -rf "$run" && cp -r "$work/sound" "$run" && rm -r "$run/previous"
  (cd "$run" && "${@:2}")
  cp -r "$run" "$run-before"
  expect_fail 2 "$1" "$train" --out "$run" --resume --epochs 4 --quiet
  check "$1: last/ is as it was" cmp "$run-before/last/state.safetensors" "$run/last/state.safetensors"
  rm -rf "$run-before"
}
# edit FILE SED: an edit of the metadata that keeps the length, of a state of version 3, which has no digests
edit() { LC_ALL=C sed -i "s/\"version\":\"4\"/\"version\":\"3\"/;s/\"digest\":/\"nodige\":/;$2" "$1"; }
spoilt "state.safetensors: metadata.settings: name other sizes" \
  edit last/state.safetensors 's/\\"hidden\\":64/\\"hidden\\":32/'
spoilt "settings.batch-size: out of range (expected 1 to 4096, got 0)" \
  edit last/state.safetensors 's/\\"batch-size\\":2/\\"batch-size\\":0/'
spoilt "settings.precision: out of range" edit last/state.safetensors 's/fp32/fp99/'
spoilt "metadata.stopping.patience: is out of range" \
  edit last/state.safetensors 's/"stopping.patience":"10"/"stopping.patience":"11"/'
spoilt "metadata.weights: the model.safetensors beside it is of another moment or run" \
  eval "cp '$work/other-seed/last/model.safetensors' last/model.safetensors; edit last/state.safetensors ''"
spoilt "last/model.safetensors: digest: the file is damaged" \
  cp "$work/other-seed/last/model.safetensors" last/model.safetensors
spoilt "last/model.safetensors: " poke_nan last/model.safetensors
spoilt "last/state.safetensors: digest: the file is damaged" \
  sed -i 's/"stopping.patience":"10"/"stopping.patience":"11"/' last/state.safetensors
spoilt "; there is no earlier save to go back to" truncate -s 100 last/state.safetensors
spoilt "metrics.jsonl: lines: rows of finished epochs are missing (expected 3, got 2)" \
  sed -i '$d' metrics.jsonl
spoilt "metrics.jsonl: line 2: epoch: rows of finished epochs are missing or moved" \
  sed -i '2{h;d};3G' metrics.jsonl
spoilt "metrics.jsonl" rm metrics.jsonl
spoilt "$run/model.safetensors: file: is missing, and with it the best model so far, of epoch 1" \
  rm model.safetensors
spoilt "$run/model.safetensors: header" truncate -s 0 model.safetensors
spoilt "$run/model.safetensors: " truncate -s -4 model.safetensors
spoilt "$run/model.safetensors: weights: are not those of the run's best epoch, 1" \
  cp last/model.safetensors model.safetensors
spoilt "$run/model.safetensors: hidden: is not that of" cp "$work/small/model.safetensors" .
# Damage to the last save: the one before is taken, to the same bits in the end.
expect_ok "$train" --out "$work/sound" --resume --epochs 4 --threads 1 --quiet
for damage in 'poke_nan last/model.safetensors' 'poke_nan last/state.safetensors' 'truncate -s 100 last/state.safetensors' \
  'rm last/model.safetensors' 'rm -r last'; do
  rm -rf "$run" && cp -r "$work/sound" "$run"
  (cd "$run" && eval "$damage")
  expect_ok "$train" --out "$run" --resume --epochs 4 --quiet
  expect_text "$work/stderr" "; the run goes on from what was saved before"
  expect_same_run "$work/sound" "$run"
done
# A kill may come after the best epoch but before the best model is written.
cp -r "$work/straight" "$work/unwritten"
if [ "$(sed -n 's/^best epoch\t//p' "$work/straight.out")" -eq 4 ]; then
  rm "$work/unwritten/model.safetensors"
  expect_ok "$train" --out "$work/unwritten" --resume
  expect_text "$work/stderr" "is rewritten from"
  expect_same_run "$work/straight" "$work/unwritten"
fi

# --- a second trainer in one folder
become "$work/locked" 1000 --patience 1000 >/dev/null 2>&1 &
pid=$!
wait_for_epochs "$work/locked" 1 $pid
expect_fail 2 "lock: another cdt-train" "$train" --out "$work/locked" --resume
kill -TERM $pid
wait $pid 2>/dev/null

# --- a full disk: the earlier run is untouched
run=$work/full
expect_ok start "$run" 1
cp -r "$run" "$work/full-before"
limited() {
  trap '' XFSZ
  ulimit -f 16
  exec "$train" "$@"
}
status=0
(limited --out "$run" --resume --epochs 2) >"$work/stdout" 2>"$work/stderr" || status=$?
check "full disk: exit status 2, not $status" test $status -eq 2
check "full disk: one line" grep -qE '^cdt-train: .*write: ' "$work/stderr"
expect_same "$work/full-before/last/state.safetensors" "$run/last/state.safetensors"
expect_same "$work/full-before/model.safetensors" "$run/model.safetensors"
finish
