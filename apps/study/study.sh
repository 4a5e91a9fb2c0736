#!/bin/bash
# A study of folds and seeds: splits a data set into folds, trains every fold with every seed, predicts the pairs
# that the fold tests, and combines all of it into one table and one page. Finished runs are skipped, interrupted
# ones resumed, so the same command continues a study and a larger --seeds or more --shares extends it.
#
# Usage: study.sh --data DIR --out DIR [OPTION...]
#   --seeds N        runs per fold (3)
#   --folds K        folds (5); if the data set has a column fold, its folds are used
#   --by UNIT        what stays together in a fold: locus (default), pair, enhancer, gene or chromosome
#   --shares LIST    shares of the training loci for a learning curve, separated by commas (1)
#   --genes FILE     BED of gene starts: baselines that know the distance
#   --train OPTIONS  further options of cdt-train, as one word ('--hidden 64 --epochs 20'); {run} in it is the run's name
#   --predict OPTIONS  further options of cdt-predict ('--positive-below -0.2')
#   --against LIST   other studies of the same data set to compare with: their OUT folders, separated by commas
#   --jobs N         runs side by side (1); each has its share of the cores
#   --bin DIR        folder of the programs (default: where `make` puts them)
set -euo pipefail
export LC_ALL=C

die() {
  printf 'study: %s\n' "$1" >&2
  exit 2
}

data='' out='' seeds=3 folds='' by=locus shares=1 genes='' train='' predict='' against='' jobs=1
bin=$(cd "$(dirname "$0")/../.." && pwd)/build/bin
while [ $# -gt 0 ]; do
  case $1 in
    --data | --out | --seeds | --folds | --by | --shares | --genes | --train | --predict | --against | --jobs | --bin)
      [ $# -ge 2 ] || die "$1: needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    *) die "unknown option $1" ;;
  esac
done
[ -n "$data" ] || die 'DATA (--data): required, a data set directory'
[ -n "$out" ] || die 'OUT (--out): required, a folder for the study'
for number in seeds jobs; do
  [[ ${!number} =~ ^[1-9][0-9]*$ ]] || die "--$number: expected a whole number of at least 1, got ${!number}"
done
[[ $shares =~ ^[0-9.]+(,[0-9.]+)*$ ]] || die "--shares: expected numbers separated by commas, got $shares"
[ -e "$data/dataset.json" ] || die "$data: no data set (dataset.json is missing)"
[ -z "$genes" ] || [ -e "$genes" ] || die "$genes: no such file"
[ -x "$bin/cdt-train" ] || die "$bin: no programs there; run make"
for study in ${against//,/ }; do
  [ -e "$study/study/study.json" ] || die "--against: $study: no finished study"
done
has_folds() { head -n 1 "$1/pairs.tsv" | tr '\t' '\n' | grep -qx fold; }
if has_folds "$data"; then
  own=$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "fold") c = i; next }
    $c > most { most = $c } END { print most + 0 }' "$data/pairs.tsv")
  [ -z "$folds" ] || [ "$folds" = "$own" ] || die "$data: has $own folds, not $folds"
  folds=$own
fi
folds=${folds:-5}

# Settings of a study cannot change half way: all of its runs must be alike.
mkdir -p "$out/log"
settings=$(printf '%s\n' "data $(cd "$data" && pwd)" "folds $folds by $by" "genes $genes" "train $train" \
  "predict $predict")
if [ -e "$out/settings" ]; then
  differs=$(diff <(printf '%s\n' "$settings") "$out/settings" | sed -n 's/^> //p' | head -n 1) || true
  [ -z "$differs" ] || die "$out: is a study with another setting ($differs); choose another OUT"
else
  printf '%s\n' "$settings" >"$out/settings.new"
  mv "$out/settings.new" "$out/settings"
fi
exec 9>"$out/lock"
flock -n 9 || die "$out: another study is running there"

if has_folds "$data"; then
  folded=$data
else
  folded=$out/data
  if [ ! -e "$folded/dataset.json" ]; then
    "$bin/cdt-split" --data "$data" --out "$folded" --folds "$folds" --by "$by" --quiet
  fi
fi

cores=$(nproc)
threads=$((cores > jobs ? cores / jobs : 1))

# run_one SHARE FOLD SEED: trains and predicts, unless that is done.
run_one() {
  set -f # options are words, not patterns of file names
  local name=share-$1-fold-$2-seed-$3
  local run=$out/runs/$name prediction=$out/predictions/$name log=$out/log/$name
  [ ! -e "$prediction/metrics.json" ] || return 0
  local baselines=(--ridge)
  [ -z "$genes" ] || baselines=(--genes "$genes")
  local how=(--data "$folded" --fold "$2" --train-share "$1" --seed "$3")
  # shellcheck disable=SC2206
  how+=(${train//\{run\}/$name})
  [ ! -e "$run/last/state.safetensors" ] || how=(--resume)
  if ! "$bin/cdt-train" "${how[@]}" --out "$run" --threads "$threads" --quiet >"$log.train" 2>&1; then
    printf 'study: %s: %s\n' "$name" "$(tail -n 1 "$log.train")" >&2
    return 255
  fi
  # shellcheck disable=SC2086
  if ! "$bin/cdt-predict" --data "$folded" --model "$run/model.safetensors" --split test --threads "$threads" \
    "${baselines[@]}" $predict --out "$prediction" --quiet >"$log.predict" 2>&1; then
    printf 'study: %s: %s\n' "$name" "$(tail -n 1 "$log.predict")" >&2
    return 255
  fi
  printf '%s: %s\n' "$name" "$(awk '/^model / { print "r", $2, $3, $4; exit }' "$log.predict")"
}
export -f run_one
export out folded train predict genes threads bin

all=()
combine=()
for share in ${shares//,/ }; do
  for fold in $(seq "$folds"); do
    for seed in $(seq "$seeds"); do
      all+=("$share $fold $seed")
      combine+=(--combine "$out/predictions/share-$share-fold-$fold-seed-$seed")
    done
  done
done
printf 'study: %s runs: %s folds, %s seeds, shares %s\n' "${#all[@]}" "$folds" "$seeds" "$shares"
status=0
printf '%s\n' "${all[@]}" | xargs -P "$jobs" -L 1 bash -c "run_one \"\$@\"" run_one || status=$?
for study in ${against//,/ }; do combine+=(--against "$study/study"); done
[ $status -eq 0 ] || die "a run failed or was interrupted; its log is in $out/log; the same command continues"

"$bin/cdt-predict" --data "$folded" "${combine[@]}" --out "$out/study" --overwrite --quiet
"$bin/cdt-report" --study "$out/study" --out "$out/study.html" --overwrite --quiet
