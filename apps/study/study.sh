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
#   --train OPTIONS  further options of cdt-train, as one word ('--hidden 64 --epochs 20'); {run} in it is the run's
#                    name; quotes keep spaces ("--init-from 'a folder/{run}/model.safetensors'")
#   --predict OPTIONS  further options of cdt-predict ('--positive-below -0.2')
#   --against LIST   other studies of the same data set to compare with: their OUT folders, separated by commas
#   --jobs N         runs side by side (1); each has its share of the cores
#   --only PART      a part of the study, for clusters: 'prepare' checks the settings and makes the folds, and a number I
#                    makes the I-th run; without --only, all runs that are missing, the table and the page
#   --bin DIR        folder of the programs (default: where `make` puts them)
set -euo pipefail
export LC_ALL=C
unset CDPATH

die() {
  printf 'study: %s\n' "$1" >&2
  exit 2
}

data='' out='' seeds=3 folds='' by='' shares=1 genes='' train='' predict='' against='' jobs=1 only=''
bin=$(cd "$(dirname "$0")/../.." && pwd)/build/bin
while [ $# -gt 0 ]; do
  case $1 in
    --data | --out | --seeds | --folds | --by | --shares | --genes | --train | --predict | --against | --jobs | --only | --bin)
      [ $# -ge 2 ] || die "$1: needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    *) die "unknown option $1" ;;
  esac
done
train=${train//$'\n'/ } predict=${predict//$'\n'/ }

# --- What can be seen to be wrong is refused before anything is written.
[ -n "$data" ] || die 'DATA (--data): required, a data set directory'
[ -n "$out" ] || die 'OUT (--out): required, a folder for the study'
for number in seeds jobs; do
  [[ ${!number} =~ ^[1-9][0-9]{0,3}$ ]] || die "--$number: expected a whole number from 1 to 9999, got ${!number}"
done
[[ -z $folds || $folds =~ ^([3-9]|[1-9][0-9]{1,2}|1000)$ ]] ||
  die "--folds: expected a whole number from 3 to 1000, got $folds"
[[ $only =~ ^(|prepare|[1-9][0-9]{0,6})$ ]] || die "--only: expected prepare or the number of a run, got $only"
[[ $by =~ ^(|locus|pair|enhancer|gene|chromosome)$ ]] ||
  die "--by: expected locus, pair, enhancer, gene or chromosome, got $by"
# One spelling for each share, as it is in the names of runs.
shares_in_order=$(awk -v list="$shares" 'BEGIN {
  for (n = split(list, share, ","); i < n;) {
    if (share[++i] !~ /^([0-9]+\.?[0-9]*|\.[0-9]+)$/ || share[i] < 1e-6 || share[i] > 1 || seen[share[i] + 0]++) exit 1
    printf "%s%.12g", (i > 1 ? " " : ""), share[i]
  } }') || die "--shares: expected different numbers from 0.000001 to 1, separated by commas, got $shares"
[ -e "$data/dataset.json" ] || die "$data: no data set (dataset.json is missing)"
pairs=$data/$(grep -o '"pairs" *: *"[^"]*"' "$data/dataset.json" | sed 's/.*"\(.*\)"$/\1/;q')
[ -f "$pairs" ] || die "$pairs: no such file"
[ -z "$genes" ] || [ -f "$genes" ] || die "$genes: no such file"
[ -x "$bin/cdt-train" ] || die "$bin: no programs there; run make"
IFS=, read -r -a others <<<"$against"
for study in "${others[@]}"; do
  [ -e "$study/study/study.json" ] || die "--against: $study: no finished study"
  [ ! "$study" -ef "$out" ] || die "--against: $study: is this study itself"
done

# words OPTIONS: the words of a line as a shell reads them, one per line; nothing in them is expanded.
words() { xargs -r -n 1 printf '%s\n' <<<"$1" 2>/dev/null; }
# expect_free NAME OPTIONS RESERVED...: no option that the study sets itself.
expect_free() {
  local word reserved all
  all=$(words "$2") || die "$1: a quote is not closed: $2"
  while IFS= read -r word; do
    for reserved in "${@:3}"; do
      [ "${word%%=*}" != "$reserved" ] || die "$1: $reserved cannot be given in a study"
    done
  done <<<"$all"
}
always=(--data --out --fold --threads --quiet --overwrite --help -h --version)
expect_free --train "$train" "${always[@]}" --seed --train-share --resume --verify --dry-run --trace
expect_free --predict "$predict" "${always[@]}" --model --split --genes --ridge --combine --against

# The number of folds that the data set has itself, or 0.
own=$(awk -F '\t' '{ sub(/\r$/, "") }
  NR == 1 { sub(/^\357\273\277/, ""); for (i = 1; i <= NF; i++) if ($i == "fold") c = i; if (!c) exit; next }
  $0 == "" { next }
  $c !~ /^\+?[0-9]+$/ || $c < 1 || $c > 1000 {
    print "line " NR ", column fold: bad fold (expected 1 to 1000, got " $c ")"; bad = 1; exit }
  $c + 0 > most { most = $c + 0 }
  END { if (!bad) print most + 0 }' "$pairs")
[[ $own =~ ^[0-9]+$ ]] || die "$pairs: $own"
if [ "$own" -gt 0 ]; then
  [ -z "$folds" ] || [ "$folds" = "$own" ] || die "$data: has $own folds, not $folds"
  [ -z "$by" ] || die "--by: $data has folds already (column fold of ${pairs##*/})"
fi
folds=$((own > 0 ? own : ${folds:-5}))
by=${by:-locus}

# contents DIR: a digest of the files that dataset.json names. Large ones count with their size and both ends.
contents() {
  local name size
  { grep -o '"[^"/]*"' "$1/dataset.json" | tr -d '"'; echo dataset.json; } | sort -u | while IFS= read -r name; do
    [ -f "$1/$name" ] || continue
    size=$(stat -L -c %s "$1/$name")
    printf '%s %s\n' "$name" "$size"
    if [ "$size" -le 67108864 ]; then cat "$1/$name"; else
      head -c 1048576 "$1/$name"
      tail -c 1048576 "$1/$name"
    fi
  done | cksum
}

# --- The folder, for one study at a time
[ ! -e "$out" ] || [ -d "$out" ] || die "$out: is not a folder"
for file in dataset.json config.json metrics.json summary.json study.json; do
  [ ! -e "$out/$file" ] || die "$out: holds another kind of output ($file); choose another OUT"
done
why=$(mkdir -p "$out/log" 2>&1) || die "$out: ${why##*: }"
# Runs of one study may be made at the same time, each by its own process.
sharing=--exclusive
[[ $only != [1-9]* ]] || sharing=--shared
exec 9<>"$out/lock"
flock -n $sharing 9 || die "$out: another study is running there"

# All runs of a study must be alike. Until there is one, settings may be corrected, and until there is a prediction,
# those of predictions.
settings=$(printf '%s\n' "data $(cd "$data" && pwd)" "contents $(contents "$data")" "folds $folds by $by" \
  "train $(words "$train" | paste -sd ' ')" "predict $(words "$predict" | paste -sd ' ')" \
  "genes $genes" "gene-file $([ -z "$genes" ] || cksum <"$genes")")
[ $sharing = --exclusive ] || [ "$settings" = "$(cat "$out/settings" 2>/dev/null)" ] ||
  die "$out: was not prepared with these settings and data; repeat --only prepare"
holds() { compgen -G "$1" >/dev/null; }
trained='' predicted='' split_again=''
! holds "$out/runs/*/last/state.safetensors" || trained=1
! holds "$out/predictions/*/metrics.json" || predicted=1
while IFS= read -r setting; do
  key=${setting%% *}
  was=$(grep -m 1 "^$key " "$out/settings" 2>/dev/null) || continue
  [ "$was" != "$setting" ] || continue
  case $key in
    genes | gene-file | predict) fixed=$predicted ;;
    train) fixed=$trained$predicted ;;
    *)
      fixed=$trained$predicted split_again=1
      # Data of the same contents may have been moved; new links lead to them.
      [ "$key" != data ] || ! grep -q '^contents ' "$out/settings" || fixed=''
      ;;
  esac
  [ -n "$fixed" ] || continue
  case $key in
    contents) die "$data: has changed since the study in $out began; choose another OUT" ;;
    gene-file) die "$genes: has changed since the study in $out began; choose another OUT" ;;
  esac
  die "$out: is a study with another setting ($was); choose another OUT"
