#!/bin/bash
# shellcheck disable=SC2034  # the parts in tests/gpu use what is set here
# Runs everything that needs a GPU, on a machine that builds the project: the steps of tests/gpu_first.sh in
# the same order, without a time limit, after a build and the CPU references. Exit status: 0 if no step
# failed, 1 if one did, 2 without a GPU or a toolkit.
#
#   tests/gpu_check.sh BUILD [STEP...]      results: BUILD/gpu-check/results.json and log.txt
#
# Environment: PYTHON, whose torch, if any, is timed next to the engine; MAKE, for the build.
set -u
export LC_ALL=C OMP_WAIT_POLICY=passive  # for PyTorch and the emulated matrix products
build=${1:?usage: tests/gpu_check.sh BUILD [STEP...]}
shift

refuse() {
  echo "gpu-check: $1" >&2
  exit 2
}

# Warnings from a compiler that has never been tested are no reason not to measure.
build_all() { "${MAKE:-make}" -j"$(nproc)" WERROR= BUILD="$build" gpu-check-build; }

list_all_steps() {
  cat <<'STEPS'
build      3600 build_all | do the kernels compile with this toolkit
references  600 make_references | what the CPU computes, to compare with
STEPS
  list_steps
}

for part in results runner libraries steps comparisons facts; do
  # shellcheck disable=SC1090
  source "tests/gpu/$part.sh"
done
out=$build/gpu-check material=$build/gpu-check-material deadline='' libraries=''
mkdir -p "$out" "$material"
emulated || require_driver
if ! emulated; then
  "${MAKE:-make}" -s BUILD="$build" "$build/cuda.mk" >"$out/log.txt" 2>&1 || refuse "$(tail -n 1 "$out/log.txt")"
  [ -n "$(sed -n 's/^CUDA_VERSION := *//p' "$build/cuda.mk")" ] ||
    refuse "no CUDA toolkit: $(sed -n 's/^CUDA_MISSING := *//p' "$build/cuda.mk")"
fi
scratch=$(mktemp -d) || refuse "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
choose_steps "$(list_all_steps)" "$@"
version=$(git describe --always --dirty 2>/dev/null || echo unknown)
collect_facts "$build/bin/cdt-train"
run_steps
