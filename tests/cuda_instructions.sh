#!/bin/bash
# Counts the instructions of the CUDA kernels in their disassembly (cuda_loops.awk says what is counted):
# prints a table, and where it differs from a baseline both numbers and their ratio.
#
#   NVCC=/usr/local/cuda/bin/nvcc tests/cuda_instructions.sh BASELINE OBJECT...
#   ... tests/cuda_instructions.sh --new BASELINE OBJECT...        writes the baseline
#   ... tests/cuda_instructions.sh --cost LIST BASELINE OBJECT...  also the cost of the steps listed
#       by count_step (cuda_cost.awk), if 90 is among KINDS; its baseline is step-cost.txt next to
#       the other one
#
# OBJECT: nvcc's output, with code for one GPU architecture or several. KINDS="80 90" selects those to
# count, default 90. CUOBJDUMP names the disassembler; otherwise the one next to nvcc, in the PATH, or in a
# wheel among the packages of PYTHON (python3) is used. It needs nvdisasm next to it or in the PATH. Without
# them one line says so and nothing is counted.
# Exit status: 0, also with differences; 1 if --new could not count; 2 for files that cannot be read.
set -euo pipefail
export LC_ALL=C
here=$(dirname "$0")
nvcc=${NVCC:-}
kinds=" ${KINDS:-90} "

stop() {
  echo "cuda_instructions: $1" >&2
  exit 2
}

new='' list=''
while [[ ${1:-} = --* ]]; do
  case $1 in
    --new) new=1 ;;
    --cost)
      list=${2:-}
      shift
      ;;
    *) stop "unknown option $1" ;;
  esac
  shift
done

# levels TEXT: what a warp issues outside and inside the loops of each kernel.
levels() { awk -v levels=1 -f "$here/cuda_loops.awk" -f "$here/cuda_levels.awk" "$1"; }
# cost LEVELS: the cost of a step; without LEVELS only the work that it requests.
cost() {
  [ -z "$list" ] || "$here/cuda_names.sh" <"$list" | awk -f "$here/cuda_cost.awk" "$here/cuda_cost.tsv" "$1" -
}
skip() {
  echo "instructions not counted: $1"
  [ -z "$list" ] || echo
  cost /dev/null
  exit ${new:-0}
}

# Prints the path of the disassembler, or nothing.
find_tool() {
  if [ -n "${CUOBJDUMP:-}" ]; then
    echo "$CUOBJDUMP"
    return
  fi
  command -v "$(dirname "$nvcc")/cuobjdump" || command -v cuobjdump || "${PYTHON:-python3}" -c '
import glob, sys
for package in filter(None, sys.path):
    for tool in glob.glob(package + "/nvidia/*/bin/cuobjdump"):
        sys.exit(print(tool))' 2>/dev/null
}

