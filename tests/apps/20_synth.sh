#!/bin/bash
# cdt-synth: what it writes, that a seed determines every byte, and what it refuses.
source tests/apps/lib.sh
synth=$CDT_BIN/cdt-synth

expect_ok "$synth" --preset tiny --seed 3 --out "$work/one" --threads 1
expect_text "$work/stdout" 'noise_ceiling_pearson'
expect_text "$work/stderr" '60 enhancers x 16 bins x 8 features, 8 genes'
check 'size of dna.f32' [ "$(stat -c %s "$work/one/dna.f32")" -eq $((60 * 16 * 8 * 4)) ]
check 'number of pairs' [ "$(wc -l <"$work/one/pairs.tsv")" -eq 121 ]

expect_ok "$synth" --preset tiny --seed 3 --out "$work/two" --threads 2 --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
# expect_same_data FOLDER: all but the record of the command that made it.
expect_same_data() {
  local file
  for file in "$work"/one/*; do
    [ "${file##*/}" = provenance.json ] || expect_same "$file" "$1/${file##*/}"
  done
}
expect_same_data "$work/two"
expect_ok "$synth" --preset tiny --seed 4 --out "$work/other"
check 'another seed, other bytes' test -n "$(cmp "$work/one/dna.f32" "$work/other/dna.f32")"

expect_ok "$synth" --preset tiny --out "$work/sized" --enhancers 21 --bins 13 --genes 5 \
  --dna-dim 7 --rna-dim 3 --protein-dim 2 --noise 0
check 'sizes from options' [ "$(stat -c %s "$work/sized/dna.f32")" -eq $((21 * 13 * 7 * 4)) ]
check 'sizes from options' [ "$(stat -c %s "$work/sized/protein.f32")" -eq $((5 * 2 * 4)) ]
check 'no noise, a ceiling of 1' grep -qE '"val": ."pearson": (1|0\.99999)' "$work/sized/truth.json"

# --- gene starts, which change nothing else
expect_ok "$synth" --preset tiny --seed 3 --out "$work/starts" --gene-starts --quiet
for file in dna.f32 rna.f32 protein.f32 rna.genes.txt enhancers.bed pairs.tsv truth.json sites.bed; do
  expect_same "$work/one/$file" "$work/starts/$file"
done
expect_text "$work/starts/dataset.json" '"gene_starts": "genes.bed"'
check 'without the option there is no table' [ ! -e "$work/one/genes.bed" ]
check 'the last gene has no start' cmp <(cut -f 4 "$work/starts/genes.bed") <(head -n 7 "$work/one/rna.genes.txt")

# --- five mechanisms with the same windows
expect_ok "$synth" --preset tiny --seed 3 --out "$work/product" --mechanism product --quiet
expect_same_data "$work/product"
for mechanism in none gene-only dna specific; do
  made=$work/by-$mechanism
  expect_ok "$synth" --preset tiny --seed 3 --out "$made" --mechanism "$mechanism" --quiet
  expect_same "$work/one/dna.f32" "$made/dna.f32"
  check "$mechanism: the same sites" cmp <(cut -f 1-3 "$work/one/sites.bed") <(cut -f 1-3 "$made/sites.bed")
  check "$mechanism: the same pairs" cmp <(cut -f 1-3 "$work/one/pairs.tsv") <(cut -f 1-3 "$made/pairs.tsv")
  check "$mechanism: other effects" test -n "$(cmp "$work/one/pairs.tsv" "$made/pairs.tsv")"
  expect_text "$made/truth.json" "\"mechanism\": \"$mechanism\""
  expect_text "$made/dataset.json" "\"mechanism\": \"$mechanism\""
done
for mechanism in none gene-only dna; do expect_same "$work/one/sites.bed" "$work/by-$mechanism/sites.bed"; done
expect_text "$work/by-specific/truth.json" '"version": 2'
expect_text "$work/by-specific/truth.json" '{"gene": "GENE00002", "class": "b"}'
check 'a site for each class in every window' test "$(cut -f 6 "$work/by-specific/sites.bed" | sort | uniq -c | xargs)" = \
  "$(cut -f 6 "$work/one/sites.bed" | sort | uniq -c | xargs | sed 's/causal/acts_on_a/; s/decoy/acts_on_b/')"
expect_same "$work/by-none/rna.f32" "$work/by-gene-only/rna.f32"
expect_text "$work/by-none/truth.json" '"noise_ceiling": {}'
check 'none, gene-only: no effect of DNA' \
  test "$(cat "$work/by-none/truth.json" "$work/by-gene-only/truth.json" | grep -c '"has_effect": true')" -eq 0
for mechanism in dna specific; do
  check "$mechanism: an effect in every pair" \
    test "$(grep -c '"has_effect": true' "$work/by-$mechanism/truth.json")" -eq 120
done
expect_fail 2 '--mechanism' "$synth" --preset tiny --mechanism all --out "$work/all"

expect_fail 2 'holds a data set' "$synth" --preset tiny --out "$work/one"
expect_same "$work/one/dna.f32" "$work/two/dna.f32"
expect_fail 2 '--preset' "$synth" --preset huge --out "$work/none"
expect_fail 2 '--out' "$synth" --preset tiny
expect_fail 2 '--bins: out of range (expected 12 to 65536, got 5)' "$synth" --bins 5 \
  --out "$work/none"
expect_fail 2 '--noise' "$synth" --noise -1 --out "$work/none"
expect_fail 2 '--noise' "$synth" --noise nan --out "$work/none"
# A petabyte: reported on stderr and refused, and nothing is created.
expect_fail 2 'free space' "$synth" --enhancers 65536 --bins 65536 --dna-dim 65536 \
  --out "$work/none"
expect_text "$work/stderr" '1125.9 TB'
check 'a refused data set leaves no folder' [ ! -e "$work/none" ]
touch "$work/file"
expect_fail 2 "$work/file" "$synth" --preset tiny --out "$work/file/data"

finish
