#!/bin/bash
# tests/crispr/make_arrays.py on a small table in the format of the ENCODE CRISPR benchmark: the arrays and lists
# it writes, their import, and what it refuses.
# shellcheck disable=SC2016
source tests/apps/lib.sh
make_arrays=tests/crispr/make_arrays.py
python3 -c 'import numpy' 2>/dev/null || { skip crispr_tables 'no Python with NumPy' && finish; }

# On each of three chromosomes three elements of 500 bp, 20 kb apart, each measured with three genes. Then a promoter,
# a pair that repeats the first, and a row without an effect.
awk 'BEGIN {
  OFS = "\t"
  print "chrom", "chromStart", "chromEnd", "EffectSize", "measuredGeneSymbol", "ValidConnection",
    "CellType", "Regulated", "distanceToTSS", "measuredGeneUbiquitousExpressed", "DHS.RPM", "CTCF.RPM"
  split("2 3 8", chroms, " ")
  for (c = 1; c <= 3; ++c) for (e = 0; e < 3; ++e) for (g = 1; g <= 3; ++g) {
    start = 1000000 + 20000 * e
    effect = -0.1 * c + 0.01 * e + 0.001 * g
    row = "chr" chroms[c] OFS start OFS (start + 500) OFS effect OFS "G" chroms[c] g
    rest = "K562" OFS (e == 0 && g < 3 ? "TRUE" : "FALSE") OFS (1000 * (3 * e + g)) OFS (g == 2 ? "TRUE" : "FALSE") OFS \
      (e + 1) OFS (e == 2 ? "NA" : 2 * e)
    print row, "TRUE", rest
    if (c == 1 && e == 0 && g == 1) { first = row OFS "TRUE" OFS rest; other = rest }
  }
  print first
  print "chr2", 1100000, 1100500, -0.9, "G21", "PromoterElement", other
  print "chr2", 1120000, 1120500, "NA", "G21", "TRUE", other
}' >"$work/table.tsv"
for chrom in 2 3 8; do
  printf 'chr%s\t%s\t%s\tG%s\t0\t+\n' $chrom 1009750 1010250 ${chrom}1 $chrom 1029750 1030250 ${chrom}2
  printf 'chr%s\t1010000\t1010500\tUnmeasured%s\t0\t-\n' $chrom $chrom
done >"$work/genes.bed"
printf 'cell_type\tgene\texpressed\nK562\tG21\tTRUE\nK562\tG22\tFALSE\nK562\tUnmeasured2\tTRUE\n' >"$work/expressed.tsv"
gzip -k "$work/genes.bed"
inputs=(--genes "$work/genes.bed.gz" --expressed "$work/expressed.tsv" --bins 8 --bin-bp 10000 --code 4)

# --- what it prints and writes
arrays=$work/arrays
expect_ok "$make_arrays" --table "$work/table.tsv" "${inputs[@]}" --out "$arrays"
expect_text "$work/stdout" \
  '30 read; left out: 1 not ValidConnection, 1 without effect, label or gene, 1 that repeat a pair'
expect_text "$work/stdout" '27 pairs, 6 regulated, of 9 elements and 9 genes'
# Distances 1 and 2 kb hold the 6 regulated pairs, so precision is 1 at any recall.
expect_text "$work/stdout" '27 pairs: average precision 1.000, precision at 70 % recall 1.000'
expect_text "$work/stdout" '3 without a start'
expect_text "$work/stdout" 'not in the table, so zero: H3K27ac, H3K4me1, H3K27me3'
for split in train val test; do
  expect_text "$work/stdout" "$(printf '%-10s ' $split)9 pairs, 2 regulated, 3 elements, 3 genes"
done
check 'the first row, its effect as the table has it' grep -qx \
  "train	chr2-1000000-1000500	G21	$(awk -F '\t' 'NR == 2 { print $4 }' "$work/table.tsv")	1" "$arrays/pairs.tsv"
