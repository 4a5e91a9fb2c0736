#!/bin/bash
# cdt-attribute: its files and their consistency, the choice of pairs, and what it refuses.
source tests/apps/lib.sh
attribute=$CDT_BIN/cdt-attribute
tiny_model
pairs=$(grep -c '^val' "$data/pairs.tsv")
run() { "$attribute" --data "$data" --model "$model" "$@"; }
rows() { tail -n +2 "$1/pairs.tsv"; }

expect_ok "$attribute" --data "$data" --model "$model" --split val --out "$work/all"
expect_text "$work/stdout" "$pairs pairs"
expect_text "$work/stdout" 'causal site'
check 'one row per pair' [ "$(rows "$work/all" | wc -l)" -eq "$pairs" ]
for method in attention gradient; do
  file=$work/all/$method.npy
  check 'npy signature' [ "$(head -c 6 "$file" | tail -c 5)" = NUMPY ]
  check 'npy header' grep -qaF "'descr': '<f4', 'fortran_order': False, 'shape': ($pairs, 16)" "$file"
  check 'npy size' [ "$(stat -c %s "$file")" -eq $((128 + pairs * 16 * 4)) ]
  check 'peaks' [ "$(grep -c "	$method	" "$work/all/peaks.tsv")" -eq $((pairs * 16)) ]
done
# The first peak of a pair is the one in pairs.tsv, at the place that its coordinates give.
check 'peaks.tsv agrees with pairs.tsv' cmp \
  <(awk -F '\t' '$3 == "gradient" && $4 == 1 { print $8, $9 }' "$work/all/peaks.tsv") \
  <(rows "$work/all" | awk -F '\t' '{ print $14, $15 }')
check 'genomic coordinates' awk -F '\t' 'NR == FNR { centre[$4] = int(($2 + $3) / 2); next }
  FNR > 1 { start = centre[$1] + ($8 - 8) * 128; n++
            if (start < 0 || $6 != start || $7 != start + 128) bad = 1 } END { exit bad || !n }' \
  "$data/enhancers.bed" "$work/all/peaks.tsv"
for field in top_overlap random_peaks planted_sites distance_between_peaks_bp effective_bins; do
  expect_text "$work/all/summary.json" "\"$field\""
done

