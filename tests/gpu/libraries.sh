# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# The shared libraries of a pack's programs, on an unknown machine. Libraries that the loader finds are used
# from the machine; one that is missing or too old comes from the pack's lib/, one library at a time, so
# that nothing newer is hidden. cuBLASLt is never packed.

# cuda_folders: where a toolkit or a Python package may keep CUDA's libraries, one per line.
cuda_folders() {
  local root
  for root in "${CUDA_HOME:-}" "${CUDA_PATH:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")" \
    /usr/local/cuda /usr/local/cuda-[0-9]* /opt/cuda; do
    case $root in '' | . | / | *'*') ;; *) printf '%s\n' "$root/lib64" "$root/targets/x86_64-linux/lib" ;; esac
  done
  python_packages | while read -r root; do
    printf '%s\n' "$root"/nvidia/cu[0-9]*/lib "$root/nvidia/cublas/lib" "$root/nvidia/cudnn/lib"
  done | grep -v '\*'
}

python_packages() {
  "${PYTHON:-python3}" -c 'import sys; print("\n".join(p for p in sys.path if p))' 2>/dev/null
}

# folder_of LIBRARY: the first of these folders that has it.
folder_of() {
  local candidate
  while read -r candidate; do
    if [ -e "$candidate/$1" ]; then
      echo "$candidate"
      return 0
    fi
  done < <(cuda_folders)
  return 1
}

with_libraries() {
  LD_LIBRARY_PATH=$libraries${libraries:+${LD_LIBRARY_PATH:+:}}${LD_LIBRARY_PATH:-} "$@"
}

# complaint PROGRAM: the loader's error; nothing if the program starts.
complaint() {
  local said status=0
  said=$(with_libraries "$1" --version 2>&1) || status=$?
  [ $status -ne 0 ] || return 0
  printf '%s\n' "$said" | grep -a -m 1 -E 'loading shared libraries|version .* not found' ||
    echo "exit status $status: $(printf '%s' "$said" | tail -n 1)"
}

# settle_libraries PROGRAM: sets `libraries` so that it starts.
settle_libraries() {
  local why name where=''
  libraries=$scratch/lib
  mkdir -p "$scratch/lib"
  while why=$(complaint "$1") && [ -n "$why" ]; do
    name=$(printf '%s' "$why" | grep -oE 'lib[A-Za-z0-9_+-]+\.so\.[0-9]+' | head -n 1)
    case $name in
      libcublasLt.so.*)
        { [ -z "$where" ] && where=$(folder_of "$name"); } ||
          refuse "$name is missing: neither the linker's path nor $(cuda_folders | paste -sd ' ') has it"
        libraries=$scratch/lib:$where ;;
      *)
        { [ -n "$name" ] && [ -e "lib/$name" ] && [ ! -e "$scratch/lib/$name" ]; } ||
          refuse "$1 does not start here: $why"
        ln -s "$PWD/lib/$name" "$scratch/lib/$name" ;;
    esac
  done
}

# loaded PROGRAM NAME: the file that the loader uses for a library.
loaded() {
  LD_TRACE_LOADED_OBJECTS=1 with_libraries "$1" 2>/dev/null |
    awk -v name="$2" 'index($1, name) == 1 { print $3 }' | xargs -r readlink -f
}
