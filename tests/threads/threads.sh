#!/bin/bash
# Runs what has threads under ThreadSanitizer: the tests of feeds, saves, interrupts and ranks, and the programs with
# progress on a terminal, while signals arrive.
#
#   tests/threads/threads.sh BUILD      BUILD: build-tsan, of make sanitize-threads
#
# A report of the sanitizer ends a program with exit code 66. tests/threads/suppressions.txt names the libraries that are
# not instrumented: oneDNN and its OpenMP runtime.
set -uo pipefail
build=${1:?usage: tests/threads/threads.sh BUILD}
bin=$build/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TSAN_OPTIONS="halt_on_error=0 exitcode=66 suppressions=$PWD/tests/threads/suppressions.txt"
passed=0 failed=0
# run NAME STATUS COMMAND...
run() {
  local name=$1 wanted=$2 status=0
  shift 2
  "$@" >"$work/out" 2>&1 || status=$?
  if [ $status -eq "$wanted" ] && ! grep -q 'WARNING: ThreadSanitizer' "$work/out"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name: exit status $status, expected $wanted"
    head -c 6000 "$work/out"
  fi
}
# on_terminal COMMAND...: with a terminal as stderr and stdout, so that progress is drawn.
on_terminal() { script -qec "$(printf '%q ' "$@")" /dev/null; }

run 'unit tests' 0 "$build/tests/thread_tests"
data=$work/data
run synth 0 "$bin/cdt-synth" --preset tiny --enhancers 300 --out "$data" --quiet
model=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --batch-size 4 --save-every 0.001)
for threads in 1 3; do
  run "train, $threads threads" 0 on_terminal "$bin/cdt-train" --data "$data" --out "$work/run-$threads" "${model[@]}" \
    --epochs 2 --threads $threads --cache "$work/cache-$threads"
done
run predict 0 on_terminal "$bin/cdt-predict" --data "$data" --model "$work/run-1/model.safetensors" --split test \
  --out "$work/prediction" --threads 2
run attribute 0 on_terminal "$bin/cdt-attribute" --data "$data" --model "$work/run-1/model.safetensors" --split test \
  --sample 4 --methods all --out "$work/attribution" --threads 2

# interrupted SIGNALS: a training that gets them while it reads, trains and saves.
interrupted() {
  rm -rf "$work/signalled"
  env --default-signal=INT,HUP,TERM,USR1,XCPU "$bin/cdt-train" --data "$data" --out "$work/signalled" "${model[@]}" \
    --epochs 1000 --patience 1000 --threads 2 &
  local pid=$! signal
  sleep 3
  for signal in "$@"; do
    kill "-$signal" $pid
    sleep 0.5
  done
  wait $pid
}
run 'USR1, then TERM' 1 interrupted USR1 USR1 TERM
run 'XCPU' 1 interrupted XCPU
run 'INT' 1 interrupted INT
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
