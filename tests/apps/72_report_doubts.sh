#!/bin/bash
# What a page must not show without a word: pairs that have no DNA, files of another model, data set
# or assembly, options without effect.
source tests/apps/lib.sh
tiny_model
report=$CDT_BIN/cdt-report run=$work/run

# attribute DATA MODEL OUT [OPTION...]: of the validation pairs.
attribute() {
  expect_ok "$CDT_BIN/cdt-attribute" --data "$1" --model "$2" --split val --tracks 0 \
    --null-replicates 99 --quiet --out "$3" "${@:4}"
}
# page NAME OPTION...: makes $work/NAME.html; what it warns of is in $work/stderr.
page() { expect_ok "$report" --out "$work/$1.html" --quiet "${@:2}"; }

# Pairs without DNA: the window of the strongest effect is made zeros.
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
  [ "$(grep -cF "The strongest effect: ${pair%:*} to" "$work/zeros.html")" -eq 0 ]
check 'so are the heads' [ "$(grep -cF "Enhancer ${pair%:*}, windows of" "$work/zeros.html")" -eq 0 ]
expect_fail 2 "no pair with DNA named $pair" "$report" --data "$work/zeros" --run "$run" \
  --attribution "$work/of-zeros" --pair "$pair" --out "$work/none.html" --quiet
cp -r "$work/of-zeros" "$work/all-zeros"
awk -F '\t' -v OFS='\t' 'NR > 1 { $NF = 1 } 1' "$work/of-zeros/pairs.tsv" >"$work/all-zeros/pairs.tsv"
page none-left --data "$work/zeros" --run "$run" --attribution "$work/all-zeros"
expect_text "$work/none-left.html" \
  '<b>Where the peaks lie</b> is left out. No explained pair has DNA: all their windows are zeros.'

check 'the first map is of the enhancer without DNA' \
  grep -q "^ *\"${pair%:*}\",\?$" <(grep -A 1 '"enhancers"' "$work/of-zeros/maps/maps.json")

# The shares by path are those of summary.json, which add up.
share=$(grep -A 2 '"direct": {' "$work/of-zeros/summary.json" |
  sed -n 's/.*"mean": \([-0-9.e]*\),*$/\1/p')
printf -v shown '%.2f\xe2\x80\xaf%% directly' "$(awk -v s="$share" 'BEGIN { print 100 * s }')"
expect_text "$work/zeros.html" "$shown"

finish
