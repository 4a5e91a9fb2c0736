#!/bin/bash
# Reading DNA over a slow link: epochs of cdt-train's reading (tests/bench/read_bench.cc) from a folder behind a FUSE
# file system with a given rate and latency (slow_fs.py), with and without --cache, after a table of ways to read a
# window (read_ways.py).
#
#   tests/bench/slow_link.sh BUILD [MB_PER_SECOND] [LATENCY_MS] [WINDOWS] [MEMORY_MB]
#
# PYTHON names an interpreter with pyfuse3. Needs /dev/fuse and root: each epoch begins without cached pages and runs in
# a memory control group of MEMORY_MB, so that the page cache does not hold the data, as it does not where they are
# larger than the memory. WORK names a folder for the data set and the cache, on a local disk. With SPARSE=1 the DNA is
# one hole of the disk, for more windows than it has room for twice, and only the epochs that such data need are run.
set -eu
build=$1 rate=${2:-100} latency=${3:-5} windows=${4:-90} memory=${5:-300}
work=$(mktemp -d "${WORK:-${TMPDIR:-/tmp}}/slow-link-XXXXXX")
data=$work/data slow=$work/slow cache=$work/cache
group=/sys/fs/cgroup/memory/slow-link-$$
limit=$group/memory.limit_in_bytes
if [ ! -d /sys/fs/cgroup/memory ]; then group=/sys/fs/cgroup/slow-link-$$ limit=$group/memory.max; fi

finish() {
  fusermount3 -u "$slow" 2>/dev/null || true
  rmdir "$group" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

bins=896 width=3072
synth=("$build/bin/cdt-synth" --enhancers "$windows" --out "$data" --quiet)
if [ -n "${SPARSE:-}" ]; then
  "${synth[@]}" --bins 12 --dna-dim 32 >/dev/null
  "${PYTHON:-python3}" - "$data/dataset.json" "$windows" $bins $width <<'END'
import json, sys
path, shape = sys.argv[1], [int(n) for n in sys.argv[2:]]
dataset = json.load(open(path))
dataset["dna"]["shape"] = shape
json.dump(dataset, open(path, "w"))
END
  : >"$data/dna.f32"
  truncate -s $((windows * bins * width * 4)) "$data/dna.f32"
else
  "${synth[@]}" --bins $bins --dna-dim $width >/dev/null
fi
mkdir "$slow" "$group"
echo $((memory * 1000000)) >"$limit"
"${PYTHON:-python3}" "$(dirname "$0")/slow_fs.py" "$data" "$slow" "$rate" "$latency" &
for _ in $(seq 100); do
  [ -e "$slow/dataset.json" ] && break
  sleep 0.1
done

# epoch NAME OPTION...: prints a line of the table.
epoch() {
  local name=$1 before after seconds size
  shift
  sync
  echo 3 >/proc/sys/vm/drop_caches
  read -r before _ <"$slow/.traffic"
  read -r seconds size < <(echo $BASHPID >"$group/cgroup.procs" && exec "$build/tests/read_bench" --data "$slow" "$@")
  read -r after _ <"$slow/.traffic"
  awk -v name="$name" -v s="$seconds" -v size="$size" -v b=$((after - before)) -v rate="$rate" 'BEGIN {
    printf "%-44s %7.1f %9.0f %8.1f %9.1f\n", name, s, b / 1e6, size / s, b / 1e6 / rate }'
}

echo "$windows windows of 896 x 3072 float32, $rate MB/s, $latency ms, memory $memory MB, read-ahead" \
  "$(cat "/sys/class/bdi/$(mountpoint -d "$slow")/read_ahead_kb") KiB"
[ -n "${SPARSE:-}" ] || "${PYTHON:-python3}" "$(dirname "$0")/read_ways.py" "$slow/dna.f32"
printf '\n%-44s %7s %9s %8s %9s\n' epoch seconds 'slow MB' 'MB/s' 'slow/rate'
cached_epochs() {
  epoch '8 readers, --cache, first epoch with check' --check --cache "$cache"
  epoch '8 readers, --cache, second epoch' --seed 1 --cache "$cache"
}
if [ -n "${SPARSE:-}" ]; then
  epoch '8 readers' --readers 8
  cached_epochs
  exit
fi
epoch '1 reader' --readers 1
epoch '8 readers' --readers 8
epoch '8 readers, first epoch with check' --check
epoch '8 readers, second epoch' --seed 1
cached_epochs
epoch '1 reader, --cache, third epoch' --readers 1 --seed 2 --cache "$cache"
half=$(awk "BEGIN { print $windows * $bins * $width * 4 / 2e9 }")
epoch '--cache-size of half, first epoch with check' --check --cache "$work/half" --cache-size "$half"
epoch '--cache-size of half, second epoch' --seed 1 --cache "$work/half" --cache-size "$half"
