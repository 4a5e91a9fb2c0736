# shellcheck shell=bash
# Helpers for the scripts in tests/apps. A script starts with `source tests/apps/lib.sh`, runs its checks
# from the root of the repository, and ends with `finish`. The programs are in $CDT_BIN; $work is a
# temporary folder of the script. Each check counts as one test.
set -u
export LC_ALL=C
CDT_BIN=${CDT_BIN:-build/bin}
CDT_BUILD=${CDT_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests_passed=0 tests_failed=0 tests_skipped=0

pass() { tests_passed=$((tests_passed + 1)); }

# fail MESSAGE [FILE...]: counts a failure, shows the files.
fail() {
  tests_failed=$((tests_failed + 1))
  printf 'FAILED: %s\n' "$1"
  shift
  local file
  for file in "$@"; do
    printf -- '--- %s\n' "$(basename "$file")"
    head -c 4000 "$file"
  done
}

# skip NAME REASON
skip() {
  tests_skipped=$((tests_skipped + 1))
  printf 'skipped: %s: %s\n' "$1" "$2"
}

# note TEXT: also shown by the run of all tests.
note() { printf 'note: %s\n' "$1"; }

# In front of a command: it runs with signals as an interactive shell sets them, also where the tests themselves run
# in the background or under nohup, which ignore some.
shell_signals=(env --default-signal=INT,HUP,TERM,USR1,XCPU)

# check MESSAGE COMMAND...: passes if the command succeeds.
check() {
  local message=$1
  shift
  if "$@"; then pass; else fail "$message ($*)"; fi
}

# expect_ok COMMAND...: exit status 0. Leaves $work/stdout and $work/stderr.
expect_ok() {
  local status=0
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  if [ $status -eq 0 ]; then
    pass
  else
    fail "$*: exit status $status, expected 0" "$work/stdout" "$work/stderr"
    return 1
  fi
}

# expect_fail STATUS NEEDLE COMMAND...: exits with STATUS, prints nothing on stdout, and on stderr one line
# "cdt-NAME: ..." that contains NEEDLE (progress lines may come before it).
expect_fail() {
  local expected=$1 needle=$2 status=0 last
  shift 2
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  last=$(tail -n 1 "$work/stderr")
  if [ $status -ne "$expected" ]; then
    fail "$*: exit status $status, expected $expected" "$work/stdout" "$work/stderr"
  elif [[ $last != "$(basename "$1"): "* ]] || [[ $last != *"$needle"* ]]; then
    fail "$*: expected '$(basename "$1"): ...$needle...'" "$work/stderr"
  elif [ "$(grep -E "^$(basename "$1"): " "$work/stderr" | grep -vcE '^[^ ]+ (warning|note): ')" -ne 1 ]; then
    fail "$*: the error is more than one line" "$work/stderr"
  elif [ -s "$work/stdout" ]; then
    fail "$*: something on stdout" "$work/stdout"
  else
    pass
  fi
}

# expect_stopped FOLDER COMMAND...: SIGTERM ends the command once its output folder is there; it says so and leaves no
# folder.
expect_stopped() {
  local folder=$1 status=0 pid i
  shift
  "${shell_signals[@]}" "$@" >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  for ((i = 0; i < 2000; i++)); do
    [ -e "$folder" ] && break
    sleep 0.01
  done
  kill -TERM $pid
  wait $pid 2>/dev/null || status=$?
  check "stopped: exit status 1, not $status" [ $status -eq 1 ]
  expect_text "$work/stderr" "$(basename "$1"): interrupted; nothing is kept"
  check 'stopped: nothing left' [ ! -e "$folder" ]
}

# await_file FILE: waits until a program in the background has written something to it, at most 30 s.
await_file() {
  local i
  for ((i = 0; i < 600; i++)); do
    [ -s "$1" ] && return 0
    sleep 0.05
  done
}

# expect_same FILE FILE: both have the same bytes.
expect_same() {
  if cmp "$1" "$2"; then pass; else fail "$1 and $2 differ"; fi
}

# expect_text FILE NEEDLE: the file contains the text.
expect_text() {
  if grep -qF -- "$2" "$1"; then pass; else fail "$1 lacks '$2'" "$1"; fi
}

# tiny_model SYNTH_OPTION...: makes a data set and a small model of one epoch, $data and $model.
tiny_model() {
  data=$work/data model=$work/run/model.safetensors
  expect_ok "$CDT_BIN/cdt-synth" --preset tiny "$@" --seed 3 --out "$data" --quiet
  expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/run" --epochs 1 --hidden 16 --heads 2 \
    --pool-heads 2 --feed-forward 32 --fusion 16 --quiet
}

# tiny_training: a tiny data set in $data, and the words of a command that trains a small model on it in ${new[@]}.
tiny_training() {
  train=$CDT_BIN/cdt-train
  data=$work/data
  sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --batch-size 4)
  expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet
  new=("$train" --data "$data" --threads 1 --quiet "${sizes[@]}")
}

