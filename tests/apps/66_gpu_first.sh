#!/bin/bash
# The machinery of a GPU run, without a GPU: a pack whose programs are stand-ins (the real ones run on the
# CPU), correct, with a planted mistake, hanging, crashing, without a library; and runs that are cut off.
source tests/apps/lib.sh
build=$work/build pack=$work/gpu-pack.tar.xz out=$work/out mode=$work/mode

# program NAME LINE...: an executable script.
program() {
  mkdir -p "$(dirname "$1")"
  { echo '#!/bin/bash'; printf '%s\n' "${@:2}"; } >"$1"
  chmod +x "$1"
}
# on_cpu NAME: the real program, sent to the CPU; a mode adds options where a GPU was requested.
on_cpu() {
  # shellcheck disable=SC2016  # the stand-in expands them
  program "$build/bin/$1" "[[ \$* != *cuda* ]] || set -- \"\$@\" \$(sed -n 's/^$1: //p' '$mode')" \
    "$(loader)" 'args=("${@/#cuda/cpu}")' 'args=("${args[@]/#[tb]f[31][26]/fp32}")' \
    "exec '$(realpath "$CDT_BIN")/$1' \"\${args[@]}\""
}
# loader: prints what the dynamic linker would say if a library is missing.
loader() {
  # shellcheck disable=SC2016
  printf 'for name in $(sed -n "s/^missing: //p" %q); do ls ${LD_LIBRARY_PATH//:/ } 2>/dev/null | grep -q "$name" || {\n' "$mode"
  # shellcheck disable=SC2016
  echo 'echo "$0: error while loading shared libraries: $name: cannot open shared object file" >&2; exit 127; }; done'
}
# measuring NAME LINE...: prints its arguments as JSON unless a line ends it first.
measuring() {
  # shellcheck disable=SC2016
  program "$build/tests/$1" "mode=\$(cat '$mode')" "${@:2}" \
    'echo "{\"train_step_s\": 2e-3, \"engine_us\": 1, \"arguments\": \"$*\", \"libraries\": \"$LD_LIBRARY_PATH\", \"a_us\": 1}"'
}
# gpu_first VARIABLE=VALUE...: runs tests/gpu_first.sh with the stand-ins.
gpu_first() {
  status=0
  rm -rf "$out"
  env -u LD_LIBRARY_PATH PATH="$work/bin:$PATH" "$@" tests/gpu_first.sh "${from:-$pack}" "${to:-$out}" \
    >"$work/stdout" 2>"$work/stderr" || status=$?
}
expect_status() {
  if [ "$status" -eq "$2" ]; then pass; else fail "$1: exit status $status, not $2" "$work/stdout" "$work/stderr"; fi
}
# expect_refused WHAT NEEDLE: exit status 2 and one line.
expect_refused() {
  expect_status "$1" 2
  check "$1: one line" test "$(wc -l <"$work/stderr")" -eq 1
  expect_text "$work/stderr" "$2"
  check "$1: nothing on stdout" test ! -s "$work/stdout"
}
# expect_step NAME STATUS [NEEDLE]: in the table and in results.json, which is complete.
expect_step() {
  check "$1: $2" grep -qE "^$1 +$2 +[0-9]+ s +" "$work/stdout"
  expect_text "$work/stdout" "${3:-}"
  expect_text "$out/results.json" "\"step\": \"$1\", \"status\": \"$2\""
}
expect_json() {
  if command -v python3 >/dev/null; then
    check "$1: results.json is one JSON value" python3 -m json.tool "$out/results.json" "$work/parsed.json"
  else
    skip "$1: results.json" "no python3"
  fi
}
# No process of a step is left: they all sleep for this many seconds.
kNap=31417
naps() {
  local file
  for file in /proc/[0-9]*/cmdline; do tr '\0' ' ' <"$file"; echo; done 2>/dev/null | grep -x "sleep $kNap "
}
expect_no_orphans() {
  local tries
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    naps >/dev/null || break
    sleep 0.3
  done
  check "$1: no process is left after $tries looks" test -z "$(naps)"
}

sleep $kNap &
nap=$!
sleep 0.2
check "a process that is left would be seen" test -n "$(naps)"
kill $nap
wait $nap 2>/dev/null

# --- a pack of stand-ins
: >"$mode"
program "$work/bin/nvidia-smi" 'case $* in *gpu=name*) echo "Stand-in \"X\"" ;; -L) echo "GPU 0" ;; *) echo 1.0 ;; esac'
for name in cdt-synth cdt-train cdt-predict cdt-attribute; do on_cpu $name; done
program "$build/tests/compare_runs" "exec '$(realpath "$CDT_BUILD")/tests/compare_runs' \"\$@\""
for name in kernel_tests unit_tests parity_tests; do measuring $name 'echo "[  PASSED  ] 2 tests."'; done
for name in paper_bench measure_gemm measure_attention; do measuring $name; done
# shellcheck disable=SC2016
measuring gpu_facts '[[ $mode != *hang* ]] || { (trap "" TERM; sleep '$kNap') & sleep '$kNap'; }' \
  '[[ $mode != *die* ]] || { echo "{\"half\":"; kill -SEGV $$; }' '[[ $mode != *nap* ]] || sleep 2'
