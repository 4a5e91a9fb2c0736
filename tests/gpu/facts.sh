# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# Describes the machine before any step: lines "KEY<tab>TEXT" in $scratch/facts, with which results.json
# starts.

require_driver() {
  [ -e /dev/nvidiactl ] || nvidia-smi -L 2>/dev/null | grep -q '^GPU' ||
    refuse "no NVIDIA GPU: there is no /dev/nvidiactl, and nvidia-smi names none"
}

fact() { printf '%s\t%s\n' "$1" "$2" | tr '\n' ' ' | sed 's/ $/\n/' >>"$scratch/facts"; }

# smi FIELD: a field of the first GPU.
smi() { nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }

# first_line COMMAND...: what a tool prints as its version; nothing if it is missing.
first_line() { command -v "$1" >/dev/null && "$@" 2>/dev/null | tail -n 1; }

# collect_facts PROGRAM: the version is the commit of the programs.
collect_facts() {
  local tool here=''
  fact date "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  fact commit "$version"
  if emulated; then fact gpu "emulated on the host"; else fact gpu "$(smi name)"; fi
  fact driver "$(smi driver_version)"
  fact gpu_memory "$(smi memory.total)"
  fact cublaslt "$(loaded "$1" libcublasLt)"
  fact carried_libraries "$(find "$scratch/lib" -type l -printf '%f ' 2>/dev/null)"
  fact cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
  fact processors "$(nproc)"
  fact memory "$(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
  fact system "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null)"
  for tool in nvcc ncu nsys compute-sanitizer g++ make python3 xz; do
    command -v $tool >/dev/null && here+=" $tool"
  done
  fact tools "${here# }"
}
