#!/usr/bin/env bash
# The figures of the tour, drawn by gnuplot from what the programs wrote in the demo.
#
#   draw.sh BIN DEMO WORK OUT     BIN: the programs; DEMO: the demo's output (tests/run_demo.sh);
#                                 WORK: where the numbers go, a file for each figure; OUT: the SVGs
set -euo pipefail
export LC_ALL=C
if [ $# -ne 4 ]; then
  echo "usage: draw.sh BIN DEMO WORK OUT" >&2
  exit 2
fi
bin=$1 demo=$2 work=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
model=$demo/run/model.safetensors
command -v gnuplot >/dev/null || {
  echo "tour: gnuplot is missing (Debian package gnuplot-nox)" >&2
  exit 2
}
for part in data/dataset.json prediction/predictions.tsv attribution/pairs.tsv; do
  [ -e "$demo/$part" ] || {
    echo "tour: $demo/$part: no such file (make demo makes it)" >&2
    exit 2
  }
done
mkdir -p "$work" "$out"

numbers() { "$here/numbers.sh" "$@"; }
json() { awk -f "$here/json.awk" "$1"; }

# shape KEY INDEX: a size of the data set.
shape() { json "$demo/data/dataset.json" | awk -F '\t' -v key="$1.shape.$2" '$1 == key { print $2 }'; }
bins=$(shape dna 1) dna_dim=$(shape dna 2) genes=$(shape rna 0) rna_dim=$(shape rna 1)

# The pair that chapters 2 to 7 and 11 look at: the strongest predicted effect among the explained ones.
explain_one_pair() {
  pair=$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["prediction"] < least { least = $at["prediction"]; pair = $at["enhancer"] ":" $at["gene"] }
    END { print pair }' "$demo/attribution/pairs.tsv")
  enhancer=${pair%:*} gene=${pair##*:}
  row=$(awk -F '\t' -v name="$enhancer" '$4 == name { print NR - 1 }' "$demo/data/enhancers.bed")
  gene_row=$(awk -v name="$gene" '$0 == name { print NR - 1 }' "$demo/data/rna.genes.txt")
  "$bin/cdt-attribute" --data "$demo/data" --model "$model" --pair "$pair" --threads 1 --quiet --overwrite \
    --methods occlusion --baseline mean --occlude-bins 1 --maps-per-head \
    --maps dna_self_attn_layers.0,dna_to_rna,rna_to_protein,vce.dna --out "$work/pair" >/dev/null
  sites_of_pair >"$work/sites.tsv"
  read -r causal_from causal_to <<<"$(site causal)"
  read -r decoy_from decoy_to <<<"$(site decoy)"
}

# Class, first bin and the bin after the last of each site in the window of the pair.
sites_of_pair() {
  awk -F '\t' -v name="$enhancer" -v bins="$bins" '
    FNR == NR { if ($4 == name) { chrom = $1; start = int(($2 + $3) / 2) - bins / 2 * 128 } next }
    $1 == chrom && $2 >= start && $3 <= start + bins * 128 {
      from = ($2 - start) / 128; to = ($3 - start) / 128
      if (!($6 in first) || from < first[$6]) first[$6] = from
      if (to > last[$6]) last[$6] = to
    }
    END { for (class in first) print class, first[class], last[class] }' \
    "$demo/data/enhancers.bed" "$demo/data/sites.bed"
}
site() { awk -v class="$1" '$1 == class { print $2, $3 }' "$work/sites.tsv"; }

# What gnuplot writes without what says nothing: defaults, empty groups, its own title. Maps keep their squares.
compact() {
  sed -E -e 's/ stroke-width="1.00" stroke-linecap="butt" stroke-linejoin="miter"//; s/ class="gridline"//' \
    -e 's/<tspan font-family="[^"]*" >/<tspan>/g; s/^[[:space:]]+//; /^$/d' \
    -e "s/^<title>.*/<title>$1<\/title>/; s/^<desc>.*//; s/<image /<image style=\"image-rendering:pixelated\" /" |
    sed -z -E 's/<g [^>]*>\n<\/g>\n//g'
}

# draw NAME [VARIABLE=VALUE...]: NAME.gp to OUT/NAME.svg.
draw() {
  local name=$1 settings
  shift
  settings="out='$work/$name.svg'; work='$work'; bins=$bins; genes=$genes; gene='$gene'; enhancer='$enhancer'"
  settings+="; causal_from=$causal_from; causal_to=$causal_to; decoy_from=$decoy_from; decoy_to=$decoy_to"
  for variable in "$@"; do settings+="; $variable"; done
  gnuplot -d -e "set loadpath '$here'; $settings" "$here/$name.gp"
  compact "$name" <"$work/$name.svg" >"$out/$name.svg"
  rm "$work/$name.svg"
  printf 'draw  %s\n' "$out/$name.svg"
}

# result KEY: a number of the evaluation of the test pairs.
result() { json "$demo/prediction/metrics.json" | awk -F '\t' -v key="$1" '$1 == key { print $2 }'; }

figure_01() {
  awk -F '\t' 'NR > 1 { print $3, $4 }' "$demo/prediction/predictions.tsv" >"$work/01.tsv"
  draw 01-predictions "r=$(result pearson.value)" "low=$(result pearson.interval_95.0)" \
    "high=$(result pearson.interval_95.1)" "n=$(result n)"
}

# Norm of each bin, and the cosine of its angle to the mean bin of the window.
figure_02() {
  numbers f32 "$demo/data/dna.f32" "$dna_dim" $((row * bins)) "$bins" | tee "$work/window.tsv" | awk '
    { for (j = 1; j <= NF; j++) { x[NR, j] = $j; mean[j] += $j } columns = NF }
    END {
      for (j = 1; j <= columns; j++) size += mean[j] ^ 2
      for (i = 1; i <= NR; i++) {
        dot = norm = 0
        for (j = 1; j <= columns; j++) { dot += x[i, j] * mean[j]; norm += x[i, j] ^ 2 }
        print i - 1, sqrt(norm), dot / sqrt(norm * size)
      }
    }' >"$work/02.tsv"
  draw 02-embeddings
}

# Each number of the window behind the projector: before and after its normalisation.
figure_03() {
  {
    numbers tensor "$model" dna_projector.linear.weight | sed 's/^/weight /'
    numbers tensor "$model" dna_projector.linear.bias | sed 's/^/bias /'
    numbers tensor "$model" dna_projector.norm.weight | sed 's/^/gamma /'
    numbers tensor "$model" dna_projector.norm.bias | sed 's/^/beta /'
    sed 's/^/x /' "$work/window.tsv"
  } | awk -f "$here/project.awk" >"$work/03.tsv"
  draw 03-projection
}

# Four heads of the first self-attention over DNA, one map after the other.
figure_04() {
  numbers npy "$work/pair/maps/dna_self_attn_layers.0.npy" |
    awk -v n="$bins" 'NR > 1 && NR % n == 1 { print "\n" } { print }' >"$work/04.tsv"
  draw 04-self-attention
}

# mean_map FILE ROWS: the mean over heads of a map, times its columns: 1 is uniform.
mean_map() {
  numbers npy "$1" | awk -v rows="$2" '
    { r = (NR - 1) % rows; for (j = 1; j <= NF; j++) sum[r, j] += $j; columns = NF }
    END {
      for (r = 0; r < rows; r++) {
        for (j = 1; j <= columns; j++) printf "%s%.6g", (j > 1 ? " " : ""), sum[r, j] / (NR / rows) * columns
        print ""
      }
    }'
}
figure_05() {
  mean_map "$work/pair/maps/dna_to_rna.npy" "$genes" >"$work/05.tsv"
  draw 05-dna-to-rna
}
figure_06() {
  mean_map "$work/pair/maps/rna_to_protein.npy" "$genes" >"$work/06.tsv"
  draw 06-rna-to-protein
}

# A column for each head of DNA pooling, times the number of bins.
figure_07() {
  numbers npy "$work/pair/maps/vce.dna.npy" | awk '
    { for (j = 1; j <= NF; j++) a[j] = a[j] " " $j * NF }
    END { for (j = 1; j <= NF; j++) print j - 1 a[j] }' >"$work/07.tsv"
  draw 07-pooling
}

figure_08() {
  awk '{ print $2 - $1 }' "$work/01.tsv" >"$work/08.tsv"
  draw 08-huber
}

# The gradient of a layer norm of one RNA row, by the rule and by differences of several steps.
figure_09() {
  numbers f32 "$demo/data/rna.f32" "$rna_dim" "$gene_row" 1 | awk -f "$here/layer_norm.awk" >"$work/09.tsv"
  draw 09-gradient-check
}

figure_10() {
  json "$demo/run/metrics.jsonl" | awk -F '[.\t]' '
    { path = $2; v = $0; sub(/^[^\t]*\t/, "", v); m[$1, path] = v; if ($1 > last) last = $1 }
    END {
      for (e = 1; e <= last; e++) {
        print m[e, "epoch"], m[e, "train_loss"], m[e, "val_loss"], m[e, "val_pearson"], m[e, "lr"], m[e, "best"]
      }
    }' >"$work/10.tsv"
  draw 10-training "best=$(awk '$6 == "true" { e = $1 } END { print e }' "$work/10.tsv")"
}

# The windows of the pair as multiples of their mean; occlusion with its sign.
figure_11() {
  paste <(numbers npy "$work/pair/attention.npy" | tr -s ' ' '\n' | sed '/^$/d') \
    <(numbers npy "$work/pair/gradient.npy" | tr -s ' ' '\n' | sed '/^$/d') \
    <(numbers npy "$work/pair/methods/occlusion.npy" | tr -s ' ' '\n' | sed '/^$/d') | awk '
    { a[NR] = $1; g[NR] = $2; o[NR] = $3; sa += $1; sg += $2 }
    END { for (i = 1; i <= NR; i++) print i - 1, a[i] * NR / sa, g[i] * NR / sg, o[i] }' >"$work/11.tsv"
  draw 11-two-windows
}

# Name, r and its interval, from the strongest down; a control has the interval of what it loses.
figure_12() {
  json "$demo/prediction/metrics.json" | awk -F '\t' -f "$here/scores.awk" >"$work/12.tsv"
  draw 12-controls
}

explain_one_pair
for n in 01 02 03 04 05 06 07 08 09 10 11 12; do "figure_$n"; done
