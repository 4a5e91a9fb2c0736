#!/bin/bash
# cdt-audit: what it finds in a data set with planted defects, the file it writes, and what it refuses.
source tests/apps/lib.sh
audit=$CDT_BIN/cdt-audit data=$work/data
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$data" --quiet

lacks() { # FILE NEEDLE
  if grep -qF -- "$2" "$1"; then fail "$1 has '$2'" "$1"; else pass; fi
}

# --- a data set as it is, and its file
expect_ok "$audit" --data "$data" --out "$work/audit.json" --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
check 'the first line counts' grep -qE '^[0-9]+ warnings?, [0-9]+ notes?$' <(head -n 1 "$work/stdout")
cp "$work/stdout" "$work/plain"
for name in zero_windows constant_windows identical_windows repeated_coordinates enhancers_past_chromosome_end; do
  lacks "$work/plain" "$name"
done
expect_text "$work/audit.json" '"format": "cdt-audit"'
expect_text "$work/audit.json" '"dna_read": true'
check 'the table of splits' grep -qE '^train +[0-9]' "$work/plain"
expect_ok "$audit" --data "$data" --quiet
expect_same "$work/plain" "$work/stdout"

# --- planted defects: a window of zeros, a copy of a window, one place twice, coordinates past the end
cp -r "$data" "$work/bad"
window=$((16 * 8 * 4))
dd if=/dev/zero of="$work/bad/dna.f32" bs=$window count=1 conv=notrunc status=none
dd if="$data/dna.f32" of="$work/bad/dna.f32" bs=$window skip=5 seek=9 count=1 conv=notrunc status=none
awk -F '\t' -v OFS='\t' 'NR == 2 { s = $2; e = $3 } NR == 3 { $2 = s; $3 = e } NR == 4 { $2 += 3e8; $3 += 3e8 }
  { print $1, sprintf("%d", $2), sprintf("%d", $3), $4 }' "$data/enhancers.bed" >"$work/bad/enhancers.bed"
expect_ok "$audit" --data "$work/bad" --quiet
tr -s ' \n' ' ' <"$work/stdout" >"$work/unwrapped"
expect_text "$work/unwrapped" 'zero_windows: The DNA windows of 1 enhancer,'
expect_text "$work/unwrapped" 'form 1 group of identical values'
expect_text "$work/stdout" 'repeated_coordinates: 1 enhancer has'
expect_text "$work/stdout" 'enhancers_past_chromosome_end: 1 enhancer ends past the end'
check 'warnings come first' awk '/^note/ { noted = 1 } /^WARNING/ && noted { exit 1 }' "$work/stdout"

# --- gene starts and known elements. Gene k starts 30 kb past or before enhancer k of a screen in which each enhancer
# is tested with its gene, on 10 chromosomes.
screen=$work/screen
cp -r "$data" "$screen"
awk -F '\t' -v OFS='\t' '{ c = "chr" (NR % 4 + 1); s = 10000000 + 2000000 * NR; print c, s, s + 500, $4 }' \
  "$data/enhancers.bed" >"$screen/enhancers.bed"
awk -F '\t' -v OFS='\t' 'NR == FNR { gene[FNR] = $1; n = FNR; next }
  FNR <= n { s = $2 + (int(FNR / 4) % 2 ? 30000 : -30000); print $1, s, s + 1, gene[FNR], 0, "+" }' \
  "$data/rna.genes.txt" "$screen/enhancers.bed" >"$work/genes.bed"
awk -F '\t' -v OFS='\t' 'NR == FNR { gene[FNR] = $1; n = FNR; next }
  FNR == 1 { print "split", "enhancer", "gene", "beta" }
  FNR <= n { print (FNR % 3 ? "train" : "test"), $4, gene[FNR], (FNR % 2 ? 0.1 : -0.2) + FNR / 1000 }' \
  "$data/rna.genes.txt" "$screen/enhancers.bed" >"$screen/pairs.tsv"
