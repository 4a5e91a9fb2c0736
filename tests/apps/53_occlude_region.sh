#!/bin/bash
# cdt-attribute --occlude-region: predictions without a named region, next to the gradient's claim.
source tests/apps/lib.sh
attribute=$CDT_BIN/cdt-attribute
tiny_model
run() { "$attribute" --data "$data" --model "$model" --split val --tracks 0 --quiet "$@"; }
values() { tail -c +129 "$1" | od -An -v -t fF -w4 | tr -d ' '; }
# rows FILE REGION: the rows of that region.
rows() { awk -F '\t' -v region="$2" '$3 == region' "$1"; }

# Bins 4 to 7 of the first pair's enhancer, as bases counted from 1; and one base more.
enhancer=$(awk -F '\t' '$1 == "val" { print $2; exit }' "$data/pairs.tsv")
read -r chrom centre < <(awk -F '\t' -v e="$enhancer" '$4 == e { print $1, int(($2 + $3) / 2) }' \
  "$data/enhancers.bed")
thousands() { sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$1"; }
given="$chrom:$((centre - 4 * 128 + 1))-$((centre))"
bases="$chrom:$(thousands $((centre - 4 * 128 + 1)))-$(thousands $((centre)))"  # as it is printed
more="$chrom:$(thousands $((centre - 4 * 128 + 1)))-$(thousands $((centre + 1)))"
out=$work/out
expect_ok run --methods occlusion,gradient_x_input --occlude-bins 4 --occlude-region 4-7 \
  --occlude-region "$given" --occlude-region "$more" --out "$out"
expect_text "$work/stdout" 'region replaced by the baseline'
check 'a region stands there once, as a locus' [ "$(grep -cF "$bases" "$work/stdout")" -eq 1 ]
regions=$out/occlusion_regions.tsv
pairs=$(tail -n +2 "$out/pairs.tsv" | wc -l)
check 'bins: a row per pair' [ "$(rows "$regions" 4-7 | wc -l)" -eq "$pairs" ]
check 'bases: the pairs of one enhancer' [ "$(rows "$regions" "$bases" | cut -f 1 | sort -u)" = "$enhancer" ]
check 'bases that are the bins give their numbers' \
  cmp <(rows "$regions" "$bases" | cut -f 1,2,4-) \
  <(rows "$regions" 4-7 | cut -f 1,2,4- | grep "^$enhancer	")
check 'one base more is one bin more' [ "$(rows "$regions" "$more" | cut -f 4,5 | sort -u)" = "4	8" ]
check 'predictions of pairs.tsv' cmp <(rows "$regions" 4-7 | cut -f 1,2,6) \
  <(tail -n +2 "$out/pairs.tsv" | cut -f 1,2,7)

# The difference is the occlusion effect of these four bins, and the claim the sum of gradient x input.
paste <(rows "$regions" 4-7 | cut -f 6-9) \
  <(values "$out/methods/occlusion.npy" | awk 'NR % 16 == 5') \
  <(values "$out/methods/gradient_x_input.npy" |
    awk '{ b = (NR - 1) % 16; if (b >= 4 && b <= 7) s += $1; if (b == 15) { print s; s = 0 } }') \
  >"$work/both"
check 'difference and claim' awk -v pairs="$pairs" 'function off(a, b) { d = a - b
    return (d < 0 ? -d : d) > 1e-5 }
  { if (off($3, $5) || off($4, $6) || off($1 - $2, $3)) bad = 1; if ($3 != 0) some = 1 }
  END { exit bad || !some || NR != pairs }' "$work/both"
# r over pairs, recomputed.
r=$(grep -A 8 '"region": "4-7"' "$out/summary.json" | sed -n 's/.*"value": \([-0-9.e]*\),.*/\1/p')
check 'correlation over pairs' awk -v r="$r" '{ n++; x += $4; y += $3; xx += $4 * $4; yy += $3 * $3
    xy += $4 * $3 }
  END { p = (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n)); d = p - r
    exit r == "" || d > 1e-4 || d < -1e-4 }' "$work/both"
for field in occlusion_regions difference_mean gradient_claim_mean pearson interval_95; do
  expect_text "$out/summary.json" "\"$field\""
done

# Another baseline gives other results; a run without the option removes the file.
expect_ok run --baseline mean --occlude-region 4-7 --out "$work/mean"
check 'other numbers' [ "$(cut -f 7 "$work/mean/occlusion_regions.tsv")" != \
  "$(rows "$regions" 4-7 | cut -f 7)" ]
expect_text "$work/mean/summary.json" '"baseline": "mean"'
expect_ok run --out "$out" --overwrite
check 'no old file' [ ! -e "$regions" ]
check 'no section' [ "$(grep -c occlusion_regions "$out/summary.json")" -eq 0 ]

refused() {
  expect_fail 2 "--occlude-region: $1" "$attribute" --data "$data" --model "$model" --split val \
    --quiet --out "$work/none" "${@:2}"
}
refused 'not a region (expected FIRST-LAST in bins or CHROM:FIRST-LAST in bases, got nonsense)' \
  --occlude-region nonsense
for text in 7-4 4- -4-7 :1-2 "$chrom:0-5" "$chrom:9" 1,0-2 "$chrom:1,00-2,000" "$chrom:1,-5"; do
  refused 'not a region' "--occlude-region=$text"
done
refused 'past the window (expected bins 0 to 15, got 3-16)' --occlude-region 3-16
refused 'the window of no chosen enhancer holds all of chr99:1-100' --occlude-region chr99:1-100
refused 'the window of no chosen enhancer holds all of' \
  --occlude-region "$chrom:$((centre - 8 * 128))-$centre"
refused 'given twice: 4-7' --occlude-region 4-7 --occlude-region 4-7
refused "given twice: $bases" --occlude-region "$given" --occlude-region "$bases"
refused 'past the end of chr1 (expected bases 1 to 248,956,422, got chr1:248,956,423-248,956,430)' \
  --occlude-region chr1:248956423-248956430
check 'a refused region leaves no folder' [ ! -e "$work/none" ]

# At the ends of a chromosome a peak is printed only as far as it lies on the chromosome; pasted back, it
# selects the same bin.
cp -r "$data" "$work/ends"
awk -F '\t' -v OFS='\t' -v e="$enhancer" '{ $1 = "chrM"; $2 = $4 == e ? 16400 : 0; $3 = $2 + 100
  print }' "$data/enhancers.bed" >"$work/ends/enhancers.bed"
gene=$(awk -F '\t' -v e="$enhancer" '$1 == "val" && $2 == e { print $3; exit }' "$data/pairs.tsv")
at_ends=("$attribute" --data "$work/ends" --model "$model" --pair "$enhancer:$gene" --quiet)
expect_ok "${at_ends[@]}" --tracks 1 --out "$work/e"
read -r bin start end < <(awk -F '\t' '$3 == "attention" && $7 == 16569 && $6 < $7 {
  print $8, $6, $7; exit }' "$work/e/peaks.tsv")
check 'the last bin with a base' [ "$bin" = 8 ]
expect_ok "${at_ends[@]}" --tracks 0 --occlude-region "chrM:$(thousands $((start + 1)))-$(thousands "$end")" \
  --out "$work/pasted"
check 'it is the same bin' \
  [ "$(tail -n 1 "$work/pasted/occlusion_regions.tsv" | cut -f 4,5)" = "$bin	$bin" ]
expect_fail 2 'past the end of chrM (expected bases 1 to 16,569, got chrM:16,500-16,600)' \
  "${at_ends[@]}" --occlude-region chrM:16500-16600 --out "$work/none"

finish