done <<<"$settings"
if [ $sharing = --exclusive ]; then
  printf '%s\n' "$settings" >"$out/settings.new"
  mv "$out/settings.new" "$out/settings"
fi

folded=$data
if [ "$own" -eq 0 ]; then
  folded=$out/data
  if [ -n "$split_again" ] || [ ! -e "$folded/dataset.json" ]; then
    "$bin/cdt-split" --data "$data" --out "$folded" --folds "$folds" --by "$by" --quiet ${split_again:+--overwrite}
  fi
fi

# --- The runs
cores=$(nproc)
threads=$((cores > jobs ? cores / jobs : 1))

# attempt NAME LOG COMMAND...: runs a program of a run; if it fails, says why and stops all runs (xargs: 255).
attempt() {
  local status=0
  { "${@:3}" >"$2" 2>&1; } 2>/dev/null || status=$?
  [ $status -ne 0 ] || return 0
  printf 'study: %s: %s\n' "$1" "$(tail -n 1 "$2" | grep . || echo "${3##*/} ended with exit status $status")" >&2
  return 255
}

# run_one SHARE FOLD SEED: trains and predicts, unless that is done.
run_one() {
  local name=share-$1-fold-$2-seed-$3
  local run=$out/runs/$name prediction=$out/predictions/$name log=$out/log/$name
  [ ! -e "$prediction/metrics.json" ] || return 0
  local baselines=(--ridge) further how
  [ -z "$genes" ] || baselines=(--genes "$genes")
  mapfile -t further < <(words "$train")
  how=(--data "$folded" --fold "$2" --train-share "$1" --seed "$3" "${further[@]//\{run\}/$name}")
  [ ! -e "$run/last/state.safetensors" ] || how=(--resume --data "$folded")
  attempt "$name" "$log.train" "$bin/cdt-train" "${how[@]}" --out "$run" --threads "$threads" --quiet || return
  mapfile -t further < <(words "$predict")
  attempt "$name" "$log.predict" "$bin/cdt-predict" --data "$folded" --model "$run/model.safetensors" --split test \
    --threads "$threads" "${baselines[@]}" "${further[@]}" --out "$prediction" --quiet || return
  printf '%s: %s\n' "$name" "$(awk '/^model / { print "r", $2, $3, $4; exit }' "$log.predict")"
}
export -f run_one attempt words
export out folded train predict genes threads bin

all=()
combine=()
for share in $shares_in_order; do
  for fold in $(seq "$folds"); do
    for seed in $(seq "$seeds"); do
      all+=("$share $fold $seed")
      combine+=(--combine "$out/predictions/share-$share-fold-$fold-seed-$seed")
    done
  done
done
if [ $sharing = --shared ]; then
  [ "$only" -le ${#all[@]} ] || die "--only: the study has ${#all[@]} runs, not $only"
  trap : TERM # cdt-train saves its state, and the study waits for it.
  read -r -a one <<<"${all[only - 1]}"
  run_one "${one[@]}" || exit 1
  exit 0
fi
printf 'study: %s runs: folds %s, seeds %s, shares %s\n' "${#all[@]}" "$folds" "$seeds" "$shares"
[ "$only" != prepare ] || exit 0
status=0
# Only what run_one says is shown, not what xargs says of it.
printf '%s\n' "${all[@]}" | xargs -P "$jobs" -L 1 bash -c "run_one \"\$@\" 2>&3" run_one 3>&2 2>/dev/null || status=$?
[ $status -eq 0 ] || die "a run failed or was interrupted; its log is in $out/log; the same command continues"

for study in "${others[@]}"; do combine+=(--against "$study/study"); done
"$bin/cdt-predict" --data "$folded" "${combine[@]}" --out "$out/study" --overwrite --quiet
"$bin/cdt-report" --study "$out/study" --out "$out/study.html" --overwrite --quiet
