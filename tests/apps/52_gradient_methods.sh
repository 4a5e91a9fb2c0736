#!/bin/bash
# cdt-attribute: the gradient methods, what they add to the summary, and optional files.
source tests/apps/lib.sh
attribute=$CDT_BIN/cdt-attribute
tiny_model --genes 24
genes=$(grep -c . "$data/rna.genes.txt")
run() { "$attribute" --data "$data" --model "$model" --split val --sample 4 --tracks 0 "$@"; }

# values FILE: the values of a float32 npy file, one per line, without Python.
values() { tail -c +129 "$1" | od -An -v -t fF -w4 | tr -d ' '; }
shape() { check "shape of $1" grep -qaF "'shape': ($2)" "$1"; }

signed=integrated_gradients,gradient_x_input,occlusion
expect_ok run --methods "$signed,smoothgrad" --occlude-bins 4 --smooth-samples 3 --paths --path-heads \
  --gene-gradients --out "$work/all"
all=$work/all
for method in ${signed//,/ } smoothgrad; do shape "$all/methods/$method.npy" '4, 16'; done
shape "$all/paths.npy" '4, 3, 16'
shape "$all/paths_product.npy" '4, 3, 16'
shape "$all/rna_gradient.npy" "4, $genes"
shape "$all/protein_gradient.npy" "4, $genes"
for field in paths additivity_error via_protein occlusion_vs_gradient pearson_mean \
  integrated_gradients completeness_error incomplete_pairs; do
  expect_text "$all/summary.json" "\"$field\""
done
check 'no pair is incomplete' grep -q '"incomplete_pairs": 0' "$all/summary.json"
check 'signed scores keep their sign' [ "$(values "$all/methods/occlusion.npy" | grep -c '^-')" -gt 0 ]
check 'four bins share an effect' [ "$(values "$all/methods/occlusion.npy" | uniq | wc -l)" -le 16 ]
expect_text "$work/stdout" 'Monte Carlo error of smoothgrad, of 3 samples: '
check 'Monte Carlo error of smoothgrad' awk '/"monte_carlo_error": \{/ { on = 1 }
  on && /"mean"/ { mean = $2 + 0 } on && /"largest"/ { largest = $2 + 0; on = 0 }
  END { exit !(mean > 0 && mean <= largest && largest < 1) }' "$all/summary.json"
check 'norms have no sign' [ "$(values "$all/methods/smoothgrad.npy" | grep -c '^-')" -eq 0 ]
check 'paths are not all zero' [ "$(values "$all/paths.npy" | sort -u | wc -l)" -gt 100 ]

expect_text "$work/stdout" 'integrated gradients: completeness error'
expect_text "$work/stdout" '0 of 4 pairs beyond 1 %: 0 within the resolution of predictions, 0 incomplete; 32 steps mean'
check 'completeness by pair' awk -F '\t' 'NR == FNR { if (FNR > 1) pair[FNR] = $1 "\t" $2; next }
  FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  $1 "\t" $2 != pair[FNR] || $at["steps"] < 32 || $at["complete"] != 1 { bad = 1 }
  { sum += $at["completeness_error"] } END { print sum / 4; exit bad || FNR != 5 }' \
  "$all/pairs.tsv" "$all/integrated_gradients.tsv" >"$work/mean_error"
number() { grep -A 1 "\"$2\": {" "$1/summary.json" | sed -n 's/.*"mean": \(.*\),/\1/p'; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d
  s = b < 0 ? -b : b; exit a == "" || b == "" || d > 1e-4 * s + 1e-9 }'; }
check 'their mean is that of the summary' near "$(cat "$work/mean_error")" \
  "$(number "$all" completeness_error)"

# The first of the top bins is the peak even with ties: occlusion gives four bins one score.
check 'rank 1 is the peak of every method' awk -F '\t' '
  NR == FNR && FNR == 1 { for (i = 1; i <= NF; i++) if (sub(/_peak_bin$/, "", $i)) at[$i] = i; next }
  NR == FNR { for (m in at) peak[$1, $2, m] = $at[m]; next }
  FNR > 1 && $4 == 1 { n++; if (peak[$1, $2, $3] != $8) bad = 1 } END { exit bad || n != 4 * 6 }' \
  "$all/pairs.tsv" "$all/peaks.tsv"

# The norm of the whole is at most the sum of the norms of its parts, bin by bin.
paste <(values "$all/gradient.npy") \
  <(values "$all/paths.npy" | awk '{ v[NR - 1] = $1 } END { for (p = 0; p < 4; p++)
    for (b = 0; b < 16; b++) print v[p * 48 + b] + v[p * 48 + 16 + b] + v[p * 48 + 32 + b] }') \
  >"$work/norms"
check 'triangle inequality' awk '$1 > $2 * 1.0001 { bad = 1 } END { exit bad || NR != 64 }' \
  "$work/norms"

# Gradient x input of the parts adds up, bin by bin; its sums are those of the summary.
paste <(values "$all/methods/gradient_x_input.npy") \
  <(values "$all/paths_product.npy" | awk '{ v[NR - 1] = $1 } END { for (p = 0; p < 4; p++)
    for (b = 0; b < 16; b++) { i = p * 48 + b; print v[i] + v[i + 16] + v[i + 32], v[i + 16] } }') \
  >"$work/products"
check 'parts add up to gradient x input' awk '{ d = $1 - $2; s = $1; if (d < 0) d = -d
    if (s < 0) s = -s; if (d > most) most = d; if (s > scale) scale = s; if ($3 != 0) some = 1 }
  END { exit !(NR == 64 && scale > 0 && some && most < 1e-5 * scale) }' "$work/products"
