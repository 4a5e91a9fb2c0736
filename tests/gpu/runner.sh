# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# Runs the steps of steps.sh in sequence, for tests/gpu_first.sh and tests/gpu_check.sh. They set: out
# (results), scratch (a temporary folder), build (bin/ and tests/), material (inputs/ and references/),
# libraries (LD_LIBRARY_PATH of our programs), deadline (seconds since the epoch, or empty).
#
# Each step is a process group with a time limit. Its exit status is the verdict, the last line that it
# prints is its summary, and $numbers (one JSON value) holds what it measured.
kSkip=77
kLeastSeconds=2

# choose_steps LIST WANTED...: fills the arrays from lines "NAME LIMIT FUNCTION... | ANSWERS".
choose_steps() {
  local list=$1 head answer name limit call unknown known
  shift
  known=$(printf '%s\n' "$list" | awk '{ print $1 }')
  unknown=$(printf '%s\n' "$@" | grep -vxF -e "$known" | paste -sd ' ')
  [ $# -eq 0 ] || [ -z "$unknown" ] ||
    refuse "no such step: $unknown; there are $(echo "$known" | paste -sd ' ')"
  names=() limits=() calls=() answers=() statuses=() seconds=() summaries=()
  while IFS='|' read -r head answer; do
    read -r name limit call <<<"$head"
    [ $# -eq 0 ] || printf '%s\n' "$@" | grep -qxF -e "$name" || continue
    names+=("$name") limits+=("${CDT_STEP_LIMIT:-$limit}") calls+=("$call") answers+=("${answer# }")
    statuses+=(waiting) seconds+=(0) summaries+=('')
  done <<<"$list"
}

# guard LIMIT: a member of the step's group that ends the group when the limit is over, or at once when the
# runner is gone: descriptor 8 is a pipe that only the runner can write to.
guard() {
  local status=0
  trap '' TERM
  read -r -t "$1" _ <&8 || status=$?
  if [ $status -gt 128 ]; then
    : >"$numbers.late"
    kill -TERM 0
    read -r -t 3 _ <&8
  fi
  kill -KILL 0
}

# step_process NAME LIMIT FUNCTION...
step_process() {
  set +m
  numbers=$scratch/$1.json folder=$scratch/$1
  # bash handles the signal only after the running program, which gets it too, has ended.
  trap 'exit 143' TERM
  guard "$2" >/dev/null 2>&1 &
  mkdir -p "$folder"
  "${@:3}"
  exit $?
}

# judge INDEX STATUS LIMIT: the status and summary of a step that has ended.
judge() {
  local name=${names[$1]} last
  last=$(grep -a . "$scratch/$name.log" | tail -n 1 | cut -c 1-300)
  if [ -e "$scratch/$name.json.late" ] && [ "$3" -lt "${limits[$1]}" ]; then
    set_step "$1" 'cut off' "the time of the run was over after $3 s; last line: $last"
  elif [ -e "$scratch/$name.json.late" ]; then
    set_step "$1" failed "ran past $3 s; last line: $last"
  elif [ "$2" -eq 0 ]; then
    set_step "$1" passed "$last"
  elif [ "$2" -eq $kSkip ]; then
    set_step "$1" skipped "$last"
  elif [ "$2" -gt 128 ]; then
    set_step "$1" failed "ended by SIG$(kill -l "$2"); last line: $last"
  else
    set_step "$1" failed "exit status $2; last line: $last"
  fi
}

# run_step INDEX LIMIT
run_step() {
  local name=${names[$1]} status=0 began=$EPOCHSECONDS call
  current=$1
  set_step "$1" running
  write_results running
  printf '%s (at most %d s)\n' "$name" "$2" >&2
  read -r -a call <<<"${calls[$1]}"
  set -m
  step_process "$name" "$2" "${call[@]}" >"$scratch/$name.log" 2>&1 </dev/null 9>&- &
  group=$!
  set +m
  wait "$group" 2>/dev/null || status=$?
  kill -KILL -- "-$group" 2>/dev/null
  group=''
  seconds[$1]=$((EPOCHSECONDS - began))
  judge "$1" $status "$2"
  keep_log "$1"
}

# close_results STATE: steps that have not started will not.
close_results() {
  local i
  for i in "${!names[@]}"; do
    [ "${statuses[i]}" != waiting ] || set_step "$i" 'not reached'
  done
  write_results "$1"
  print_table
}

# cut_off SIGNAL: the run itself was told to end.
cut_off() {
  trap '' INT TERM
  if [ -n "$group" ]; then
    kill -KILL -- "-$group" 2>/dev/null
    wait "$group" 2>/dev/null
    set_step "$current" 'cut off' "the run got SIG$1"
    keep_log "$current"
  fi
  close_results 'cut off'
  exit $((128 + $(kill -l "$1")))
}

# run_steps: runs the chosen steps while there is time. Exit status 1 if one failed.
run_steps() {
  local i limit left
  group='' current=''
  mkfifo "$scratch/alive"
  exec 9<>"$scratch/alive"
  exec 8<"$scratch/alive"
  trap 'cut_off INT' INT
  trap 'cut_off TERM' TERM
  # While some process holds the GPU open, others need not wait for it to initialise.
  [ ! -r /dev/nvidia0 ] || exec 7</dev/nvidia0
  for i in "${!names[@]}"; do set_step "$i" waiting; done
  write_results running
  for i in "${!names[@]}"; do
    limit=${limits[i]}
    if [ -n "$deadline" ]; then
      left=$((deadline - EPOCHSECONDS))
      [ $left -ge $kLeastSeconds ] || break
      [ $left -ge "$limit" ] || limit=$left
    fi
    run_step "$i" "$limit"
  done
  close_results finished
  [ "$(count_steps failed)" -eq 0 ]
}
