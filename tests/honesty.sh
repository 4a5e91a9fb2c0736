#!/bin/bash
# How often a prediction and a report page make false and true claims. For each mechanism of cdt-synth and
# each seed: a data set, a small model, the claims in metrics.json for its test and val pairs, and those on
# the page of its test pairs.
#
#   tests/honesty.sh BIN OUT [SEEDS]        seeds 1 to SEEDS (50), JOBS of them at once (2)
#   MECHANISMS='dna specific'               only these mechanisms
#
# Claims about DNA are dna, baseline, enrichment (sites.bed is the annotation) and sites. Under the
# mechanisms none and gene-only DNA carries no information about the effects, so these claims are false
# there and their share is the error rate; under dna, product and specific the share is the power. The same holds for
# sites, "the site that acts is found", which is claimed only together with dna; but without an acting site
# no pair has a planted effect, the figure is left out, and 0 means only that (tests/apps/76_silent_pages.sh
# has data where it could be claimed). Nothing may be claimed about val, which chose the model, under any
# mechanism.
# Under specific, specific-METHOD says that the scores follow the class of the gene; other data has no classes. Both
# sites must be learnt, so this data has more features and less noise and its model is larger; all genes of an enhancer
# are explained, so that every window is for genes of both classes.
# The other claims are about the model, not about DNA. Any model, even one of pure noise, may look at the
# edges (edge-*) or at all bins equally (uniform); its attention may agree with its gradient (agreement),
# and its gradient with its own predictions (`foretelling`). They may be true under every mechanism, and their
# shares are listed too.
#
# OUT/honesty.tsv: mechanism seed split r gain, and 0|1 for each claim on the page; for val, those in
# metrics.json (nan: not there). OUT/summary.tsv and stdout: per mechanism, split and claim the number of
# seeds that made it, the share and its 95 % interval (Wilson), and the mean r of the seeds. Finished seeds
# are not repeated: OUT/rows/ holds a file for each. Without gnuplot there are no pages, only predictions.
set -euo pipefail
export LC_ALL=C OMP_WAIT_POLICY=passive
bin=${1:?usage: tests/honesty.sh BIN OUT [SEEDS]} out=${2:?a folder} seeds=${3:-50} jobs=${JOBS:-2}
mechanisms=${MECHANISMS:-none gene-only dna product specific}
predicted='dna baseline genes' # in metrics.json and on the page
explained='sites site-genes enrichment agreement foretelling edge-attention edge-gradient uniform gene-rows'
explained+=' specific-attention specific-gradient specific-occlusion'

# 800 enhancers, 40 of them test, with two genes each. More bins than the 20 that count as top bins.
data_options='--preset tiny --enhancers 800 --bins 24'
model_options='--epochs 6 --lr 3e-3 --batch-size 32 --dropout 0 --hidden 16 --heads 2 --pool-heads 2
  --feed-forward 32 --fusion 16 --dna-layers 1'
specific_data='--dna-dim 16 --noise 0.03'
specific_model='--epochs 16 --lr 2e-3 --batch-size 16 --dropout 0 --hidden 32 --heads 2 --pool-heads 2
  --feed-forward 32 --fusion 32 --dna-layers 1'
attribute_options='--methods random,occlusion --occlude-bins 3 --maps dna_to_rna --map-pairs 20
  --null-replicates 999 --tracks 0'

pages=1
command -v gnuplot >/dev/null || { pages=0; echo 'gnuplot is missing: no pages' >&2; }

# value PATTERN FILE: the value after the last match of PATTERN in a JSON text; null is nan.
value() {
  local found
  found=$(tr -d '\n' <"$2" | sed -nE "s/.*$1 *([^,} ]+).*/\1/p")
  [ -n "$found" ] || { echo "$2: lacks $1" >&2; return 1; }
  case $found in null) echo nan ;; true) echo 1 ;; false) echo 0 ;; *) echo "$found" ;; esac
}

# claims_of METRICS: the claims of the predictions, each after a tab.
claims_of() {
  local name said
  for name in $predicted; do
    said=$(value "\"claims\":.*\"$name\": *[{][^}]*\"said\":" "$1")
    printf '\t%s' "$said"
  done
}

# on_page PAGE CLAIM...: 1 if the page makes it, else 0, each after a tab.
on_page() {
  local page=$1 name
  shift
  for name; do
    printf '\t%d' "$(grep -cm 1 "class=\"said\" data-claim=\"$name\"" "$page")"
  done
}