# demo_outputs: the outputs of `make demo` with these programs, as $demo; made once for all scripts.
demo_outputs() {
  demo=$CDT_BUILD/test-results/demo
  exec 9>"$CDT_BUILD/test-results/demo.lock"
  flock 9
  if [ ! "$demo/report.html" -nt "$CDT_BIN/cdt-report" ]; then
    expect_ok tests/run_demo.sh "$CDT_BIN" "$demo"
  fi
  exec 9>&-
}

# under KIBIBYTES COMMAND...: runs it with at most this much address space.
under() (
  ulimit -v "$1"
  shift
  exec "$@"
)

# sanitized: whether the programs run under AddressSanitizer, which maps terabytes and keeps freed memory.
sanitized() { grep -q -- -fsanitize=address "$CDT_BUILD/flags" 2>/dev/null; }

# debug_build: whether the programs have checks of a debug build; those under sanitizers do.
debug_build() { grep -q -- -DCDT_DEBUG "$CDT_BUILD/flags" 2>/dev/null; }

# cuda_setting NAME: what third_party/find_cuda.sh found for this build.
cuda_setting() { sed -n "s/^$1 := *//p" "$CDT_BUILD/cuda.mk" 2>/dev/null; }

# mpi_flags: those of the MPI that third_party/find_mpi.sh found for this build.
mpi_flags() { sed -n 's/^MPI_FLAGS := *//p' "$CDT_BUILD/mpi.mk" 2>/dev/null; }

# allow_mpirun_here: as root and on fewer cores than ranks, which Open MPI otherwise refuses. It leaks.
allow_mpirun_here() {
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  export ASAN_OPTIONS=detect_leaks=0
}

# has_hdf5: does this build's cdt-import read HDF5?
has_hdf5() {
  [ -x "$CDT_BIN/cdt-import" ] || return 1
  printf '\x89HDF\r\n\x1a\n' >"$work/probe.h5"
  ! "$CDT_BIN/cdt-import" --dna "$work/probe.h5" --rna x --protein x --mapping x --train x --val x \
    --out "$work/probe" 2>&1 | grep -q 'not read by this build'
}

# kernel_log SOURCE NUMBER: nvcc's log of the object with SOURCE's code for sm_NUMBER; fails if it is
# missing or out of date.
kernel_log() {
  local object
  for object in "$CDT_BUILD/obj/$1.o" "$CDT_BUILD/cubin/sm_$2/$1.o"; do
    if [ "$object" -nt "$1" ] && grep -q "for 'sm_$2'" "$object.log"; then
      echo "$object.log"
      return 0
    fi
  done
  return 1
}

finish() {
  echo "$tests_passed passed, $tests_failed failed, $tests_skipped skipped"
  [ $tests_failed -eq 0 ]
  exit
}
