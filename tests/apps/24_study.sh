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
expect_text "$work/stdout" '6 runs: folds 3, seeds 2'
expect_text "$work/stdout" 'gain'
expect_text "$work/stdout" 'ridge without DNA'
check 'the page' [ -s "$out/study.html" ]
check 'every pair is predicted once' cmp \
  <(cut -f 2,3 "$data/pairs.tsv" | tail -n +2 | sort) <(cut -f 1,2 "$out/study/predictions.tsv" | tail -n +2 | sort)
check 'three folds in the table' [ "$(awk -F '\t' '$3 == "ensemble" { print $2 }' "$out/study/study.tsv" | tr '\n' ' ')" = 'all 1 2 3 ' ]
expect_text "$out/study/study.json" '"replicates": 200'
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

# refuse_new NEEDLE OPTIONS...: refused before anything is written.
small='--epochs 1 --hidden 8 --heads 2 --pool-heads 2 --feed-forward 8 --fusion 8'
new() { apps/study/study.sh --bin "$CDT_BIN" --data "$data" --out "$work/new" --seeds 1 --folds 3 --predict '--bootstrap 200' "$@"; }
refuse_new() {
  refuse_study "$1" new "${@:2}"
  check 'nothing is written' [ ! -e "$work/new" ]
}
for shares in 0 2 1,1 0.5,0.50 0.1.2 .; do refuse_new '--shares: expected different numbers' --shares "$shares"; done
for folds in 2 1001 x; do refuse_new '--folds: expected a whole number from 3 to 1000' --folds "$folds"; done
refuse_new '--by: expected locus' --by window
refuse_new '--jobs: expected' --jobs 0
refuse_new '--train: --seed cannot be given in a study' --train '--seed 3'
refuse_new '--train: --out cannot be given in a study' --train "--out=$work/elsewhere"
refuse_new '--predict: --fold cannot be given in a study' --predict '--fold 1'
refuse_new '--train: a quote is not closed' --train "--freeze 'dna"
refuse_new '/x: no such file' --genes "$work/x"
refuse_study 'is not a folder' new --out "$data/pairs.tsv"
refuse_study 'holds another kind of output (dataset.json)' new --out "$data"
check 'nothing is written there' [ ! -e "$data/lock" ]
refuse_study 'is this study itself' study --against "$out"

# A setting that was wrong can be corrected until there is a run; those of predictions until there is one of these.
refuse_study 'its log is in' new --folds 4 --train '--lr none'
check 'xargs is not heard' [ "$(grep -c xargs "$work/stderr")" -eq 0 ]
echo chr1 >"$work/bad.bed"
refuse_study 'bad.bed: ' new --train "$small" --genes "$work/bad.bed"
check 'in folds of the new number' [ "$(tail -n +2 "$work/new/data/pairs.tsv" | cut -f 5 | sort -u | wc -l)" -eq 3 ]
refuse_study 'is a study with another setting (folds 3 by locus)' new --train "$small" --folds 4
trained=$(stat -c %Y.%i "$work/new/runs/share-1-fold-1-seed-1/model.safetensors")
expect_ok new --train "  ${small// /  } "
check 'its training was kept' [ "$trained" = "$(stat -c %Y.%i "$work/new/runs/share-1-fold-1-seed-1/model.safetensors")" ]
refuse_study 'is a study with another setting (genes )' new --train "$small" --genes "$work/bad.bed"

# Data that changed are not those of the study, although its folds hold a copy of the pairs.
cp -r "$data" "$work/kept"
awk -F '\t' -v OFS='\t' 'NR > 1 { $4 = -$4 } 1' "$work/kept/pairs.tsv" >"$data/pairs.tsv"
refuse_study 'has changed since the study in' new --train "$small"
cp "$work/kept/pairs.tsv" "$data/pairs.tsv"
expect_ok new --train "$small"
head -c "$(stat -c %s "$data/dna.f32")" /dev/zero >"$work/zero" && mv "$work/zero" "$data/dna.f32"
refuse_study 'has changed since the study in' new --train "$small"
cp "$work/kept/dna.f32" "$data/dna.f32"
expect_ok new --train "$small"

