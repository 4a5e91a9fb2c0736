#!/bin/bash
# Runs the subjects of the torture (tests/torture/subjects.h), as many at once as there are processors; in the full form writes
# BUILD/torture.tsv: subject, program, what was done to it, tries, and what they ended in. The last line is
# "N passed, N failed, N skipped"; exit status 1 if anything failed.
#
#   tests/torture/torture.sh BUILD short|full [SUBJECT...]
#   SEED=1       seed of everything random; what is printed with a failure, and SEED, repeat it
#   JOBS=1       one subject at a time
set -u
build=${1:?usage: tests/torture/torture.sh BUILD short|full [SUBJECT...]}
form=${2:?usage: tests/torture/torture.sh BUILD short|full [SUBJECT...]}
shift 2
subjects=("$@")
[ $# -gt 0 ] || subjects=(faults kills power inputs together clock)
seed=${SEED:-1}
# On a disk in memory, if there is one: fsync then costs nothing, and what is checked is which calls are made.
work=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" cdt-torture-XXXXXX)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\n' "${subjects[@]}" | xargs -P "${JOBS:-$(nproc)}" -I '{}' sh -c \
  '"$1/tests/torture" {} "$2" "$3" "$1/bin" "$4/{}" >"$4/{}.log" 2>&1; echo "status $?" >>"$4/{}.log"' \
  sh "$build" "$form" "$seed" "$work"

passed=0 failed=0 skipped=0
for subject in "${subjects[@]}"; do
  log=$work/$subject.log
  if [[ $(tail -n 2 "$log" | head -n 1) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    head -n -2 "$log"
  else
    echo "FAILED: $subject: ended before it had counted its checks"
    tail -n 5 "$log"
    failed=$((failed + 1))
  fi
done
[ "$form" = short ] || for subject in "${subjects[@]}"; do cat "$work/$subject.tsv" 2>/dev/null; done >"$build/torture.tsv"
echo "seed $seed"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
