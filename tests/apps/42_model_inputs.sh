#!/bin/bash
# A model used with a data set other than its training data: genes in another order, more or fewer genes,
# other bins, another assembly, other embeddings.
source tests/apps/lib.sh
predict=$CDT_BIN/cdt-predict train=$CDT_BIN/cdt-train attribute=$CDT_BIN/cdt-attribute
tiny_model
genes=$(wc -l <"$data/rna.genes.txt")

# backwards FOLDER: reverses the order of genes, embeddings included; pairs name genes and stay.
backwards() {
  local kind rows
  for kind in rna protein; do
    tac "$1/$kind.genes.txt" >"$work/reversed" && mv "$work/reversed" "$1/$kind.genes.txt"
    rows=$work/rows && rm -rf "$rows" && mkdir "$rows"
    split -b $(($(stat -c %s "$1/$kind.f32") / $(wc -l <"$1/$kind.genes.txt"))) -a 4 \
      "$1/$kind.f32" "$rows/row."
    printf '%s\n' "$rows"/row.* | tac | xargs cat >"$1/$kind.f32"
  done
}
# with_gene FOLDER NAME: adds a gene at the end, with one pair.
with_gene() {
  local kind
  for kind in rna protein; do
    head -c $(($(stat -c %s "$1/$kind.f32") / $(wc -l <"$1/$kind.genes.txt"))) "$1/$kind.f32" >"$work/row"
    cat "$work/row" >>"$1/$kind.f32"
    echo "$2" >>"$1/$kind.genes.txt"
  done
  sed -i "s/^      $genes,\$/      $((genes + 1)),/" "$1/dataset.json"
  sed -n "s/^\(val\t[^\t]*\t\)[^\t]*/\1$2/p;T;q" "$1/pairs.tsv" >>"$1/pairs.tsv"
}
refused() { # NEEDLE DATA OPTION...
  expect_fail 2 "model.safetensors: $1" "$predict" --model "$model" --data "$2" --out "$work/none" \
    --quiet "${@:3}"
  check "$1: no output" [ ! -e "$work/none" ]
}
predicted() { # NAME DATA OPTION...
  expect_ok "$predict" --model "$model" --data "$2" --out "$work/$1" --quiet "${@:3}"
}

predicted straight "$data"
check 'nothing to say about its own data' [ ! -s "$work/stderr" ]
predicted matched-itself "$data" --match-genes
check 'nor about genes that match' [ ! -s "$work/stderr" ]

# The same genes in another order.
cp -r "$data" "$work/reversed-data" && backwards "$work/reversed-data"
last=$(printf 'GENE%05d' "$genes")
refused "genes: are not those of the data set $work/reversed-data in its order: $genes of $genes \
are elsewhere; --match-genes maps them by name; gene 1 (expected GENE00001, got $last)" \
  "$work/reversed-data"
refused 'genes: are not' "$work/reversed-data" --other-inputs
predicted reversed "$work/reversed-data" --match-genes
check 'one note' [ "$(grep -c '^cdt-predict: note: .*reversed-data: genes are brought into the order of' "$work/stderr")" = 1 ]
expect_same "$work/straight/predictions.tsv" "$work/reversed/predictions.tsv"
for of in data reversed-data; do
  expect_ok "$attribute" --data "$work/$of" --model "$model" --out "$work/why-$of" --split val \
    --sample 5 --tracks 0 --null-replicates 99 --match-genes --quiet
done
expect_same "$work/why-data/pairs.tsv" "$work/why-reversed-data/pairs.tsv"
expect_same "$work/why-data/gradient.npy" "$work/why-reversed-data/gradient.npy"
expect_fail 2 'genes: are not' "$attribute" --data "$work/reversed-data" --model "$model" \
  --out "$work/none" --split val --quiet

# One gene more, one gene less.
cp -r "$work/reversed-data" "$work/more" && with_gene "$work/more" EXTRA
refused 'genes: are not those of' "$work/more"
predicted more-matched "$work/more" --match-genes
expect_text "$work/stderr" 'left out: 1 gene (EXTRA) that the model lacks, with their 1 pair'
expect_same "$work/straight/predictions.tsv" "$work/more-matched/predictions.tsv"
cp -r "$data" "$work/other-gene"
for file in rna.genes.txt protein.genes.txt pairs.tsv; do
  sed -i 's/GENE00003/OTHER/' "$work/other-gene/$file"
done
refused 'genes: --match-genes: the data set' "$work/other-gene" --match-genes
expect_text "$work/stderr" 'lacks 1 gene (GENE00003)'

# Pairs are compared by name.
trained_here() { # MESSAGE VALUE NAME
  check "$1" grep -qE "^ *\"trained_on_these_pairs\": $2,\$" "$work/$3/metrics.json"
}
trained_here 'trained on its own data' true straight
trained_here 'in another order too' true reversed
trained_here 'pairs of genes left out do not count' true more-matched

