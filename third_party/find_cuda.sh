#!/bin/sh
# Finds a CUDA toolkit of version 12 or newer with cuBLASLt, cuDNN 9 from 9.13.1 on and NCCL 2 from 2.18
# on: prints one line for each on stderr and Makefile variables on stdout. Without a toolkit the variables are empty, which
# builds the CPU product.
#
#   CXX=g++ third_party/find_cuda.sh > cuda.mk
#
# Environment: CUDA=0 (leave it out), CUDA_HOME or CUDA_PATH (look there first), CUDA_ARCH ("90",
# "sm_80 sm_90", "8.0,9.0": compile for these instead of this machine's GPU), PYTHON (its site-packages
# are searched for cuDNN and NCCL).
set -u
export LC_ALL=C

# Compiled for without a GPU: A100, H100 and H200, B200. Newer GPUs run the PTX of the last.
usual_architectures="80 90 100"

# shellcheck source=third_party/probe.sh
. "$(dirname "$0")/probe.sh"

# Folders that may hold a toolkit, best first, one per line.
toolkit_roots() {
  printf '%s\n' "${CUDA_HOME:-}" "${CUDA_PATH:-}"
  nvcc_in_path=$(command -v nvcc) && dirname "$(dirname "$(readlink -f "$nvcc_in_path")")"
  echo /usr/local/cuda
  printf '%s\n' /usr/local/cuda-[0-9]* | sort -Vr
  printf '%s\n' /opt/cuda /usr/lib/nvidia-cuda-toolkit
}

# version_of NVCC: "13.0"
version_of() { "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\.[0-9]*\).*/\1/p'; }

# python_packages: the folders where Python keeps packages, one per line.
python_packages() {
  "${PYTHON:-python3}" -c 'import sys; print("\n".join(p for p in sys.path if p))' 2>/dev/null
}

# link_flags DIRECTORY NAME...: flags that link these libraries; a wheel has only libX.so.9.
link_flags() {
  directory=$1
  shift
  printf '%s' "-L$directory -Wl,-rpath,$directory"
  for name in "$@"; do
    if [ -e "$directory/lib$name.so" ] || [ -e "$directory/lib$name.a" ]; then
      printf ' -l%s' "$name"
    else
      file=$(printf '%s\n' "$directory/lib$name.so."* | sort -V | tail -n 1)
      printf ' -l:%s' "$(basename "$file")"
    fi
  done
}

# The library folders of a toolkit that exist.
library_directories() {
  for directory in "$1/lib64" "$1/lib" "$1/targets/x86_64-linux/lib" "$1/targets/sbsa-linux/lib"; do
    [ -d "$directory" ] && echo "$directory"
  done
}

runtime_program='#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cstdio>
int main() {
  int version = 0;
  cudaRuntimeGetVersion(&version);
  std::printf("cuBLASLt %zu", cublasLtGetVersion());
}'

# Links the runtime statically if possible: one library less to find at startup.
find_runtime() {
  for cuda_include in ${root:+"-isystem $root/include"} ""; do
    for directory in $(library_directories "$root") ""; do
      for runtime in cudart_static cudart; do
        # shellcheck disable=SC2086  # flags are several words
        cuda_libraries="${directory:+$(link_flags "$directory" cublasLt $runtime)}"
        [ -n "$directory" ] || cuda_libraries="-lcublasLt -l$runtime"
        cuda_libraries="$cuda_libraries -ldl -lrt -lpthread"
        first_flags "$runtime_program" "$cuda_include $cuda_libraries" >/dev/null && return 0
      done
    done
  done
  return 1
}

# compiles_kernel: does nvcc accept the host compiler?
compiles_kernel() {
  # shellcheck disable=SC2016
  echo '#include <vector>
    __global__ void kernel(float* x) { x[threadIdx.x] = 0; }' >"$scratch/probe.cu"
  "$nvcc" -std=c++20 -ccbin "${cxx##* }" -c "$scratch/probe.cu" -o "$scratch/probe.o" \
    >"$scratch/log" 2>&1
}

# try_toolkit ROOT: succeeds and sets root, nvcc, version, ... if it is usable; otherwise sets `why`.
try_toolkit() {
  root=$1 nvcc=$1/bin/nvcc
  version=$(version_of "$nvcc")
  if [ -z "$version" ]; then
    why="$nvcc does not run"
  elif [ "${version%%.*}" -lt 12 ]; then
    why="version $version in $root is older than 12"
  elif ! compiles_kernel; then
    why="$nvcc does not compile with ${cxx##* }: $(grep -m 1 . "$scratch/log")"
  elif ! find_runtime; then
    why="no cuBLASLt or runtime beside $nvcc: $(grep -m 1 -E 'error|cannot find' "$scratch/log")"
  else
    return 0
  fi
  return 1
}

find_toolkit() {
  why="no nvcc under CUDA_HOME, CUDA_PATH, the PATH, /usr/local/cuda*, /opt/cuda"
  toolkit_roots >"$scratch/roots"
  while read -r candidate; do
    if [ -x "$candidate/bin/nvcc" ] && try_toolkit "$candidate"; then return 0; fi
  done <"$scratch/roots"
  nvcc=''
  return 1
}

# The compute capabilities of this machine's GPUs: "80 90".
present_architectures() {
  { nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null ||
    "$root/bin/__nvcc_device_query" 2>/dev/null; } |
    tr ',' '\n' | tr -d '. ' | grep -E '^[0-9]+$' | sort -nu | tr '\n' ' '
}

# The oldest supported: the first with asynchronous copies and bfloat16 products.
least_architecture=80

# supported NUMBER...: prints those that both this nvcc and the kernels support.
supported() {
  separator=''
  for number in "$@"; do
    [ "${number%[af]}" -ge $least_architecture ] 2>/dev/null || continue
    case " $known " in *" ${number%[af]} "*)
      printf '%s' "$separator$number"
      separator=' ' ;;
    esac
  done
}

