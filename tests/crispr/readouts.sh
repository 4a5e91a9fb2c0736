#!/bin/bash
# The study of docs/real-effects.md on measured effects: the released readout against the gene readout, with and without
# positions, and each switch of docs/training.md left out or changed. Finished runs are kept, so the same command
# continues an interrupted study.
#
# Usage: readouts.sh --table PAIRS --genes BED --expressed TSV --out DIR [OPTION...]
#   --table, --genes, --expressed   as for make_arrays.py
#   --seeds N          runs per fold of the models (5)
#   --switch-seeds N   of each switch (1); 0: no switches
#   --shares LIST      learning curve of the last model (0.3,0.6,1)
#   --jobs N           runs side by side (2)
#   --bin DIR          folder of the programs (default: where `make` puts them)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
study=$here/../../apps/study/study.sh

table='' genes='' expressed='' out='' seeds=5 switch_seeds=1 shares=0.3,0.6,1 jobs=2 bin=$here/../../build/bin
while [ $# -gt 0 ]; do
  name=${1#--}
  case ${name//-/_} in
    table | genes | expressed | out | seeds | switch_seeds | shares | jobs | bin) ;;
    *) echo "readouts.sh: unknown option $1" >&2 && exit 2 ;;
  esac
  [ $# -ge 2 ] || { echo "readouts.sh: $1: needs a value" >&2 && exit 2; }
  printf -v "${name//-/_}" '%s' "$2"
  shift 2
done
for name in table genes expressed out; do
  [ -n "${!name}" ] || { echo "readouts.sh: --$name: required" >&2 && exit 2; }
done

# A model of few parameters, trained for few epochs on squared errors (a large --huber-delta): a few large effects are
# most of the variance. These settings were chosen on validation pairs, of another division into folds.
recipe='--hidden 32 --heads 1 --pool-heads 2 --feed-forward 64 --fusion 64 --dna-layers 0 --dropout 0 --batch-size 32
  --epochs 3 --lr 2e-3 --warmup-steps 60 --schedule cosine --weight-decay 1e-2 --no-decay biases-and-norms
  --label-transform scale --huber-delta 100 --epoch-controls none'
declare -A models=(
  [released]='--init-head mean'
  [gene]='--readout gene'
  [gene-bins]='--readout gene --bin-position distance'
  [gene-starts]='--readout gene --gene-position distance'
  [gene-positions]='--readout gene --bin-position distance --gene-position distance'
)
order=(released gene gene-bins gene-starts gene-positions)
# How each switch changes the options of the last model. A warm start is from the gene readout's run of the same fold and
# seed, which lacks the positions.
warm="--init-from $out/gene/runs/{run}/model.safetensors"
declare -A switches=(
  [plateau]='s/--warmup-steps 60 --schedule cosine//'
  [decay-of-all]='s/--no-decay biases-and-norms//'
  [little-decay]='s/--weight-decay 1e-2/--weight-decay 1e-5/'
  [labels-as-measured]='s/--label-transform scale//'
  [labels-clipped]='s/--label-transform scale/--label-transform clip/'
  [labels-ranked]='s/--label-transform scale/--label-transform rank/'
  [huber]='s/--huber-delta 100//'
  [masked-bins]='s/$/ --mask-bins 0.1/'
  [feature-dropout]='s/$/ --feature-dropout 0.1/'
  [chosen-by-auprc]='s/$/ --monitor auprc/'
  [warm]="s#\$# $warm#"
  [warm-slow]="s#\$# $warm --lr-scale *=0.1 --lr-scale bin_position=1 --lr-scale gene_position=1#"
)

mkdir -p "$out"
if [ ! -e "$out/folds/dataset.json" ]; then
  rm -rf "$out/arrays" "$out/imported"
  "$here/make_arrays.py" --table "$table" --genes "$genes" --expressed "$expressed" --min-pairs 5 --code 1 \
    --out "$out/arrays"
  "$bin/cdt-import" --dna "$out/arrays/dna.npy" --rna "$out/arrays/rna.npy" --protein "$out/arrays/protein.npy" \
    --genes "$out/arrays/genes.txt" --enhancers "$out/arrays/elements.bed" --pairs "$out/arrays/pairs.tsv" \
    --bin-bp 2048 --assembly hg38 --gene-table "$genes" --out "$out/imported" --quiet
  "$bin/cdt-split" --data "$out/imported" --folds 5 --by locus --out "$out/folds" --quiet
fi

# study NAME OPTIONS-OF-TRAIN OPTION...: one study in OUT/NAME.
run_study() {
  printf '\n== %s\n' "$1"
  "$study" --bin "$bin" --data "$out/folds" --out "$out/$1" --genes "$genes" --jobs "$jobs" --train "$(tr -s ' \n' ' ' <<<"$2")" \
    "${@:3}"
}
# by_commas NAME...: their folders.
by_commas() {
  local all
  all=$(printf ",$out/%s" "$@")
  echo "${all:1}"
}

last=${order[-1]}
for name in "${order[@]::${#order[@]}-1}"; do
  run_study "$name" "$recipe ${models[$name]}" --seeds "$seeds"
done
run_study "$last" "$recipe ${models[$last]}" --seeds "$seeds" --shares "$shares" \
  --against "$(by_commas "${order[@]::${#order[@]}-1}")"

[ "$switch_seeds" -gt 0 ] || exit 0
# The last model with as many seeds as each switch has.
same=()
for prediction in "$out/$last"/predictions/share-1-fold-*; do
  [ "${prediction##*-}" -gt "$switch_seeds" ] || same+=(--combine "$prediction")
done
mkdir -p "$out/unchanged"
"$bin/cdt-predict" --data "$out/folds" "${same[@]}" --out "$out/unchanged/study" --overwrite --quiet
for name in $(printf '%s\n' "${!switches[@]}" | sort); do
  changed=$(tr -s '\n' ' ' <<<"$recipe ${models[$last]}" | sed "${switches[$name]}")
  against=(unchanged)
  [ "$name" != warm-slow ] || against+=(warm)
  run_study "$name" "$changed" --seeds "$switch_seeds" --against "$(by_commas "${against[@]}")"
done