expect_ok python3 - "$arrays" <<'END'
import sys
import numpy as np
dna, rna, protein = (np.load(f"{sys.argv[1]}/{name}.npy") for name in ("dna", "rna", "protein"))
assert dna.shape == (9, 8, 18) and rna.shape == (9, 10) and protein.shape == (9, 4), (dna.shape, rna.shape)
# The window of chr2:1000000-1000500 begins at 1000250 - 4 x 10000 = 960250.
expected = np.zeros((8, 18))                   # activity, 5 and 11, needs H3K27ac
expected[3:5, 0] = np.log1p(1)                 # own DHS, in the two bins that it overlaps
expected[5:7, 6] = np.log1p(2)                 # DHS of the next element, at 1020000
expected[7, 6] = np.log1p(3)                   # and of the one at 1040000, cut off by the window
expected[5:7, 9] = np.log1p(2)                 # CTCF; the table has none for the last element
expected[3:5, 12], expected[5:8, 13] = 1, 1
expected[4, 14] = expected[5, 14] = expected[6, 14] = np.log1p(1)  # starts of G21, Unmeasured2, G22
expected[4, 15] = expected[5, 15] = np.log1p(1)  # the expressed ones
expected[6, 16] = np.log1p(1)                  # G22 is ubiquitous
expected[:, 17] = np.abs(np.arange(-3.5, 4)) / 4
assert np.allclose(dna[0], expected), np.argwhere(~np.isclose(dna[0], expected))
# Genes in alphabetical order; G23 has no start. Expressed, ubiquitous, starts within 100 kb, of these expressed, and
# the activity around.
expected = [[1, 0, np.log1p(3), np.log1p(2), 0, 0], [0, 1, np.log1p(3), np.log1p(2), 0, 0], np.zeros(6)]
assert np.allclose(rna[:3, :6], expected), rna[:3, :6]
assert len({tuple(row) for row in np.concatenate([rna[:, 6:], protein])}) == 18, "codes differ"
END
expect_ok "$CDT_BIN/cdt-import" --dna "$arrays/dna.npy" --rna "$arrays/rna.npy" --protein "$arrays/protein.npy" \
  --genes "$arrays/genes.txt" --enhancers "$arrays/elements.bed" --pairs "$arrays/pairs.tsv" --bin-bp 10000 \
  --assembly hg38 --out "$work/data" --quiet
expect_text "$work/stdout" 'DNA [9,8,18] float32, written as float32; windows of 8 bins of 10000 bp = 80,000 bp; 9 rows used'
for split in train val test; do expect_text "$work/stdout" "$split: 9 rows read, 9 kept; removed 0"; done
check 'no zero windows, no repeated pairs' \
  test -z "$(grep -E 'zero_windows|constant_windows|repeated_pairs' "$work/stdout")"
expect_same "$arrays/genes.txt" "$work/data/rna.genes.txt"

# The arrays do not depend on the effects or the labels.
awk -F '\t' -v OFS='\t' 'NR > 1 && $4 != "NA" { $4 = -$4; $8 = $8 == "TRUE" ? "FALSE" : "TRUE" } { print }' \
  "$work/table.tsv" >"$work/opposite.tsv"
expect_ok "$make_arrays" --table "$work/opposite.tsv" "${inputs[@]}" --out "$work/opposite"
for name in dna rna protein; do expect_same "$arrays/$name.npy" "$work/opposite/$name.npy"; done
check 'but the pairs do' test "$(cut -f 4,5 "$arrays/pairs.tsv")" != "$(cut -f 4,5 "$work/opposite/pairs.tsv")"

# Activity is the geometric mean of DHS and H3K27ac. G21 starts at 1010000 and has three elements near, of activity 2, 4
# and 6; G22 at 1030000; 2 kb before it is its promoter's element.
awk -F '\t' -v OFS='\t' '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == "DHS.RPM") dhs = i; print $0, "H3K27ac.RPM"; next }
  { if ($1 == "chr2" && $2 == 1020000) { $2 = 1027750; $3 = 1028250 } print $0, 4 * $dhs }' \
  "$work/table.tsv" >"$work/active.tsv"
expect_ok "$make_arrays" --table "$work/active.tsv" "${inputs[@]}" --out "$work/active"
expect_ok python3 - "$work/active" <<'END'
import sys
import numpy as np
dna, rna = np.load(f"{sys.argv[1]}/dna.npy"), np.load(f"{sys.argv[1]}/rna.npy")
assert np.allclose(dna[0, 3:5, 5], np.log1p(2)) and np.isclose(dna[0, 7, 11], np.log1p(6))
near = sum(a * (d / 5000)**-0.7 for a, d in ((2, 9750), (4, 18000), (6, 30250)))
assert np.allclose(rna[0, 4:6], [np.log1p(near), 0]), rna[0]
near = sum(a * (max(d, 5000) / 5000)**-0.7 for a, d in ((2, 29750), (4, 2000), (6, 10250)))
assert np.allclose(rna[1, 4:6], [np.log1p(near), np.log1p(4)]), rna[1]
END

