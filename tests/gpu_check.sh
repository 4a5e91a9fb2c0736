#!/bin/bash
# Everything that needs a GPU: one JSON file, BUILD/gpu-check.json, and a table. Each step has a time
# limit of its own; one that fails does not stop the others. Exit status 0 if no step failed, 1 if one
# did, 2 where there is no GPU or no build for it.
#
#   tests/gpu_check.sh BUILD [STEP...]      steps: tests/gpu/steps.sh
#
# Environment: PYTHON, whose torch is timed next to the engine if it has one; MAKE, for the build;
# CDT_BIN, the programs' folder; CDT_STEP_LIMIT, seconds for every step instead of its own limit.
set -u
export LC_ALL=C OMP_WAIT_POLICY=passive
build=${1:?usage: tests/gpu_check.sh BUILD [STEP...]}
shift
source tests/gpu/steps.sh
logs=$build/gpu-check
mkdir -p "$logs"

refuse() {
  echo "gpu-check: $1" >&2
  exit 2
}

# quoted TEXT: a JSON string.
quoted() {
  printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
}

# run_step NAME LIMIT FUNCTION: runs it in a process of its own, appends its object to $results and
# its row to the table. A step prints what it has to say; its last line is its summary. It leaves its
# numbers, one JSON value, in $logs/NAME.json. Exit status $kSkip: skipped.
run_step() {
  local name=$1 limit=$2 began=$SECONDS status=0 verdict summary numbers=null
  rm -f "$logs/$name.json"
  printf 'gpu-check: %s (at most %d s)\n' "$name" "$limit" >&2
  timeout -k 10 "$limit" bash -c 'source tests/gpu/steps.sh && build=$1 logs=$2 step=$3 && "$4"' \
    gpu-check "$build" "$logs" "$name" "$3" >"$logs/$name.log" 2>&1 </dev/null || status=$?
  summary=$(grep -a . "$logs/$name.log" | tail -n 1 | cut -c1-300)
  case $status in
    0) verdict=passed ;;
    "$kSkip") verdict=skipped ;;
    124 | 137) verdict=failed summary="ran past $limit s; last line: $summary" ;;
    *) verdict=failed summary="exit status $status: $summary" ;;
  esac
  # Numbers of a step that broke off may be half an object.
  [ $status -eq 0 ] && [ -s "$logs/$name.json" ] && numbers=$(cat "$logs/$name.json")
  [ "$verdict" != failed ] || failed=$((failed + 1))
  results+=("$(printf '{"step": %s, "status": "%s", "seconds": %d, "limit_s": %d, "summary": %s, "numbers": %s}' \
    "$(quoted "$name")" $verdict $((SECONDS - began)) "$limit" "$(quoted "$summary")" "$numbers")")
  rows+=("$(printf '%-24s %-8s %5d s  %s' "$name" $verdict $((SECONDS - began)) "$summary")")
  write_results
}

# Written anew after each step: what ran is kept if the machine goes away.
write_results() {
  local separator='' result
  {
    printf '{"date": "%s", "gpu": %s, "driver": %s, "nvcc": %s, "cpu": %s, "git": %s, "failed": %d, "steps": [' \
      "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(quoted "$gpu")" "$(quoted "$driver")" "$(quoted "$nvcc")" \
      "$(quoted "$cpu")" "$(quoted "$version")" $failed
    for result in "${results[@]}"; do
      printf '%s\n  %s' "$separator" "$result"
      separator=,
    done
    printf '\n]}\n'
  } >"$build/gpu-check.json.new"
  mv "$build/gpu-check.json.new" "$build/gpu-check.json"
}

# --- what is here
command -v nvidia-smi >/dev/null || refuse "no GPU: nvidia-smi is not in the PATH"
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1)
if [ -z "$gpu" ] || [[ $gpu == *"No devices"* ]]; then refuse "no GPU: nvidia-smi names none"; fi
driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
"${MAKE:-make}" -s "$build/cuda.mk" >"$logs/cuda.log" 2>&1 || refuse "$(tail -n 1 "$logs/cuda.log")"
nvcc=$(sed -n 's/^CUDA_VERSION := *//p' "$build/cuda.mk" 2>/dev/null)
[ -n "$nvcc" ] || refuse "no CUDA toolkit: $(sed -n 's/^CUDA_MISSING := *//p' "$build/cuda.mk" 2>/dev/null)"
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
version=$(git describe --always --dirty 2>/dev/null || echo unknown)

# --- the steps
results=() rows=() failed=0
wanted=" $* "
while read -r name limit function; do
  limit=${CDT_STEP_LIMIT:-$limit}
  if [ "$wanted" = "  " ] || [[ $wanted == *" $name "* ]]; then run_step "$name" "$limit" "$function"; fi
done < <(list_steps)
[ ${#results[@]} -gt 0 ] || refuse "no such step: $*; there are $(list_steps | awk '{ printf " %s", $1 }')"

echo
echo "$gpu, driver $driver, CUDA $nvcc, $version"
printf '%s\n' "${rows[@]}"
echo "${#results[@]} steps, $failed failed; numbers in $build/gpu-check.json, logs in $logs/"
[ $failed -eq 0 ]
