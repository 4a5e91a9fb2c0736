#!/bin/bash
# cdt-import of arrays: a data set is taken apart and put together again; and what is refused.
source tests/apps/lib.sh
import=$CDT_BIN/cdt-import
tiny_model
out=$work/out

# npy DESCR SHAPE FILE: an .npy whose values are the bytes of FILE.
npy() {
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"
  cat "$3"
}
npy '<f4' 60,16,8 "$data/dna.f32" >"$work/dna.npy"
npy '<f4' 8,6 "$data/rna.f32" >"$work/rna.npy"
npy '<f4' 8,5 "$data/protein.f32" >"$work/protein.npy"
tables=(--rna "$work/rna.npy" --protein "$work/protein.npy" --genes "$data/rna.genes.txt")
lists=(--enhancers "$data/enhancers.bed" --pairs "$data/pairs.tsv")
rest=("${tables[@]}" "${lists[@]}" --out "$out")

# --- round trip: the same data set, and the same model from it
expect_ok "$import" --dna "$work/dna.npy" "${rest[@]}" --bin-bp 128 --assembly hg38 --quiet
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
expect_text "$work/stdout" 'windows of 16 bins of 128 bp = 2,048 bp; 60 rows used'
check 'the audit compares val with train' grep -qE '^val +18 ' "$work/stdout"
for file in dna.f32 rna.f32 protein.f32 rna.genes.txt protein.genes.txt enhancers.bed pairs.tsv; do
  expect_same "$data/$file" "$out/$file"
done
expect_text "$out/audit.json" '"from": "arrays"'
expect_ok "$CDT_BIN/cdt-train" --data "$out" --out "$work/again" --epochs 1 --hidden 16 --heads 2 \
  --pool-heads 2 --feed-forward 32 --fusion 16 --quiet
expect_same "$model" "$work/again/model.safetensors"

# A default is reported on its own line if the option was not given.
expect_ok "$import" --dna "$work/dna.npy" "${rest[@]}" --overwrite
expect_text "$work/stderr" 'cdt-import: note: assumed: --bin-bp 128, --assembly hg38'

# Options from a configuration file, with DNA in half the space added; a model predicts from it too.
printf '{"dna": "%s", "store": "bfloat16", "bin-bp": 128, "assembly": "hg38"}' "$work/dna.npy" \
  >"$work/config.json"
expect_ok "$import" --config "$work/config.json" "${rest[@]}" --overwrite --quiet
check 'bfloat16: half the bytes' [ "$(stat -c %s "$out/dna.bf16")" -eq $((60 * 16 * 8 * 2)) ]
check 'bfloat16: no dna.f32 of before' [ ! -e "$out/dna.f32" ]
expect_ok "$CDT_BIN/cdt-predict" --data "$out" --model "$model" --out "$work/prediction" --quiet

# Enhancers that the assembly cannot hold, with a warning; and rows that repeat a pair.
awk -F '\t' -v OFS='\t' 'NR == 1 { $2 = 999999000; $3 = 999999500 } $1 == "chr2" { $1 = 2 } { print }' \
  "$data/enhancers.bed" >"$work/elsewhere.bed"
{ cat "$data/pairs.tsv" && tail -n 2 "$data/pairs.tsv"; } >"$work/repeated.tsv"
expect_ok "$import" --dna "$work/dna.npy" "${tables[@]}" --enhancers "$work/elsewhere.bed" \
  --pairs "$work/repeated.tsv" --bin-bp 128 --assembly hg38 --out "$work/doubtful" --quiet
moved=$(grep -c '^2'$'\t' "$work/elsewhere.bed")
expect_text "$work/stderr" "warning: $work/elsewhere.bed: assembly: 1 enhancer ends past the end of its chromosome in hg38"
expect_text "$work/stderr" "assembly: $moved enhancers are on chromosomes that hg38 does not have, first "
expect_text "$work/stdout" 'WARNING enhancers_past_chromosome_end: 1 enhancer ends past the end'
expect_text "$work/stdout" "WARNING enhancers_on_other_chromosomes: $moved enhancers are on chromosomes"
expect_text "$work/stdout" 'repeated_pairs: 2 rows of pairs.tsv repeat the enhancer'
expect_text "$work/doubtful/audit.json" "\"enhancers\": $moved"
expect_text "$work/doubtful/audit.json" '"format": "cdt-audit"'

