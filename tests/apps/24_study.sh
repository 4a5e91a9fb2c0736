#!/bin/bash
# make study: folds and seeds from one command, resumed and extended; cdt-predict --combine and its page.
source tests/apps/lib.sh
data=$work/data out=$work/out
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$data" --quiet
study() {
  apps/study/study.sh --bin "$CDT_BIN" --data "$data" --out "$out" --folds 3 \
    --train '--epochs 1 --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16' \
    --predict '--positive-below -0.1 --bootstrap 200' "$@"
}
have_gnuplot() { command -v gnuplot >/dev/null; }
have_gnuplot || { skip 'studies' 'no gnuplot'; finish; }

expect_ok study --seeds 2 --jobs 2
expect_text "$work/stdout" '6 runs: 3 folds, 2 seeds'
expect_text "$work/stdout" 'gain'
expect_text "$work/stdout" 'ridge without DNA'
check 'the page' [ -s "$out/study.html" ]
check 'every pair is predicted once' cmp \
  <(cut -f 2,3 "$data/pairs.tsv" | tail -n +2 | sort) <(cut -f 1,2 "$out/study/predictions.tsv" | tail -n +2 | sort)
check 'three folds in the table' [ "$(awk -F '\t' '$3 == "ensemble" { print $2 }' "$out/study/study.tsv" | tr '\n' ' ')" = 'all 1 2 3 ' ]
cp "$out/study/study.json" "$work/first"
cp -r "$out/predictions" "$work/predictions"

