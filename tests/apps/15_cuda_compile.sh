#!/bin/bash
# The build's CUDA side without a GPU: every kernel compiles for every checked GPU architecture with
# warnings as errors, none spills registers, and the finder reports what it found and what it did not.
source tests/apps/lib.sh
sources=(engine/cuda/*.cu)

logs=()
if [ ! -e "${sources[0]}" ]; then
  skip "kernels compile" "this version has no kernels"
elif [ -z "$(cuda_setting NVCC)" ]; then
  skip "kernels compile" "no CUDA toolkit: $(cuda_setting CUDA_MISSING)"
else
  checked=" $(cuda_setting CUDA_CHECKED_ARCHITECTURES) "
  for number in 80 90 100; do
    if [[ $checked != *" $number "* ]]; then
      skip "kernels compile for sm_$number" "nvcc $(cuda_setting CUDA_VERSION) does not know it"
      continue
    fi
    for source in "${sources[@]}"; do
      if log=$(kernel_log "$source" $number); then
        pass
        logs+=("$log")
      else
        fail "$source does not compile for sm_$number" \
          $(ls "$CDT_BUILD/cubin/sm_$number/$source.o.log" 2>/dev/null)
      fi
    done
  done
  if tests/cuda_report.sh "${logs[@]}" >"$work/report"; then
    pass
  else
    fail "kernels spill registers" "$work/report"
  fi
  while read -r line; do note "$line"; done < <(grep -E 'registers$|kernels,' "$work/report")
fi

# --- the table of registers and spills, from logs in nvcc's format
log() {
  printf "ptxas info    : Compiling entry function '%s' for 'sm_90'\n" "$1"
  printf 'ptxas info    : Function properties for %s\n    %s bytes stack frame, ' "$1" 8
  printf '%s bytes spill stores, %s bytes spill loads\n' "$2" "$2"
  printf 'ptxas info    : Used 40 registers, used 1 barriers, 1024 bytes smem\n'
}
log _Z5cleanPf 0 >"$work/clean.log"
log _Z5spillPf 16 >"$work/spill.log"
expect_ok tests/cuda_report.sh "$work/clean.log"
check "a kernel's row" grep -qE '^clean +40/1024/0$' "$work/stdout"
status=0
tests/cuda_report.sh "$work/clean.log" "$work/spill.log" >"$work/stdout" || status=$?
check "spilling: exit status 1, not $status" test $status -eq 1
check "spilled bytes" grep -qE '^spill +40/1024/32$' "$work/stdout"
expect_text "$work/stdout" "2 kernels, 1 of them spill"
status=0
tests/cuda_report.sh /dev/null 2>"$work/stderr" || status=$?
check "no kernel: exit status 2, not $status" test $status -eq 2

# --- the finder, with broken toolkits
# toolkit NAME VERSION: a folder with an nvcc that prints its version and does nothing else.
toolkit() {
  mkdir -p "$work/$1/bin"
  printf '#!/bin/sh\n[ "$1" = --version ] && echo "release %s, V%s.1"\n' "$2" "$2" >"$work/$1/bin/nvcc"
  chmod +x "$work/$1/bin/nvcc"
}
# find_cuda VARIABLE=VALUE...: runs the finder with no toolkit in the environment but the one named.
find_cuda() {
  env -u CUDA -u CUDA_HOME -u CUDA_PATH -u CUDA_ARCH "$@" third_party/find_cuda.sh \
    >"$work/stdout" 2>"$work/stderr"
}
find_cuda CUDA=0
expect_text "$work/stderr" "not looked for (CUDA=0)"
check "CUDA=0: no compiler" grep -qx 'NVCC := ' "$work/stdout"
find_cuda  # a build with CUDA=0 may be on a machine with a toolkit
checked=$(sed -n 's/^CUDA_CHECKED_ARCHITECTURES := *//p' "$work/stdout")
if grep -qx 'NVCC := ' "$work/stdout"; then
  toolkit old 11.8
  find_cuda CUDA_HOME="$work/old"
  expect_text "$work/stderr" "missing (version 11.8 in $work/old is older than 12)"
  check "too old: no compiler" grep -qx 'NVCC := ' "$work/stdout"
  toolkit broken 12.4
  find_cuda CUDA_PATH="$work/broken"
  expect_text "$work/stderr" "missing ("
  check "broken: no compiler" grep -qx 'NVCC := ' "$work/stdout"
else
  toolkit old 11.8
  find_cuda CUDA_HOME="$work/old"
  check "another toolkit is taken where CUDA_HOME is too old" grep -qE '^NVCC := .*nvcc$' "$work/stdout"
  check "and not the old one" test "$(grep -c "$work/old" "$work/stdout")" -eq 0
  find_cuda CUDA_ARCH="9.0, sm_80"
  check "CUDA_ARCH" grep -qx 'CUDA_ARCHITECTURES := 90 80' "$work/stdout"
  status=0
  find_cuda CUDA_ARCH=33 || status=$?
  check "unknown CUDA_ARCH: exit status 2, not $status" test $status -eq 2
  expect_text "$work/stderr" "CUDA_ARCH=33: the kernels need 80 or newer"
  mkdir -p "$work/bin"
  printf '#!/bin/sh\necho 9.0\necho 9.0\n' >"$work/bin/nvidia-smi"
  chmod +x "$work/bin/nvidia-smi"
  find_cuda PATH="$work/bin:$PATH"
  check "the architecture of the GPU here" grep -qx 'CUDA_ARCHITECTURES := 90' "$work/stdout"
  printf '#!/bin/sh\necho 7.5\n' >"$work/bin/nvidia-smi"
  find_cuda PATH="$work/bin:$PATH"
  check "not that of one that is too old" \
    grep -qx "CUDA_ARCHITECTURES := $checked" "$work/stdout"
fi
finish