# Data that were moved are the same.
mv "$data" "$work/moved"
rm -r "$work/new/predictions/share-1-fold-2-seed-1"
expect_ok apps/study/study.sh --bin "$CDT_BIN" --data "$work/moved" --out "$work/new" --seeds 1 --folds 3 \
  --predict '--bootstrap 200' --train "$small"
check 'one prediction was made' [ "$(grep -c '^share-' "$work/stdout")" -eq 1 ]
mv "$work/moved" "$data"

# A file of gene starts that changed is refused too.
awk -v OFS='\t' '{ print "chr1", 1000 * NR, 1000 * NR + 1, $1 }' "$data/rna.genes.txt" >"$work/starts.bed"
placed() { new --train "$small" --out "$work/placed" --genes "$work/starts.bed"; }
expect_ok placed
expect_text "$work/stdout" 'distance'
sed -i '1s/chr1/chr2/' "$work/starts.bed"
refuse_study 'starts.bed: has changed since the study in' placed

# Parts of a study, as the jobs of a cluster make them: in any order, two at a time.
part() { new --out "$work/parts" --train "$small" --only "$@"; }
refuse_study 'was not prepared with these settings' part 1
expect_ok part prepare
expect_text "$work/stdout" 'study: 3 runs: folds 3'
check 'nothing is trained' [ ! -e "$work/parts/runs" ]
refuse_study 'was not prepared with these settings' part 1 --seeds 1 --train '--epochs 2'
refuse_study '--only: the study has 3 runs, not 4' part 4
refuse_study '--only: expected prepare or the number of a run, got 0' part 0
part 3 >"$work/third" 2>&1 &
expect_ok part 1
expect_text "$work/stdout" 'share-1-fold-1-seed-1: r '
check 'the third run, at the same time' wait $!
check 'each makes its own' [ "$(cd "$work/parts/predictions" && echo *)" = 'share-1-fold-1-seed-1 share-1-fold-3-seed-1' ]
expect_ok new --out "$work/parts" --train "$small"
check 'the rest is made, and combined' [ "$(grep -c '^share-' "$work/stdout")" -eq 1 ]
expect_same "$work/new/study/study.tsv" "$work/parts/study/study.tsv"
exec 8<>"$work/parts/lock"
flock 8
refuse_study 'another study is running there' part 1
exec 8>&-

# Of two studies at once with different settings, one is refused, and the settings are those of the other.
exec 8>"$work/new/lock"
flock 8
before=$(cksum <"$work/new/settings")
refuse_study 'another study is running there' new --train "$small" --folds 4
check 'settings are not touched' [ "$before" = "$(cksum <"$work/new/settings")" ]
exec 8>&-

# A program that is killed, without a word in its log.
mkdir "$work/killed"
for program in "$CDT_BIN"/cdt-*; do ln -s "$(realpath "$program")" "$work/killed"; done
rm "$work/killed/cdt-train"
printf '#!/bin/bash\nkill -KILL $$\n' >"$work/killed/cdt-train" && chmod +x "$work/killed/cdt-train"
refuse_study 'share-1-fold-1-seed-1: cdt-train ended with exit status 137' new --out "$work/dies" --bin "$work/killed"

