# shellcheck shell=bash
# Helpers of fuzz.sh and planted.sh. They set $build, the folder for what is made.
# Whole stacks of allocations and a large quarantine would take a fifth of the time; fuzz_replay of build-asan has them.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0:malloc_context_size=1:quarantine_size_mb=8
export UBSAN_OPTIONS=print_stacktrace=1
# What a file of a few kilobytes may cost: one allocation of 256 MiB, 1 GiB in all, 10 s.
limits=(-malloc_limit_mb=256 -rss_limit_mb=1024 -timeout=10 -close_fd_mask=1)

die() {
  echo "make fuzz: $*" >&2
  exit 2
}

# read_targets REPLAY [NAME...]: prints the lines of `fuzz_replay --list` of these targets, or of all.
read_targets() {
  : "${build:?}"
  local replay=$1 name
  shift
  "$replay" --list >"$build/targets" || die "$replay does not list its targets"
  if [ $# -eq 0 ]; then
    cat "$build/targets"
    return
  fi
  for name in "$@"; do
    awk -F '\t' -v name="$name" '$1 == name { print; found = 1 } END { exit !found }' "$build/targets" ||
      die "FUZZ: no target $name (expected some of: $(cut -f 1 "$build/targets" | paste -s -d ' '))"
  done
}

# run_fuzzer PROGRAM TARGET LOG OPTION...: libFuzzer on one target; its exit status. LOG.time gets its processor time.
run_fuzzer() {
  local program=$1 target=$2 log=$3 TIMEFORMAT='%U %S'
  shift 3
  { time CDT_FUZZ_TARGET=$target "$program" "${limits[@]}" "$@" >"$log" 2>&1; } 2>"$log.time"
}

# processor_seconds LOG: at least 1.
processor_seconds() { awk '{ s = $1 + $2 } END { print (s < 1 ? 1 : int(s + 0.5)) }' "$1.time"; }

# executions LOG: how often the target was called.
executions() { awk '$1 == "stat::number_of_executed_units:" { n = $2 } END { print n + 0 }' "$1"; }
