#!/bin/bash
# Runs every test of a build folder: the GoogleTest binaries and tests/apps/*.sh, as many suites at once
# as there are processors. Prints failures in full, skips with their reason, and notes. The last line is
# "N passed, N failed, N skipped"; exit status 1 if anything failed.
#
#   tests/run_tests.sh BUILD [NAME...]   NAME: a script of tests/apps, or a GoogleTest suite: unit, parity,
#                                        emulation, emulated_unit, emulated_feed, emulated_second,
#                                        emulated_parity, emulated_unit_P, emulated_parity_P with P
#                                        fp32-fma, tf32 or bf16
#   TEST_JOBS=1                          one suite at a time
set -u
build=${1:?usage: tests/run_tests.sh BUILD [NAME...]}
shift
results=$build/test-results
mkdir -p "$results"

# Every suite, longest first, so that none runs alone at the end.
all_suites() {
  printf '%s\n' emulation 55_cuda_emulated 68_gpu_rehearsal emulated_unit emulated_parity emulated_{unit,parity}_{fp32-fma,tf32,bf16} \
    unit parity emulated_feed emulated_second
  for script in tests/apps/*.sh; do basename "$script" .sh; done | grep -vxE 'lib|55_cuda_emulated|68_gpu_rehearsal'
}

# True if the suite is a script, or its GoogleTest binary is built.
built() {
  case $1 in
    unit | parity | emulation) [ -x "$build/tests/$1_tests" ] ;;
    emulated_parity*) [ -x "$build/tests/emulated_parity_tests" ] ;;
    emulated_*) [ -x "$build/tests/emulated_unit_tests" ] ;;
    *) [ -e "tests/apps/$1.sh" ] ;;
  esac
}

only=" $* "
suites=()
for name in $(all_suites); do
  if [[ $# -eq 0 || $only == *" $name "* ]] && built "$name"; then suites+=("$name"); fi
done
for name in "$@"; do
  [[ " ${suites[*]} " == *" $name "* ]] || { echo "run_tests: $name: no such suite, or not built" >&2; exit 2; }
done

(cd "$results" && rm -f "${suites[@]/%/.count}")
printf '%s\n' "${suites[@]}" | xargs -P "${TEST_JOBS:-$(nproc)}" -n 1 tests/run_suite.sh "$build"

passed=0 failed=0 skipped=0
for name in "${suites[@]}"; do
  if ! read -r p f s 2>/dev/null <"$results/$name.count"; then
    echo "$name: was ended before it had counted its tests"
    p=0 f=1 s=0
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