# Again: nothing is computed twice, and the numbers are the same.
expect_ok study --seeds 2 --jobs 2
expect_same "$work/first" "$out/study/study.json"
check 'the predictions were kept' diff -r "$work/predictions" "$out/predictions"
check 'no run was repeated' [ "$(grep -c '^share-' "$work/stdout")" -eq 0 ]
# What is missing is made again, to the same bits; an interrupted run is resumed.
rm -r "$out/predictions/share-1-fold-2-seed-1" "$out/runs/share-1-fold-2-seed-1"
expect_ok study --seeds 2
check 'one run was made' [ "$(grep -c '^share-' "$work/stdout")" -eq 1 ]
expect_same "$work/first" "$out/study/study.json"
# A second share extends it. Each seed draws its own loci for it, so the curve is that of single runs.
expect_ok study --seeds 2 --shares 0.5,1 --jobs 2
single=$(awk -F '\t' '$1 == 0.5 && $2 == "all" && $3 == "runs" { printf "%.3f", $6 }' "$out/study/study.tsv")
check 'the learning curve is of single runs' [ "$(awk '/^learning curve/ { curve = 1 }
  curve && $1 == 0.5 { print $3 }' "$work/stdout")" = "$single" ]
check 'which differ from the ensemble' [ "$(awk -F '\t' '$1 == 0.5 && $2 == "all" && $3 == "ensemble" {
  printf "%.3f", $6 }' "$out/study/study.tsv")" != "$single" ]
expect_text "$out/study/study.json" 'each seed trains on loci of its own'
expect_ok study --seeds 1 --shares 0.5,1 --jobs 2
check 'one seed has the loci of its baselines' [ "$(grep -c 'each seed trains on' "$out/study/study.json")" -eq 0 ]
expect_text "$work/stdout" 'learning curve'
expect_text "$out/study.html" 'Learning curve'

refuse_study() {
  local needle=$1 status=0
  shift
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  if [ $status -eq 2 ] && grep -qF -- "$needle" "$work/stderr"; then pass; else fail "study: expected $needle" "$work/stderr"; fi
}

# --- another study of the same folds, beside it. Its own ensemble is better than itself by nothing.
other() { apps/study/study.sh --bin "$CDT_BIN" --data "$out/data" --out "$work/other" --seeds 1 --predict '--bootstrap 200 --positive-below -0.1' "$@"; }
expect_ok other --train '--epochs 1 --hidden 8 --heads 2 --pool-heads 2 --feed-forward 8 --fusion 8' --against "$out"
expect_text "$work/stdout" 'study out'
expect_text "$work/other/study.html" 'study out'
expect_text "$work/other/study.html" 'the ensemble of another study'
check 'no such colour on a page without one' [ "$(grep -c 'the ensemble of another study' "$out/study.html")" -eq 0 ]
r_in() { awk -F '\t' -v kind="$2" '$1 == 1 && $2 == "all" && $3 == kind { print $6 }' "$1/study/study.tsv"; }
check 'it has the r that it has there' [ "$(r_in "$work/other" out)" = "$(r_in "$out" ensemble)" ]
check 'the gain is the difference' awk -v a="$(r_in "$work/other" ensemble)" -v b="$(r_in "$out" ensemble)" \
  -v gain="$(awk -F '\t' '$2 == "all" && $3 == "out" { print $12 }' "$work/other/study/study.tsv")" \
  'BEGIN { exit !(gain - (a - b) < 1e-6 && a - b - gain < 1e-6) }'
refuse_study 'no finished study' apps/study/study.sh --bin "$CDT_BIN" --data "$out/data" --out "$work/none" --against "$work"

# --- a study of warm starts: {run} is the same run of another study; after steps of nothing it predicts the same.
expect_ok apps/study/study.sh --bin "$CDT_BIN" --data "$out/data" --out "$work/warm" --seeds 1 --against "$out" --predict \
  '--positive-below -0.1 --bootstrap 200' --train "--epochs 1 --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32
  --fusion 16 --init-from $out/runs/{run}/model.safetensors --lr 1e-12 --lr-scale *=0.5"
for run in 1 2 3; do
  expect_text "$work/warm/runs/share-1-fold-$run-seed-1/provenance.json" "out/runs/share-1-fold-$run-seed-1/model.safetensors"
done
check 'it begins where the other ended' awk -v a="$(r_in "$work/warm" ensemble)" -v b="$(r_in "$work/warm" out)" \
  'BEGIN { exit !(a != "" && a - b < 1e-5 && b - a < 1e-5) }'

# --- mistakes
expect_ok study --seeds 1
refuse_study 'is a study with another setting' study --by pair
refuse_study 'seeds: expected' study --seeds none
refuse_study 'no data set' apps/study/study.sh --bin "$CDT_BIN" --data "$work" --out "$work/none"
refuse_study 'its log is in' apps/study/study.sh --bin "$CDT_BIN" --data "$data" --out "$work/bad" --train '--lr none' --seeds 1

p() { printf '%s' "$out/predictions/share-1-fold-$1-seed-$2"; }
refuse() {
  local needle=$1
  shift
  expect_fail 2 "$needle" "$CDT_BIN/cdt-predict" --data "$out/data" --out "$work/none" "$@"
  check 'nothing is written' [ ! -e "$work/none" ]
}
refuse 'no run is of fold 3' --combine "$(p 1 1)" --combine "$(p 2 1)"
refuse 'another number of runs' --combine "$(p 1 1)" --combine "$(p 2 1)" --combine "$(p 3 1)" --combine "$(p 1 2)"
refuse '--against: has no meaning without --combine' --model x --against "$out/study"
refuse 'is of the same model as' --combine "$(p 1 1)" --combine "$(p 1 1)"
refuse '--model: has no meaning with --combine' --combine "$(p 1 1)" --model x
refuse 'metrics.json' --combine "$work"
cp -r "$(p 1 1)" "$work/edited"
sed -i '2s/\t[^\t]*$/\t9/' "$work/edited/predictions.tsv"
refuse 'is not the table that metrics.json beside it' --combine "$work/edited"
expect_fail 2 'fingerprint.data: is of another data set' "$CDT_BIN/cdt-predict" --data "$data" --out "$work/none" --combine "$(p 1 1)"
expect_fail 2 '--run: has no meaning with --study' "$CDT_BIN/cdt-report" --study "$out/study" --run x --out "$work/none"
head -c 300 "$out/study/study.json" >"$work/edited/study.json"
expect_fail 2 'study.json' "$CDT_BIN/cdt-report" --study "$work/edited" --out "$work/none"

finish
