#!/bin/bash
# --cache: copies of DNA windows on a local disk change no result, stay within their bound, and spare the data set
# all reading from the second run on; whatever another process, a kill, a damaged copy or a full disk does.
source tests/apps/lib.sh
tiny_model
cache=$work/new/cache
small=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --epochs 1 --quiet)

# prepare NAME OUT OPTION...: sets ${run[@]} to cdt-NAME's command.
prepare() {
  run=("$CDT_BIN/cdt-$1" --data "$data" --out "$2")
  if [ "$1" = train ]; then run+=("${small[@]}"); else run+=(--model "$model" --split test --quiet); fi
  run+=("${@:3}")
}
# same_output FOLDER FOLDER: the same files, except for times and what names the command.
same_output() {
  local folder
  for folder in "$1" "$2"; do
    [ ! -e "$folder/metrics.jsonl" ] ||
      sed -E 's/"(seconds|samples_per_second|peak_memory_bytes)": ?[^,}]*//g' "$folder/metrics.jsonl" >"$folder/lines"
  done
  check "$2 is $1" diff -r -x provenance.json -x metrics.jsonl "$1" "$2"
}
# reads FILE COMMAND...: sets $count to the number of reads of this file.
reads() {
  ASAN_OPTIONS=detect_leaks=0 expect_ok strace -f -y -e trace=pread64,read -o "$work/calls" "${@:2}"
  count=$(grep -cF "<$1>" "$work/calls")
}

for name in train predict attribute; do
  prepare $name "$work/$name-plain"
  expect_ok "${run[@]}"
  prepare $name "$work/$name-cold" --cache "$cache"
  expect_ok "${run[@]}"
  check "$name: nothing to say" [ ! -s "$work/stderr" ]
  same_output "$work/$name-plain" "$work/$name-cold"
  prepare $name "$work/$name-warm" --cache "$cache"
  expect_ok "${run[@]}"
  same_output "$work/$name-plain" "$work/$name-warm"
done
rows=$(wc -l <"$data/enhancers.bed")
check 'a copy of each window' [ "$(find "$cache" -name '*.part' | wc -l)" -eq "$rows" ]

# The second run reads nothing from dna.f32.
if strace -o /dev/null true 2>/dev/null; then
  prepare predict "$work/counted" --cache "$work/counting" --overwrite
  reads "$(realpath "$data/dna.f32")" "${run[@]}"
  check "cold: $count reads of $rows windows" [ "$count" -eq "$rows" ]
  reads "$(realpath "$data/dna.f32")" "${run[@]}"
  check "warm: $count reads" [ "$count" -eq 0 ]
  prepare train "$work/counted-train" --cache "$work/counting"
  reads "$(realpath "$data/dna.f32")" "${run[@]}"
  check "warm training: $count reads" [ "$count" -eq 0 ]
else
  skip 'reads of dna.f32' 'strace cannot trace here'
fi

# A damaged copy: one line, the same results, and the copy is written again.
part=$(find "$cache" -name '0.part')
cp "$part" "$work/part"
printf 'X' | dd of="$part" bs=1 seek=100 conv=notrunc status=none
prepare predict "$work/damaged" --cache "$cache"
expect_ok "${run[@]}"
check 'one line' [ "$(wc -l <"$work/stderr")" -eq 1 ]
expect_text "$work/stderr" "cdt-predict: warning: $part: is damaged; window 0 is read from $data/dna.f32 again"
same_output "$work/predict-plain" "$work/damaged"
expect_same "$work/part" "$part"

# A bound: some windows are copied, the results are the same.
row_bytes=$(($(stat -c %s "$data/dna.f32") / rows))
on_disk=$(((row_bytes + 16 + 4095) / 4096 * 4096))
prepare predict "$work/bounded" --cache "$work/small" --cache-size "$(awk "BEGIN { print 2.5 * $on_disk / 1e9 }")"
expect_ok "${run[@]}"
expect_text "$work/stderr" "cdt-predict: note: $work/small: has room for 2 of $rows windows of $data/dna.f32"
check 'two copies' [ "$(find "$work/small" -name '*.part' | wc -l)" -eq 2 ]
same_output "$work/predict-plain" "$work/bounded"

# Several processes at once, and one that is killed.
pids=()
for i in 1 2 3; do
  prepare predict "$work/together-$i" --cache "$work/together"
  "${run[@]}" >/dev/null 2>"$work/together-$i.err" &
  pids+=($!)
