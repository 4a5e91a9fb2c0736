#!/bin/bash
# Data-parallel training under mpirun: equal to one process, the same bits each time, stopped and resumed, and what
# it refuses. What needs no launcher is in tests/unit/train_ranks_test.cc.
source tests/apps/lib.sh
if [ -z "$(mpi_flags)" ] || ! command -v mpirun >/dev/null; then
  skip 'training on several ranks' 'this build has no MPI, or there is no mpirun'
  finish
fi
tiny_training
allow_mpirun_here
# on RANKS COMMAND...
on() {
  local ranks=$1
  shift
  mpirun -n "$ranks" "$@"
}
three=("${new[@]}" --epochs 3 --seed 5)

expect_ok "${three[@]}" --out "$work/one"
expect_ok on 2 "${three[@]}" --out "$work/two"
check 'one process prints the result' [ "$(grep -c '^best epoch' "$work/stdout")" -eq 1 ]
expect_ok on 2 "${three[@]}" --out "$work/again"
expect_ok on 4 "${three[@]}" --out "$work/four"
# results FOLDER: metrics.jsonl without what depends on time and memory.
results() { sed 's/,"seconds":.*//' "$work/$1/metrics.jsonl"; }
# same_run FOLDER FOLDER: both have the same bits.
same_run() {
  expect_same "$work/$1/model.safetensors" "$work/$2/model.safetensors"
  expect_same "$work/$1/last/model.safetensors" "$work/$2/last/model.safetensors"
  check "metrics of $1 and $2" [ "$(results "$1")" = "$(results "$2")" ]
}
same_run two again
# close_to_one FOLDER: metrics agree with those of one process to four digits.
close_to_one() {
  check "$1: as many epochs" [ "$(wc -l <"$work/$1/metrics.jsonl")" -eq 3 ]
  check "$1: losses are those of one process" awk -F '[:,]' '
    function loss(line) { match(line, /"train_loss":[-0-9.e]*/); return substr(line, RSTART + 13, RLENGTH - 13) }
    FNR == NR { one[FNR] = loss($0); next }
    { d = loss($0) - one[FNR]; if (d < 0) d = -d; if (loss($0) == "" || d > 1e-4 * one[FNR]) exit 1 }
    ' "$work/one/metrics.jsonl" "$work/$1/metrics.jsonl"
}
close_to_one two
close_to_one four
expect_text "$work/two/provenance.json" '"ranks": 2'

# Saves within epochs, on all ranks at the same step: no bit changes, and a resume goes on from one.
expect_ok on 2 "${three[@]}" --out "$work/saved" --save-every 0.000001
same_run two saved
rm -r "$work/saved/last"
expect_ok on 2 "$train" --resume --quiet --threads 1 --out "$work/saved"
expect_text "$work/stderr" 'the run goes on from what was saved before'
same_run two saved
# SIGUSR1 to one rank: all save, one says so, and training goes on.
loud=()
for word in "${new[@]}"; do [ "$word" = --quiet ] || loud+=("$word"); done
mpirun -n 2 "${loud[@]}" --epochs 100000 --patience 100000 --save-every 0 --out "$work/asked" \
  >"$work/stdout" 2>"$work/stderr" &
launcher=$!
await_file "$work/asked/metrics.jsonl"
kill -USR1 "$(pgrep -P $launcher -n cdt-train)"
for ((i = 0; i < 600; i++)); do
  grep -q '^cdt-train: note: saved at epoch' "$work/stderr" && break
  sleep 0.05
done
check 'SIGUSR1: saved' [ "$(grep -c '^cdt-train: note: saved at epoch' "$work/stderr")" -eq 1 ]
check 'SIGUSR1 to one rank ends none' kill -0 $launcher
kill -TERM "$(pgrep -P $launcher -n cdt-train)"
wait $launcher

# Stopped by a signal to one rank: both save at the same step; resumed with as many and with other ranks.
long=("${new[@]}" --epochs 400 --seed 5 --patience 1000)
mpirun -n 2 "${long[@]}" --out "$work/stopped" >"$work/stdout" 2>"$work/stderr" &
launcher=$!
await_file "$work/stopped/metrics.jsonl"
kill -TERM "$(pgrep -P $launcher -n cdt-train)"
wait $launcher
check 'a signal ends the run' [ $? -eq 1 ]
check 'one line says so' [ "$(grep -c '^cdt-train: interrupted at epoch' "$work/stderr")" -eq 1 ]
done_epochs=$(wc -l <"$work/stopped/metrics.jsonl")
cp -r "$work/stopped" "$work/other"
total=$((done_epochs + 2))
expect_ok on 2 "$train" --resume --quiet --threads 1 --epochs $total --out "$work/stopped"
expect_ok on 2 "${new[@]}" --epochs $total --seed 5 --patience 1000 --out "$work/straight"
same_run stopped straight
expect_ok on 4 "$train" --resume --quiet --threads 1 --epochs $total --out "$work/other"
check 'resumed by another number of ranks' [ "$(wc -l <"$work/other/metrics.jsonl")" -eq $total ]
check 'which is recorded' [ "$(grep -c '"ranks"' "$work/other/provenance.json")" -eq 2 ]

