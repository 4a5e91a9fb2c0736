#!/bin/bash
# cdt-split: new splits and folds over shared embeddings, and runs of single folds.
source tests/apps/lib.sh
split=$CDT_BIN/cdt-split
tiny_model
small=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --quiet)

# same_rows FILE FILE: the same pairs, whatever their splits.
same_rows() { cmp <(cut -f 2-4 "$1") <(cut -f 2-4 "$2"); }
# is_shared FOLDER: its DNA is that of the data set, not a copy.
is_shared() { [ "$(stat -c %i "$1/dna.f32")" = "$(stat -c %i "$data/dna.f32")" ]; }

# --- splits
expect_ok "$split" --data "$data" --out "$work/again" --seed 4
expect_text "$work/stdout" 'leaked before'
expect_text "$work/stdout" 'leaked now'
check 'the pairs are the same, in their order' same_rows "$data/pairs.tsv" "$work/again/pairs.tsv"
check 'the splits are not' [ "$(cut -f 1 "$data/pairs.tsv" | cksum)" != "$(cut -f 1 "$work/again/pairs.tsv" | cksum)" ]
check 'the DNA is not copied' is_shared "$work/again"
expect_same "$data/truth.json" "$work/again/truth.json"
check 'nor is what was planted' [ "$data/truth.json" -ef "$work/again/truth.json" ]
check 'nor are its places' [ "$data/sites.bed" -ef "$work/again/sites.bed" ]
expect_text "$work/again/dataset.json" '"program": "cdt-split '
expect_text "$work/again/dataset.json" '"source": '
check 'by locus, no DNA is shared' awk '/^leaked now/ { now = 1 } now && $1 == "test" { n = $7 == "0" } END { exit !n }' \
  <(sed 's/[(%)]//g; s/  */ /g' "$work/stdout")
expect_ok "$split" --data "$data" --out "$work/twice" --seed 4 --quiet
expect_same "$work/again/pairs.tsv" "$work/twice/pairs.tsv"
expect_ok "$split" --data "$work/again" --out "$work/twice" --seed 5 --overwrite --by pair --no-content --quiet
expect_text "$work/stdout" 'not compared'
check 'nothing else is left in the folder' [ "$(find "$work/twice" -name '.*' -type f | wc -l)" -eq 0 ]

# --- a gene table
cp -r "$data" "$work/placed"
awk -v OFS='\t' '{ print "chr" NR, 1000 * NR, 1000 * NR + NR, $1, 0, "-" }' "$data/rna.genes.txt" >"$work/placed/genes.bed"
sed -i 's/"pairs": "pairs.tsv"/&, "gene_starts": "genes.bed"/' "$work/placed/dataset.json"
expect_ok "$split" --data "$work/placed" --out "$work/places" --quiet
expect_text "$work/places/dataset.json" '"gene_starts": "genes.bed"'
check 'each start is one base' cmp <(cut -f 1,3,4 "$work/placed/genes.bed") <(cut -f 1,3,4 "$work/places/genes.bed")
check 'without one there is none' [ ! -e "$work/again/genes.bed" ]
before=$(cksum <"$work/placed/genes.bed")
expect_fail 2 '--out: ' "$CDT_BIN/cdt-audit" --data "$work/placed" --out "$work/placed/genes.bed" --overwrite --quiet
check 'the table is not overwritten' [ "$before" = "$(cksum <"$work/placed/genes.bed")" ]

# --- RNA of samples
cp -r "$data" "$work/sampled"
cat "$data/rna.f32" "$data/rna.f32" >"$work/sampled/rna.f32"
printf 'liver\nlung\n' >"$work/sampled/rna.samples.txt"
awk 'BEGIN { OFS = "\t" } { print $0, NR == 1 ? "sample" : NR % 2 ? "lung" : "liver" }' "$data/pairs.tsv" >"$work/sampled/pairs.tsv"
sed -i '/"rna": {/,/}/ { s/"shape": \[/&2, /; s/"genes"/"samples": "rna.samples.txt", &/ }' "$work/sampled/dataset.json"
expect_ok "$split" --data "$work/sampled" --out "$work/samples" --seed 4 --quiet
check 'samples are kept' cmp <(cut -f 2- "$work/sampled/pairs.tsv") <(cut -f 2- "$work/samples/pairs.tsv")
expect_same "$work/sampled/rna.samples.txt" "$work/samples/rna.samples.txt"

