#!/bin/bash
# shellcheck disable=SC2034  # the parts in tests/gpu use what is set here
# Packs what tests/gpu_first.sh needs on a machine with a GPU and nothing else: stripped programs, the
# libraries they load, scripts, fixtures, a small data set and the CPU's results on it. The pack's root
# looks like a checkout with bin/ and lib/ next to tests/. manifest.json lists every file.
#
#   tests/gpu_pack.sh BUILD PACK [SIZE_OPTION...]     PACK: a .tar.xz of at most 55 MB, or a folder
#
# SIZE_OPTION: passed to cdt-synth, for a data set of another size. Environment: EMULATED=1 packs only the
# programs with the emulated GPU; PACK_ARCH and PACK_CUDA_ARCH are recorded in the manifest; CXX;
# PACK_LIMIT, bytes.
set -u
export LC_ALL=C
build=${1:?usage: tests/gpu_pack.sh BUILD PACK [SIZE_OPTION...]} pack=${2:?}
shift 2
kPrograms='bin/cdt-synth bin/cdt-train bin/cdt-predict bin/cdt-attribute tests/compare_runs tests/gpu_facts
  tests/kernel_tests tests/unit_tests tests/parity_tests tests/paper_bench tests/measure_gemm
  tests/measure_forms tests/measure_attention'
kScripts='tests/gpu_first.sh tests/gpu tests/apps tests/*_tests.txt tests/parity/fixtures
  tests/parity/cdt_torch.py tests/bench/bench_pytorch.py'
# Not packed: glibc's libraries, which every machine has, and cuBLASLt, which comes with the toolkit or
# PyTorch.
kLeftThere='linux-vdso|ld-linux|libc\.so|libm\.so|libdl\.so|librt\.so|libpthread\.so|libresolv\.so|libcublasLt'

refuse() {
  echo "gpu-pack: $1" >&2
  exit 2
}

for part in libraries steps comparisons; do
  # shellcheck disable=SC1090
  source "tests/gpu/$part.sh"
done

# built NAME: where the build keeps a program of the pack. The kernel tests are among the emulation's.
built() {
  case $1 in
    emulated/tests/kernel_tests) echo "$build/tests/emulation_tests" ;;
    emulated/tests/unit_tests | emulated/tests/parity_tests) echo "$build/tests/emulated_${1##*/}" ;;
    *) echo "$build/$1" ;;
  esac
}

# put_program NAME: without debug information, unless it is a script. The emulation looks up its kernels in
# the symbol table.
put_program() {
  local from
  from=$(built "$1")
  [ -x "$from" ] || refuse "$from is not built"
  mkdir -p "$folder/${1%/*}"
  strip "$([[ $1 == emulated/* ]] && echo --strip-debug || echo --strip-all)" -o "$folder/$1" "$from" 2>/dev/null || cp "$from" "$folder/$1"
}

put_programs() {
  local name
  for name in $kPrograms; do
    emulated || put_program "$name"
    put_program "emulated/$name"
  done
}

put_libraries() {
  local path
  mkdir -p "$folder/lib"
  find "$folder/bin" "$folder/tests" "$folder/emulated" -type f -perm -u+x -exec ldd {} + 2>/dev/null |
    awk '$3 ~ /^\// { print $3 }' | sort -u | grep -vE "/($kLeftThere)" |
    while read -r path; do strip -o "$folder/lib/$(basename "$path")" "$(readlink -f "$path")"; done
}

put_scripts() {
  local path
  for path in $kScripts; do
    mkdir -p "$folder/$(dirname "$path")"
    cp -R "$path" "$folder/$(dirname "$path")/"
  done
  find "$folder/tests/gpu" -type f ! -name '*.sh' -delete
}

# put_references SIZE_OPTION...: the results of this build's programs on the CPU.
put_references() {
  local material=$build/gpu-material libraries=''
  mkdir -p "$material"
  EMULATED='' make_references "$@" >"$build/gpu-material.log" 2>&1 ||
    refuse "the CPU's references: $(tail -n 1 "$build/gpu-material.log")"
  cp -R "$material/inputs" "$material/references" "$folder/"
}

write_manifest() {
  (
    cd "$folder" || exit
    printf '{\n"commit": "%s",\n"date": "%s",\n"arch": "%s",\n"cuda_arch": "%s",\n"compiler": "%s",\n"cuda": "%s",\n"files": [' \
      "$commit" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${PACK_ARCH:-native}" "${PACK_CUDA_ARCH:-}" \
      "$("${CXX:-g++}" --version | head -n 1)" "$cuda"
    find . -type f ! -name manifest.json -printf '%P\t%s\n' | sort | while IFS=$'\t' read -r file bytes; do
      printf '%s\n{"file": "%s", "bytes": %d, "sha256": "%s"}' "$separator" "$file" "$bytes" \
        "$(sha256sum "$file" | cut -d ' ' -f 1)"
      separator=,
    done
    printf '\n]\n}\n'
  ) >"$folder/manifest.json"
}

# write_archive: with a window over the whole archive, since the programs share most of their bytes.
write_archive() {
  local bytes limit=${PACK_LIMIT:-55000000}
  if ! (set -o pipefail && tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner -c . |
    xz -T1 --lzma2=preset=6,dict=192MiB >"$pack.new"); then
    rm -f "$pack.new"
    refuse "$pack: could not be written"
  fi
  bytes=$(wc -c <"$pack.new")
  if [ "$bytes" -gt "$limit" ]; then
    rm "$pack.new"
    refuse "$pack would be $bytes bytes, more than $limit"
  fi
  mv "$pack.new" "$pack"
  echo "$pack: $bytes bytes, $(grep -c '"sha256"' "$folder/manifest.json") files, commit $commit"
}

commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cuda=$(sed -n 's/^CUDA_VERSION := *//p' "$build/cuda.mk" 2>/dev/null) separator=''
emulated || [ -n "$cuda" ] || refuse "no CUDA toolkit: $(sed -n 's/^CUDA_MISSING := *//p' "$build/cuda.mk" 2>/dev/null)"
folder=$pack
[[ $pack != *.tar.xz ]] || folder=$(mktemp -d)
mkdir -p "$folder" || refuse "$folder: cannot be written"
put_programs
put_libraries
put_scripts
put_references "$@"
write_manifest
if [ "$folder" != "$pack" ]; then
  trap 'rm -rf "$folder"' EXIT
  write_archive
fi