# Other bins, another assembly, other values.
other_inputs() { # NAME FIELD: $work/NAME differs in FIELD
  refused "$2: differs in the data set $work/$1" "$work/$1"
  expect_text "$work/stderr" 'give --other-inputs to continue anyway'
  predicted "other-$1" "$work/$1" --other-inputs
  check "$1: one warning" [ "$(grep -c "^cdt-predict: warning: .*: $2 (expected " "$work/stderr")" = 1 ]
}
for name in bin-bp assembly rna protein; do cp -r "$data" "$work/$name"; done
sed -i 's/"bin_bp": 128/"bin_bp": 1024/' "$work/bin-bp/dataset.json"
other_inputs bin-bp bin_bp
expect_same "$work/straight/predictions.tsv" "$work/other-bin-bp/predictions.tsv"
sed -i 's/"assembly": "hg38"/"assembly": "hg19"/' "$work/assembly/dataset.json"
other_inputs assembly assembly
sed -i 's/"assembly": "hg19"/"assembly": "GRCh38"/' "$work/assembly/dataset.json"
predicted synonym "$work/assembly"
for kind in rna protein; do
  printf '\x00\x00\x80\x3f' | dd of="$work/$kind/$kind.f32" bs=4 seek=9 conv=notrunc status=none
  other_inputs $kind $kind
done
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --bins 24 --out "$work/bins" --quiet
refused 'bins: differs in the data set' "$work/bins"
expect_text "$work/stderr" '(expected 16, got 24)'

# Training that starts from the model, and resuming that run.
sizes=(--epochs 1 --threads 1 --quiet)
expect_fail 2 'genes: are not' "$train" --data "$work/reversed-data" --model "$model" \
  --out "$work/none" "${sizes[@]}"
expect_fail 2 'rna: differs' "$train" --data "$work/rna" --model "$model" --out "$work/none" \
  "${sizes[@]}"
expect_fail 2 '--match-genes: changes nothing here' "$train" --data "$data" --out "$work/none" \
  --match-genes "${sizes[@]}"
check 'no run' [ ! -e "$work/none" ]
expect_ok "$train" --data "$data" --model "$model" --out "$work/tuned" "${sizes[@]}"
expect_ok "$train" --data "$work/reversed-data" --model "$model" --out "$work/tuned-reversed" \
  --match-genes "${sizes[@]}"
expect_same "$work/tuned/model.safetensors" "$work/tuned-reversed/model.safetensors"
for run in tuned tuned-reversed; do
  expect_ok "$train" --out "$work/$run" --resume --epochs 2 --threads 1 --quiet
done
expect_same "$work/tuned/last/model.safetensors" "$work/tuned-reversed/last/model.safetensors"
for file in model last/model; do
  check "$file: records its pairs" grep -aqE '"train_pairs":"[0-9a-f]{16}"' "$work/tuned/$file.safetensors"
done

# The report runs the prediction itself.
if command -v gnuplot >/dev/null; then
  expect_fail 2 'genes: are not' "$CDT_BIN/cdt-report" --data "$work/reversed-data" \
    --run "$work/run" --out "$work/none.html" --quiet
  expect_ok "$CDT_BIN/cdt-report" --data "$work/reversed-data" --run "$work/run" --match-genes \
    --attribution "$work/why-reversed-data" --out "$work/page.html" --quiet
else
  skip report 'no gnuplot'
fi

# damaged NEEDLE SED: the model file after an edit that keeps its length is refused.
damaged() {
  LC_ALL=C sed "$2" "$model" >"$work/bad.safetensors"
  expect_fail 2 "bad.safetensors: metadata.$1" "$predict" --model "$work/bad.safetensors" \
    --data "$data" --out "$work/none" --quiet
}
damaged 'genes: gene 2 is there twice: GENE00001' '1,/GENE00002/s/GENE00002/GENE00001/'
damaged 'genes: number of names differs' '1,/GENE00002/s/\\nGENE00002/__GENE00002/'
damaged 'bins: out of range (expected 1 to ' 's/"bins":"16"/"bins":"-6"/'
damaged 'bin_bp: is missing' 's/"bin_bp"/"bin_xy"/'
damaged 'val_pairs: is no digest' 's/"val_pairs":"./"val_pairs":"x/'
damaged 'train_pairs: is missing' 's/"train_pairs"/"train_pxxxx"/'
damaged 'rna: is no digest' 's/"rna":"./"rna":"x/'
damaged 'config: hidden: is not that of the tensors (expected 16, got 99)' \
  's/\\"hidden\\":16/\\"hidden\\":99/'
finish