sum_via_rna=$(awk '{ s += $3 } END { print s / 4 }' "$work/products")
check 'sums of the products' near "$sum_via_rna" "$(sed -n '/"sum_over_window"/,$p' \
  "$all/summary.json" | grep -m 1 -A 2 via_rna | sed -n 's/.*"value": \(.*\),/\1/p')"

# Paths via RNA and protein by head of the cross-attention: the parts of a path add up to it.
expect_ok run --paths --path-heads --out "$work/heads"
expect_same "$work/heads/paths_product.npy" "$all/paths_product.npy"
check 'a row per pair, way, part and head' [ "$(wc -l <"$work/heads/path_heads.tsv")" -eq \
  $((1 + 4 * 2 * 2 * 2)) ]
check 'parts of the ways add up' awk -F '\t' -v most=1e-5 '
  NR == FNR { n = NR - 1; way = int(n / 16) % 3; if (way > 0) whole[int(n / 48) * 2 + way - 1] += $1; next }
  FNR == 1 { next } { i = int((FNR - 2) / 4); sum[i] += $7; size[i] += $7 < 0 ? -$7 : $7 }
  END { for (i = 0; i < 8; i++) { d = whole[i] - sum[i]; if (d < 0) d = -d
      if (d > most * size[i] + 1e-10 || !(size[i] > 0)) bad = 1 } exit bad }' \
  <(values "$work/heads/paths_product.npy") "$work/heads/path_heads.tsv"
shares=$(awk -F '\t' '$3 == "via_rna" { s += $6 } END { print s / 4 }' "$work/heads/path_heads.tsv")
check 'shares of the heads are those of the way' near "$shares" \
  "$(grep -m 1 -A 2 '"via_rna": {' "$work/heads/summary.json" | sed -n 's/.*"value": \(.*\),/\1/p')"
expect_text "$work/heads/summary.json" '"mean_by_head"'

# Another baseline gives other results; noise of size 0 has no effect.
expect_ok run --methods integrated_gradients,smoothgrad --baseline mean --smooth-noise 0 \
  --smooth-samples 2 --out "$work/mean"