# --- which of the two kinds of import is meant
rm -r "$out"
expect_fail 2 '--genes: is an option of arrays, --train one of the published files' "$import" \
  --dna "$work/dna.npy" "${rest[@]}" --train x
expect_fail 2 '--pairs: required, but not given (for the published files' "$import" \
  --dna "$work/dna.npy" --rna x --protein x --out "$out"
expect_fail 2 '--val: required' "$import" --dna x --rna x --protein x --out "$out" --mapping x --train x
expect_fail 2 '--enhancers: required' "$import" --dna x "${tables[@]}" --out "$out"
expect_fail 2 '--genes: required' "$import" --dna x --rna x --protein x "${lists[@]}" --out "$out"
expect_fail 2 '--protein-genes: required' "$import" --dna x --rna x --protein x "${lists[@]}" \
  --rna-genes x --out "$out"
expect_fail 2 '--rna-genes: does not go with --genes' "$import" --dna x "${rest[@]}" --rna-genes x

# --- a refused import leaves nothing behind
refused() {
  local needle=$1
  shift
  expect_fail 2 "$needle" "$import" "$@" --quiet
  check "$needle: no output" [ ! -e "$out" ]
}
head -c 5000 "$work/dna.npy" >"$work/short.npy"
refused "$work/short.npy: array: wrong number of bytes of data (expected 30720, got 4872)" --dna "$work/short.npy" "${rest[@]}"
npy '<i4' 60,16,8 "$data/dna.f32" >"$work/whole.npy"
refused 'array: dtype (expected float16, float32 or float64, got <i4)' --dna "$work/whole.npy" "${rest[@]}"
{ head -c 28128 "$work/dna.npy" && printf '\0\0\xC0\x7F' && tail -c 2716 "$work/dna.npy"; } >"$work/nan.npy"
refused '--bin-bp: out of range (expected 1 to 1000000, got 0)' --dna "$work/dna.npy" "${rest[@]}" --bin-bp 0
refused "$work/nan.npy: array[54,11,0]: is not usable; not finite in this row: 1 value (" --dna "$work/nan.npy" "${rest[@]}"
head -n 7 "$data/rna.genes.txt" >"$work/genes.txt"
refused 'a gene for each row of' --dna "$work/dna.npy" "${tables[@]:0:4}" --genes "$work/genes.txt" \
  "${lists[@]}" --out "$out"
sed '$s/\t[^\t]*\t/\tE-none\t/' "$data/pairs.tsv" >"$work/pairs.tsv"
refused "$work/pairs.tsv: line 121, column enhancer: unknown name" --dna "$work/dna.npy" "${tables[@]}" \
  "${lists[@]:0:2}" --pairs "$work/pairs.tsv" --out "$out"
refused '--protein: is the file given as --rna' --dna "$work/dna.npy" --rna "$work/rna.npy" \
  --protein "$work/rna.npy" --genes "$data/rna.genes.txt" "${lists[@]}" --out "$out"
refused '--out: would overwrite what' --dna "$work/dna.npy" "${tables[@]}" "${lists[@]}" --out "$data" --overwrite
printf '\x89HDF\r\n\x1a\n%0512d' 0 >"$work/bad.h5"
refused "$work/bad.h5: HDF5: " --dna "$work/bad.h5:x" "${rest[@]}"

# Interrupted while reading 2 GB of DNA.
npy '<f4' 60,1024,8192 /dev/null >"$work/large.npy"
truncate -s $((128 + 60 * 1024 * 8192 * 4)) "$work/large.npy"
expect_stopped "$out" "$import" --dna "$work/large.npy" "${rest[@]}" --quiet
finish
