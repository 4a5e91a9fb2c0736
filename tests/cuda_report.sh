#!/bin/bash
# Prints the compiler's report (nvcc -Xptxas -v) as a table: for each kernel and GPU architecture the
# registers per thread, the static shared memory per block and the bytes spilled to local memory. Kernels of
# the same name with other parameter types share a row; the largest number counts. Exit status 1 if a kernel
# spills, 2 if the logs hold no kernel.
#
#   tests/cuda_report.sh LOG...
set -euo pipefail

# Lines "ARCH<tab>NAME<tab>REGISTERS SHARED SPILLED", with mangled names. A function that was not inlined
# has its own line of properties; its spills count for its kernel.
read_logs() {
  awk '
    function close_kernel() { if (kernel != "") print arch "\t" kernel "\t" registers, shared, spilled; kernel = "" }
    /Compiling entry function/ {
      close_kernel()
      split($0, part, "\047"); kernel = part[2]; arch = part[4]; registers = shared = spilled = 0
    }
    /bytes spill stores/ { for (i = 2; i <= NF; i++) if ($i == "spill") spilled += $(i - 2) }
    /Used [0-9]+ registers/ {
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^registers/) registers = $(i - 1)
        if ($i ~ /^smem/) shared = $(i - 2)
      }
    }
    END { close_kernel() }' "$@"
}

read_logs "$@" | "$(dirname "$0")/cuda_names.sh" |
  awk -F '\t' '
    {
      split($3, number, " ")
      if (!($2 in seen)) { seen[$2] = 1; names[++kernels] = $2; if (length($2) > width) width = length($2) }
      if (!($1 in kinds)) { kinds[$1] = 1; kind[++count] = $1 }
      for (i = 1; i <= 3; i++) if (number[i] + 0 >= value[$2, $1, i] + 0) value[$2, $1, i] = number[i]
      if (number[3] > 0) spills[$2] = 1
    }
    END {
      if (width < length("registers/shared/spilled")) width = length("registers/shared/spilled")
      if (!kernels) { print "no kernel in the logs" > "/dev/stderr"; exit 2 }
      printf "%-*s", width, "registers/shared/spilled"
      for (k = 1; k <= count; k++) printf " %14s", kind[k]
      print ""
      for (n = 1; n <= kernels; n++) {
        printf "%-*s", width, names[n]
        for (k = 1; k <= count; k++) {
          printf " %14s", ((names[n], kind[k], 1) in value) ? \
            value[names[n], kind[k], 1] "/" value[names[n], kind[k], 2] "/" value[names[n], kind[k], 3] : "-"
        }
        print ""
      }
      for (name in spills) spilling++
      for (k = 1; k <= count; k++) {
        most = 0
        for (n = 1; n <= kernels; n++) if (value[names[n], kind[k], 1] + 0 > most) most = value[names[n], kind[k], 1] + 0
        printf "%s: at most %d registers\n", kind[k], most
      }
      printf "%d kernels, %d of them spill\n", kernels, spilling
      exit spilling > 0
    }'