# shellcheck disable=SC2016
measuring measure_forms '[[ $mode != *disagree* ]] || { echo "{\"worst\": 0.5}"; exit 1; }' \
  '[[ $mode != *late* ]] || sleep '$kNap
for name in "$build"/bin/* "$build"/tests/*; do
  mkdir -p "$build/emulated/bin" "$build/emulated/tests"
  cp "$name" "$build/emulated/${name#"$build/"}"
done
for name in emulation_tests emulated_unit_tests emulated_parity_tests; do measuring $name; done
pack_of() { tests/gpu_pack.sh "$build" "$@" --enhancers 20 --bins 12 --genes 6 >"$work/stdout" 2>"$work/stderr"; }
status=0
pack_of "$pack" || status=$?
expect_refused "no toolkit" "gpu-pack: no CUDA toolkit"
printf 'CUDA_VERSION := 13.0\n' >"$build/cuda.mk"
status=0
PACK_LIMIT=1000 pack_of "$pack" || status=$?
expect_refused "a pack that is too large" "bytes, more than 1000"
check "nothing is left of it" test ! -e "$pack" -a ! -e "$pack.new"
status=0
(trap '' XFSZ && ulimit -f 100 && pack_of "$pack") || status=$?
expect_status "a disk that takes no more" 2
check "nothing half-written" test ! -e "$pack" -a ! -e "$pack.new"
expect_ok pack_of "$pack" || finish
mkdir "$work/unpacked"
expect_ok tar -xJf "$pack" -C "$work/unpacked"

# --- steps that pass, in their order; what each leaves behind
gpu_first STEPS='train-fp32 facts forms attribute-bf16 bench-bf16 profile-bf16 memcheck'
expect_status "agreeing" 0
expect_json "agreeing"
expect_step facts passed
expect_step train-fp32 passed '"outside": 0'
expect_step attribute-bf16 passed '23 files, 0 out of bounds, largest error 0.0e+00 (all equal)'
expect_step memcheck skipped 'no compute-sanitizer'
expect_text "$work/stdout" "7 steps, 0 failed, 0 not reached"
expect_text "$out/results.json" '"gpu": "Stand-in \"X\""'
expect_text "$out/results.json" '"arguments": "--device cuda --precision bf16 --repeat 20"'
expect_text "$out/log.txt" "== attribute-bf16: passed"
check "only results and log" test "$(cd "$out" && echo ./*)" = "./log.txt ./results.json"
check "in the order of the list" test "$(grep -oE '^(facts|forms|bench-bf16|profile-bf16|train-fp32)' "$work/stdout" |
  paste -sd ' ')" = "facts forms bench-bf16 profile-bf16 train-fp32"

# --- PyTorch: the ratio, and none of our libraries in its path
# shellcheck disable=SC2016
program "$work/bin/python" '[ "$1" != -c ] || exit 0' \
  'echo "{\"train_step_s\": 0.003, \"predict_s_per_enhancer\": null, \"its_libraries\": \"${LD_LIBRARY_PATH:-none}\", \"arguments\": \"$*\"}"'
# shellcheck disable=SC2016
program "$work/bin/compute-sanitizer" '[ "$1" != --help ] || { echo "  --kernel-name arg"; exit; }' \
  'echo "$*"' 'shift 6' '"$@"'
gpu_first PYTHON=python STEPS='bench-bf16 pytorch-bf16-compiled racecheck'
expect_step pytorch-bf16-compiled passed 'train 3.00 ms, the engine 1.50 times as fast'
expect_text "$work/stdout" 'predict not measured'
expect_text "$out/results.json" '"its_libraries": "none"'
expect_text "$out/results.json" '--predict-batch 8 --compile --workloads train'
check "ours have theirs" grep -qE '"libraries": "[^"]*/lib' "$out/results.json"
expect_step racecheck passed ' tests passed, 0 of '
expect_text "$out/log.txt" '--tool racecheck --kernel-name kns=cdt --error-exitcode 9'

# --- planted mistakes: another training, other windows, values that disagree, an incomplete JSON object
printf 'cdt-train: --weight-decay 0.01\ncdt-attribute: --smooth-noise 1\ndisagree die\n' >"$mode"
gpu_first STEPS='facts forms train-fp32 attribute-tf32 gemm-bf16'
expect_status "mistakes" 1
expect_json "mistakes"
expect_step facts failed 'ended by SIGSEGV'
expect_step forms failed 'exit status 1'
expect_text "$out/results.json" '"worst": 0.5'
expect_text "$out/results.json" '"numbers": "{\"half\":"'
expect_step train-fp32 failed
expect_step attribute-tf32 failed '23 files, 1 out of bounds'
expect_step gemm-bf16 passed
expect_text "$work/stdout" "5 steps, 4 failed"

