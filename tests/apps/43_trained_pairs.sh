#!/bin/bash
# A claim needs a model whose file says that it was trained and chosen on the splits of this data set. If
# train and test have been exchanged since, test holds the pairs that the model has memorised.
source tests/apps/lib.sh
predict=$CDT_BIN/cdt-predict
data=$work/data run=$work/run swapped=$work/swapped
# One seed of tests/honesty.sh, for which a claim about DNA can be made.
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --enhancers 800 --bins 24 --mechanism product --seed 1 \
  --out "$data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$run" --epochs 6 --lr 3e-3 --batch-size 32 \
  --dropout 0 --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --dna-layers 1 \
  --seed 1 --device cpu --threads 1 --quiet
cp -r "$data" "$swapped"
awk -F '\t' -v OFS='\t' '$1 == "train" { $1 = "test"; print; next } $1 == "test" { $1 = "train" } 1' \
  "$data/pairs.tsv" >"$swapped/pairs.tsv"
# A file as written by a version that recorded no pairs.
LC_ALL=C sed 's/"train_pairs"/"older_train"/; s/"val_pairs"/"older_val"/' "$run/model.safetensors" \
  >"$work/older.safetensors"

# claims NAME YES_NO_NULL REASON DATA MODEL: with REASON "" the claims are made; otherwise none is, for that
# reason.
claims() {
  local said=false
  [ -n "$3" ] || said=true
  expect_ok "$predict" --data "$4" --model "$5" --split test --out "$work/$1" --quiet
  check "$1: nothing on stderr" [ ! -s "$work/stderr" ]
  expect_text "$work/$1/metrics.json" "\"trained_on_these_pairs\": $2,"
  for claim in dna baseline; do
    tr -d '\n' <"$work/$1/metrics.json" | grep -oE "\"$claim\": \{ *\"said\": [^}]*" >"$work/claim"
    expect_text "$work/claim" "\"said\": $said"
    expect_text "$work/claim" "$3"
  done
}
claims here true '' "$data" "$run/model.safetensors"
claims last true '' "$data" "$run/last/model.safetensors"
claims elsewhere false 'or chosen on other pairs than this data set' "$swapped" "$run/model.safetensors"
claims older null 'the model file does not say which pairs it was trained on' "$data" \
  "$work/older.safetensors"

# The page, with its own prediction and with one made before.
if command -v gnuplot >/dev/null; then
  page() { # NAME DATA OPTION...
    expect_ok "$CDT_BIN/cdt-report" --data "$2" --run "$run" --split test --out "$work/$1.html" \
      --quiet "${@:3}"
    said=$(grep -c 'class="said" data-claim="dna"' "$work/$1.html")
  }
  page own "$data" && check 'the page says it' [ "$said" -gt 0 ]
  page recorded "$data" --prediction "$work/here" && check 'and so with --prediction' [ "$said" -gt 0 ]
  page own-swapped "$swapped" && check 'but not of the swapped pairs' [ "$said" -eq 0 ]
  page recorded-swapped "$swapped" --prediction "$work/elsewhere" &&
    check 'nor with --prediction' [ "$said" -eq 0 ]
  page recorded-older "$data" --prediction "$work/older" &&
    check 'nor where the file does not say' [ "$said" -eq 0 ]
else
  skip pages 'gnuplot is missing (apt-get install gnuplot-nox)'
fi

# Other pairs do not prevent a run from being resumed.
expect_ok "$CDT_BIN/cdt-train" --data "$swapped" --model "$work/older.safetensors" --epochs 1 \
  --out "$work/tuned" --threads 1 --quiet
expect_ok "$CDT_BIN/cdt-train" --out "$work/tuned" --resume --epochs 2 --threads 1 --quiet
for folder in tuned tuned/last; do
  expect_ok "$predict" --data "$swapped" --model "$work/$folder/model.safetensors" --no-controls \
    --out "$work/after" --quiet
  expect_text "$work/after/metrics.json" '"trained_on_these_pairs": true,'
  rm -r "$work/after"
done
finish