# --- options, and a table of two cell types without distances or marks, compressed
expect_ok "$make_arrays" --table "$work/table.tsv" "${inputs[@]}" --out "$work/all" --all-connections \
  --val-chroms chr8 --test-chroms chr2,chr3 --seed 2
expect_text "$work/stdout" 'left out: 0 not ValidConnection'
check 'the promoter is kept' grep -q 'chr2-1100000-1100500' "$work/all/elements.bed"
check 'splits as given' test 'test chr2,test chr3,val chr8,' = \
  "$(tail -n +2 "$work/all/pairs.tsv" | cut -f 1,2 | cut -d - -f 1 | sort -u | tr '\n\t' ', ')"
check "another seed, other codes" test \
  "$(cksum <"$work/all/protein.npy")" != "$(cksum <"$arrays/protein.npy")"
{
  cut -f 1-8 "$work/table.tsv"
  cut -f 1-8 "$work/table.tsv" | sed '1d; s/K562/HCT116/'
} | gzip >"$work/two.tsv.gz"
expect_ok "$make_arrays" --table "$work/two.tsv.gz" "${inputs[@]}" --out "$work/two"
expect_text "$work/stdout" '54 pairs, 12 regulated, of 18 elements and 9 genes'
expect_text "$work/stdout" 'HCT116: 27 pairs, 0 expressed genes'
check 'each cell type has its elements' test "$(grep -c '_HCT116$' "$work/two/elements.bed")" -eq 9
expect_ok "$make_arrays" --table "$work/table.tsv" "${inputs[@]}" --out "$work/often" --min-pairs 3
expect_fail 2 '--min-pairs: no gene has so many pairs (expected at most 3, got 4)' "$make_arrays" \
  --table "$work/table.tsv" "${inputs[@]}" --out "$work/none" --min-pairs 4

# --- a refused table: one line, nothing written
# refused NEEDLE COMMAND...: of the table as COMMAND prints it.
refused() {
  "${@:2}" >"$work/bad.tsv"
  expect_fail 2 "$work/bad.tsv: $1" "$make_arrays" --table "$work/bad.tsv" "${inputs[@]}" --out "$work/none"
  check "$1: nothing written" test -z "$(find "$work" -name 'none*')"
}
refused 'header: column EffectSize is missing' cut -f 1-3,5- "$work/table.tsv"
refused 'ValidConnection: no pair is left of 30 rows (30 are not TRUE' \
  awk -F '\t' -v OFS='\t' 'NR > 1 { $6 = "PromoterElement" } { print }' "$work/table.tsv"
refused 'line 3, column EffectSize: not a finite number (got few)' \
  awk -F '\t' -v OFS='\t' 'NR == 3 { $4 = "few" } { print }' "$work/table.tsv"
refused 'line 4, column Regulated: expected TRUE or FALSE, got yes' \
  awk -F '\t' -v OFS='\t' 'NR == 4 { $8 = "yes" } { print }' "$work/table.tsv"
refused 'line 2, column chromEnd: expected 0 <= chromStart < chromEnd, got 1000000 and 7' \
  awk -F '\t' -v OFS='\t' 'NR == 2 { $3 = 7 } { print }' "$work/table.tsv"
refused 'line 31: wrong number of columns (expected 12, got 3)' \
  awk -F '\t' 'NR == 31 { print "a\tb\tc"; next } { print }' "$work/table.tsv"
expect_fail 2 "$work/none.tsv: cannot be read (No such file or directory)" "$make_arrays" --table "$work/none.tsv" \
  "${inputs[@]}" --out "$work/none"
head -c 100 "$work/two.tsv.gz" >"$work/short.gz"
expect_fail 2 "$work/short.gz: cannot be read (Compressed file ended" "$make_arrays" --table "$work/short.gz" \
  "${inputs[@]}" --out "$work/none"
expect_fail 1 "/dev/null/none: cannot be written (Not a directory)" "$make_arrays" --table "$work/table.tsv" \
  "${inputs[@]}" --out /dev/null/none
expect_fail 2 "$arrays: exists" "$make_arrays" --table "$work/table.tsv" "${inputs[@]}" --out "$arrays"
finish
