#!/bin/bash
# Runs cdt-train, cdt-predict and cdt-attribute for a long time and says whether their memory stays flat.
#
#   tests/soak/soak.sh BUILD MINUTES [OUT]     OUT: BUILD/soak
#
# Each program gets a third of the time. cdt-train is one process that saves every few seconds; cdt-predict and
# cdt-attribute work on more pairs than they finish, and begin again if they do. Every second OUT/samples.tsv gets a
# line: program, seconds, resident KiB, open descriptors, threads. After a warm-up of a quarter of its time, a process
# may hold no more descriptors or threads than before, and its largest resident memory in the last quarter may exceed
# that in the second quarter by 1 % and 1 MiB. Exit status 1 if one exceeds it, or ends with an error.
set -euo pipefail
build=${1:?usage: tests/soak/soak.sh BUILD MINUTES [OUT]} minutes=${2:?minutes} out=${3:-$1/soak}
bin=$build/bin
share=$((minutes * 60 / 3))
rm -rf "$out"
mkdir -p "$out"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

"$bin/cdt-synth" --preset tiny --enhancers 20000 --out "$out/data" --seed 1 --quiet
model=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16)
"$bin/cdt-train" --data "$out/data" --out "$out/model" "${model[@]}" --batch-size 8 --max-steps 20 --quiet >/dev/null

# sample NAME PID BEGAN: one line for a process, nothing if it is gone.
sample() {
  local kib threads descriptors
  kib=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$2/status" 2>/dev/null) || return 0
  threads=$(sed -n 's/^Threads:[^0-9]*//p' "/proc/$2/status" 2>/dev/null) || return 0
  descriptors=$(find "/proc/$2/fd" -mindepth 1 2>/dev/null | wc -l) || return 0
  [ -z "$kib" ] || printf '%s\t%s\t%s\t%s\t%s\n' "$1" $((SECONDS - $3)) "$kib" "$descriptors" "$threads"
}

# soak NAME COMMAND...: runs it for the share, again and again; ends it with SIGTERM.
soak() {
  local name=$1 began=$SECONDS runs=0 pid status
  shift
  while ((SECONDS - began < share)); do
    rm -rf "${out:?}/$name"
    "$@" --out "$out/$name" --threads 1 --quiet >"$out/$name.stdout" 2>"$out/$name.stderr" &
    pid=$!
    runs=$((runs + 1))
    while ((SECONDS - began < share)) && kill -0 $pid 2>/dev/null; do
      sample "$name" $pid $began >>"$out/samples.tsv"
      sleep 1
    done
    kill -TERM $pid 2>/dev/null && continue
    status=0
    wait $pid || status=$?
    [ $status -eq 0 ] || { echo "$name: exit status $status: $(cat "$out/$name.stderr")"; return 1; }
  done
  wait $pid || grep -q interrupted "$out/$name.stderr" || { echo "$name: $(cat "$out/$name.stderr")"; return 1; }
  echo "$name: $runs run(s) in $((SECONDS - began)) s"
}

soak cdt-train "$bin/cdt-train" --data "$out/data" "${model[@]}" --batch-size 2 --epochs 1000000 --patience 1000000 \
  --save-every 0.05
soak cdt-predict "$bin/cdt-predict" --data "$out/data" --model "$out/model/model.safetensors" --split train \
  --batch-size 1 --bootstrap 100
soak cdt-attribute "$bin/cdt-attribute" --data "$out/data" --model "$out/model/model.safetensors" --split train \
  --methods all --sample 0

awk -F '\t' -v share="$share" '
  function larger(a, b) { return a > b ? a : b }
  !($1 in names) { names[$1] = ++n; order[n] = $1 }
  {
    quarter = int(4 * $2 / share)
    for (i = 3; i <= 5; i++) most[$1, i, quarter] = larger(most[$1, i, quarter] + 0, $i)
    count[$1]++
  }
  END {
    for (k = 1; k <= n; k++) {
      name = order[k]
      early = most[name, 3, 1]; late = most[name, 3, 3]
      flat = early > 0 && late > 0 && late <= early * 1.01 + 1024
      for (i = 4; i <= 5; i++) flat = flat && most[name, i, 3] <= most[name, i, 1]
      bad += !flat
      printf "%s: %d samples, second quarter %d KiB, last %d KiB, descriptors %d and %d, threads %d and %d: %s\n", \
        name, count[name], early, late, most[name, 4, 1], most[name, 4, 3], most[name, 5, 1], most[name, 5, 3], \
        flat ? "flat" : "NOT FLAT"
    }
    exit n == 3 && bad == 0 ? 0 : 1
  }' "$out/samples.tsv"
