# shellcheck shell=sh
# Shared by find.sh and find_cuda.sh: the report, and test programs that use a library.
cxx=${CXX:-g++}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
lines=''

# say NAME WHAT: adds a line to the report.
say() { lines="$lines$(printf '  %-14s %s' "$1" "$2")
"; }

# links FLAGS...: does the program on standard input compile and link with these flags?
# shellcheck disable=SC2086  # flags are several words
links() {
  $cxx -std=c++20 -w ${CXXFLAGS:-} -x c++ - -o "$scratch/probe" "$@" ${LDFLAGS:-} 2>"$scratch/log"
}

# first_flags PROGRAM FLAGS...: prints the first of the flag sets with which PROGRAM links.
first_flags() {
  program=$1
  shift
  for flags in "$@"; do
    # shellcheck disable=SC2086  # a set of flags is several words
    if printf '%s\n' "$program" | links $flags; then
      printf '%s' "$flags"
      return 0
    fi
  done
  return 1
}
