#!/bin/bash
# Signals that end a program: several at once act as one, and nothing is lost.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
tiny_model
run=$work/run-signalled
arguments=(--data "$data" --epochs 100000 --patience 100000 --hidden 16 --heads 2 --pool-heads 2
  --feed-forward 32 --fusion 16 --threads 1 --quiet)
# begin OUT: a background run; waits for one epoch.
begin() {
  set -m
  "${shell_signals[@]}" "$train" "${arguments[@]}" --out "$1" >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  set +m
  local i
  for ((i = 0; i < 2000; i++)); do
    [ -s "$1/metrics.jsonl" ] && break
    sleep 0.01
  done
}
for pair in 'INT INT' 'TERM TERM' 'INT TERM' 'HUP TERM' 'HUP HUP'; do
  rm -rf "$run"
  begin "$run"
  read -r first second <<<"$pair"
  kill "-$first" $pid
  sleep 0.02
  kill "-$second" $pid 2>/dev/null
  status=0
  wait $pid 2>/dev/null || status=$?
  check "$pair: exit status 1, not $status" test $status -eq 1
  check "$pair: says where" grep -qE \
    '^cdt-train: interrupted at epoch [0-9]+ step [0-9]+; continue with --resume$' "$work/stderr"
  check "$pair: a state to go on from" test -s "$run/last/state.safetensors"
  check "$pair: nothing half-written" test ! -e "$run/last.new"
done
expect_ok "$train" --out "$run" --resume --epochs "$(($(wc -l <"$run/metrics.jsonl") + 1))" --quiet

# USR1 saves and goes on; XCPU, when the processor time of a batch job is used up, ends the run as TERM does.
rm -rf "$run"
quiet=("${arguments[@]}")
arguments=("${arguments[@]/--quiet/}")
arguments=("${arguments[@]:0:${#arguments[@]}-1}" --save-every 0)
begin "$run"
arguments=("${quiet[@]}")
kill -USR1 $pid
for ((i = 0; i < 2000; i++)); do
  grep -q 'note: saved at' "$work/stderr" && break
  sleep 0.01
done
check 'USR1: says what it saved' grep -qE '^cdt-train: note: saved at epoch [0-9]+ step [0-9]+$' "$work/stderr"
check 'USR1: goes on' kill -0 $pid
kill -XCPU $pid
status=0
wait $pid 2>/dev/null || status=$?
check "XCPU: exit status 1, not $status" test $status -eq 1
check 'XCPU: says where' grep -qE '^cdt-train: interrupted at epoch [0-9]+ step [0-9]+; continue with --resume$' \
  "$work/stderr"
expect_ok "$train" --out "$run" --resume --epochs "$(($(wc -l <"$run/metrics.jsonl") + 1))" --quiet

# As started by nohup.
rm -rf "$run"
(trap '' HUP && exec "$train" "${arguments[@]}" --out "$run" >"$work/stdout" 2>"$work/stderr") &
pid=$!
for ((i = 0; i < 2000; i++)); do
  [ -s "$run/metrics.jsonl" ] && break
  sleep 0.01
done
kill -HUP $pid
sleep 0.2
check 'an ignored SIGHUP changes nothing' kill -0 $pid
kill -TERM $pid
wait $pid 2>/dev/null

# Programs that keep no state leave nothing behind, whatever signals come together.
env --default-signal=HUP,TERM "$CDT_BIN/cdt-synth" --preset demo --enhancers 50000 --bins 64 --dna-dim 64 \
  --threads 1 --out "$work/unfinished" --quiet 2>"$work/stderr" &
pid=$!
for ((i = 0; i < 2000; i++)); do
  [ -n "$(ls -A "$work/unfinished" 2>/dev/null)" ] && break
  sleep 0.01
done
kill -HUP $pid
kill -TERM $pid
status=0
wait $pid 2>/dev/null || status=$?
check "synth: exit status 1, not $status" test $status -eq 1
check 'synth: one line' grep -qE '^cdt-synth: interrupted; nothing is kept$' "$work/stderr"
check 'synth: nothing left' test -z "$(ls -A "$work/unfinished" 2>/dev/null)"
finish