# --- a step that hangs, with a child that ignores signals
echo hang >"$mode"
gpu_first CDT_STEP_LIMIT=1 STEPS='facts gemm-bf16'
expect_status "a step that hangs" 1
expect_step facts failed 'ran past 1 s'
expect_step gemm-bf16 passed
expect_no_orphans "a step that hangs"
# --- the time is over: in mid-step, then before the next step
gpu_first MINUTES=0.25 STEPS='facts gemm-bf16'
expect_status "minutes are over" 0
expect_step facts 'cut off' 'the time of the run was over'
expect_step gemm-bf16 'not reached'
expect_no_orphans "minutes are over"

# --- a run that is told to end, and one that is killed, both in the second step
# interrupt SIGNAL
interrupt() {
  local runner tries=0
  echo late >"$mode"
  rm -rf "$out"
  PATH=$work/bin:$PATH STEPS='facts forms gemm-bf16' tests/gpu_first.sh "$work/unpacked" "$out" \
    >"$work/stdout" 2>"$work/stderr" &
  runner=$!
  while ! grep -qs '"step": "forms", "status": "running"' "$out/results.json" && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  sleep 0.3
  kill -"$1" $runner
  status=0
  wait $runner 2>/dev/null || status=$?
}
interrupt TERM
expect_status "told to end" 143
expect_json "told to end"
expect_step facts passed
expect_step forms 'cut off' 'the run got SIGTERM'
expect_step gemm-bf16 'not reached'
expect_no_orphans "told to end"
interrupt KILL
expect_json "killed"
expect_text "$out/results.json" '"step": "facts", "status": "passed"'
expect_text "$out/results.json" '"step": "forms", "status": "running"'
expect_text "$out/log.txt" "== facts: passed"
expect_no_orphans "killed"

# --- libraries: packed ones if the machine has none; cuBLASLt from a Python package, or a line
for library in libstandin.so.2 libcublasLt.so.99; do echo "missing: $library"; done >"$mode"
cp -r "$work/unpacked" "$work/other"
echo >"$work/other/lib/libstandin.so.2"
mkdir -p "$work/site/nvidia/cu13/lib"
program "$work/bin/python" "echo '$work/site'"
from=$work/other
gpu_first PYTHON=python STEPS=facts
expect_refused "no cuBLASLt" "libcublasLt.so.99 is missing: neither the linker's path nor"
expect_text "$work/stderr" "$work/site/nvidia/cu13/lib"
: >"$work/site/nvidia/cu13/lib/libcublasLt.so.99"
gpu_first PYTHON=python STEPS=facts
expect_status "cuBLASLt in a Python package" 0
expect_text "$out/results.json" ":$work/site/nvidia/cu13/lib\""
expect_text "$out/results.json" '"carried_libraries": "libstandin.so.2'
from=$work/unpacked
gpu_first PYTHON=python STEPS=facts
expect_refused "a library that nobody has" "does not start here: "
: >"$mode"

# --- invalid packs, and other mistakes
head -c 2000 "$pack" >"$work/short.tar.xz"
from=$work/short.tar.xz gpu_first
expect_refused "a truncated pack" "short.tar.xz: is truncated or damaged"
echo x >>"$work/other/tests/device_tests.txt"
from=$work/other gpu_first
expect_refused "another file" "differs from its manifest: tests/device_tests.txt"
from=$work/bin gpu_first
expect_refused "no pack" "holds no manifest.json"
from=$work/none gpu_first
expect_refused "nothing there" "there is no such file or folder"
from=$pack
to=$mode/out gpu_first
expect_refused "an OUT that cannot be written" "$mode/out: cannot be written"
gpu_first STEPS='facts other'
expect_refused "an unknown step" "no such step: other; there are facts kernel-tests"
gpu_first MINUTES=many
expect_refused "MINUTES" "MINUTES: is no number of minutes (got many)"

# --- the same steps after a build: make gpu-check
# gpu_check STEP...
gpu_check() {
  status=0
  PATH=$work/bin:$PATH MAKE=true tests/gpu_check.sh "$build" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
}
out=$build/gpu-check
gpu_check references train-fp32 build
expect_status "gpu-check" 0
expect_step build passed
expect_step train-fp32 passed '"outside": 0'
expect_text "$work/stdout" "3 steps, 0 failed, 0 not reached"
gpu_check no-such-step
expect_refused "gpu-check: an unknown step" "no such step: no-such-step; there are build references facts"
printf 'CUDA_VERSION := \nCUDA_MISSING := no nvcc\n' >"$build/cuda.mk"
gpu_check
expect_refused "gpu-check: no toolkit" "gpu-check: no CUDA toolkit: no nvcc"
program "$work/bin/nvidia-smi" 'echo "No devices were found"' 'exit 6'
if [ ! -e /dev/nvidiactl ]; then
  gpu_first STEPS=facts
  expect_refused "no GPU" "gpu-first: no NVIDIA GPU"
  gpu_check
  expect_refused "gpu-check: no GPU" "gpu-check: no NVIDIA GPU"
fi
finish