# Tracks: one header line, then four columns, ascending without overlap, values as in peaks.tsv.
tracks=("$work"/all/tracks/[0-9]*.bedGraph)
check 'two tracks per pair' [ ${#tracks[@]} -eq $((2 * pairs)) ]
for track in "${tracks[@]}"; do
  if ! awk -F '\t' 'NR == 1 { if ($0 !~ /^track type=bedGraph name=".*" description=".*" db=hg38/) bad = 1; next }
    NF != 4 || $2 < end || $3 <= $2 { bad = 1 } { end = $3 } END { exit bad || NR != 17 }' "$track"; then
    fail "not a bedGraph: $track" "$track"
  fi
done
pass

# The same input gives the same bytes; fewer tracks replace earlier ones.
expect_ok run --split val --out "$work/again" --threads 1 --tracks 2 --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
for file in pairs.tsv peaks.tsv attention.npy gradient.npy; do
  expect_same "$work/all/$file" "$work/again/$file"
done
check 'tracks of two pairs' [ "$(ls "$work/again/tracks" | grep -c '^[0-9].*bedGraph$')" -eq 4 ]
expect_ok run --split val --out "$work/again" --tracks 0 --overwrite --quiet
check 'tracks are gone' [ ! -e "$work/again/tracks" ]

# Further methods: one file each, rows in pairs.tsv, peaks and tracks; the defaults are unchanged.
expect_ok run --split val --out "$work/methods" --methods random --seed 5 --tracks 1
for file in attention.npy gradient.npy; do expect_same "$work/all/$file" "$work/methods/$file"; done
check 'columns of the defaults' cmp <(cut -f 1-18 "$work/methods/pairs.tsv") \
  <(cut -f 1-18 "$work/all/pairs.tsv")
check 'its name in the header' grep -q 'random_peak_over_uniform	gene_train_pairs	zero_dna$' "$work/methods/pairs.tsv"
check 'its scores' [ "$(stat -c %s "$work/methods/methods/random.npy")" -eq $((128 + pairs * 64)) ]
check 'its peaks' [ "$(grep -c "	random	" "$work/methods/peaks.tsv")" -eq $((pairs * 16)) ]
check 'its track' [ "$(ls "$work/methods/tracks"/1_*.random.bedGraph | wc -l)" -eq 1 ]
expect_text "$work/methods/summary.json" '"random": {'
for text in '"program": "cdt-attribute"' '--split val' '--methods random' '"seed": 5' '"split": "val"' \
  '"version": "'; do
  expect_text "$work/methods/provenance.json" "$text"
done
expect_ok run --pair "$(rows "$work/all" | sed -n 3p | cut -f 1,2 | tr '\t' :)" --out "$work/one" \
  --methods random --seed 5
check 'random scores are those of the pair' cmp -i 128:$((128 + 2 * 64)) -n 64 \
  "$work/one/methods/random.npy" "$work/methods/methods/random.npy"
expect_ok run --split val --out "$work/methods" --overwrite --quiet
check 'files of methods that did not run are gone' [ ! -e "$work/methods/methods" ]

# Numbers next to their nulls: every method against chance, every two methods against each other.
for field in '"uniform": {' '"circular_shift": {' '"hypergeometric": {' '"effect_size"' '"fold"' \
  '"interval_95"' '"spearman"' '"edge_share"' '"null_replicates": 9999'; do
  expect_text "$work/methods/summary.json" "$field"
done
expect_ok run --split val --out "$work/methods2" --methods attention_rollout,attention_gmar,random \
  --tracks 0 --null-replicates 99
check 'ten pairs of five methods' [ "$(grep -c '"first"' "$work/methods2/summary.json")" -eq 10 ]
expect_text "$work/methods2/summary.json" '"head_weights"'
check 'rollout rows sum to 1' awk '{ sum += $1 } NR % 16 == 0 { n++; if ((sum - 1) ^ 2 > 1e-10) bad = 1
  sum = 0 } END { exit bad || n == 0 }' \
  <(od -A n -t f4 -v -w4 -j 128 "$work/methods2/methods/attention_rollout.npy")
# The other path: from DNA pooling, whose row is the same for every gene.
expect_ok run --split val --out "$work/pooled" --methods attention_rollout,attention_gmar --tracks 0 \
  --rollout-end dna-pool --gmar-norm l2
for text in '"end": "dna-pool"' '"norm": "l2"' '"vce.dna": {'; do
  expect_text "$work/pooled/summary.json" "$text"
done
expect_text "$work/methods2/summary.json" '"end": "rna"'
check 'other scores' [ "$(cmp -s "$work/pooled/methods/attention_rollout.npy" \
  "$work/methods2/methods/attention_rollout.npy"; echo $?)" -eq 1 ]
check 'one rollout per enhancer' [ "$(od -A n -t x4 -v -w64 -j 128 \
  "$work/pooled/methods/attention_rollout.npy" | sort -u | wc -l)" -eq \
  "$(rows "$work/pooled" | cut -f 1 | sort -u | wc -l)" ]
for option in '--rollout-end pool' '--gmar-norm l3'; do
  read -ra words <<<"$option"
  expect_fail 2 "${words[0]}" "$attribute" --data "$data" --model "$model" --split val \
    --methods all "${words[@]}" --out "$work/none"
done
check 'no p is below 2 / 100' awk '/"circular_shift"/ { shift = 1 } /"uniform"|"hypergeometric"/ { shift = 0 }
  shift && /"p":/ { n++; if ($2 + 0 < 0.02) bad = 1 } END { exit bad || n != 10 + 5 * 4 }' \
  "$work/methods2/summary.json"
check 'edge bins are flagged' awk -F '\t' 'NR > 1 { n += $11 != ($8 == 0 || $8 == 15) }
  END { exit n != 0 || NR < 2 }' "$work/all/peaks.tsv"

# An enhancer whose DNA is all zeros is left out of every summary number and counted.
blank=$(rows "$work/all" | head -n 1 | cut -f 1)
cp -r "$data" "$work/blank"
row=$(($(cut -f 4 "$data/enhancers.bed" | grep -nx "$blank" | cut -d : -f 1) - 1))
bytes=$(($(stat -c %s "$data/dna.f32") / $(wc -l <"$data/enhancers.bed")))
dd if=/dev/zero of="$work/blank/dna.f32" bs="$bytes" seek="$row" count=1 conv=notrunc status=none
blanks=$(rows "$work/all" | grep -c "^$blank	")
grep -v "	$blank	" "$data/pairs.tsv" >"$work/rest.tsv"
expect_ok "$attribute" --data "$work/blank" --model "$model" --split val --out "$work/zeros"
expect_text "$work/zeros/summary.json" "\"zero_dna_left_out\": $blanks,"
expect_text "$work/stdout" "$blanks pairs have no DNA (all zeros) and are left out below"
check 'flagged in pairs.tsv' [ "$(rows "$work/zeros" | cut -f 20 | grep -c 1)" -eq "$blanks" ]
cp -r "$data" "$work/without" && cp "$work/rest.tsv" "$work/without/pairs.tsv"
expect_ok "$attribute" --data "$work/without" --model "$model" --split val --out "$work/without_out"
numbers() { grep -vE '"data": "[0-9a-f]{16}"|"(pairs|enhancers|pairs_with_zero_dna|zero_dna_left_out|undefined|zero_dna)": ' \
  "$1/summary.json" |
  grep -v 'tracks/'; }
check 'the numbers are those of the other pairs' \
  cmp <(numbers "$work/zeros") <(numbers "$work/without_out")
expect_ok "$attribute" --data "$work/blank" --model "$model" --out "$work/only_zeros" \
  --pair "$(rows "$work/all" | head -n 1 | cut -f 1,2 | tr '\t' :)"
check 'no peak of it' [ "$(rows "$work/only_zeros" | cut -f 8-10,14,15)" = 'nan	nan	nan	nan	nan' ]
check 'nothing is left to summarise' grep -q '"value": null' "$work/only_zeros/summary.json"

# Whole attention maps for the enhancers of the first pairs, and the sharpened attention.
expect_ok run --split val --out "$work/maps" --tracks 0 --map-pairs 3 --temperature 0.3 \
  --maps dna_to_rna,rna_self_attn_layers.0,vce.dna
enhancers=$(rows "$work/maps" | head -n 3 | cut -f 1 | sort -u | wc -l)
genes=$(wc -l <"$data/rna.genes.txt")
shape() { grep -qaF "'shape': ($2)" "$work/maps/maps/$1.npy"; }
check 'genes over bins' shape dna_to_rna "$enhancers, $genes, 16"
check 'a map without DNA stands once' shape rna_self_attn_layers.0 "$genes, $genes"
check 'pooling over bins' shape vce.dna "$enhancers, 16"
check 'maps.json lists three' [ "$(grep -c '"file"' "$work/maps/maps/maps.json")" -eq 3 ]
expect_text "$work/maps/summary.json" '"gene_row_correlation"'
expect_text "$work/maps/summary.json" '"effective_positions"'
check 'sharpened' [ "$(stat -c %s "$work/maps/attention_sharpened.npy")" -eq $((128 + pairs * 64)) ]
# The first pair's gene row in the map equals its attention: two computations of the same numbers.
gene_row=$(($(grep -nx "$(rows "$work/maps" | head -n 1 | cut -f 2)" "$data/rna.genes.txt" |
  cut -d : -f 1) - 1))
floats() { od -A n -t f4 -v -w4 -j $((128 + $2 * 64)) -N 64 "$1"; }
check 'the map holds the attention' awk 'NR == FNR { a[NR] = $1; next }
  { d = a[FNR] - $1; if (d > 1e-6 || d < -1e-6) bad = 1 } END { exit bad || NR != 32 }' \
  <(floats "$work/maps/attention.npy" 0) <(floats "$work/maps/maps/dna_to_rna.npy" "$gene_row")
expect_ok run --split val --out "$work/maps" --overwrite --tracks 0 --maps dna_self_attn_layers.1 \
  --maps-per-head
check 'by head' shape dna_self_attn_layers.1 '1, 2, 16, 16'
check 'earlier maps are gone' [ "$(ls "$work/maps/maps" | wc -l)" -eq 2 ]
expect_ok run --split val --out "$work/maps" --tracks 0 --overwrite
check 'no maps, no folder' [ ! -e "$work/maps/maps" ] && check 'nor sharpened' \
  [ ! -e "$work/maps/attention_sharpened.npy" ]

# Pairs chosen by name, by file and at random give the same rows as the whole split.
read -r enhancer gene < <(rows "$work/all" | sed -n 5p | cut -f 1,2)
expect_ok run --pair "$enhancer:$gene" --out "$work/named"
check 'the named pair' [ "$(rows "$work/named")" = "$(rows "$work/all" | sed -n 5p)" ]
check 'its window' cmp -i 128:$((128 + 4 * 64)) -n 64 "$work/named/gradient.npy" \
  "$work/all/gradient.npy"
{
  printf 'gene\tenhancer\n'
  rows "$work/all" | awk -F '\t' '{ print $2 "\t" $1 }' | tac
} >"$work/list.tsv"
expect_ok run --pairs "$work/list.tsv" --out "$work/listed" --tracks 0
check 'the listed pairs' cmp <(rows "$work/all" | sort) <(rows "$work/listed" | sort)
expect_ok run --split val --sample 7 --seed 1 --out "$work/lot" --tracks 0
check 'a sample of seven' [ "$(rows "$work/lot" | sort -u | wc -l)" -eq 7 ]
check 'all from the split' [ -z "$(comm -23 <(rows "$work/lot" | sort) <(rows "$work/all" | sort))" ]
expect_ok run --split val --sample 7 --seed 2 --out "$work/lot2" --tracks 0
check 'another seed, another sample' [ "$(rows "$work/lot")" != "$(rows "$work/lot2")" ]

# NumPy's sample: the start of RandomState(42).permutation(18), with pairs of an enhancer together.
drawn=$(grep '^val' "$data/pairs.tsv" | cut -f 2,3 | sed -n '1p;2p;9p')
expect_ok run --split val --sample 3 --seed 42 --rng numpy-legacy --out "$work/numpy" --tracks 0
check 'the pairs NumPy draws' [ "$(rows "$work/numpy" | cut -f 1,2 | sort)" = "$(sort <<<"$drawn")" ]

# An enhancer name with colons in it, and a pair that is not in pairs.tsv.
cp -r "$data" "$work/colons"
sed -i "s/$enhancer/chr1:100-200:+/" "$work/colons/enhancers.bed" "$work/colons/pairs.tsv"
rm "$work/colons/truth.json"
expect_ok "$attribute" --data "$work/colons" --model "$model" --pair "chr1:100-200:+:$gene" \
  --out "$work/colon"
check 'the same numbers' [ "$(rows "$work/colon" | cut -f 2-)" = "$(rows "$work/named" | cut -f 2-)" ]
check 'no truth, no planted sites' [ "$(grep -c planted_sites "$work/colon/summary.json")" -eq 0 ]
check 'a harmless file name' test -e "$work/colon/tracks/1_chr1_100-200___$gene.gradient.bedGraph"
unlisted=$(comm -23 <(sort "$data/rna.genes.txt") \
  <(awk -F '\t' -v e="$enhancer" '$2 == e { print $3 }' "$data/pairs.tsv" | sort) | head -n 1)
expect_ok run --pair "$enhancer:$unlisted" --out "$work/unlisted"
check 'its beta is unknown' [ "$(rows "$work/unlisted" | cut -f 6)" = nan ]

arguments=("$attribute" --data "$data" --model "$model" --out "$work/none")
expect_fail 2 'pairs: none chosen' "${arguments[@]}"
expect_fail 2 '--pair: not a pair' "${arguments[@]}" --pair nonsense
expect_fail 2 'no enhancer named NONE' "${arguments[@]}" --pair "NONE:$gene"
expect_fail 2 'no gene named NONE' "${arguments[@]}" --pair "$enhancer:NONE"
expect_fail 2 '--methods: no such name (did you mean random?)' "${arguments[@]}" --split val \
  --methods attention,randm
expect_fail 2 '--methods: no such name' "${arguments[@]}" --split val --methods random,
expect_fail 2 '--maps: no such name (did you mean vce.dna?)' "${arguments[@]}" --split val \
  --maps vce.dn
expect_fail 2 'at most 4294967295' "${arguments[@]}" --split val --sample 3 --seed 4294967296 \
  --rng numpy-legacy
expect_fail 2 '--sample' "${arguments[@]}" --sample 3
expect_fail 2 "at most $pairs, got 1000" "${arguments[@]}" --split val --sample 1000
# An option without effect in this run is refused with what it needs; given that, it is accepted.
idle() { expect_fail 2 "$1: changes nothing here: it needs" "${arguments[@]}" --split val "$@"; }
idle --rng numpy-legacy
idle --rng philox --methods all
for option in '--baseline mean' '--occlude-bins 8' '--smooth-samples 3' '--smooth-noise 0.2' \
  '--rollout-end dna-pool' '--gmar-norm l2' --maps-per-head --path-heads \
  '--map-pairs 2'; do
  read -ra words <<<"$option"
  idle "${words[@]}"
done
idle --gmar-norm l1 --methods attention_rollout
idle --occlude-bins 2 --methods integrated_gradients --baseline mean
echo '{"baseline": "mean"}' >"$work/options.json"
expect_fail 2 '--baseline: changes nothing here' "${arguments[@]}" --split val \
  --config "$work/options.json"
printf 'enhancer\tgene\n%s\tNONE\n' "$enhancer" >"$work/bad.tsv"
expect_fail 2 'bad.tsv: line 2' "${arguments[@]}" --pairs "$work/bad.tsv"
printf 'enhancer\tsymbol\n' >"$work/bad.tsv"
expect_fail 2 'gene' "${arguments[@]}" --pairs "$work/bad.tsv"
sed 's/"causal_bins": \[/&99,/' "$data/truth.json" >"$work/colons/truth.json"
expect_fail 2 'truth.json: sites[0].causal_bins' "$attribute" --data "$work/colons" \
  --model "$model" --split val --out "$work/none"
check 'a refused input leaves no folder' [ ! -e "$work/none" ]

finish
