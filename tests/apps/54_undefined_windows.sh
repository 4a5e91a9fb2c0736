#!/bin/bash
# cdt-attribute: windows without information have no peak, are counted, and are in no number; pairs of
# untrained genes are marked.
source tests/apps/lib.sh
command -v python3 >/dev/null || { skip undefined_windows 'python3 is missing' && finish; }
attribute=$CDT_BIN/cdt-attribute
tiny_model
genes=$data/rna.genes.txt

# zero_rows MODEL OUT TENSOR ROW...: a model with rows of a tensor set to 0.
zero_rows() {
  python3 - "$@" <<'END'
import json, struct, sys
model, out, tensor, rows = sys.argv[1], sys.argv[2], sys.argv[3], [int(r) for r in sys.argv[4:]]
content = bytearray(open(model, "rb").read())
length = struct.unpack("<Q", content[:8])[0]
entry = json.loads(content[8:8 + length])[tensor]
begin, end = (8 + length + at for at in entry["data_offsets"])
size = (end - begin) // entry["shape"][0]
for row in rows:
    content[begin + row * size:begin + (row + 1) * size] = bytes(size)
open(out, "wb").write(content)
END
}
run() { "$attribute" --split val --null-replicates 99 "$@"; }
# field FILE EXPRESSION: an expression over the JSON in it, as Python prints it.
field() { python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
column() { awk -F '\t' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
  { print $at }' "$1/pairs.tsv"; }

# --- The outputs of two genes are constant: their gradient is exactly 0, and occluding their DNA has no
# effect.
mapfile -t flat < <(awk -F '\t' '$1 == "val" { print $3 }' "$data/pairs.tsv" | sort | uniq -c |
  sort -k1,1nr -k2 | sed -n '1p;3p' | awk '{ print $2 }')
mapfile -t rows < <(for gene in "${flat[@]}"; do
  echo $(($(grep -nxF "$gene" "$genes" | cut -d : -f 1) - 1)); done)
is_flat() { awk -F '\t' -v a="${flat[0]}" -v b="${flat[1]}" -v c="$1" '$c == a || $c == b'; }
zero_rows "$model" "$work/flat.safetensors" task_layer.3.weight "${rows[@]}"
cp -r "$data" "$work/rest"
awk -F '\t' -v a="${flat[0]}" -v b="${flat[1]}" '$1 != "val" || ($3 != a && $3 != b)' \
  "$data/pairs.tsv" >"$work/rest/pairs.tsv"
pairs=$(grep -c '^val' "$data/pairs.tsv")
zeros=$(grep '^val' "$data/pairs.tsv" | is_flat 3 | wc -l)
left=$((pairs - zeros))
check 'some windows have a gradient and some have none' [ $((zeros > 1 && left > 1)) -eq 1 ]
sites=(--annotations "$data/sites.bed")
methods=(--methods gradient_x_input,occlusion,random --occlude-bins 4)
expect_ok run --data "$data" --model "$work/flat.safetensors" "${methods[@]}" "${sites[@]}" \
  --tracks 1000 --out "$work/flat"
mv "$work/stdout" "$work/flat.txt"
expect_ok run --data "$work/rest" --model "$work/flat.safetensors" "${methods[@]}" "${sites[@]}" \
  --tracks 0 --out "$work/others"
expect_ok run --data "$data" --model "$model" "${methods[@]}" --tracks 0 --out "$work/moving"
summary=$work/flat/summary.json
expect_text "$work/flat.txt" "left out: gradient of $zeros pairs is zero everywhere"
check 'n in the table' grep -qE "^gradient +$left " "$work/flat.txt"
for method in gradient gradient_x_input occlusion; do
  check "$method: n and why" [ "$(field "$summary" \
    "(lambda m: (m['n'], m['undefined'], m['undefined_why']['zero']))(s['methods']['$method'])")" = \
    "($left, $zeros, $zeros)" ]
done
# same METHOD FOLDER: all numbers of the method except the counts of left-out windows.
same() {
  local numbers="{k: v for k, v in s['methods']['$1'].items() if not k.startswith('undefined')}"
  check "numbers of $1 as in $(basename "$2")" \
    [ "$(field "$summary" "$numbers")" = "$(field "$2/summary.json" "$numbers")" ]
}
same gradient "$work/others"
same gradient_x_input "$work/others"
same occlusion "$work/others"
# Attention and the control keep all their peaks, although the gradient has none for these pairs.
same attention "$work/moving"
same random "$work/moving"
both() { field "$1/summary.json" "[{k: v for k, v in a.items() if k != 'undefined'} for a in \
  s['agreement'] if a['first'] in ($2) and a['second'] in ($3)]"; }
moved="'gradient', 'gradient_x_input', 'occlusion'"
check 'agreement with the gradient is that of the other pairs' \
  [ "$(both "$work/flat" "'attention', $moved" "$moved")" = \
  "$(both "$work/others" "'attention', $moved" "$moved")" ]
check 'agreement of attention and the control is that of all' \
  [ "$(both "$work/flat" "'attention'" "'random'")" = \
  "$(both "$work/moving" "'attention'" "'random'")" ]
check 'n of every agreement' [ "$(field "$summary" \
  "all(a['n'] + a['undefined'] == $pairs and a['undefined'] == (0 if a['first'] == 'attention' and \
  a['second'] == 'random' else $zeros) for a in s['agreement'])")" = True ]
for section in top_overlap distance_between_peaks_bp; do
  check "$section" [ "$(field "$summary" "s['$section']")" = \
    "$(field "$work/others/summary.json" "s['$section']")" ]
done
# Edge share and overlap, recomputed from the scores alone.
cat >"$work/anew.py" <<'END'
import struct, sys
def profiles(path):
    values = struct.iter_unpack("<16f", open(path, "rb").read()[128:])
    return [[abs(v) for v in row] for row in values]
folder, moving = sys.argv[1], []
for a, g in zip(profiles(folder + "/attention.npy"), profiles(folder + "/gradient.npy")):
    if max(g) > 0:
        moving.append((a, g))
peak = lambda row: row.index(max(row))
print(len(moving), sum(peak(g) in (0, 15) for _, g in moving) / len(moving),
      sum(peak(a) in (0, 15) for a, _ in moving) / len(moving))
END
check 'edge share anew' [ "$(python3 "$work/anew.py" "$work/flat")" = "$(field "$summary" \
  "'%d %s %s' % (s['methods']['gradient']['n'], float(s['edge_share']['gradient']), \
  float(json.load(open('$work/others/summary.json'))['edge_share']['attention']))")" ]

# Truth, sites, elements and effects leave them out too, and say so.
numbers() { field "$1/summary.json" "s$2"; }
for part in "['truth_scores']['methods']['gradient']['causal']" \
  "['planted_sites']['causal']['gradient_share']" "['planted_sites']['causal']['occlusion_n']" \
  "['annotations']['peaks']['gradient']['sites']['share_on_element']" \
  "['occlusion_vs_gradient']['gradient']['pearson_mean']" \
  "['occlusion_vs_gradient']['gradient']['pairs']"; do
  check "$part" [ "$(numbers "$work/flat" "$part")" = "$(numbers "$work/others" "$part")" ]
done
enriched="[e for e in s['annotations']['enrichment'] if e['method'] == 'gradient']"
check 'enrichment but for q' [ "$(field "$summary" "[(e['n'], e['fold'], e['p']) for e in $enriched]")" = \
  "$(field "$work/others/summary.json" "[(e['n'], e['fold'], e['p']) for e in $enriched]")" ]
check 'n of effects' [ "$(numbers "$work/flat" \
  "['occlusion_vs_gradient']['gradient']['undefined']")" -eq "$zeros" ]
effect=$(numbers "$work/flat" "['truth_scores']['pairs']")
check 'n of truth scores' [ "$(field "$summary" "(lambda m: m['n'] + m['undefined'])(\
s['truth_scores']['methods']['gradient'])")" -eq "$effect" ]

# The files: nan for a missing peak, no peak rows for the window; the scores are kept.
check 'nan where there is no peak' cmp <(column "$work/flat" gradient_peak_bin | grep -c nan) \
  <(echo "$zeros")
for name in gradient_peak_bin gradient_peak_bp top_overlap; do
  check "$name of those genes only" cmp \
    <(paste <(column "$work/flat" gene) <(column "$work/flat" $name) | grep nan | cut -f 1 | sort) \
    <(column "$work/flat" gene | is_flat 1 | sort)
done
check 'attention has its peaks' [ "$(column "$work/flat" attention_peak_bin | grep -c nan)" -eq 0 ]
for file in peaks annotations; do
  check "no rows in $file.tsv" [ "$(awk -F '\t' '$3 == "gradient"' "$work/flat/$file.tsv" | is_flat 2 | wc -l)" -eq 0 ]
  check "rows of attention in $file.tsv" \
    [ "$(awk -F '\t' '$3 == "attention"' "$work/flat/$file.tsv" | is_flat 2 | wc -l)" -gt 0 ]
done
check 'all scores' [ "$(stat -c %s "$work/flat/gradient.npy")" -eq $((128 + pairs * 64)) ]
check 'no peaks in tracks' [ "$(grep -cE "(${flat[0]}|${flat[1]})\|gradient\|" "$work/flat/tracks/peaks.bed")" -eq 0 ]
check 'the tracks say why' [ "$(head -qn 1 "$work"/flat/tracks/[0-9]*.gradient.bedGraph |
  grep -c 'undefined: the window is zero everywhere')" -eq "$zeros" ]
merged=$(grep -l 'undefined window' "$work"/flat/tracks/merged_*.gradient.bedGraph | head -n 1)
name=$(basename "$merged" .gradient.bedGraph)
check 'a merged track is the mean of its defined windows' awk 'FNR == 1 { next }
  FILENAME == ARGV[ARGC - 1] { if (!n[$2] || ($4 - sum[$2] / n[$2]) ^ 2 > 1e-12 * $4 ^ 2) bad = 1
    seen++; next }
  $4 != 0 { sum[$2] += $4; n[$2]++ } END { exit bad || seen != 16 }' \
  "$work"/flat/tracks/[0-9]*_"${name#merged_[0-9]*_}"_*.gradient.bedGraph "$merged"

# --- Keys of size zero: every gene attends to all bins equally.
keys=$(seq 16 31)
# shellcheck disable=SC2086
zero_rows "$model" "$work/even.safetensors" dna_to_rna.cross_attn.in_proj_weight $keys
expect_ok run --data "$data" --model "$work/even.safetensors" --tracks 1000 --out "$work/even" "${sites[@]}"
expect_text "$work/stdout" "left out: attention of $pairs pairs is the same in every bin"
even=$work/even/summary.json
check 'attention: no window, no number' [ "$(field "$even" "(lambda m: (m['n'], m['undefined_why']['equal'], \
  m['peak_in_outer_5_percent']['value'], m['effective_bins']['value']))(s['methods']['attention'])")" = \
  "(0, $pairs, None, None)" ]
check 'its windows still say that they spread over all bins' \
  [ "$(column "$work/even" attention_effective_bins | awk '{ if (($1 - 16) ^ 2 > 1e-8) bad++ } END { print bad + 0 }')" -eq 0 ]
check 'the gradient keeps its peaks' [ "$(field "$even" "s['methods']['gradient']['n']")" -eq "$pairs" ]
check 'no overlap' [ "$(field "$even" "(s['top_overlap']['n'], s['top_overlap']['mean'], s['top_overlap']['min'])")" = \
  '(0, None, None)' ]
check 'no test of attention on elements' [ "$(field "$even" \
  "sorted({e['method'] for e in s['annotations']['enrichment']})")" = "['gradient']" ]
# page NAME DATA OPTION...: the page of the attribution $work/NAME and its model, as text in entities only.
page() {
  local of_model=$work/run-$1
  [ -e "$of_model" ] || cp -r "$work/run" "$of_model"
  [ ! -e "$work/$1.safetensors" ] || cp "$work/$1.safetensors" "$of_model/model.safetensors"
  expect_ok "$CDT_BIN/cdt-report" --data "$2" --run "$of_model" --attribution "$work/$1" \
    --out "$work/$1.html" --quiet "${@:3}"
}
page even "$data"
expect_text "$work/even.html" "Attention: no peak, n = 0 of $pairs pairs, left out: $pairs whose attention is the same in every bin"
expect_text "$work/even.html" "No pair has a peak of both: n = 0 of $pairs pairs"
page flat "$data"
expect_text "$work/flat.html" "n = $left of $pairs pairs, left out: $zeros whose gradient is zero everywhere"
expect_text "$work/flat.html" "In $zeros explained pairs the gradient is zero everywhere: "
check 'the tables have an n' [ "$(grep -oE '<td>[0-9]+</td></tr>' "$work/flat.html" | grep -c "<td>$left<")" -gt 4 ]
check 'the shown pair has both peaks' grep -qE 'explained pairs with both peaks: ' "$work/flat.html"
page flat "$data" --overwrite --pair "$(awk -F '\t' -v g="${flat[0]}" '$1 == "val" && $3 == g {
  print $2 ":" $3; exit }' "$data/pairs.tsv")"
expect_text "$work/flat.html" 'Gradient has no peak: undefined, as the window is zero everywhere. '
# A summary without an n, or from an earlier version, is refused.
cp -r "$work/flat" "$work/old"
refused() {
  expect_fail 2 "$1" "$CDT_BIN/cdt-report" --data "$data" --run "$work/run-flat" \
    --attribution "$work/old" --out "$work/old.html" --quiet
}
grep -vE '^ +"n": ' "$summary" >"$work/old/summary.json"
refused 'summary.json: attention.n: is missing'
sed 's/"version": 3/"version": 2/' "$summary" >"$work/old/summary.json"
refused 'summary.json: format: is version 2; run cdt-attribute again: cdt-attribute --split val '
sed 's/"bins_at_a_time": 4/"bins_at_a_time": 0/' "$summary" >"$work/old/summary.json"
refused 'summary.json: occlusion_vs_gradient.bins_at_a_time: is wrong (expected at least 1, got 0)'

check 'no track of nothing' [ ! -e "$work/even/tracks/all.attention.bedGraph" ]
check 'nor in the session' [ "$(grep -c 'all.attention' "$work/even/tracks/igv_session.xml")" -eq 0 ]

# --- Genes without training pairs.
cp -r "$data" "$work/partly"
awk -F '\t' -v a="${flat[0]}" '$1 != "train" || $3 != a' "$data/pairs.tsv" >"$work/partly/pairs.tsv"
untrained=$(grep '^val' "$data/pairs.tsv" | awk -F '\t' -v a="${flat[0]}" '$3 == a' | wc -l)
expect_ok run --data "$work/partly" --model "$model" --tracks 1000 --out "$work/untrained"
check 'one warning' [ "$(grep -c 'warning: ' "$work/stderr")" -eq 1 ]
expect_text "$work/stderr" "$untrained of $pairs explained pairs "
check 'counted' [ "$(numbers "$work/untrained" "['pairs_of_untrained_genes']")" -eq "$untrained" ]
check 'none without' [ "$(numbers "$work/flat" "['pairs_of_untrained_genes']")" -eq 0 ]
check 'training pairs by gene' cmp \
  <(paste <(column "$work/untrained" gene) <(column "$work/untrained" gene_train_pairs) | sort -u) \
  <(column "$work/untrained" gene | sort -u | while read -r gene; do
    printf '%s\t%s\n' "$gene" "$(awk -F '\t' -v g="$gene" '$1 == "train" && $3 == g' \
      "$work/partly/pairs.tsv" | wc -l)"; done)
expect_ok run --data "$data" --model "$model" --tracks 0 --out "$work/whole"
check 'they stay in the numbers' \
  [ "$(numbers "$work/untrained" "['methods']")" = "$(numbers "$work/whole" "['methods']")" ]
check 'their tracks say so' [ "$(head -qn 1 "$work"/untrained/tracks/[0-9]*.bedGraph |
  grep -c 'gene never trained on).*never trained on')" -eq $((2 * untrained)) ]
check 'and their peaks' [ "$(grep -c 'never_trained_on' "$work/untrained/tracks/peaks.bed")" -eq \
  $((2 * untrained * 16)) ]
page untrained "$work/partly"
expect_text "$work/untrained.html" "$untrained explained pairs are of genes without training pairs"
check 'shown is another' [ "$(grep -cE "trained on: [^ ]+ to <i>${flat[0]}<" "$work/untrained.html")" -eq 0 ]
expect_text "$work/untrained.html" 'explained pairs of a gene that was trained on'
page untrained "$work/partly" --overwrite --pair "$(awk -F '\t' -v g="${flat[0]}" '$1 == "val" && $3 == g {
  print $2 ":" $3; exit }' "$data/pairs.tsv")"
expect_text "$work/untrained.html" 'The gene has no training pairs: this output was never trained. '
# A data set without training pairs makes no statement about training.
awk -F '\t' '$1 != "train"' "$data/pairs.tsv" >"$work/partly/pairs.tsv"
expect_ok run --data "$work/partly" --model "$model" --tracks 1 --out "$work/unknown"
check 'no warning' [ "$(grep -c 'warning: ' "$work/stderr")" -eq 0 ]
check 'null' [ "$(numbers "$work/unknown" "['pairs_of_untrained_genes']")" = None ]
check 'no word in tracks' [ "$(cat "$work"/unknown/tracks/*.bedGraph | grep -c 'never trained')" -eq 0 ]

finish