done
for i in 1 2 3; do
  check "process $i" wait "${pids[i - 1]}"
  check "process $i: nothing to say" [ ! -s "$work/together-$i.err" ]
  same_output "$work/predict-plain" "$work/together-$i"
done
prepare train "$work/killed" --cache "$work/after-kill"
"${run[@]}" >/dev/null 2>&1 &
for ((i = 0; i < 2000; i++)); do
  [ -n "$(find "$work/after-kill" -name '*.part' 2>/dev/null | head -n 1)" ] && break
  sleep 0.005
done
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
prepare predict "$work/after" --cache "$work/after-kill"
expect_ok "${run[@]}"
check 'nothing to say' [ ! -s "$work/stderr" ]
same_output "$work/predict-plain" "$work/after"
check 'no temporary is left' [ -z "$(find "$work/after-kill" -name '.*cdt-*')" ]

# A full disk ends caching, not the run. Half of the windows fit.
cat >"$work/on_tmpfs.sh" <<'END'
mount -t tmpfs -o "size=$1" tmpfs "$2" || exit 77
shift 2
exec "$@"
END
mkdir "$work/full"
full=(unshare -m bash "$work/on_tmpfs.sh" $((on_disk * rows / 2 + 16384)) "$work/full")
if "${full[@]}" true 2>/dev/null; then
  prepare predict "$work/on-full" --cache "$work/full" --cache-size 1
  expect_ok "${full[@]}" "${run[@]}"
  check 'one line' [ "$(wc -l <"$work/stderr")" -eq 1 ]
  expect_text "$work/stderr" "cdt-predict: warning: $work/full"
  expect_text "$work/stderr" "no more windows of $data/dna.f32 are cached"
  same_output "$work/predict-plain" "$work/on-full"
  # No byte is free: not even what the folder says of itself can be written.
  cat >"$work/on_nothing.sh" <<'END'
mount -t tmpfs -o size=64k tmpfs "$1" && head -c 65536 /dev/zero 2>/dev/null >"$1/fill"
shift
exec "$@"
END
  prepare predict "$work/on-nothing" --cache "$work/full" --cache-size 1
  expect_ok unshare -m bash "$work/on_nothing.sh" "$work/full" "${run[@]}"
  check 'one warning' [ "$(grep -c warning "$work/stderr")" -eq 1 ]
  expect_text "$work/stderr" "no windows of $data/dna.f32 are cached"
  same_output "$work/predict-plain" "$work/on-nothing"
else
  skip 'a full disk' 'no tmpfs can be mounted here'
fi

# What is refused.
prepare predict "$work/refused" --cache "$data/cache"
expect_fail 2 "$data/cache: --cache: is in the data set" "${run[@]}"
ln -s "$data" "$work/link"
prepare predict "$work/refused" --cache "$work/link"
expect_fail 2 '--cache: is in the data set' "${run[@]}"
prepare predict "$work/refused" --cache "$work/refused/"
expect_fail 2 '--cache: is in --out' "${run[@]}"
prepare train "$work/refused" --cache "$work/refused"
expect_fail 2 '--cache: is in --out' "${run[@]}"
prepare predict "$work/refused" --cache "$model"
expect_fail 2 "$model: create: " "${run[@]}"
prepare attribute "$work/refused" --cache-size 3
expect_fail 2 '--cache-size: changes nothing here: it needs --cache' "${run[@]}"
expect_fail 2 '--cache: a dry run reads no DNA' "$CDT_BIN/cdt-train" --dry-run --cache "$cache"
expect_fail 2 '--cache: has no meaning with --combine' "$CDT_BIN/cdt-predict" --data "$data" \
  --combine "$work/predict-plain" --out "$work/refused" --cache "$cache"
check 'nothing is left' [ ! -e "$work/refused" ]
check 'the data set is as it was' [ ! -e "$data/cache" ]

# DNA that has changed is read again, also if size and time are the same.
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 4 --out "$work/other" --quiet
touch -r "$data/dna.f32" "$work/other/dna.f32"
cp -p "$work/other/dna.f32" "$data/dna.f32"
prepare predict "$work/changed-plain"
expect_ok "${run[@]}"
prepare predict "$work/changed" --cache "$cache"
expect_ok "${run[@]}"
same_output "$work/changed-plain" "$work/changed"
check 'other results' test "$(cmp "$work/predict-plain/predictions.tsv" "$work/changed/predictions.tsv" | wc -l)" -eq 1
finish
