#!/bin/bash
# What a page must not show without comment: pairs without DNA, files of another model, data set or
# assembly, options without effect.
source tests/apps/lib.sh
tiny_model
bin=$(realpath "$CDT_BIN") run=$work/run
report=$bin/cdt-report

# attribute DATA MODEL OUT [OPTION...]: on the validation pairs; paths are relative to $work.
attribute() {
  expect_ok env -C "$work" "$bin/cdt-attribute" --data "$1" --model "$2" --split val --tracks 0 \
    --null-replicates 99 --quiet --out "$3" "${@:4}"
}
# page NAME OPTION...: makes $work/NAME.html; its warnings are in $work/stderr.
page() { expect_ok "$report" --out "$work/$1.html" --quiet "${@:2}"; }

# Pairs without DNA: the window with the strongest effect is set to zero.
pair=$(awk -F '\t' '$1 == "val" { b = $4 < 0 ? -$4 : $4; if (b > most) { most = b; p = $2 ":" $3 } }
  END { print p }' "$data/pairs.tsv")
row=$(cut -f 4 "$data/enhancers.bed" | grep -nxF "${pair%:*}" | cut -d : -f 1)
bytes=$(($(stat -c %s "$data/dna.f32") / $(wc -l <"$data/enhancers.bed")))
cp -r "$data" "$work/zeros"
dd if=/dev/zero of="$work/zeros/dna.f32" bs=$bytes seek=$((row - 1)) count=1 conv=notrunc 2>/dev/null
attribute "$work/zeros" "$model" "$work/of-zeros" --paths --methods occlusion \
  --maps dna_self_attn_layers.0 --pair "$pair"
all=$(awk 'NR > 1' "$work/of-zeros/pairs.tsv" | wc -l)
without=$(awk -F '\t' 'NR > 1 && $NF == 1' "$work/of-zeros/pairs.tsv" | wc -l)
page zeros --data "$work/zeros" --run "$run" --attribution "$work/of-zeros"
check 'some pairs have no DNA and most have' [ $((without > 0 && 2 * without < all)) -eq 1 ]
check 'it is said once' [ "$(grep -oE "$without pairs? of the attribution ha(s|ve) no DNA" \
  "$work/zeros.html" | wc -l)" -eq 1 ]
expect_text "$work/zeros.html" "<dd>$((all - without)) pairs of "
expect_text "$work/zeros.html" "mean over $((all - without)) pairs: "
check 'the strongest effect is one with DNA' \
  [ "$(grep -cF "The strongest effect among the $((all - without)) explained pairs with DNA: " \
  "$work/zeros.html")" -eq 1 ]
check 'which is another' [ "$(grep -cF "with DNA: ${pair%:*} to" "$work/zeros.html")" -eq 0 ]
check 'so are the heads' [ "$(grep -cF "Enhancer ${pair%:*}, windows of" "$work/zeros.html")" -eq 0 ]
expect_fail 2 "no pair with DNA named $pair" "$report" --data "$work/zeros" --run "$run" \
  --attribution "$work/of-zeros" --pair "$pair" --out "$work/none.html" --quiet
cp -r "$work/of-zeros" "$work/all-zeros"
awk -F '\t' -v OFS='\t' 'NR > 1 { $NF = 1 } 1' "$work/of-zeros/pairs.tsv" >"$work/all-zeros/pairs.tsv"
page none-left --data "$work/zeros" --run "$run" --attribution "$work/all-zeros"
expect_text "$work/none-left.html" \
  '<b>Where the peaks are</b> is left out. No explained pair has DNA: all their windows are zeros.'

check 'the first map is of the enhancer without DNA' \
  grep -q "^ *\"${pair%:*}\",\?$" <(grep -A 1 '"enhancers"' "$work/of-zeros/maps/maps.json")

# The shares by path are those of summary.json, which add up.
share=$(grep -A 2 '"direct": {' "$work/of-zeros/summary.json" |
  sed -n 's/.*"value": \([-0-9.e]*\),*$/\1/p')
printf -v unit '\xe2\x80\xaf%%'
share=$(awk -v s="$share" 'BEGIN { printf "%.2f", 100 * s }')
check 'the share that goes directly' \
  grep -qE "pairs: $share( \[[^]]*\])?$unit directly" "$work/zeros.html"

# The same model and data set, wherever they are: no warning.
quiet() { check "no warning: $1" [ ! -s "$work/stderr" ]; }
predict() {
  expect_ok env -C "$work" "$bin/cdt-predict" --data "$1" --model "$2" --out "$3" --quiet
}
home=$work/home
mkdir "$home"
mv "$data" "$run" "$home"
predict home/data home/run/model.safetensors home/prediction
attribute home/data home/run/model.safetensors home/attribution
whole() { page "$1" --data "$2/data" --run "$2/run" --attribution "$2/attribution" "${@:3}"; }
whole at-home "$home" --prediction "$home/prediction"
quiet 'where they were made'
cp -r "$home" "$work/copy"
whole copied "$work/copy" --prediction "$work/copy/prediction"
quiet 'a copy'
mkdir "$work/far"
mv "$home" "$work/copy" "$work/far"
far=$work/far/copy
mv "$far/data" "$far/d"
mv "$far/run" "$far/r"
rm -r "$work/far/home"
page renamed --data "$far/d" --run "$far/r" --attribution "$far/attribution"
quiet 'renamed'
mv "$far/d" "$far/data"
mv "$far/r" "$far/run"

# warned NAME COUNT TEXT: stderr says so once, the page COUNT times.
warned() {
  check "one warning of $1" [ "$(grep -c '^cdt-report: warning: ' "$work/stderr")" -eq 1 ]
  expect_text "$work/stderr" "$3"
  check "on the page of $1" [ "$(grep -oF "$3" "$work/$1.html" | wc -l)" -eq "$2" ]
}
# Another model: refused, naming both folders.
expect_ok "$CDT_BIN/cdt-train" --data "$far/data" --out "$far/run2" --epochs 1 --hidden 16 \
  --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --seed 9 --quiet
predict "$far/data" "$far/run2/model.safetensors" "$far/prediction2"
attribute "$far/data" "$far/run2/model.safetensors" "$far/attribution2"
refused=("$report" --data "$far/data" --run "$far/run" --out "$work/none.html" --quiet)
other="was made with another model than the run $far/run has (expected "
expect_fail 2 "$far/prediction2: model: the prediction $other" "${refused[@]}" \
  --prediction "$far/prediction2"
expect_fail 2 "$far/attribution2: model: the attribution $other" "${refused[@]}" \
  --attribution "$far/attribution2"
rm "$far/attribution2/provenance.json"
expect_fail 2 "$far/attribution2: model: the attribution $other" "${refused[@]}" \
  --attribution "$far/attribution2"
# Another data set: with other DNA, and with other effects.
mv "$work/zeros" "$far/zeros"
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 4 --out "$work/data4" --quiet
for other in "$far/zeros" "$work/data4"; do
  refused=("$report" --data "$other" --run "$far/run" --out "$work/none.html" --quiet)
  for output in attribution prediction; do
    expect_fail 2 "$far/$output: data: the $output was made from another data set than $other (expected " \
      "${refused[@]}" "--$output" "$far/$output"
  done
done

# Annotations for another assembly.
sed '1i track name=sites_hg19' "$far/data/sites.bed" >"$work/sites.bed"
page assembly --data "$far/data" --run "$far/run" --annotations "$work/sites.bed"
warned assembly 1 "sites.bed: assembly: the file names hg19, the data set is in hg38"

# Labels in foreign files are neither executed nor shown.
cp -r "$far/prediction" "$far/labelled"
sed -i "s|\"label\": \"[^\"]*\"|\"label\": \"x'\\\\nsystem('touch $work/ran')\\\\n#\"|" \
  "$far/labelled/metrics.json"
check 'there are labels, all of them commands' [ "$(grep -c "\"x'.nsystem(.touch $work/ran')" \
  "$far/labelled/metrics.json")" -eq "$(grep -c '"label": "' "$far/prediction/metrics.json")" ]
page labelled --data "$far/data" --run "$far/run" --prediction "$far/labelled"
check 'no label is run' [ ! -e "$work/ran" ]
expect_text "$work/labelled.html" '<th scope="row">mean window</th>'
check 'no label is shown' [ "$(grep -cF 'system(' "$work/labelled.html")" -eq 0 ]

# Options that would have no effect.
refused=("$report" --data "$far/data" --run "$far/run" --out "$work/none.html" --quiet)
expect_fail 2 '--pair: needs --attribution' "${refused[@]}" --pair "$pair"
expect_fail 2 "--split: $far/prediction holds predictions of another split (expected test, got val)" \
  "${refused[@]}" --prediction "$far/prediction" --split test
check 'no page of what is refused' [ ! -e "$work/none.html" ]

finish