expect_text "$work/mean/summary.json" '"baseline": "mean"'
check 'other scores' [ "$(values "$all/methods/integrated_gradients.npy")" != \
  "$(values "$work/mean/methods/integrated_gradients.npy")" ]
check 'without noise it is the gradient' awk '{ d = $1 - $2; if (d < 0) d = -d }
  d > 1e-5 * $2 + 1e-9 { bad = 1 } END { exit bad || NR != 64 }' \
  <(paste <(values "$work/mean/methods/smoothgrad.npy") <(values "$work/mean/gradient.npy"))

# The gradient's claim about a baseline is correlated with occlusion by that baseline: the effects and
# claims, range by range, are those of --occlude-region.
ranges=(0-3 4-7 8-11 12-15)
expect_ok run --methods occlusion,gradient_x_input --baseline mean --occlude-bins 4 \
  "${ranges[@]/#/--occlude-region=}" --out "$work/claims"
expect_text "$work/claims/summary.json" '"claim": "gradient . (input - baseline)"'
tail -n +2 "$work/claims/occlusion_regions.tsv" | awk -F '\t' '
  { n = NR % 4; x += $9; y += $8; xx += $9 * $9; yy += $8 * $8; xy += $9 * $8 }
  n == 0 { r += (xy - x * y / 4) / sqrt((xx - x * x / 4) * (yy - y * y / 4)); pairs++
           x = y = xx = yy = xy = 0 } END { print r / pairs }' >"$work/r"
check 'correlation with the claims' near "$(cat "$work/r")" \
  "$(grep -A 5 'gradient . (input - baseline)' "$work/claims/summary.json" |
    sed -n 's/.*"value": \([-0-9.e]*\),/\1/p')"

# A later run without the option removes the file.
expect_ok run --out "$work/all" --overwrite
for file in paths.npy paths_product.npy path_heads.tsv rna_gradient.npy protein_gradient.npy integrated_gradients.tsv methods; do
  check "no old $file" [ ! -e "$work/all/$file" ]
done

# All genes of an enhancer, more than the hidden size: the same windows, up to rounding.
enhancer=$(awk -F '\t' '$1 == "val" { print $2; exit }' "$data/pairs.tsv")
gene=$(awk -F '\t' '$1 == "val" { print $3; exit }' "$data/pairs.tsv")
expect_ok "$attribute" --data "$data" --model "$model" --pair "$enhancer:$gene" --all-genes \
  --methods gradient_x_input --tracks 0 --out "$work/genes"
check 'a row per gene' [ "$(tail -n +2 "$work/genes/pairs.tsv" | cut -f 2 | sort -u | wc -l)" -eq "$genes" ]
expect_ok "$attribute" --data "$data" --model "$model" --pair "$enhancer:$gene" \
  --methods gradient_x_input --tracks 0 --out "$work/gene"
row=$(tail -n +2 "$work/genes/pairs.tsv" | cut -f 2 | grep -nxF "$gene" | cut -d : -f 1)
for file in gradient.npy methods/gradient_x_input.npy; do
  check "$file among all genes" awk '{ d = $1 - $2; s = $2; if (d < 0) d = -d; if (s < 0) s = -s
      if (d > most) most = d; if (s > scale) scale = s }
    END { exit !(NR == 16 && scale > 0 && most < 1e-4 * scale) }' \
    <(paste <(values "$work/genes/$file" | tail -n +$((16 * (row - 1) + 1)) | head -n 16) \
      <(values "$work/gene/$file"))
done

expect_fail 2 '--baseline' "$attribute" --data "$data" --model "$model" --split val \
  --baseline median --out "$work/none"
expect_fail 2 '--occlude-bins' "$attribute" --data "$data" --model "$model" --split val \
  --methods occlusion --occlude-bins 0 --out "$work/none"
check 'a refused option leaves no folder' [ ! -e "$work/none" ]

finish