# --- a column se
cp -r "$data" "$work/errors"
awk 'BEGIN { OFS = "\t" } { print $0, NR == 1 ? "se" : NR / 64 }' "$data/pairs.tsv" >"$work/errors/pairs.tsv"
expect_ok "$split" --data "$work/errors" --out "$work/se" --seed 4 --quiet
check 'the splits do not depend on it' cmp <(cut -f 1-4 "$work/again/pairs.tsv") <(cut -f 1-4 "$work/se/pairs.tsv")
check 'standard errors are kept' cmp <(cut -f 2- "$work/errors/pairs.tsv") <(cut -f 2- "$work/se/pairs.tsv")
sed -i '3s/\t[^\t]*$/\t0/' "$work/errors/pairs.tsv"
expect_fail 2 "$work/errors/pairs.tsv: line 3, column se: bad standard error" "$split" --data "$work/errors" --out "$work/none"

chrom=$(cut -f 1 "$data/enhancers.bed" | sort | uniq -c | sort -n | awk 'END { print $2 }')
expect_ok "$split" --data "$data" --out "$work/chrom" --test-chroms "$chrom" --shares 0.8,0.2,0 --quiet
awk -F '\t' 'NR == FNR { chrom[$4] = $1; next } FNR > 1 { print chrom[$2], $1 }' "$data/enhancers.bed" \
  "$work/chrom/pairs.tsv" | sort -u >"$work/seen"
check 'a chromosome is test' [ "$(awk -v c="$chrom" '$1 == c { print $2 }' "$work/seen")" = test ]
check 'and no other is' [ "$(awk -v c="$chrom" '$1 != c && $2 == "test"' "$work/seen" | wc -l)" -eq 0 ]

# --- folds
expect_ok "$split" --data "$data" --out "$work/folds" --folds 4 --quiet
check 'a column fold' [ "$(head -n 1 "$work/folds/pairs.tsv")" = $'split\tenhancer\tgene\tbeta\tfold' ]
check 'four of them' [ "$(tail -n +2 "$work/folds/pairs.tsv" | cut -f 5 | sort -u | tr '\n' ' ')" = '1 2 3 4 ' ]
check 'the splits are those of fold 1' [ "$(tail -n +2 "$work/folds/pairs.tsv" |
  awk '($5 == 1) != ($1 == "test") || ($5 == 2) != ($1 == "val")' | wc -l)" -eq 0 ]

expect_ok "$CDT_BIN/cdt-train" --data "$work/folds" --fold 3 --epochs 1 --out "$work/run3" "${small[@]}"
expect_text "$work/run3/config.json" '"fold": 3'
expect_ok "$CDT_BIN/cdt-predict" --data "$work/folds" --model "$work/run3/model.safetensors" --split test \
  --out "$work/p3" --quiet
tested=$(awk '$5 == 3' "$work/folds/pairs.tsv" | wc -l)
check 'the model knows its fold' [ "$(wc -l <"$work/p3/predictions.tsv")" -eq $((tested + 1)) ]
check 'and tests it' cmp <(awk -v OFS='\t' '$5 == 3 { print $2, $3, $4 }' "$work/folds/pairs.tsv") \
  <(tail -n +2 "$work/p3/predictions.tsv" | cut -f 1-3)
expect_text "$work/p3/metrics.json" '"trained_on_these_pairs": true'
expect_ok "$CDT_BIN/cdt-predict" --data "$work/folds" --model "$work/run3/model.safetensors" --split test \
  --fold 1 --out "$work/p1" --quiet
expect_text "$work/p1/metrics.json" '"trained_on_these_pairs": false'
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$work/run3/model.safetensors" --split test \
  --out "$work/whole" --quiet
expect_text "$work/whole/metrics.json" '"trained_on_these_pairs": false'

