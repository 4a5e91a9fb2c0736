#!/bin/bash
# The short form of `make torture`: killed, interrupted by errors and power losses, and disturbed in other ways, the
# programs keep what was saved and finish with the same bits.
source tests/apps/lib.sh
if [ ! -x "$CDT_BUILD/tests/torture" ]; then
  skip 'torture' "needs $CDT_BUILD/tests/torture, which is for x86-64"
  finish
fi
# LeakSanitizer cannot look at a process that is traced; the clock is set back by a library that is loaded first.
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0
SEED=${SEED:-1} tests/torture/torture.sh "$CDT_BUILD" short >"$work/log" 2>&1
grep -vE '^(seed|[0-9]+ passed)' "$work/log"
read -r passed _ failed _ skipped _ < <(tail -n 1 "$work/log")
tests_passed=$((tests_passed + passed)) tests_failed=$((tests_failed + failed)) tests_skipped=$((tests_skipped + skipped))
finish