# cdt_train_lines: what the ranks themselves said, in $work/stderr.
cdt_train_lines() { grep '^cdt-train: ' "$work/stderr"; }
# refused STATUS NEEDLE ARGUMENT...: mpirun ARGUMENT... ends with STATUS, and one line of one rank has NEEDLE.
refused() {
  local expected=$1 needle=$2 status=0
  shift 2
  mpirun "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "exit status $expected, not $status: $needle" [ $status -eq "$expected" ]
  if [ "$(cdt_train_lines | grep -cF -- "$needle")" -eq 1 ] && [ "$(cdt_train_lines | wc -l)" -eq 1 ]; then
    pass
  else
    fail "expected one line: cdt-train: ...$needle" "$work/stderr"
  fi
  check 'nothing is written' [ ! -e "$work/refused" ]
}
bad=("${new[@]}" --out "$work/refused")
without_data=("$train" --threads 1 --quiet "${sizes[@]}" --out "$work/refused")
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/elsewhere" --seed 2 --quiet
refused 2 'rank 1: data.pairs and tables: is not that of rank 0' \
  -n 1 "${bad[@]}" : -n 1 "${without_data[@]}" --data "$work/elsewhere"
refused 2 'rank 1: settings.lr: is not that of rank 0 (expected 0.0001, got 0.01)' \
  -n 1 "${bad[@]}" : -n 1 "${bad[@]}" --lr 0.01
refused 2 'rank 1: weights: is not that of rank 0' -n 1 "${bad[@]}" : -n 1 "${bad[@]}" --model "$work/one/model.safetensors"
refused 2 '--batch-size: every rank must get as many samples (expected a multiple of the 3 ranks, got 4)' \
  -n 3 "${bad[@]}"
refused 2 "rank 1: $work/nowhere" -n 1 "${bad[@]}" : -n 1 "${without_data[@]}" --data "$work/nowhere"
# A bad value that another rank than 0 reads.
cp -r "$data" "$work/nan"
row=$(($(stat -c %s "$data/dna.f32") / $(wc -l <"$data/enhancers.bed")))
printf '\0\0\300\177' | dd of="$work/nan/dna.f32" bs=1 seek=$((row * 50 + 8)) conv=notrunc status=none
refused 2 "rank 1: $work/nan/dna.f32: enhancer ENH00051 (row 50)" -n 2 "${without_data[@]}" --data "$work/nan"
refused 2 'already holds a run' -n 2 "${new[@]}" --out "$work/one"
refused 2 '--verify: is for one process' -n 1 "$train" --verify "$work/one" : -n 1 true

# A rank that is killed, or answers no more, ends the others, and the last save stays whole.
# lost SIGNAL NEEDLE: sends SIGNAL to rank 1 of 2 in the middle of a run; NEEDLE is said of it.
lost() {
  local victim
  rm -rf "$work/lost"
  mpirun -n 2 "${long[@]}" --out "$work/lost" >"$work/stdout" 2>"$work/stderr" &
  launcher=$!
  await_file "$work/lost/metrics.jsonl"
  victim=$(pgrep -P $launcher cdt-train | tail -n 1)
  kill "-$1" "$victim"
  wait $launcher && fail "a run without rank 1 ends well"
  kill -KILL "$victim" 2>/dev/null
  check "no process is left" [ -z "$(pgrep -f "$work/lost")" ]
  expect_text "$work/stderr" "$2"
  if [ "$(cdt_train_lines | wc -l)" -le 1 ]; then pass; else fail 'one rank says why' "$work/stderr"; fi
  done_epochs=$(wc -l <"$work/lost/metrics.jsonl")
  expect_ok on 2 "$train" --resume --quiet --threads 1 --epochs $((done_epochs + 1)) --out "$work/lost"
}
lost KILL 'signal 9'
lost STOP 'cdt-train: rank 1 '
finish