[ -n "$nvcc" ] || skip "no CUDA toolkit"
[ $# -ge 2 ] || stop "usage: cuda_instructions.sh [--new] [--cost LIST] BASELINE OBJECT..."
baseline=$1
shift
tool=$(find_tool || true)
wheels="nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm"
[ -x "$tool" ] || skip "no ${CUOBJDUMP:-cuobjdump beside $nvcc, in the PATH or in a wheel (pip install $wheels)}"
PATH=$(dirname "$tool"):$(dirname "$nvcc"):$PATH
command -v nvdisasm >/dev/null || skip "$tool needs nvdisasm beside it or in the PATH"
version=$("$nvcc" --version | sed -n 's/.*, V\([0-9.]*\).*/\1/p')

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
columns=$'kind\tkernel\tinstructions\ttensor\tlds\tldsm\tsts\tldgsts\ttile\ttile_tensor\ttile_ldsm\tinner_loops'

for kind in $kinds; do
  for object in "$@"; do
    "$tool" -sass -arch "sm_$kind" "$object" >>"$scratch/text" 2>"$scratch/error" ||
      stop "$object: $(cat "$scratch/error")"
  done
done
# Among kernels of the same name with other parameter types, the longest counts.
awk -f "$here/cuda_loops.awk" -f "$here/cuda_levels.awk" "$scratch/text" | "$here/cuda_names.sh" |
  sort -t $'\t' -k 1,1 -k 2,2 -k 3,3nr |
  awk -F '\t' -v kinds="$kinds" 'index(kinds, " " substr($1, 4) " ") && !seen[$1, $2]++' >"$scratch/now"
for kind in $kinds; do
  grep -q "^sm_$kind"$'\t' "$scratch/now" || stop "no kernel for sm_$kind in the objects"
done

if [ "$new" ]; then
  {
    echo "# Instructions of the CUDA kernels, counted in their disassembly (tests/cuda_loops.awk)."
    echo "# nvcc $version, $(date -u +%F), make cuda-report BASELINE=new"
    echo "$columns"
    cat "$scratch/now"
  } >"$scratch/new"
  mv "$scratch/new" "$baseline"
fi

# One line of numbers per kernel; `ratio` is the tile's instructions per tensor-core instruction.
awk -F '\t' '
  NR == FNR { if (length($2) > width) width = length($2); next }
  $1 != kind {
    kind = $1
    printf "%-*s %7s %6s %4s %4s %4s %6s   %s\n", width, "instructions " kind, "all", "tensor", "LDS", "LDSM", \
      "STS", "LDGSTS", "one tile: all, tensor, LDSM, all/tensor, inner loops"
  }
  {
    printf "%-*s %7d %6d %4d %4d %4d %6d", width, $2, $3, $4, $5, $6, $7, $8
    if ($9 != "-") printf "   %d %d %d %.1f %s", $9, $10, $11, $9 / $10, $12
    print ""
  }' "$scratch/now" "$scratch/now"

[ -r "$baseline" ] || stop "$baseline: no such file (BASELINE=new makes it)"
awk -F '\t' -v file="$baseline" -v columns="$columns" -v kinds="$kinds" '
  function differs(key, what,   part) {
    if (!heading++) print "\ndifferences from " file ":"
    split(key, part, SUBSEP)
    print "  " part[1] " " part[2] ": " what
    if (key != last) changed++
    last = key
  }
  function compare(name, now, then) {
    if (now == then) return
    ratio = now then ~ /^[0-9]+$/ && then > 0 ? sprintf(", ratio %.3f", now / then) : ""
    differs($1 SUBSEP $2, name " " now ", was " then ratio)
  }
  BEGIN { fields = split(columns, column, FS) }
  NR == FNR && (/^#/ || $0 == columns) { if ($2 == "" && /nvcc /) header = substr($0, 3); next }
  NR == FNR {
    if (NF != fields || $3 !~ /^[0-9]+$/) {
      print "cuda_instructions: " file ": line " FNR ": not the " fields " columns of a kernel" > "/dev/stderr"
      bad = 1
      exit 2
    }
    known[$1] = 1
    if (index(kinds, " " substr($1, 4) " ")) then[$1, $2] = $0
    next
  }
  !($1 in known) { unknown[$1] = 1; next }
  {
    kernels++
    if (!(($1, $2) in then)) { differs($1 SUBSEP $2, "new, " $3 " instructions"); next }
    split(then[$1, $2], was, FS)
    delete then[$1, $2]
    for (i = 3; i <= fields; i++) compare(column[i], $i, was[i])
  }
  END {
    if (bad) exit 2
    for (key in then) differs(key, "gone")
    for (kind in unknown) print "no baseline for " kind
    split(header, made, ", ")
    printf "%d kernels, %d differ from the baseline of %s, %s\n", kernels, changed, made[1], made[2]
  }' "$baseline" "$scratch/now"

if [ -n "$list" ] && [[ $kinds != *' 90 '* ]]; then
  echo "the cost of a step needs the instructions for sm_90"
elif [ -n "$list" ]; then
  levels "$scratch/text" | "$here/cuda_names.sh" | grep '^sm_90' >"$scratch/levels"
  cost "$scratch/levels" >"$scratch/cost"
  echo
  cat "$scratch/cost"
  then=$(dirname "$baseline")/step-cost.txt
  if [ "$new" ]; then
    cp "$scratch/cost" "$then"
  elif [ ! -r "$then" ]; then
    stop "$then: no such file (BASELINE=new makes it)"
  elif ! diff "$then" "$scratch/cost" >"$scratch/difference"; then
    printf '\nthen (<) and now (>), from %s:\n' "$then"
    grep '^[<>]' "$scratch/difference"
  fi
fi
