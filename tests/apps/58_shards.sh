#!/bin/bash
# Shards of cdt-predict and cdt-attribute: merged they are the run without shards byte for byte, a stopped one goes on,
# and what does not belong together is refused (docs/shards.md).
source tests/apps/lib.sh
tiny_model --gene-starts
merge=$CDT_BIN/cdt-merge
inputs=(--data "$data" --model "$model" --quiet)
predict=("$CDT_BIN/cdt-predict" "${inputs[@]}")
attribute=("$CDT_BIN/cdt-attribute" "${inputs[@]}")

# shards FOLDER N COMMAND...: all N shards of the command in FOLDER/1 to FOLDER/N.
shards() {
  local folder=$1 count=$2 i
  shift 2
  for ((i = 1; i <= count; i++)); do expect_ok "$@" --shard "$i/$count" --continue --out "$folder/$i"; done
}

# expect_merged FOLDER WHOLE: the shards in FOLDER/* merge into the files of WHOLE and what it printed ($work/whole.txt).
expect_merged() {
  rm -rf "$work/merged"
  expect_ok "$merge" "$work/merged" "$1"/* --quiet
  expect_same "$work/whole.txt" "$work/stdout"
  check "$1: the files of the whole" diff -r -x provenance.json "$2" "$work/merged"
  check 'nothing left behind' [ ! -e "$work/merged/.cdt-unfinished" ]
}

# whole FOLDER COMMAND...: the run without shards.
whole() {
  expect_ok "${@:2}" --out "$1"
  cp "$work/stdout" "$work/whole.txt"
}

# unfinish FOLDER BYTES: the shard as a killed program leaves it that had written so many bytes.
unfinish() {
  head -c "$2" "$1/shard.cdt" >"$1/shard.journal"
  rm "$1/shard.cdt" "$1/provenance.json"
  echo 'a shard' >"$1/.cdt-unfinished"
}

# --- prediction
whole "$work/p" "${predict[@]}" --split val --batch-size 3
cp "$work/whole.txt" "$work/p.txt"
shards "$work/p3" 3 "${predict[@]}" --split val --batch-size 3
expect_text "$work/stdout" 'shard 3 of 3: '
expect_merged "$work/p3" "$work/p"
check 'provenance: every shard' [ "$(grep -c -- '--shard' "$work/merged/provenance.json")" -eq 3 ]
expect_text "$work/merged/provenance.json" "\"command_line\": \"cdt-merge $work/merged "
expect_text "$work/merged/provenance.json" '"program": "cdt-predict"'
shards "$work/p8" 8 "${predict[@]}" --split val --batch-size 3
expect_merged "$work/p8" "$work/p"
whole "$work/plain" "${predict[@]}" --split val --no-controls --ridge --positive-below -0.1
shards "$work/plain2" 2 "${predict[@]}" --split val --no-controls --ridge --positive-below -0.1
expect_merged "$work/plain2" "$work/plain"

# A cache of DNA windows is a matter of the node that makes a shard.
mkdir "$work/p2"
expect_ok "${predict[@]}" --split val --batch-size 3 --shard 1/2 --cache "$work/cache" --out "$work/p2/1"
expect_ok "${predict[@]}" --split val --batch-size 3 --shard 2/2 --out "$work/p2/2"
cp "$work/p.txt" "$work/whole.txt"
expect_merged "$work/p2" "$work/p"

# A finished shard is recognised, with other threads too; nothing is written.
before=$(stat -c '%Y %i' "$work/p3/2/shard.cdt")
expect_ok "${predict[@]}" --split val --batch-size 3 --shard 2/3 --threads 1 --out "$work/p3/2"
expect_text "$work/stdout" "shard 2 of 3 is finished already: $work/p3/2/shard.cdt"
check 'one line' [ "$(wc -l <"$work/stdout")" -eq 1 ]
check 'untouched' [ "$(stat -c '%Y %i' "$work/p3/2/shard.cdt")" = "$before" ]
refused() { expect_fail 2 "$1" "${predict[@]}" --batch-size 3 --out "$work/p3/2" "${@:2}"; }
refused 'already holds a shard with another --split; --overwrite replaces it (expected "test", got "val")' \
  --shard 2/3 --split test
refused 'another number of shards; --overwrite replaces it (expected 4, got 3)' --shard 2/4 --split val
refused 'another shard; --overwrite replaces it (expected 1, got 2)' --shard 1/3 --continue --split val
refused 'holds a shard; name another folder' --split val
for text in 0/3 4/3 a/3 2/ /2 2 1/2/3 -1/2 1.5/2 9223372036854775808/1; do
  expect_fail 2 "--shard: not a shard (expected I/N with I from 1 to N, got $text)" "${predict[@]}" --shard "$text" \
    --out "$work/none"
done
expect_fail 2 '--continue: changes nothing here: it needs --shard' "${predict[@]}" --continue --out "$work/none"
expect_fail 2 '--continue: does not go with --overwrite' "${predict[@]}" --shard 1/2 --continue --overwrite \
  --out "$work/none"
expect_fail 2 '--profile: does not go with --shard' "${predict[@]}" --shard 1/2 --profile --out "$work/none"
expect_fail 2 '--maps: does not go with --shard' "${attribute[@]}" --split val --shard 1/2 --maps all --out "$work/none"
check 'nothing was made' [ ! -e "$work/none" ]

# A stopped shard goes on wherever it was cut, and is refused without --continue and when damaged.
cp -r "$work/p3" "$work/cut"
size=$(stat -c %s "$work/p3/1/shard.cdt")
for bytes in 0 5 $((size / 3)) $((size - 400)) $((size - 200)) $((size - 40)) $((size - 1)); do
  rm -rf "$work/cut/1"
  cp -r "$work/p3/1" "$work/cut/1"
  unfinish "$work/cut/1" "$bytes"
  expect_fail 2 "$work/cut/1: SHARD: is unfinished: run its command again with --continue" "$merge" "$work/none" \
    "$work/cut"/*
  expect_fail 2 'holds an unfinished shard; --continue goes on with it' "${predict[@]}" --split val --batch-size 3 \
    --shard 1/3 --out "$work/cut/1"
  expect_ok "${predict[@]}" --split val --batch-size 3 --shard 1/3 --continue --out "$work/cut/1"
  check "cut at $bytes: the records of the whole" cmp <(tail -c 300 "$work/p3/1/shard.cdt") <(tail -c 300 "$work/cut/1/shard.cdt")
done
cp "$work/p.txt" "$work/whole.txt"
expect_merged "$work/cut" "$work/p"
unfinish "$work/cut/1" $((size - 40))
expect_fail 2 'already holds a shard with another --seed' "${predict[@]}" --split val --batch-size 3 --seed 4 \
  --shard 1/3 --continue --out "$work/cut/1"
# flip FILE BYTE
flip() {
  printf '%b' "$(printf '\\x%02x' $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 4)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
flip "$work/cut/1/shard.journal" $((size / 2))
expect_fail 2 'is damaged at byte' "${predict[@]}" --split val --batch-size 3 --shard 1/3 --continue --out "$work/cut/1"
expect_text "$work/stderr" '; --overwrite makes it again'
expect_ok "${predict[@]}" --split val --batch-size 3 --shard 1/3 --overwrite --out "$work/cut/1"
expect_merged "$work/cut" "$work/p"

# What does not belong together.
cannot() { expect_fail 2 "$1" "$merge" "$work/none" "${@:2}"; }
cannot 'command line: SHARD: shard 2 of 3 is missing' "$work/p3/1" "$work/p3/3"
cannot 'command line: SHARD: 2 shards (1, 3) of 3 are missing' "$work/p3/2"
cannot "$work/p3/1: SHARD: is shard 1 of 3, and so is $work/p3/1" "$work/p3/1" "$work/p3/2" "$work/p3/3" "$work/p3/1"
cannot "$work/p8/3: number of shards: differs from that of $work/p3/1 (expected 3, got 8)" "$work/p3/1" "$work/p8/3"
cannot "$work/p: SHARD: holds no shard" "$work/p"
cannot "$work/nowhere: SHARD: no such folder" "$work/nowhere"
cannot 'command line: SHARD: required, but not given'
expect_ok "${predict[@]}" --split val --batch-size 3 --shard 2/3 --seed 5 --out "$work/other"
cannot '--seed: differs' "$work/p3/1" "$work/other" "$work/p3/3"
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --gene-starts --seed 4 --out "$work/data4" --quiet
second=("$CDT_BIN/cdt-predict" --quiet --split val --batch-size 3 --shard 2/3 --out "$work/other" --overwrite)
expect_ok "${second[@]}" --data "$work/data4" --model "$model" --other-inputs
cannot 'data set: differs' "$work/p3/1" "$work/other" "$work/p3/3"
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/run2" --epochs 1 --seed 9 --hidden 16 --heads 2 \
  --pool-heads 2 --feed-forward 32 --fusion 16 --quiet
expect_ok "${second[@]}" --data "$data" --model "$work/run2/model.safetensors"
cannot 'model: differs' "$work/p3/1" "$work/other" "$work/p3/3"
expect_ok "${attribute[@]}" --split val --shard 2/3 --out "$work/attributed"
cannot 'program: differs' "$work/p3/1" "$work/attributed" "$work/p3/3"
cp -r "$work/p3" "$work/damaged"
truncate -s -1 "$work/damaged/2/shard.cdt"
cannot 'shard.cdt: end: is damaged or cut short' "$work/damaged"/*
cp "$work/p3/2/shard.cdt" "$work/damaged/2/shard.cdt"
flip "$work/damaged/2/shard.cdt" $((size / 2))
cannot 'is damaged at byte' "$work/damaged"/*
again=("${predict[@]}" --split val --batch-size 3 --shard 2/3 --out "$work/damaged/2")
expect_fail 2 '; --overwrite makes it again' "${again[@]}"
cp "$work/p3/2/shard.cdt" "$work/damaged/2/shard.cdt"
truncate -s -1 "$work/damaged/2/shard.cdt"
expect_fail 2 'shard.cdt: end: is cut short; --overwrite makes it again' "${again[@]}"
expect_ok "${again[@]}" --overwrite
expect_merged "$work/damaged" "$work/p"
expect_fail 2 'OUT: is a shard that is read' "$merge" "$work/p3/1" "$work/p3"/*
expect_fail 2 'OUT: is inside a shard' "$merge" "$work/p3/1/new/deep" "$work/p3"/*
check 'nothing was made' [ ! -e "$work/none" ]

# --- attribution, with everything that sections read
printf 'chr1\t0\t200000000\tall of it\tA\n' >"$work/elements.bed"
options=(--split val --methods all --smooth-samples 3 --paths --path-heads --gene-gradients --occlude-region 3-5
  --occlude-region 0-15 --annotations "$work/elements.bed" --annotations "$data/sites.bed" --baseline mean --tracks 5
  --temperature 0.3 --null-replicates 99 --occlude-bins 4)
whole "$work/a" "${attribute[@]}" "${options[@]}"
shards "$work/a3" 3 "${attribute[@]}" "${options[@]}"
expect_merged "$work/a3" "$work/a"
whole "$work/few" "${attribute[@]}" --split val --sample 5 --seed 3 --all-genes
shards "$work/few8" 8 "${attribute[@]}" --split val --sample 5 --seed 3 --all-genes
expect_merged "$work/few8" "$work/few"
check 'with empty shards' grep -qa '"shards":8' <(head -c 2000 "$work/few8/8/shard.cdt")
cp "$work/elements.bed" "$work/elements.old"
echo 'chr2	5	50	more	B' >>"$work/elements.bed"
cannot "$work/elements.bed: --annotations: has changed since the shards were made" "$work/a3"/*
mv "$work/elements.old" "$work/elements.bed"

# Killed while it computes: it goes on to the same bytes.
slow=("${attribute[@]}" --split val --methods smoothgrad --smooth-samples 1200 --tracks 0)
whole "$work/slow" "${slow[@]}"
shards "$work/killed" 2 "${slow[@]}"
header=$((28 + $(od -An -tu8 -j 16 -N 8 "$work/killed/1/shard.cdt")))
for signal in KILL TERM; do
  rm -rf "$work/killed/1"
  "${shell_signals[@]}" "${slow[@]}" --shard 1/2 --out "$work/killed/1" >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  for ((i = 0; i < 2000; i++)); do
    [ "$(stat -c %s "$work/killed/1/shard.journal" 2>/dev/null || echo 0)" -gt $header ] && break
    [ -e "$work/killed/1/shard.cdt" ] && break
    sleep 0.01
  done
  kill -$signal $pid
  wait $pid 2>/dev/null
  check "SIG$signal: unfinished" [ -e "$work/killed/1/shard.journal" -a ! -e "$work/killed/1/shard.cdt" ]
  [ $signal = KILL ] ||
    expect_text "$work/stderr" 'interrupted; what was finished is kept, --continue goes on from there'
  expect_ok "${slow[@]}" --shard 1/2 --out "$work/killed/1" --continue
  expect_text "$work/stderr" 'shard 1 of 2: continued after record'
  expect_merged "$work/killed" "$work/slow"
done

# Data set and model may have moved, and the DNA windows may be missing where no statistic reads them.
mkdir "$work/moved"
cp -r "$data" "$work/moved/data"
cp "$model" "$work/moved/"
rm "$work/moved/data"/dna.*
mv "$data" "$work/away"
expect_fail 2 "$data/dataset.json: open" "$merge" "$work/none" "$work/few8"/*
expect_ok "$merge" --data "$work/moved/data" --model "$work/moved/model.safetensors" "$work/m" "$work/few8"/*
check 'without DNA' diff -r -x provenance.json "$work/few" "$work/m"
expect_fail 2 'dna.f32: open: is missing, and is needed here' "$merge" --data "$work/moved/data" "$work/none" \
  "$work/p3"/*
sed -i '2s/[0-9]$/&1/' "$work/moved/data/pairs.tsv"
expect_fail 2 'data set: is not that of the shards' "$merge" --data "$work/moved/data" "$work/none" "$work/few8"/*
mv "$work/away" "$data"
expect_fail 2 'model: is not that of the shards' "$merge" --model "$work/run2/model.safetensors" "$work/none" \
  "$work/few8"/*
cp "$data/truth.json" "$work/truth.json"
truncate -s 100 "$data/truth.json"
expect_fail 2 "$data/truth.json: line 6, column 33: not valid JSON" "${predict[@]}" --split val --batch-size 3 --shard 1/3 --out "$work/none"
cp "$work/truth.json" "$data/truth.json"
check 'nothing was made' [ ! -e "$work/none" ]

# Two classes of genes, each with a site of its own.
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --mechanism specific --seed 3 --out "$work/classes" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$work/classes" --out "$work/classes-run" --epochs 1 --hidden 16 --heads 2 \
  --pool-heads 2 --feed-forward 32 --fusion 16 --quiet
classes=("$CDT_BIN/cdt-attribute" --data "$work/classes" --model "$work/classes-run/model.safetensors" --split val
  --all-genes --tracks 0 --quiet)
whole "$work/c" "${classes[@]}"
shards "$work/c4" 4 "${classes[@]}"
expect_merged "$work/c4" "$work/c"
finish