# A run of a fold resumes as it began, and another fold is another run.
expect_ok "$CDT_BIN/cdt-train" --data "$work/folds" --fold 3 --out "$work/two" --epochs 2 "${small[@]}"
expect_ok "$CDT_BIN/cdt-train" --resume --out "$work/run3" --epochs 2 --quiet
expect_same "$work/two/model.safetensors" "$work/run3/model.safetensors"
expect_fail 2 '--fold: differs from the run being resumed' "$CDT_BIN/cdt-train" --resume --out "$work/run3" --fold 1
# The page of a run of a fold is about the pairs of that fold.
if command -v gnuplot >/dev/null; then
  expect_ok "$CDT_BIN/cdt-report" --data "$work/folds" --run "$work/run3" --split test --out "$work/page.html" --quiet
  expect_text "$work/page.html" "$tested pairs"
else
  skip 'the page of a fold' 'no gnuplot'
fi

# --- a share of the training pairs
expect_ok "$CDT_BIN/cdt-train" --data "$work/folds" --fold 3 --train-share 0.3 --epochs 1 --out "$work/part" "${small[@]}"
expect_ok "$CDT_BIN/cdt-predict" --data "$work/folds" --model "$work/part/model.safetensors" --split test \
  --out "$work/p-part" --quiet
expect_text "$work/p-part/metrics.json" '"trained_on_these_pairs": true'
check 'the same pairs are tested' cmp <(cut -f 1-3 "$work/p3/predictions.tsv") <(cut -f 1-3 "$work/p-part/predictions.tsv")

# --- mistakes
refuse() { expect_fail 2 "$@"; check 'nothing is written' [ ! -e "$work/none" ]; }
refuse '--shares: bad shares' "$split" --data "$data" --out "$work/none" --shares 0.5,0.5
refuse '--shares: bad shares' "$split" --data "$data" --out "$work/none" --shares 0.5,0.4,0.2
refuse '--shares: bad share' "$split" --data "$data" --out "$work/none" --shares 0.5,x,0.5
refuse '--folds: ' "$split" --data "$data" --out "$work/none" --folds 2
refuse '--shares: has no meaning with --folds' "$split" --data "$data" --out "$work/none" --folds 3 --shares 1,0,0
refuse '--by: ' "$split" --data "$data" --out "$work/none" --by element
refuse '--test-chroms: no pair has an enhancer there' "$split" --data "$data" --out "$work/none" --test-chroms chrQ
refuse '--val-chroms: chr1 is among --test-chroms' "$split" --data "$data" --out "$work/none" --test-chroms chr1,chr2 --val-chroms chr1
refuse '--test-chroms: no pair is left to train on' "$split" --data "$data" --out "$work/none" \
  --test-chroms "$(cut -f 1 "$data/enhancers.bed" | sort -u | paste -sd ,)"
# Options are refused before the DNA is read, which can take long.
check 'no DNA was read for it' [ "$(grep -c 'windows compared' "$work/stderr")" -eq 0 ]
refuse '--by: too few chromosomes' "$split" --data "$data" --out "$work/none" --by chromosome --folds 900
refuse 'dataset.json' "$split" --data "$work" --out "$work/none"
expect_fail 2 '--out: ' "$split" --data "$data" --out "$data" --overwrite
expect_fail 2 'column fold; cdt-split --folds adds one' "$CDT_BIN/cdt-train" --data "$data" --fold 1 --out "$work/none"
expect_fail 2 'no such fold (expected 1 to 4, got 5)' "$CDT_BIN/cdt-train" --data "$work/folds" --fold 5 --out "$work/none"
cp -r "$work/folds" "$work/damaged"
sed 's/\t4$/\t7/' "$work/folds/pairs.tsv" >"$work/damaged/pairs.tsv"
refuse 'pairs.tsv: fold: no pair is in fold 4' "$split" --data "$work/damaged" --out "$work/none"
head -c $(($(stat -c %s "$data/dna.f32") - 4)) "$data/dna.f32" >"$work/short"
rm "$work/damaged/dna.f32" && cp "$work/short" "$work/damaged/dna.f32" && cp "$work/folds/pairs.tsv" "$work/damaged"
refuse 'dna.f32: size' "$split" --data "$work/damaged" --out "$work/none"

finish
