#!/bin/bash
# cdt-attribute: pairs whose DNA is all zeros are scored and flagged, but are in no number of the summary.
source tests/apps/lib.sh
attribute=$CDT_BIN/cdt-attribute
tiny_model
# The DNA of two enhancers of the validation pairs is set to zero.
mapfile -t blank < <(awk -F '\t' '$1 == "val" { print $2 }' "$data/pairs.tsv" | sort -u | sed -n '1p;3p')
bytes=$(($(stat -c %s "$data/dna.f32") / $(wc -l <"$data/enhancers.bed")))
cp -r "$data" "$work/blank"
for name in "${blank[@]}"; do
  row=$(($(cut -f 4 "$data/enhancers.bed" | grep -nxF "$name" | cut -d : -f 1) - 1))
  dd if=/dev/zero of="$work/blank/dna.f32" bs="$bytes" seek="$row" count=1 conv=notrunc status=none
done
is_blank() { awk -F '\t' -v a="${blank[0]}" -v b="${blank[1]}" '$1 == a || $1 == b' "$1"; }
blanks=$(grep '^val' "$data/pairs.tsv" | cut -f 2 | is_blank /dev/stdin | wc -l)
cp -r "$work/blank" "$work/without"
awk -F '\t' -v a="${blank[0]}" -v b="${blank[1]}" '$2 != a && $2 != b' "$data/pairs.tsv" \
  >"$work/without/pairs.tsv"
run() {
  "$attribute" --data "$1" --model "$model" --split val --tracks 0 --methods all --paths --path-heads \
    --baseline mean --smooth-samples 2 --null-replicates 99 --maps all --map-pairs 1000 \
    --occlude-region 4-7 --out "$2"
}
expect_ok run "$work/blank" "$work/zeros"
mv "$work/stdout" "$work/zeros.txt"
expect_ok run "$work/without" "$work/rest"

# counted INDENTED_NAME N: the object of that name counts N as left out.
counted() { awk -v name="^$1\": {" -v n="$2" '$0 ~ name { inside = 1 }
  inside && /"zero_dna_left_out"/ { exit !($2 + 0 == n) }' "$work/zeros/summary.json"; }
for section in paths occlusion_vs_gradient integrated_gradients truth_scores; do
  check "$section counts them" counted "  \"$section" "$blanks"
done
check 'attention_gmar counts them' counted '    "attention_gmar' "$blanks"
check 'attention_maps counts the enhancers' counted '  "attention_maps' 2
numbers() { grep -vE '"data": "[0-9a-f]{16}"|"(pairs|enhancers|pairs_with_zero_dna|zero_dna_left_out|undefined|zero_dna)": ' \
  "$1/summary.json"; }
check 'a window of each of ten methods, and of the two defaults again' \
  [ "$(grep -cE "^ +\"zero_dna\": $blanks," "$work/zeros/summary.json")" -eq 12 ]
check 'every number is that of the other pairs' cmp <(numbers "$work/zeros") <(numbers "$work/rest")
check 'the printed numbers too' cmp \
  <(tail -n +3 "$work/zeros.txt" | grep -v '^tracks') \
  <(tail -n +2 "$work/stdout" | grep -v '^tracks')

# The files hold all pairs, and those without DNA are flagged; such a pair has no peaks.
for file in pairs integrated_gradients path_heads; do
  check "$file.tsv flags them" awk -F '\t' -v a="${blank[0]}" -v b="${blank[1]}" '
    NR == 1 { bad = $NF != "zero_dna"; next } { zero = $1 == a || $1 == b; n += zero }
    $NF != zero { bad = 1 } END { exit bad || !n }' "$work/zeros/$file.tsv"
done
check 'peaks.tsv has none of them' cmp "$work/zeros/peaks.tsv" "$work/rest/peaks.tsv"
for file in pairs integrated_gradients path_heads; do
  check "the other rows of $file.tsv" cmp <(is_blank "$work/zeros/$file.tsv" |
    grep -vxFf - "$work/zeros/$file.tsv") "$work/rest/$file.tsv"
done

finish
