#!/bin/bash
# Paths with any bytes: Latin-1 names, newlines, quotes and markup survive in every file that the programs
# write and read, and appear on the page as text.
source tests/apps/lib.sh
odd=$work/$(printf 'caf\xe9 \n"<b>&\\x\x27')
mkdir "$odd" || { skip paths 'this file system takes UTF-8 names only' && finish; }
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16)
data=$odd/data run=$odd/run prediction=$odd/prediction attribution=$odd/attribution
escaped='caf\\xe9 \\x0a\"<b>&\\\\x'\'
is_utf8() { check "$(basename "$1") is UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null "$1"; }

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$run" --epochs 1 "${sizes[@]}" --quiet
expect_text "$run/config.json" "\"data\": \"$work/$escaped/data\""
# If --data is not given again, the state says where the data set is.
expect_ok "$CDT_BIN/cdt-train" --resume --out "$run" --epochs 2 --quiet
check 'a second epoch' [ "$(wc -l <"$run/metrics.jsonl")" -eq 2 ]
awk -F '\t' -v OFS='\t' '{ print $2, $3, NR == 1 ? $4 : $4 + 0.3 * (NR % 3) }' "$data/pairs.tsv" \
  >"$odd/screen.tsv"
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$run/model.safetensors" --out "$prediction" \
  --replicate "$odd/screen.tsv" --quiet
expect_text "$prediction/metrics.json" "\"model\": \"$work/$escaped/run/model.safetensors\""
expect_text "$prediction/metrics.json" "\"source\": \"$work/$escaped/screen.tsv\""
sites=$odd/$(printf 'sites\xe9\t<i>.bed')
cp "$data/sites.bed" "$sites"
expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$run/model.safetensors" --split val \
  --annotations "$sites" --out "$attribution" --tracks 2 --quiet --profile
expect_text "$attribution/provenance.json" "\"data\": \"$work/$escaped/data\""
expect_text "$attribution/summary.json" "$escaped/sites\\\\xe9\\\\x09<i>.bed"
for file in "$run/config.json" "$prediction/metrics.json" "$attribution/provenance.json" \
  "$attribution/summary.json" "$attribution/profile.json" "$attribution/annotations.tsv" \
  "$attribution/tracks/igv_session.xml" "$data/dataset.json"; do
  is_utf8 "$file"
done
# The recorded command is one that a shell reads as the same words.
command=$(sed -n 's/^  "command_line": "\(.*\)",$/\1/p' "$attribution/provenance.json" |
  sed 's/\\\(["\\]\)/\1/g')
mv "$attribution" "$odd/before"
expect_ok bash -c "\"\$0\"/$command" "$CDT_BIN"
check 'the recorded command makes the same' diff -r --exclude profile.json "$attribution" "$odd/before"
# Options from a file use the same escapes.
printf '{"data": "%s/data", "model": "%s/run/model.safetensors"}' "$work/$escaped" "$work/$escaped" \
  >"$work/options.json"
expect_ok "$CDT_BIN/cdt-predict" --config "$work/options.json" --out "$odd/configured" --quiet
if command -v gnuplot >/dev/null; then
  page=$odd/page.html
  expect_ok "$CDT_BIN/cdt-report" --data "$data" --run "$run" --attribution "$attribution" \
    --prediction "$prediction" --annotations "$sites" --out "$page" --quiet
  # Everything belongs to one data set and model, found at the recorded paths.
  check 'no warning' [ ! -s "$work/stderr" ]
  is_utf8 "$page"
  check 'no markup from names' [ "$(grep -c '<b>&\|<i>\.bed' "$page")" -eq 0 ]
  check 'nothing is lost on the page' [ "$(grep -c $'\xef\xbf\xbd' "$page")" -eq 0 ]
fi
finish