expect_ok "$audit" --data "$screen" --genes "$work/genes.bed" --quiet
expect_text "$work/stdout" 'gene_starts_outside_windows: '
expect_text "$work/stdout" 'lies within 30 kb of the start'
lacks "$work/stdout" genes_on_other_chromosomes
lacks "$work/stdout" genes_beyond_screen_limit
# The data set's own table says the same without the option.
cp "$work/stdout" "$work/given"
cp -r "$screen" "$work/own"
cp "$work/genes.bed" "$work/own/genes.bed"
sed -i 's/"pairs": "pairs.tsv"/&, "gene_starts": "genes.bed"/' "$work/own/dataset.json"
expect_ok "$audit" --data "$work/own" --quiet
expect_same "$work/given" "$work/stdout"
{
  printf 'gene\tenhancer\n'
  awk -F '\t' 'NR > 1 { print $3 "\t" $2 }' "$screen/pairs.tsv" |
    awk -F '\t' -v OFS='\t' 'NR == FNR { at[$4] = $1 "-" $2 "-" $3; next } { print $1, at[$2] }' "$screen/enhancers.bed" -
} >"$work/known.tsv"
expect_ok "$audit" --data "$screen" --known-pairs "$work/known.tsv" --quiet
expect_text "$work/stdout" '8 of 8 (100.0 %) pairs known from known.tsv the element overlaps'
gzip -k "$work/known.tsv"
expect_ok "$audit" --data "$screen" --known-pairs "$work/known.tsv.gz" --quiet
expect_text "$work/stdout" '8 of 8 (100.0 %) pairs known from known.tsv.gz the element overlaps'
cp -r "$screen" "$work/shifted"
awk -F '\t' -v OFS='\t' '{ print $1, $2 - 3000000, $3 - 3000000, $4 }' "$screen/enhancers.bed" >"$work/shifted/enhancers.bed"
expect_ok "$audit" --data "$work/shifted" --genes "$work/genes.bed" --quiet
expect_text "$work/stdout" 'genes_beyond_screen_limit: In 8 of 8'

# --- in the data set, where the report reads it; what cdt-import recorded is kept
expect_ok "$audit" --data "$data" --out "$data/audit.json" --quiet
expect_fail 2 '--out: already holds an audit; --overwrite' "$audit" --data "$data" --out "$data/audit.json" --quiet
sed 's/"findings"/"import": {"from": "arrays"}, "findings"/' "$work/audit.json" >"$data/audit.json"
expect_ok "$audit" --data "$data" --out "$data/audit.json" --overwrite --quiet
expect_text "$data/audit.json" '"from": "arrays"'

# --- what is refused
for file in pairs.tsv dna.f32 sites.bed; do
  before=$(cksum <"$data/$file")
  expect_fail 2 '--out: ' "$audit" --data "$data" --out "$data/$file" --overwrite --quiet
  check "$file is kept" [ "$before" = "$(cksum <"$data/$file")" ]
done
refuse() { expect_fail 2 "$@" --out "$work/none.json" --quiet; check 'nothing is written' [ ! -e "$work/none.json" ]; }
printf 'gene\tchrom\n' >"$work/none.tsv"
refuse 'none.tsv: line 1: has neither' "$audit" --data "$data" --known-pairs "$work/none.tsv"
printf 'gene\tenhancer\nA\there\n' >"$work/none.tsv"
refuse 'none.tsv: line 2, column enhancer: is not a place' "$audit" --data "$data" --known-pairs "$work/none.tsv"
printf 'gene\tchrom\tstart\tend\nA\tchr1\t9\t9\n' >"$work/none.tsv"
refuse 'none.tsv: line 2, column end: ' "$audit" --data "$data" --known-pairs "$work/none.tsv"
refuse 'has no column fold' "$audit" --data "$data" --fold 1
refuse '--data: required' "$audit"

# --- DNA larger than the memory it may use, and Ctrl-C while it is read
large=$work/large
cp -r "$data" "$large"
rm "$large/audit.json"
truncate -s $((60 * 1024 * 8192 * 4)) "$large/dna.f32"
tr -d ' \n' <"$data/dataset.json" | sed 's/60,16,8/60,1024,8192/' >"$large/dataset.json"
if sanitized; then
  skip "large windows" "AddressSanitizer takes more memory than the limit"
else
  status=0
  under 1000000 "$audit" --data "$large" --quiet >"$work/stdout" 2>"$work/stderr" || status=$?
  check "exit status 0, not $status" [ $status -eq 0 ]
  expect_text "$work/stdout" 'zero_windows: The DNA windows of 59 enhancers,'
fi
expect_stopped "$work/stopped" "$audit" --data "$large" --out "$work/stopped/audit.json" --quiet
finish
