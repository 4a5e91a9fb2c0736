#!/bin/sh
# Finds an MPI library of version 3 or newer through its compiler wrapper, mpicc: prints one line on
# stderr and the Makefile variable MPI_FLAGS on stdout. It is empty without one, which builds a cdt-train
# that runs as one process.
#
#   CXX=g++ third_party/find_mpi.sh > mpi.mk
#
# Environment: MPI=0 (leave it out), MPICC (the wrapper, default mpicc).
set -u
export LC_ALL=C

# shellcheck source=third_party/probe.sh
. "$(dirname "$0")/probe.sh"

program='#include <mpi.h>
#include <cstdio>
#if MPI_VERSION < 3
#error "older than MPI 3"
#endif
int main() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::printf("%.*s", length, text);
}'

# Without the C++ bindings that both libraries still declare; linked only where it is used.
plain='-DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX -Wl,--as-needed'

flags=''
without="cdt-train runs as one process"
if [ "${MPI:-}" = 0 ]; then
  say MPI "not looked for (MPI=0): $without"
elif ! wrapper=$(command -v "${MPICC:-mpicc}"); then
  say MPI "missing (package libopenmpi-dev): $without"
else
  # The wrappers of Open MPI and MPICH both print their command: the compiler, then its flags.
  shown=$("$wrapper" -show 2>/dev/null | cut -d' ' -f2-)
  if flags=$(first_flags "$program" "$plain $shown"); then
    say MPI "$("$scratch/probe" | tr -s '[:space:]' ' ' | sed 's/,.*//; s/ MPICH Release.*//') ($wrapper)"
  else
    say MPI "missing, 3.0 or newer ($wrapper does not link): $without"
  fi
fi

printf '%s' "$lines" >&2
echo "MPI_FLAGS := $flags"