# one MECHANISM SEED: writes its rows and deletes intermediate files.
one() {
  local folder=$out/$1-$2 split r gain metrics name made='' trained=$model_options genes=''
  [ "$1" != specific ] || made=$specific_data trained=$specific_model genes=--all-genes
  local common=(--device cpu --threads 1 --quiet --data "$out/$1-$2/data")
  local model=(--model "$folder/run/model.safetensors")
  rm -rf "$folder"
  mkdir "$folder"
  # shellcheck disable=SC2086
  "$bin/cdt-synth" $data_options $made --mechanism "$1" --seed "$2" --threads 1 --out "$folder/data" --quiet
  # shellcheck disable=SC2086
  "$bin/cdt-train" "${common[@]}" $trained --seed "$2" --out "$folder/run"
  for split in test val; do
    "$bin/cdt-predict" "${common[@]}" "${model[@]}" --split $split --out "$folder/$split"
  done
  if [ "$pages" = 1 ]; then
    # shellcheck disable=SC2086
    "$bin/cdt-attribute" "${common[@]}" "${model[@]}" --split test $attribute_options $genes \
      --annotations "$folder/data/sites.bed" --out "$folder/attribution"
    "$bin/cdt-report" "${common[@]}" --run "$folder/run" --prediction "$folder/test" \
      --attribution "$folder/attribution" --out "$folder/page.html"
  fi
  for split in test val; do
    metrics=$folder/$split/metrics.json
    r=$(value '"predictions": *[{][^}]*[}], *"pearson": *[{] *"value":' "$metrics")
    gain=$(value '"pearson_gain_over_strongest_baseline": *[{][^}]*"difference": *[{] *"value":' "$metrics")
    printf '%s\t%d\t%s\t%s\t%s' "$1" "$2" $split "$r" "$gain"
    claims_of "$metrics"
    for name in $explained; do
      if [ $split = test ] && [ "$pages" = 1 ]; then on_page "$folder/page.html" "$name"; else printf '\tnan'; fi
    done
    echo
  done >"$folder/row"
  # shellcheck disable=SC2086
  if [ "$pages" = 1 ] && [ "$(on_page "$folder/page.html" $predicted)" != "$(claims_of "$folder/test/metrics.json")" ]; then
    echo "$1 $2: the page says other than metrics.json" >&2
    return 1
  fi
  mv "$folder/row" "$out/rows/$1-$2.tsv"
  rm -rf "$folder"
}

# Wilson's interval for x of n, in percent.
summarise() {
  awk -F '\t' -v OFS='\t' '
    NR == 1 { for (i = 6; i <= NF; ++i) name[i] = $i; next }
    {
      key = $1 OFS $3
      if (!(key in seen)) { seen[key] = 1; order[++keys] = key }
      if ($4 != "nan") { ++defined[key]; r[key] += $4 }
      for (i = 6; i <= NF; ++i) if ($i != "nan") { ++n[key, i]; said[key, i] += $i }
    }
    END {
      print "mechanism", "split", "claim", "about", "seeds", "said", "percent", "low", "high", "mean_r"
      z = 1.959964
      for (k = 1; k <= keys; ++k) for (i = 6; i in name; ++i) {
        key = order[k]; m = n[key, i]
        if (!m) continue
        p = said[key, i] / m; d = 1 + z * z / m
        centre = (p + z * z / (2 * m)) / d
        half = z * sqrt(p * (1 - p) / m + z * z / (4 * m * m)) / d
        print key, name[i], name[i] ~ /^(dna|baseline|sites|enrichment)$/ ? "DNA" : "model", m, said[key, i],
          sprintf("%.1f", 100 * p), sprintf("%.1f", 100 * (centre - half)), sprintf("%.1f", 100 * (centre + half)),
          defined[key] ? sprintf("%.3f", r[key] / defined[key]) : "nan"
      }
    }' "$1"
}

mkdir -p "$out/rows"
made_by=$(cat "$bin"/cdt-{synth,train,predict,attribute,report} "$0" | cksum; echo "pages $pages")
if [ -e "$out/made_by" ] && [ "$(cat "$out/made_by")" != "$made_by" ]; then
  echo "$out: holds rows of other programs; remove it or name another folder" >&2
  exit 1
fi
echo "$made_by" >"$out/made_by"

export -f one value claims_of on_page
export bin out data_options model_options specific_data specific_model attribute_options pages predicted explained
for ((seed = 1; seed <= seeds; seed++)); do
  for mechanism in $mechanisms; do
    [ -e "$out/rows/$mechanism-$seed.tsv" ] || echo "$mechanism $seed"
  done
done | xargs -r -P "$jobs" -L 1 bash -euo pipefail -c 'one "$@" >/dev/null' one

{
  printf 'mechanism seed split r gain %s %s\n' "$predicted" "$explained" | tr ' ' '\t'
  for mechanism in $mechanisms; do
    for ((seed = 1; seed <= seeds; seed++)); do cat "$out/rows/$mechanism-$seed.tsv"; done
  done
} >"$out/honesty.tsv"
summarise "$out/honesty.tsv" | tee "$out/summary.tsv"
