#!/bin/sh
# Finds the compiler and the libraries: prints one line for each on stderr and Makefile variables on
# stdout. A library counts as found if a program that uses it compiles and links, wherever it came
# from. Exit status 2 if something required is missing.
#
#   CXX=g++ third_party/find.sh [--install | --try-install] > config.mk       (CUDA: find_cuda.sh)
#
# --install: run third_party/install.sh first for whatever is missing; exit status 2 where it may not.
# --try-install: the same, but go on without what the programs can be built without.
set -u

here=$(dirname "$0")
# shellcheck source=third_party/probe.sh
. "$here/probe.sh"

# probe NAME PACKAGE WITHOUT: WITHOUT says what is lost without the dependency ("-": nothing can be
# built). The program prints the version if the headers give it.
probe() {
  case $1 in
    compiler) program='#include <cstdio>
      int main() { auto f = []<class T>(T x) { return x; }; std::printf("%s", f(__VERSION__)); }'
      set -- "$@" "" ;;
    OpenMP) program='#include <omp.h>
      #include <cstdio>
      int main() { std::printf("%d", _OPENMP + 0 * omp_get_max_threads()); }'
      set -- "$@" -fopenmp ;;
    oneDNN) program='#include <dnnl.h>
      #include <cstdio>
      int main() { auto v = dnnl_version(); std::printf("%d.%d.%d", v->major, v->minor, v->patch); }'
      set -- "$@" -ldnnl ;;
    CLI11) program='#include <CLI/CLI.hpp>
      int main() { std::printf("%s", CLI11_VERSION); }'
      set -- "$@" "" ;;
    nlohmann-json) program='#include <nlohmann/json.hpp>
      #include <cstdio>
      int main() { std::printf("%d.%d.%d", NLOHMANN_JSON_VERSION_MAJOR,
                               NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH); }'
      set -- "$@" "" ;;
    zlib) program='#include <zlib.h>
      #include <cstdio>
      int main() { std::printf("%s", zlibVersion()); }'
      set -- "$@" -lz ;;
    HDF5) program='#include <hdf5.h>
      #include <cstdio>
      int main() { unsigned a, b, c; H5get_libversion(&a, &b, &c); std::printf("%u.%u.%u", a, b, c); }'
      tail=hdf5/serial
      set -- "$@" "-I/usr/include/$tail -L/usr/lib/$($cxx -dumpmachine 2>/dev/null)/$tail -lhdf5" \
        "-I/usr/include/$tail -L/usr/lib/$($cxx -print-multiarch 2>/dev/null)/$tail -lhdf5" \
        "$(pkg-config --cflags --libs hdf5 2>/dev/null || echo -lhdf5)" ;;
    libseccomp) program='#include <seccomp.h>
      #include <cstdio>
      int main() { auto v = seccomp_version(); std::printf("%u.%u.%u", v->major, v->minor, v->micro); }'
      set -- "$@" -lseccomp ;;
    libBigWig) program='#include <bigWig.h>
      #include <cstdio>
      #define TEXT(x) #x
      #define VALUE(x) TEXT(x)
      int main() { bwCleanup(); std::printf("%s", VALUE(LIBBIGWIG_VERSION)); }'
      set -- "$@" -lBigWig ;;
    GoogleTest) program='#include <gtest/gtest.h>
      #include <cstdio>
      int main(int n, char** v) { testing::InitGoogleTest(&n, v); std::printf("found"); }'
      set -- "$@" "-lgtest -pthread" ;;
    benchmark) program='#include <benchmark/benchmark.h>
      #include <cstdio>
      int main(int n, char** v) { benchmark::Initialize(&n, v); std::printf("found"); }'
      set -- "$@" "-lbenchmark -pthread" ;;
  esac
  name=$1 package=$2 without=$3
  shift 3
  if flags=$(first_flags "$program" "$@"); then
    say "$name" "$("$scratch/probe" 2>/dev/null)${flags:+ ($flags)}"
  else
    flags='' missing="$missing $package"
    if [ "$without" = - ]; then
      without="nothing can be built" fatal=yes
    fi
    say "$name" "missing (package $package): $without"
  fi
}

# probe_tool PROGRAM PACKAGE WITHOUT: a program that is run, not linked, so it sets no flags.
probe_tool() {
  if command -v "$1" >/dev/null; then
    say "$1" "$(command -v "$1")"
  else
    missing="$missing $2"
    say "$1" "missing (package $2): $3"
  fi
}

probe_all() {
  lines='' missing='' fatal=no
  probe compiler build-essential -
  probe OpenMP build-essential -
  probe oneDNN libdnnl-dev -
  probe CLI11 libcli11-dev -
  probe nlohmann-json nlohmann-json3-dev -
  probe zlib zlib1g-dev -
  probe HDF5 libhdf5-dev "cdt-import reads no HDF5"
  hdf5=$flags
  probe libseccomp libseccomp-dev "cdt-import reads HDF5 without a system call filter"
  seccomp=$flags
  probe libBigWig libbigwig-dev "cdt-attribute writes bedGraph only, no bigWig"
  bigwig=$flags
  probe_tool gnuplot gnuplot-nox "cdt-report cannot draw"
  probe_tool xmllint libxml2-utils "the tests do not check XML with it"
  probe GoogleTest libgtest-dev "make test is left out"
  gtest=$flags
  probe benchmark libbenchmark-dev "make bench leaves the kernels out"
  benchmark=$flags
}

probe_all
if [ -n "${1:-}" ] && [ -n "$missing" ]; then
  # shellcheck disable=SC2086  # a list of packages
  if ! "$here/install.sh" $missing; then
    if [ "$1" = --install ] || [ $fatal = yes ]; then exit 2; fi
    echo "going on without them" >&2
  fi
  probe_all
fi

printf 'dependencies:\n%s' "$lines" >&2

if [ $fatal = yes ]; then
  echo "install what is missing: third_party/install.sh" >&2
  exit 2
fi
echo "MISSING :=$missing"
echo "HDF5_FLAGS := $hdf5"
echo "SECCOMP_FLAGS := $seccomp"
echo "BIGWIG_FLAGS := $bigwig"
echo "GTEST_FLAGS := $gtest"
echo "BENCHMARK_FLAGS := $benchmark"