# --- folds of the data set itself: also after a byte order mark and with CR LF, and not otherwise divided
cp -r "$out/data" "$work/folded"
{ printf '\357\273\277' && sed 's/$/\r/' "$out/data/pairs.tsv"; } >"$work/folded/pairs.tsv"
own() { apps/study/study.sh --bin "$CDT_BIN" --data "$work/folded" --out "$work/own" --seeds 1 --train "$small" --predict '--bootstrap 200' "$@"; }
refuse_study 'has 3 folds, not 4' own --folds 4
refuse_study '--by: ' own --by gene
check 'nothing is written' [ ! -e "$work/own" ]
expect_ok own
check 'they are used' [ ! -e "$work/own/data" ]
for fold in x 0 1000000 ''; do
  sed "7s/\t[^\t]*$/\t$fold/" "$out/data/pairs.tsv" >"$work/folded/pairs.tsv"
  refuse_study "line 7, column fold: bad fold (expected 1 to 1000, got $fold)" own --out "$work/bad"
  check 'nothing is written' [ ! -e "$work/bad" ]
done

# --- a fold of equal effects has no r, so there is none over the folds: not an r of 0
awk -F '\t' -v OFS='\t' 'NR > 1 && $5 == 2 { $4 = 0.25 } 1' "$out/data/pairs.tsv" >"$work/folded/pairs.tsv"
expect_ok own --out "$work/equal"
expect_text "$work/stderr" 'warning: all effects of fold 2 are equal (40 pairs), so it has no r'
check 'no r' [ "$(awk -F '\t' '$2 == "all" && $3 == "ensemble" { print $6 "." $7 "." $11 }' "$work/equal/study/study.tsv")" = '..' ]
check 'other folds have one' [ -n "$(awk -F '\t' '$2 == 1 && $3 == "ensemble" { print $6 }' "$work/equal/study/study.tsv")" ]

# --- quotes and spaces in paths, from the variables of make on
mkdir "$work/it's" && cp -r "$data" "$work/it's/my data" && cp -r "$work/new" "$work/it's/another one"
echo '{"hidden": 8}' >"$work/it's/my options.json"
options=${small/--hidden 8/--config \"$work/it\'s/my options.json\"}
words=$(make -s -n -o all CUDA=0 BUILD="$work/build" study DATA="$work/it's/my data" OUT="$work/it's/a study" \
  SEEDS=1 FOLDS=3 AGAINST="$work/it's/another one" TRAIN="$options" PREDICT='--bootstrap 200' 2>"$work/stderr")
eval "set -- $words"
expect_ok "$@" --bin "$CDT_BIN"
expect_text "$work/stdout" 'study another one'

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
expect_ok "$CDT_BIN/cdt-predict" --data "$out/data" --model "$out/runs/share-1-fold-1-seed-2/model.safetensors" --split test \
  --ridge --positive-below -0.5 --quiet --out "$work/other-threshold"
mixed=(--combine "$(p 1 1)" --combine "$work/other-threshold")
refuse "other-threshold/metrics.json: classification.beta_below: is another than the first prediction's" "${mixed[@]}"
expect_fail 2 'no run is of fold 2' "$CDT_BIN/cdt-predict" --data "$out/data" --out "$work/none" "${mixed[@]}" --positive-below -0.5
cp -r "$(p 1 1)" "$work/edited"
sed -i '2s/\t[^\t]*$/\t9/' "$work/edited/predictions.tsv"
refuse 'is not the table that metrics.json beside it' --combine "$work/edited"
expect_fail 2 'fingerprint.data: is of another data set' "$CDT_BIN/cdt-predict" --data "$data" --out "$work/none" --combine "$(p 1 1)"
expect_fail 2 '--run: has no meaning with --study' "$CDT_BIN/cdt-report" --study "$out/study" --run x --out "$work/none"
cp -r "$out/study" "$work/other-study"
sed -i '3s/\t[^\t]*\t\([0-9]\)$/\t0.5\t\1/' "$work/other-study/predictions.tsv"
refuse 'predictions.tsv: content: is not the table that study.json beside it' --against "$work/other-study" \
  --combine "$(p 1 1)" --combine "$(p 2 1)" --combine "$(p 3 1)"
head -c 300 "$out/study/study.json" >"$work/edited/study.json"
expect_fail 2 'study.json' "$CDT_BIN/cdt-report" --study "$work/edited" --out "$work/none"

finish
