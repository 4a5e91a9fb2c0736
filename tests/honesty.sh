#!/bin/bash
# How often a prediction claims that the model uses DNA, where DNA tells the effects (mechanisms dna
# and specific of cdt-synth: the power) and where it does not (none and gene-only: false claims). For
# each mechanism and seed: a data set of its own, a small model, and what the metrics.json of its test
# and val pairs claims. Val chose the model, so that nothing may be claimed of it whatever the mechanism.
#
#   tests/honesty.sh BIN OUT [SEEDS]        seeds 1 to SEEDS (50), JOBS of them at once (2)
#
# OUT/honesty.tsv: mechanism seed split r gain said (0|1); OUT/summary.tsv and stdout: per mechanism and
# split how many claimed it, the share and its 95 % interval (Wilson), and the mean r. What is done is
# not done again: OUT/rows/ holds a file for each seed.
set -euo pipefail
export LC_ALL=C OMP_WAIT_POLICY=passive
bin=${1:?usage: tests/honesty.sh BIN OUT [SEEDS]} out=${2:?a folder} seeds=${3:-50} jobs=${JOBS:-2}
mechanisms='none gene-only dna specific'

# 800 enhancers: 40 of them test, with two genes each.
data_options='--preset tiny --enhancers 800 --bins 12'
model_options='--epochs 6 --lr 3e-3 --batch-size 32 --dropout 0 --hidden 16 --heads 2 --pool-heads 2
  --feed-forward 32 --fusion 16 --dna-layers 1'

# value PATTERN FILE: what follows the last match of PATTERN in a JSON text; null is nan.
value() {
  local found
  found=$(tr -d '\n' <"$2" | sed -nE "s/.*$1 *([^,} ]+).*/\1/p")
  [ -n "$found" ] || { echo "$2: lacks $1" >&2; return 1; }
  case $found in null) echo nan ;; true) echo 1 ;; false) echo 0 ;; *) echo "$found" ;; esac
}

# one MECHANISM SEED: its rows; intermediate files go.
one() {
  local folder=$out/$1-$2 metrics r gain said split
  rm -rf "$folder"
  mkdir "$folder"
  # shellcheck disable=SC2086
  "$bin/cdt-synth" $data_options --mechanism "$1" --seed "$2" --threads 1 --out "$folder/data" --quiet
  # shellcheck disable=SC2086
  "$bin/cdt-train" --data "$folder/data" $model_options --seed "$2" --device cpu --threads 1 \
    --out "$folder/run" --quiet
  for split in test val; do
    metrics=$folder/$split/metrics.json
    "$bin/cdt-predict" --data "$folder/data" --model "$folder/run/model.safetensors" --split $split \
      --device cpu --threads 1 --out "$folder/$split" --quiet
    r=$(value '"predictions": *[{][^}]*[}], *"pearson":' "$metrics")
    gain=$(value '"pearson_gain_over_strongest_baseline": *[{] *"difference":' "$metrics")
    said=$(value '"claims":.*"dna": *[{][^}]*"said":' "$metrics")
    printf '%s\t%d\t%s\t%s\t%s\t%s\n' "$1" "$2" $split "$r" "$gain" "$said" >>"$folder/row"
  done
  mv "$folder/row" "$out/rows/$1-$2.tsv"
  rm -rf "$folder"
}

# Wilson's interval of x in n, in percent.
summarise() {
  awk -F '\t' -v OFS='\t' '
    NR == 1 { next }
    {
      key = $1 OFS $3
      if (!(key in n)) order[++keys] = key
      ++n[key]; said[key] += $6
      if ($4 != "nan") { ++defined[key]; r[key] += $4 }
    }
    END {
      print "mechanism", "split", "seeds", "said", "percent", "low", "high", "mean_r"
      z = 1.959964
      for (i = 1; i <= keys; ++i) {
        k = order[i]; p = said[k] / n[k]; d = 1 + z * z / n[k]
        centre = (p + z * z / (2 * n[k])) / d
        half = z * sqrt(p * (1 - p) / n[k] + z * z / (4 * n[k] * n[k])) / d
        print k, n[k], said[k], sprintf("%.1f", 100 * p), sprintf("%.1f", 100 * (centre - half)),
          sprintf("%.1f", 100 * (centre + half)), defined[k] ? sprintf("%.3f", r[k] / defined[k]) : "nan"
      }
    }' "$1"
}

mkdir -p "$out/rows"
made_by=$(cat "$bin"/cdt-{synth,train,predict} "$0" | cksum)
if [ -e "$out/made_by" ] && [ "$(cat "$out/made_by")" != "$made_by" ]; then
  echo "$out: holds rows of other programs; remove it or name another folder" >&2
  exit 1
fi
echo "$made_by" >"$out/made_by"

export -f one value
export bin out data_options model_options
for ((seed = 1; seed <= seeds; seed++)); do
  for mechanism in $mechanisms; do
    [ -e "$out/rows/$mechanism-$seed.tsv" ] || echo "$mechanism $seed"
  done
done | xargs -r -P "$jobs" -L 1 bash -euo pipefail -c 'one "$@" >/dev/null' one

{
  printf 'mechanism\tseed\tsplit\tr\tgain\tsaid\n'
  for mechanism in $mechanisms; do
    for ((seed = 1; seed <= seeds; seed++)); do cat "$out/rows/$mechanism-$seed.tsv"; done
  done
} >"$out/honesty.tsv"
summarise "$out/honesty.tsv" | tee "$out/summary.tsv"
