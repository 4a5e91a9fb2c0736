#!/bin/bash
# Runs one suite of tests/run_tests.sh: prints its failures in full, its skips with their reason, its notes,
# and its counts, all at once, so that parallel suites do not mix their lines. The counts are also saved in
# BUILD/test-results/NAME.count.
#
#   tests/run_suite.sh BUILD NAME
set -u
export OMP_WAIT_POLICY=passive  # for the emulated matrix products (tests/emulation/matmul.cc)
export LSAN_OPTIONS=suppressions=$PWD/tests/leaks.txt:print_suppressions=0
build=$1 name=$2
results=$build/test-results
device_tests=$(tr '\n' : <tests/device_tests.txt)
float32_tests=$(sed 's/ *#.*//' tests/float32_tests.txt | tr '\n' :)

# count P F S: passed, failed and skipped tests of this suite.
count() {
  printf '%-22s %5d passed, %d failed, %d skipped (%d s)\n' "$name" "$1" "$2" "$3" $SECONDS
  echo "$1 $2 $3" >"$results/$name.count"
}

# Reads the log of a GoogleTest binary: prints the text of failed and skipped tests and, last, the three
# counts. A test that began but did not end (a crash) is a failed one.
read_gtest_log() {
  awk '
    function close_test(kind) { if (kind != "") printf "%s%s\n", text, $0; text = ""; open = "" }
    /^\[ RUN      \] /        { open = $4; text = ""; next }
    open == ""                { next }
    /\[       OK \] /         { passed++; close_test(""); next }
    /\[  FAILED  \] /        { failed++; close_test("failed"); next }
    /\[  SKIPPED \] /        { skipped++; close_test("skipped"); next }
                              { text = text $0 "\n" }
    END {
      if (open != "") { failed++; printf "%s%s: the program ended within this test\n", text, open }
      print passed + 0, failed + 0, skipped + 0
    }' "$1"
}

# run_gtest BINARY [VARIABLE=VALUE...]
run_gtest() {
  local log=$results/$name.log status=0 counts
  env "${@:2}" "$build/tests/$1_tests" >"$log" 2>&1 || status=$?
  read_gtest_log "$log" >"$log.short"
  head -n -1 "$log.short"
  read -r -a counts < <(tail -n 1 "$log.short")
  if [ $status -ne 0 ] && [ "${counts[1]}" -eq 0 ]; then
    echo "$name: exit status $status although no test failed"
    tail -n 20 "$log"
    counts[1]=1
  fi
  count "${counts[@]}"
}

# A script of tests/apps ends with its own "N passed, N failed, N skipped".
run_script() {
  local log=$results/$name.log status=0 last
  CDT_BIN=$build/bin CDT_BUILD=$build bash "tests/apps/$name.sh" >"$log" 2>&1 || status=$?
  last=$(tail -n 1 "$log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    grep -aE '^(skipped|note): ' "$log"
    local p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
    [ "$f" -gt 0 ] || [ $status -eq 0 ] || f=1
    [ "$f" -eq 0 ] || cat "$log"
    count "$p" "$f" "$s"
  else
    cat "$log"
    echo "$name: ended early (exit status $status)"
    count 0 1 0
  fi
}

# Device-independent tests run again on the emulated GPU in checking mode, in which the host may not
# touch device memory. The DNA feed fills pinned memory while kernels run, so it runs with late streams
# instead of checks. Parity tests run without checks, which would take minutes at their sizes.
with_feed='TrainRun.*:TrainSteps.*:TrainRecipes.*:TrainTargets.*:NumericsOfARun.*:DnaFeedTest.*'
emulated=(CDT_TEST_DEVICE=cuda CDT_EMULATED_MEMORY=$((64 << 30)))

run_suite() {
  local suite precision left_out=$float32_tests
  case $name in
    unit | parity | emulation) run_gtest "$name" ;;
    emulated_unit)
      run_gtest emulated_unit "${emulated[@]}" CDT_EMULATION_CHECK=1 "GTEST_FILTER=$device_tests-$with_feed"
      ;;
    emulated_feed)
      run_gtest emulated_unit "${emulated[@]}" CDT_EMULATION_LAZY=1 "GTEST_FILTER=$with_feed"
      ;;
    emulated_second) # The second of two devices: no thread may use the first.
      run_gtest emulated_unit "${emulated[@]}" CDT_TEST_DEVICE=cuda:1 CDT_EMULATED_DEVICES=2 \
        "GTEST_FILTER=$with_feed"
      ;;
    emulated_parity) run_gtest emulated_parity "${emulated[@]}" "GTEST_FILTER=$device_tests" ;;
    emulated_*_*) # Within the error bounds of each precision (tests/support/precision.h).
      IFS=_ read -r _ suite precision <<<"$name"
      [ "$precision" != fp32-fma ] || left_out=''
      run_gtest "emulated_$suite" "${emulated[@]}" "CDT_TEST_PRECISION=$precision" \
        "GTEST_FILTER=$device_tests-$left_out"
      ;;
    *) run_script ;;
  esac
}

run_suite >"$results/$name.report" 2>&1
flock "$results" cat "$results/$name.report"
