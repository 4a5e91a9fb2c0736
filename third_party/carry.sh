#!/bin/sh
# Copies the headers and libraries that the build and the tests need from this machine into a folder,
# for a machine that has a compiler and a CUDA toolkit but can install nothing. Same processor type; its
# glibc and libstdc++ must be at least as new as here. HDF5 and libBigWig stay behind, with the many
# libraries they need: cdt-import is left out there, and cdt-attribute writes no bigWig.
#
#   third_party/carry.sh DIR       then, there: make gpu-check CARRIED=DIR
set -eu

folder=${1:?usage: third_party/carry.sh DIR}
cxx=${CXX:-g++}
headers="dnnl.h CLI/CLI.hpp nlohmann/json.hpp zlib.h gtest/gtest.h"
libraries="libdnnl.so libz.so libgtest.a libgtest_main.a"
rm -rf "$folder"
mkdir -p "$folder/include" "$folder/lib"

# header_path NAME: where the compiler finds it.
header_path() {
  printf '#include <%s>\n' "$1" | $cxx -std=c++20 -x c++ -M - |
    tr ' ' '\n' | grep -m 1 "/$1\$" || { echo "carry.sh: no $1 here" >&2; exit 2; }
}

for header in $headers; do
  path=$(header_path "$header")
  root=${path%"/$header"}
  case $header in
    */*) cp -R "$root/${header%%/*}" "$folder/include/" ;;
    dnnl.h) cp -R "$root"/dnnl*.h* "$root/oneapi" "$folder/include/" ;;
    zlib.h) cp "$root/zlib.h" "$folder/include/" && cp "$(header_path zconf.h)" "$folder/include/" ;;
  esac
done

# A shared library goes with those it needs, but for what belongs to the compiler and to libc.
for library in $libraries; do
  path=$($cxx -print-file-name="$library")
  [ "$path" != "$library" ] || { echo "carry.sh: no $library here" >&2; exit 2; }
  cp -L "$path" "$folder/lib/$library"
  case $library in
    *.so)
      ldd "$path" | awk '$3 ~ /^\// { print $3 }' |
        grep -vE '/(libc|libm|libstdc\+\+|libgcc_s|libgomp|libdl|librt|libpthread)\.so' |
        xargs -r -I{} cp -L {} "$folder/lib/"
      soname=$(objdump -p "$path" | awk '$1 == "SONAME" { print $2 }')
      mv "$folder/lib/$library" "$folder/lib/$soname"
      ln -s "$soname" "$folder/lib/$library" ;;
  esac
done
du -sh "$folder" | sed 's/\t/ in /'
