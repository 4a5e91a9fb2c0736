#!/bin/bash
# All steps of a GPU run, in order, on the emulated GPU at tiny sizes: a pack of this build's emulated
# programs, run from an empty folder with an empty environment.
source tests/apps/lib.sh
pack=$work/pack out=$work/out
if [ ! -x "$CDT_BUILD/emulated/bin/cdt-train" ]; then
  skip "the rehearsal" "no emulated programs in $CDT_BUILD"
  finish
fi
# listed: the names of the steps in tests/gpu/steps.sh.
listed() { bash -c 'source tests/gpu/steps.sh && list_steps' | awk '{ print $1 }'; }

EMULATED=1 expect_ok tests/gpu_pack.sh "$CDT_BUILD" "$pack" --enhancers 20 --bins 12 --genes 6 || finish
mkdir "$work/empty"
status=0
# Ten minutes: the emulation may take that long on a busy machine with few cores.
(cd "$work/empty" && env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$work/empty" EMULATED=1 MINUTES=10 \
  "$pack/tests/gpu_first.sh" "$pack" "$out") >"$work/stdout" 2>"$work/stderr" || status=$?
if [ $status -eq 0 ]; then pass; else fail "exit status $status" "$work/stdout" "$work/stderr"; fi
check "nothing is left behind" test "$(cd "$work/empty" && echo *)" = '*'
check "every step, in its order" test "$(grep -oE '"step": "[^"]*"' "$out/results.json" | cut -d '"' -f 4)" = "$(listed)"
# A step that measures has numbers; a step that was skipped here says why.
for name in $(listed); do
  line=$(grep "\"step\": \"$name\"" "$out/results.json")
  case $name in
    pytorch-* | memcheck | racecheck | cpu-*)
      check "$name: passed or skipped" grep -qE '"status": "(passed|skipped)"' <<<"$line" ;;
    *) check "$name: passed" grep -qF '"status": "passed"' <<<"$line" ;;
  esac
  case $name in
    facts | forms | bench-* | profile-* | same-bits-* | train-* | gemm-* | cudnn*)
      check "$name: numbers" grep -qF '"numbers": {' <<<"$line" ;;
  esac
done
if command -v python3 >/dev/null; then
  check "one JSON value" python3 -m json.tool "$out/results.json" "$work/parsed.json"
fi
# The pack holds what the steps need on a real GPU; the docs describe each step.
for source in tests/gpu/gpu_facts.cc tests/gpu/measure_*.cc; do
  check "$source is packed" test -x "$pack/emulated/tests/$(basename "$source" .cc)"
done
for name in $(listed); do
  check "docs/results/gpu-pending.md tells of $name" grep -qF "\`$name\`" docs/results/gpu-pending.md
done
finish
