#!/bin/bash
# Where results go: no program overwrites its input, another program's output or, without --overwrite, its
# own; a kill at any moment leaves a folder in which the next run works.
source tests/apps/lib.sh
synth=$CDT_BIN/cdt-synth train=$CDT_BIN/cdt-train predict=$CDT_BIN/cdt-predict
attribute=$CDT_BIN/cdt-attribute report=$CDT_BIN/cdt-report import=$CDT_BIN/cdt-import
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --epochs 1 --quiet)
tiny_model
run=$work/run prediction=$work/prediction attribution=$work/attribution
inputs=(--data "$data" --model "$model" --quiet)
explain=("${inputs[@]}" --split val --tracks 1)
expect_ok "$predict" "${inputs[@]}" --out "$prediction"
expect_ok "$attribute" "${explain[@]}" --methods random --out "$attribution"
page=(--data "$data" --run "$run" --quiet)
has_gnuplot=$(command -v gnuplot)

# state FOLDER: names and content of all its files.
state() { (cd "$1" && find . -type f -exec md5sum {} + | sort -k 2); }
# keeps FOLDER: nothing in it has changed since the first call.
keeps() {
  local before=$work/state-${1##*/}
  [ -e "$before" ] || state "$1" >"$before"
  check "$1 is as it was" cmp "$before" <(state "$1")
}
hidden() { find "$1" -name '.*cdt-*'; }
clean() { check "$1: no temporary is left" [ -z "$(hidden "$1")" ]; }
for folder in "$data" "$run" "$prediction" "$attribution"; do
  keeps "$folder"
  clean "$folder"
done

# --- inputs are never overwritten, with --overwrite or without
ln -s "$data" "$work/link-to-data"
for out in "$data" "$data/" "$work/x/../data" "$work/link-to-data"; do
  mkdir -p "$work/x"
  for more in --quiet --overwrite; do
    expect_fail 2 '--out: ' "$attribute" --data "$data" --model "$model" --split val --out "$out" $more
    expect_text "$work/stderr" 'holds a data set; name another folder'
    expect_fail 2 '--out: holds a data set' "$predict" --data "$data" --model "$model" --out "$out" $more
    expect_fail 2 '--out: holds a data set' "$train" --data "$data" --out "$out" "${sizes[@]:0:10}" $more
  done
done
# A data set that this run does not read.
cp -r "$data" "$work/other"
expect_fail 2 '--out: holds a data set' "$predict" "${inputs[@]}" --out "$work/other" --overwrite
expect_fail 2 '--out: holds a run' "$predict" "${inputs[@]}" --out "$run" --overwrite
expect_fail 2 '--out: holds a run' "$attribute" "${explain[@]}" --out "$run"
expect_fail 2 '--out: holds a run' "$synth" --preset tiny --out "$run" --overwrite
expect_fail 2 '--out: holds a prediction' "$attribute" "${explain[@]}" --out "$prediction" --overwrite
expect_fail 2 '--out: holds an attribution' "$predict" "${inputs[@]}" --out "$attribution" --overwrite
expect_fail 2 '--out: belongs to a run' "$predict" "${inputs[@]}" --out "$run/last" --overwrite
expect_fail 2 '--out: belongs to an attribution' "$predict" "${inputs[@]}" --out "$attribution/maps"
mkdir "$work/pairs"
cut -f 1,2 "$attribution/pairs.tsv" >"$work/pairs/pairs.tsv"
for more in --quiet --overwrite; do
  expect_fail 2 "pairs.tsv: --out: would overwrite what --pairs reads ($work/pairs/pairs.tsv)" "$attribute" \
    --data "$data" --model "$model" --pairs "$work/pairs/pairs.tsv" --out "$work/pairs" $more
done
# Through a link in the folder, a hard link, and the files of --config, --annotations, --replicate.
mkdir "$work/trap"
ln -s "$data/pairs.tsv" "$work/trap/pairs.tsv"
expect_fail 2 'would overwrite what --data reads' "$attribute" "${explain[@]}" --out "$work/trap"
rm "$work/trap/pairs.tsv"
ln "$work/pairs/pairs.tsv" "$work/trap/peaks.tsv"
expect_fail 2 'would overwrite what --pairs reads' "$attribute" "${inputs[@]}" \
  --pairs "$work/pairs/pairs.tsv" --out "$work/trap"
echo '{"split": "val"}' >"$work/trap/metrics.json"
expect_fail 2 'would overwrite what --config reads' "$predict" "${inputs[@]}" --out "$work/trap" \
  --config "$work/trap/metrics.json"
awk -F '\t' -v OFS='\t' '{ print $2, $3, $4 }' "$data/pairs.tsv" >"$work/trap/predictions.tsv"
expect_fail 2 'would overwrite what --replicate reads' "$predict" "${inputs[@]}" --out "$work/trap" \
  --replicate "$work/trap/predictions.tsv"
mkdir -p "$work/trap/tracks"
cp "$data/sites.bed" "$work/trap/tracks/peaks.bed"
expect_fail 2 'would overwrite what --annotations reads' "$attribute" "${explain[@]}" \
  --out "$work/trap" --annotations "$work/trap/tracks/peaks.bed"
mkdir "$work/weights"
cp "$model" "$work/weights"
expect_fail 2 'would overwrite what --model reads' "$train" --data "$data" "${sizes[@]}" \
  --model "$work/weights/model.safetensors" --out "$work/weights"
expect_fail 2 'would overwrite what --model reads' "$train" --data "$data" "${sizes[@]}" \
  --model "$model" --out "$run" --overwrite
for file in "$model" "$data/pairs.tsv" "$data/dna.f32" "$run/config.json" "$attribution/summary.json"; do
  expect_fail 2 '--out: would overwrite what --' "$report" "${page[@]}" --attribution "$attribution" \
    --out "$file" --overwrite
done
expect_fail 2 'would overwrite what --annotations reads' "$report" "${page[@]}" \
  --annotations "$data/sites.bed" --out "$data/sites.bed" --overwrite
expect_fail 2 'belongs to a data set' "$report" "${page[@]}" --out "$work/other/pairs.tsv" --overwrite
expect_fail 2 'exists and is not a report' "$report" "${page[@]}" --out "$work/pairs/pairs.tsv" --overwrite
rm "$work/other/truth.json"
expect_fail 2 'belongs to a data set' "$report" "${page[@]}" --out "$work/other/truth.json"
if has_hdf5; then
  mkdir "$work/sources"
  for name in dna rna protein mapping train val; do echo no >"$work/sources/$name"; done
  mv "$work/sources/rna" "$work/sources/rna.f32"
  files=(--dna "$work/sources/dna" --rna "$work/sources/rna.f32" --protein "$work/sources/protein" --quiet
    --mapping "$work/sources/mapping" --train "$work/sources/train" --val "$work/sources/val")
  expect_fail 2 'would overwrite what --rna reads' "$import" "${files[@]}" --out "$work/sources"
  expect_fail 2 '--out: holds a run' "$import" "${files[@]}" --out "$run" --overwrite
  expect_fail 2 '--out: already holds a data set' "$import" "${files[@]}" --out "$data"
fi
for folder in "$data" "$run" "$prediction" "$attribution"; do keeps "$folder"; done

# --- an earlier output is replaced only when intended, and files that merely have its names never
expect_fail 2 '--out: already holds a prediction; --overwrite replaces it' "$predict" "${inputs[@]}" \
  --out "$prediction"
expect_fail 2 '--out: already holds an attribution; --overwrite replaces it' "$attribute" \
  "${explain[@]}" --out "$attribution"
expect_fail 2 '--out: already holds a data set; --overwrite replaces it' "$synth" --preset tiny \
  --out "$data"
expect_fail 2 'already holds a run; --resume continues it, --overwrite replaces it' "$train" \
  --data "$data" --out "$run" "${sizes[@]}"
expect_fail 2 '--overwrite: ' "$train" --resume --overwrite --out "$run"
for more in --quiet --overwrite; do
  expect_fail 2 'predictions.tsv: --out: is in the way and not of a prediction' "$predict" --data "$data" \
    --model "$model" --out "$work/trap" $more
done
for folder in "$data" "$run" "$prediction" "$attribution"; do keeps "$folder"; done
cp -r "$prediction" "$work/again-prediction"
expect_ok "$predict" "${inputs[@]}" --out "$work/again-prediction" --split train --overwrite
expect_text "$work/again-prediction/metrics.json" '"split": "train"'
cp -r "$attribution" "$work/again-attribution"
echo mine >"$work/again-attribution/notes.txt"
expect_ok "$attribute" "${explain[@]}" --out "$work/again-attribution" --overwrite
check 'scores of the old attribution are gone' [ ! -e "$work/again-attribution/methods" ]
check 'what is no part of it stays' [ -e "$work/again-attribution/notes.txt" ]
cp -r "$run" "$work/again-run"
expect_ok "$train" --data "$data" --out "$work/again-run" "${sizes[@]}" --seed 5 --overwrite
check 'one epoch of the new run' [ "$(wc -l <"$work/again-run/metrics.jsonl")" -eq 1 ]
check 'other weights' test -n "$(cmp "$model" "$work/again-run/model.safetensors")"
# A program that cannot start leaves the run that it was to replace.
cp -r "$run" "$work/kept-run"
expect_fail 2 'heads 5 does not divide' "$train" --data "$data" --out "$work/kept-run" --heads 5 --overwrite
check 'the run is kept' cmp <(state "$run") <(state "$work/kept-run")
cp -r "$data" "$work/again-data"
touch "$work/again-data/audit.json"
expect_ok "$synth" --preset tiny --seed 8 --out "$work/again-data" --overwrite --quiet
check 'the audit of an import is not the new data set' [ ! -e "$work/again-data/audit.json" ]
expect_ok "$synth" --preset tiny --seed 8 --out "$work/fresh-data" --quiet
check 'the same as a fresh one, except the command' \
  cmp <(state "$work/again-data" | grep -v provenance.json) <(state "$work/fresh-data" | grep -v provenance.json)
for folder in "$work"/again-*; do clean "$folder"; done

# A full volume keeps the earlier prediction: a file may not grow past 1 KiB.
cp -r "$prediction" "$work/kept-prediction"
limited() {
  trap '' XFSZ
  ulimit -f 1
  exec "$predict" "${inputs[@]}" --out "$work/kept-prediction" --split train --overwrite
}
status=0
(limited) >"$work/stdout" 2>"$work/stderr" || status=$?
check "exit status 2, not $status" [ $status -eq 2 ]
check 'the prediction is kept' cmp <(state "$prediction") <(state "$work/kept-prediction")

# --- predictions.tsv and metrics.json belong together
cp -r "$prediction" "$work/mixed"
cp "$work/again-prediction/predictions.tsv" "$work/mixed"
expect_fail 2 'is not the table that metrics.json beside it was computed from' "$report" "${page[@]}" \
  --prediction "$work/mixed" --out "$work/none.html"

# --- a report: parent folders, its own earlier page, dangling links
if [ -n "$has_gnuplot" ]; then
  expect_ok "$report" "${page[@]}" --out "$work/new/folder/page.html"
  expect_fail 2 'page.html: --out: already holds a report; --overwrite replaces it' "$report" "${page[@]}" \
    --out "$work/new/folder/page.html"
  # Temporaries of a killed report are removed, but not those of a running one.
  dead=$work/new/folder/.page.html.cdt-tmp-0123456789abcdef live=${dead%f}0
  touch "$dead" "$live"
  flock "$live" "$report" "${page[@]}" --out "$work/new/folder/page.html" --overwrite >/dev/null 2>&1
  check 'the page of a dead report is swept' [ ! -e "$dead" ]
  check 'that of a living one is not' [ -e "$live" ]
  rm "$live"
  clean "$work/new"
  check 'inside a run' "$report" "${page[@]}" --out "$work/again-run/report.html" >/dev/null
fi
expect_fail 2 'is a folder; name a file' "$report" "${page[@]}" --out "$run"
ln -s "$work/nowhere" "$work/dangling"
for program in "$predict" "$train"; do
  expect_fail 2 "dangling: create: is a link to $work/nowhere, which does not exist" "$program" \
    --data "$data" --model "$model" --out "$work/dangling" --quiet
done
expect_fail 2 "dangling: --out: is a link to $work/nowhere, which does not exist" "$report" "${page[@]}" \
  --out "$work/dangling"
# A program that fails removes the folders it created.
expect_fail 2 'absent.safetensors' "$predict" --data "$data" --model "$work/absent.safetensors" \
  --out "$work/made/here"
check 'parents too' [ ! -e "$work/made" ]
status=0
"$predict" "${inputs[@]}" --out "$work/closed" >&- 2>"$work/stderr" || status=$?
check 'closed standard output: exit status 1' [ $status -eq 1 ]
expect_text "$work/stderr" 'cdt-predict: standard output: is closed'

# --- what the end of a run needs is checked at its start
touch "$work/file"
for folder in "$work/nowhere" "$work/file"; do
  TMPDIR=$folder expect_ok "$attribute" "${explain[@]}" --out "$work/no-tmp" --overwrite
  check 'bigWig without a temporary folder' compgen -G "$work/no-tmp/tracks/*.bw" >/dev/null
done
mkdir "$work/blocked" "$work/blocked/summary.json"
expect_fail 2 'summary.json: --out: is ' "$attribute" "${explain[@]}" --out "$work/blocked"
mkdir "$work/in-the-way"
touch "$work/in-the-way/tracks"
expect_fail 2 'tracks: --out: is not a folder' "$attribute" "${explain[@]}" --out "$work/in-the-way"
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
  # small COMMAND...: with a volume of 1 MiB at $work/small.
  mkdir "$work/small"
  small() { unshare -m sh -c 'mount -t tmpfs -o size=1m none "$0" && "$@"' "$work/small" "$@"; }
  full() {
    local status=0
    small "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    check "$1 on a full volume: exit status 2, not $status" [ $status -eq 2 ]
    check "$1 on a full volume: $(cat "$work/stderr")" \
      grep -q 'free space: the volume is too full (expected' "$work/stderr"
    check 'one line' [ "$(wc -l <"$work/stderr")" -eq 1 ]
  }
  full "$synth" --preset demo --out "$work/small/a/b" --quiet
  full "$train" --data "$data" --out "$work/small/a" --quiet --hidden 64 --epochs 1
  full "$attribute" "${inputs[@]}" --split train --all-genes --methods all --paths --tracks 0 \
    --out "$work/small/a"
else
  skip 'full volume' 'needs root and a mount namespace (unshare -m)'
fi

# Temporaries of a killed training are removed when the run resumes.
cp -r "$run" "$work/left-run"
mkdir "$work/left-run/last.new"
touch "$work/left-run/"{,last/,last.new/}.model.safetensors.cdt-tmp-0123456789abcdef
expect_ok "$train" --resume --out "$work/left-run" --epochs 2 --quiet
clean "$work/left-run"
check 'the half-written last' [ ! -e "$work/left-run/last.new" ]

# --- killed midway: the next run works and leaves no temporary
# kill_in_the_middle SIGNAL OUT COMMAND...: kills it once it has a temporary in OUT.
kill_in_the_middle() {
  local signal=$1 out=$2 pid i
  shift 2
  rm -rf "$out"
  "${shell_signals[@]}" "$@" --out "$out" >/dev/null 2>&1 &
  pid=$!
  for ((i = 0; i < 2000; i++)); do
    ! hidden "$out" 2>/dev/null | grep -q tmp || break
    sleep 0.005
  done
  kill -"$signal" $pid
  wait $pid 2>/dev/null
}
survives() {
  local out=$work/killed
  kill_in_the_middle KILL "$out" "$@"
  check "$1: killed while it wrote" [ -n "$(hidden "$out")" ]
  expect_ok "$@" --out "$out"
  clean "$out"
  kill_in_the_middle HUP "$out" "$@"
  expect_ok "$@" --out "$out"
  clean "$out"
}
survives "$synth" --preset demo --enhancers 6000 --quiet
slow=("${inputs[@]}" --split train --all-genes)
survives "$attribute" "${slow[@]}" --methods random --tracks 0 --null-replicates 9
# Files that a killed run had already renamed are not output; the next run replaces them.
rm "$work/killed/summary.json"
expect_fail 2 'is in the way' "$attribute" "${slow[@]}" --tracks 0 --out "$work/killed"
printf 'an attribution\n' >"$work/killed/.cdt-unfinished"
expect_ok "$attribute" "${slow[@]}" --tracks 0 --null-replicates 9 --out "$work/killed"
clean "$work/killed"
# Two programs at once in one folder.
rm -rf "$work/killed"
"$attribute" "${slow[@]}" --methods all --out "$work/killed" >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 2000; i++)); do
  [ ! -e "$work/killed/.cdt-unfinished" ] || break
  sleep 0.005
done
expect_fail 2 'lock: another program is writing to this folder' "$predict" "${inputs[@]}" --out "$work/killed"
kill $pid
wait $pid 2>/dev/null
check 'an interrupted run leaves nothing' [ ! -e "$work/killed" ]

finish
