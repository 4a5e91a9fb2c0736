#!/bin/bash
# Runs every test of a build folder: the GoogleTest binaries, then tests/apps/*.sh. What failed is
# shown in full, a skip with its reason, and what a script notes. The last line is "N passed, N failed, N skipped"; exit
# status 1 if anything failed.
#
#   tests/run_tests.sh BUILD [NAME...]      NAME: unit, parity, emulation, emulated_unit, emulated_feed,
#                                           emulated_second, emulated_parity, emulated_unit_tf32 and
#                                           so on (parity; bf16, fp32-fma), or a script of tests/apps
set -u
export OMP_WAIT_POLICY=passive  # of the emulated matrix products (tests/emulation/matmul.cc)
build=${1:?usage: tests/run_tests.sh BUILD [NAME...]}
shift
only=" $* "
results=$build/test-results
mkdir -p "$results"
device_tests=$(tr '\n' : <tests/device_tests.txt)
float32_tests=$(sed 's/ *#.*//' tests/float32_tests.txt | tr '\n' :)
passed=0 failed=0 skipped=0

wanted() { [ "$only" = "  " ] || [[ $only == *" $1 "* ]]; }

# count NAME SECONDS P F S: adds up and prints one line.
count() {
  passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
  printf '%-22s %5d passed, %d failed, %d skipped (%d s)\n' "$1" "$3" "$4" "$5" "$2"
}

# The log of a GoogleTest binary: prints the text of failed and skipped tests and, last, the three
# counts. A test that began and did not end (a crash) is a failed one.
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

# run_gtest NAME BINARY [VARIABLE=VALUE...]: if it is wanted and built.
run_gtest() {
  local began=$SECONDS
  if ! wanted "$1" || [ ! -x "$build/tests/$2_tests" ]; then return; fi
  env "${@:3}" "$build/tests/$2_tests" >"$results/$1.log" 2>&1
  report_gtest "$1" $((SECONDS - began)) $?
}

# report_gtest NAME SECONDS STATUS: of a binary that has run.
report_gtest() {
  local name=$1 log=$results/$1.log status=$3 counts
  read_gtest_log "$log" >"$log.short"
  head -n -1 "$log.short"
  read -r -a counts < <(tail -n 1 "$log.short")
  if [ $status -ne 0 ] && [ "${counts[1]}" -eq 0 ]; then
    echo "$name: exit status $status although no test failed"
    tail -n 20 "$log"
    counts[1]=1
  fi
  count "$name" "$2" "${counts[@]}"
}

# A script of tests/apps ends with its own "N passed, N failed, N skipped".
run_app_test() {
  local script=$1 name log began=$SECONDS status last
  name=$(basename "$script" .sh)
  log=$results/$name.log
  CDT_BIN=$build/bin CDT_BUILD=$build bash "$script" >"$log" 2>&1
  status=$?
  last=$(tail -n 1 "$log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    grep -aE '^(skipped|note): ' "$log"
    local p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
    [ "$f" -gt 0 ] || [ $status -eq 0 ] || f=1
    [ "$f" -eq 0 ] || cat "$log"
    count "$name" $((SECONDS - began)) "$p" "$f" "$s"
  else
    cat "$log"
    echo "$name: ended early (exit status $status)"
    count "$name" $((SECONDS - began)) 0 1 0
  fi
}

# Kernels by themselves, which take minutes of one core: beside what follows.
emulation=''
if wanted emulation && [ -x "$build/tests/emulation_tests" ]; then
  "$build/tests/emulation_tests" >"$results/emulation.log" 2>&1 &
  emulation=$! emulation_began=$SECONDS
fi
for name in unit parity; do run_gtest $name $name; done
# Those that do not depend on the device, on the emulated GPU. In checking mode, where the host may not
# touch what is the device's; but for a feed, whose threads fill page-locked memory while kernels run:
# its streams are late instead. Parity only as it is: its sizes would take minutes.
with_feed='TrainRun.*:DnaFeedTest.*'
emulated=(CDT_TEST_DEVICE=cuda CDT_EMULATED_MEMORY=$((64 << 30)))
run_gtest emulated_unit emulated_unit "${emulated[@]}" CDT_EMULATION_CHECK=1 \
  "GTEST_FILTER=$device_tests-$with_feed"
run_gtest emulated_feed emulated_unit "${emulated[@]}" CDT_EMULATION_LAZY=1 "GTEST_FILTER=$with_feed"
# The second of two devices: no thread may take the first.
run_gtest emulated_second emulated_unit "${emulated[@]}" CDT_TEST_DEVICE=cuda:1 CDT_EMULATED_DEVICES=2 \
  "GTEST_FILTER=$with_feed"
run_gtest emulated_parity emulated_parity "${emulated[@]}" "GTEST_FILTER=$device_tests"
# In float32 multiply-adds; and in reduced precision, within the bounds that follow from it
# (tests/support/precision.h).
for precision in fp32-fma tf32 bf16; do
  left_out=$float32_tests
  [ $precision != fp32-fma ] || left_out=''
  for suite in unit parity; do
    run_gtest emulated_${suite}_$precision emulated_$suite "${emulated[@]}" CDT_TEST_PRECISION=$precision \
      "GTEST_FILTER=$device_tests-$left_out"
  done
done
if [ -n "$emulation" ]; then
  wait "$emulation"
  report_gtest emulation $((SECONDS - emulation_began)) $?
fi
for script in tests/apps/*.sh; do
  name=$(basename "$script" .sh)
  if [ "$name" != lib ] && wanted "$name"; then run_app_test "$script"; fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