# shellcheck disable=SC2046,SC2086  # lists of numbers
choose_architectures() {
  known=$("$nvcc" --list-gpu-code 2>/dev/null | sed 's/sm_//' | paste -sd ' ')
  checked=$(supported $usual_architectures)
  if [ -n "${CUDA_ARCH:-}" ]; then
    wanted=$(printf '%s' "$CUDA_ARCH" | sed 's/sm_//g; s/[.]//g; s/[, ][, ]*/ /g; s/^ //; s/ $//')
    architectures=$(supported $wanted) chosen=CUDA_ARCH
    [ "$architectures" = "$wanted" ] && return
    echo "CUDA_ARCH=$CUDA_ARCH: the kernels need $least_architecture or newer, nvcc $version compiles for $known" >&2
    exit 2
  fi
  architectures=$(supported $(present_architectures)) chosen="the GPU here"
  if [ -z "$architectures" ]; then architectures=$checked chosen="no GPU here"; fi
}

cudnn_program='#include <cudnn.h>
#include <cstdio>
static_assert(CUDNN_MAJOR == 9 && CUDNN_VERSION >= 91301);
int main() {
  std::printf("%d.%d.%d", CUDNN_MAJOR, CUDNN_MINOR, CUDNN_PATCHLEVEL);
  return cudnnGetVersion() == 0;
}'

# find_beside_cuda NAME PROGRAM: prints the flags of libNAME from the toolkit's folders, the system or Python
# wheels, with which PROGRAM links.
find_beside_cuda() {
  for directory in $(library_directories "$root"); do
    printf '%s\n' "$cuda_include $(link_flags "$directory" "$1")"
  done >"$scratch/places"
  echo "$cuda_include -l$1" >>"$scratch/places"
  python_packages | while read -r packages; do
    wheel=$packages/nvidia/$1
    [ -d "$wheel/include" ] && echo "$cuda_include -isystem $wheel/include $(link_flags "$wheel/lib" "$1")"
  done >>"$scratch/places"
  while read -r flags; do
    first_flags "$2" "$flags" && return 0
  done <"$scratch/places"
  return 1
}

nccl_program='#include <nccl.h>
#include <cstdio>
static_assert(NCCL_MAJOR == 2 && NCCL_VERSION_CODE >= 21800);
int main() {
  std::printf("%d.%d.%d", NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH);
  int version = 0;
  return ncclGetVersion(&version) != ncclSuccess;
}'

nvcc='' version='' cuda_include='' cuda_libraries='' architectures='' checked='' cudnn='' nccl=''
if [ "${CUDA:-}" = 0 ]; then
  why="CUDA=0"
  say CUDA "not looked for (CUDA=0): --device cuda is left out"
elif find_toolkit; then
  why=''
  choose_architectures
  # shellcheck disable=SC2086  # a list of numbers
  say CUDA "$version in $root, $("$scratch/probe" 2>/dev/null), for$(printf ' sm_%s' $architectures) ($chosen)"
  if cudnn=$(find_beside_cuda cudnn "$cudnn_program"); then
    say cuDNN "$("$scratch/probe" 2>/dev/null) ($cudnn)"
  else
    say cuDNN "missing, 9.13.1 or newer: --attention cudnn is left out"
  fi
  if nccl=$(find_beside_cuda nccl "$nccl_program"); then
    say NCCL "$("$scratch/probe" 2>/dev/null) ($nccl)"
  else
    say NCCL "missing, 2.18 or newer: several processes train on CPUs only"
  fi
else
  say CUDA "missing ($why): --device cuda is left out"
fi
printf '%s' "$lines" >&2

printf '%s := %s\n' NVCC "$nvcc" CUDA_VERSION "$version" CUDA_MISSING "$why" \
  CUDA_INCLUDE "$cuda_include" CUDA_LIBRARIES "$cuda_libraries" \
  CUDA_ARCHITECTURES "$architectures" CUDA_CHECKED_ARCHITECTURES "$checked" CUDNN_FLAGS "$cudnn" NCCL_FLAGS "$nccl"
