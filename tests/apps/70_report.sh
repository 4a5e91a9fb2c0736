#!/bin/bash
# cdt-report: a page from every amount of input, what it refuses, and the page in a browser.
source tests/apps/lib.sh
report=$CDT_BIN/cdt-report
data=$work/data run=$work/run attribution=$work/attribution

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --bins 24 --seed 3 --out "$data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$run" --epochs 2 --hidden 16 --heads 2 \
  --pool-heads 2 --feed-forward 32 --fusion 16 --quiet
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$run/model.safetensors" --split val \
  --out "$work/prediction" --quiet
# Elements of two classes: the bins left and right of each enhancer's centre, plus one more class.
awk -F '\t' -v OFS='\t' '{ c = int(($2 + $3) / 2)
  print $1, c - 512, c - 256, $4, 0, "left"; print $1, c + 256, c + 512, $4, 0, "<right>" }' \
  "$data/enhancers.bed" >"$work/sites.bed"
awk -F '\t' -v OFS='\t' '{ print $1, $2, $3 }' "$data/enhancers.bed" >"$work/rest.bed"
expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$run/model.safetensors" --split val \
  --methods all --occlude-bins 2 --smooth-samples 2 --paths --annotations "$work/sites.bed" \
  --annotations "$work/rest.bed" --maps all --maps-per-head \
  --out "$attribution"
cp "$work/stdout" "$work/attributed"

expect_ok "$report" --data "$data" --run "$run" --attribution "$attribution" \
  --annotations "$work/sites.bed" --annotations "$work/rest.bed" --out "$work/page.html" --quiet
check 'the path on stdout' [ "$(cat "$work/stdout")" = "$work/page.html" ]
check 'nothing on stderr with --quiet' [ ! -s "$work/stderr" ]
page=$work/page.html
for title in 'The model against its controls, baselines and noise ceiling' 'Predicted against observed effects' \
  'Loss and correlation by epoch' 'Where the peaks are' \
  'Do attention and gradient point to the same bins?' 'The strongest effect among the ' \
  'Heads of the first DNA self-attention layer' 'How close to uniform the attention maps are' \
  'Which elements the top bins overlap' \
  'Which paths lead from the DNA to the prediction' \
  'Does the gradient predict the effect of occluding bins?' 'Do the methods find the planted sites?'; do
  expect_text "$page" "</span> $title"
done
check 'a picture for each form of each figure' \
  [ "$(grep -o '<svg' "$page" | wc -l)" -eq $((2 * $(grep -o '<figure ' "$page" | wc -l))) ]
check 'how to read each figure' \
  [ "$(grep -o 'How to read it' "$page" | wc -l)" -eq "$(grep -o '<figure ' "$page" | wc -l)" ]
expect_text "$page" 'cdt-attribute --data '
expect_text "$page" 'Completeness of integrated gradients'
r=$(grep -A 8 '"gene_row_correlation"' "$attribution/summary.json" |
  sed -n 's/.*"mean": \([-0-9.e]*\),*$/\1/p')
expect_text "$page" "correlate with r = $(awk -v r="$r" 'BEGIN { printf "%.3f", r }') on average"
check 'no address on the page' [ "$(grep -cE 'https?:|src=|url\(|<script|<link' "$page")" -eq 0 ]
check 'a sensible size' [ "$(stat -c %s "$page")" -lt 2000000 ]
# Findings about the data set: without an audit.json they are computed for the page.
expect_text "$page" 'data-finding="genes_in_train"'
expect_text "$page" 'The data set has no audit.json, so the findings above were computed for this page'
expect_text "$page" "cdt-audit --data $data --out $data/audit.json"
# The page's r is that of cdt-predict.
r=$(grep -A 1 '^  "pearson": {' "$work/prediction/metrics.json" |
  sed -n 's/.*"value": \([-0-9.e]*\),$/\1/p')
expect_text "$page" "$(LC_ALL=C printf '<span class="value">%.3f' "$r" | sed 's/-/−/')"

# Every method that ran has its row, the best first, with the numbers of cdt-attribute.
table_rows() { grep -o "aria-label=\"$1\">.*" "$page" | sed 's#</table>.*##; s#<tr>#\n#g' |
  sed -n 's#^<th scope="row">##; s#</t[dh]>##g; s#</tr.*##; s#<td>#\t#gp'; }
table_rows 'AUROC at the planted sites' >"$work/truth"
table_rows 'Precision at the planted sites' >"$work/precision"
methods=$(ls "$attribution"/*.npy "$attribution"/methods/*.npy | grep -cv '/paths')
check 'ten methods' [ "$methods" -eq 10 ]
check 'all methods and chance' [ "$(wc -l <"$work/truth")" -eq $((methods + 1)) ]
check 'precision falls from the top' awk -F '\t' -v all="$methods" '{ split($2, p, " ")
  if (NR > 1 && NR <= all && p[1] > last) bad = 1; last = p[1] } END { exit bad || NR != all + 1 }' \
  "$work/precision"
# Next to it, the same site for the genes on which it does not act.
other=$(sed -n '/"truth_scores": {/,$p' "$attribution/summary.json" |
  sed -n '/"pairs_without_effect": {/,$p' |
  grep -A 6 '^ *"gradient": {' | sed -n 's/.*"value": \([-0-9.e]*\),*$/\1/p' | head -n 1)
check 'AUROC for other genes' [ "$(awk -F '\t' '$1 == "gradient" { split($3, r, " "); print r[1] }' \
  "$work/truth")" = "$(awk -v r="$other" 'BEGIN { printf "%.2f", r }')" ]
check 'AUROC as cdt-attribute printed it' awk -v all="$methods" 'NR == FNR { if (/^finding/) on = 1
    if (on && NF > 10) auroc[$1] = $3; next }
  $1 in auroc { n++; d = $2 - auroc[$1]; if (d > 0.0051 || d < -0.0051) bad = 1 }
  END { exit bad || n != all }' "$work/attributed" "$work/truth"
# Classes of both files, in the table of all methods and under the windows.
table_rows 'Top bins by class' >"$work/classes"
check 'three classes by method' [ "$(wc -l <"$work/classes")" -eq $((3 * methods)) ]
for class in 'sites: left' 'sites: &lt;right&gt;' 'rest'; do
  check "a row per method of $class" [ "$(grep -cF "$class	" "$work/classes")" -eq "$methods" ]
  expect_text "$page" "</span>$class ("
done
check 'q falls no lower down the table' awk -F '\t' '$10 ~ /^[0-9.]+$/ { if ($10 < last) bad = 1
  last = $10; n++ } END { exit bad || n == 0 }' "$work/classes"

# The same input gives the same bytes, and predictions may come from cdt-predict.
annotations=(--annotations "$work/sites.bed" --annotations "$work/rest.bed")
expect_ok "$report" --data "$data" --run "$run" --attribution "$attribution" --threads 1 \
  "${annotations[@]}" --out "$work/again.html" --quiet
body() { sed 's/^cdt-report [^<]*//; /<footer>/d; s/<footer>.*//' "$1"; }
check 'the same page again' cmp <(body "$page") <(body "$work/again.html")
expect_ok "$report" --data "$data" --run "$run" --attribution "$attribution" \
  "${annotations[@]}" --prediction "$work/prediction" --out "$work/given.html"
figures() { grep -o '<svg.*</svg>' "$1"; }
check 'the same figures from given predictions' cmp <(figures "$page") <(figures "$work/given.html")

# A second screen given to cdt-predict appears as a ceiling on the page.
awk -F '\t' -v OFS='\t' '{ print $2, $3, NR == 1 ? $4 : $4 + 0.3 * (NR % 3) }' "$data/pairs.tsv" \
  >"$work/screen.tsv"
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$run/model.safetensors" --quiet \
  --replicate "$work/screen.tsv" --out "$work/screened"
expect_ok "$report" --data "$data" --run "$run" --prediction "$work/screened" \
  --out "$work/screened.html" --quiet
r=$(grep -A 5 '"replicate": {' "$work/screened/metrics.json" |
  sed -n 's/.*"value": \([-0-9.e]*\),*$/\1/p')
expect_text "$work/screened.html" \
  "($work/screen.tsv) agrees with this one with r = $(awk -v r="$r" 'BEGIN { printf "%.3f", r }') ["
expect_text "$work/screened.html" " --out $work/screened --replicate $work/screen.tsv<"
check 'no second screen, no word of one' [ "$(grep -c 'second screen' "$page")" -eq 0 ]

# The pair in the figure can be drawn again with the command below it.
drawn=$(grep -o '^cdt-report [^<]* --pair [^< ]*' "$page" | sed 's/.* --pair //')
expect_ok "$report" --data "$data" --run "$run" --attribution "$attribution" "${annotations[@]}" \
  --pair "$drawn" --out "$work/chosen.html" --quiet
check 'the same figures of the chosen pair' cmp <(figures "$page") <(figures "$work/chosen.html")

# Without an attribution, or for a run that has just begun, the figures say what would add them.
expect_ok "$report" --data "$data" --run "$run" --out "$work/less.html" --quiet
expect_text "$work/less.html" '<b>Where the peaks are</b> is left out. No attribution was given.'
mkdir "$work/begun"
cp "$run/config.json" "$work/begun"
expect_ok "$report" --data "$data" --run "$work/begun" --out "$work/begun.html"
expect_text "$work/begun.html" 'No epoch is finished yet.'
expect_text "$work/begun.html" 'cdt-train --data '

# Degenerate data passes all programs: constant effects, huge effects, one gene and one enhancer, and a
# window of one bin.
cat >"$work/degenerate.awk" <<'END'
BEGIN { FS = OFS = "\t" }
NR == 1 { print; next }
kind == "equal" { $4 = 0.5 }
kind == "huge" { $4 = NR % 2 ? "1e38" : "-1e38" }
kind == "one" && n[$1]++ { next }
{ print }
END
degenerate() {
  local kind=$1 folder=$work/$1
  cp -r "$data" "$folder-data"
  rm "$folder-data/truth.json"
  awk -v kind="$kind" -f "$work/degenerate.awk" "$data/pairs.tsv" >"$folder-data/pairs.tsv"
  if [ "$kind" = bin ]; then # one of 24
    sed -i 's/^ *24,$/1,/' "$folder-data/dataset.json"
    head -c $(($(stat -c %s "$data/dna.f32") / 24)) "$data/dna.f32" >"$folder-data/dna.f32"
  fi
  expect_ok "$CDT_BIN/cdt-train" --data "$folder-data" --out "$folder-run" --epochs 1 --hidden 16 \
    --heads 1 --pool-heads 1 --feed-forward 32 --fusion 16 --batch-size 1 --quiet
  expect_ok "$CDT_BIN/cdt-predict" --data "$folder-data" --model "$folder-run/model.safetensors" \
    --out "$folder-prediction" --quiet
  check "no nan in what cdt-predict prints of $kind" [ "$(grep -ciw nan "$work/stdout")" -eq 0 ]
  expect_ok "$CDT_BIN/cdt-attribute" --data "$folder-data" --model "$folder-run/model.safetensors" \
    --split val --methods all --paths --maps all --smooth-samples 2 --null-replicates 9 \
    --annotations "$work/rest.bed" --occlude-region 0-0 --out "$folder-attribution" --quiet
  check "no nan in what cdt-attribute prints of $kind" [ "$(grep -ciw nan "$work/stdout")" -eq 0 ]
  cp "$work/stdout" "$folder-attributed"
  expect_ok "$report" --data "$folder-data" --run "$folder-run" --prediction "$folder-prediction" \
    --attribution "$folder-attribution" --annotations "$work/rest.bed" --out "$folder.html" --quiet
  check "no nan on the page of $kind" [ "$(grep -cwE 'nan|NaN|inf' "$folder.html")" -eq 0 ]
}
for kind in equal huge one bin; do degenerate $kind; done
expect_text "$work/equal.html" 'all effects are equal'
expect_text "$work/one.html" 'a correlation needs two pairs'
expect_text "$work/bin-attributed" 'agreement: none, since a window of one bin has no peak'
check 'no rows of agreement' [ "$(grep -c '^attention, gradient' "$work/bin-attributed")" -eq 0 ]
check 'they are there otherwise' [ "$(grep -c '^attention, gradient ' "$work/equal-attributed")" -eq 1 ]
# Only the truth of synthetic data gives a noise ceiling.
expect_text "$work/huge.html" '</span> The model against its controls and baselines</h3>'
check 'no ceiling, no word of one' [ "$(grep -ci 'ceiling' "$work/huge.html")" -eq 0 ]

# Findings of audit.json, those about DNA included.
cp -r "$data" "$work/audited"
expect_ok "$CDT_BIN/cdt-audit" --data "$work/audited" --quiet --out "$work/audited/audit.json"
sed -i '0,/"genes_in_train"/s//"from_the_file"/' "$work/audited/audit.json"
expect_ok "$report" --data "$work/audited" --run "$run" --out "$work/audited.html" --quiet
expect_text "$work/audited.html" 'data-finding="from_the_file"'
expect_text "$work/audited.html" 'The audit was made without gene starts'

# Names from files reach the page as text.
cp -r "$data" "$work/hostile"
cp -r "$attribution" "$work/hostile-attribution"
name=$(cut -f 4 "$data/enhancers.bed" | head -n 1)
hostile='<script>alert(1)</script>&'
replacement=$(printf '%s' "$hostile" | sed 's/[&/]/\\&/g')
for file in hostile/enhancers.bed hostile/pairs.tsv hostile/truth.json hostile-attribution/pairs.tsv \
  hostile-attribution/maps/maps.json; do
  sed -i "s/\b$name\b/$replacement/g" "$work/$file"
done
gene=$(awk -F '\t' -v name="$name" '$1 == name { print $2; exit }' "$attribution/pairs.tsv")
if [ -n "$gene" ]; then
  expect_ok "$report" --data "$work/hostile" --run "$run" --attribution "$work/hostile-attribution" \
    --pair "$hostile:$gene" --out "$work/hostile.html" --quiet
  expect_text "$work/hostile.html" '&lt;script&gt;alert(1)&lt;/script&gt;&amp;'
  check 'no script on the page' [ "$(grep -c '<script' "$work/hostile.html")" -eq 0 ]
fi

# An input that is refused, in one line, leaves no page.
arguments=("$report" --data "$data" --out "$work/none.html" --quiet)
expect_fail 2 "$work/nowhere: --run: no such folder" "${arguments[@]}" --run "$work/nowhere"
expect_fail 2 'config.json' "${arguments[@]}" --run "$data"
expect_fail 2 '--attribution: no such folder' "${arguments[@]}" --run "$run" --attribution "$work/nowhere"
expect_fail 2 '--pair' "${arguments[@]}" --run "$run" --attribution "$attribution" --pair NO:NE
expect_fail 2 'a file of that name was given already: rest' "${arguments[@]}" --run "$run" \
  --annotations "$work/rest.bed" --annotations "$work/rest.bed"
expect_fail 2 'split' "${arguments[@]}" --run "$run" --split elsewhere
cp -r "$run" "$work/broken-run"
printf '{"epoch": 1}\n' >>"$work/broken-run/metrics.jsonl"
expect_fail 2 'metrics.jsonl: line 3: lr' "${arguments[@]}" --run "$work/broken-run"
: >"$work/broken-run/metrics.jsonl"
expect_fail 2 'metrics.jsonl: rows: has no finished epoch' "${arguments[@]}" --run "$work/broken-run"
cp -r "$attribution" "$work/broken"
head -c -4 "$attribution/gradient.npy" >"$work/broken/gradient.npy"
expect_fail 2 'gradient.npy' "${arguments[@]}" --run "$run" --attribution "$work/broken"
cp "$attribution/gradient.npy" "$work/broken"
sed 's/"bins": [0-9]*/"bins": "7"/' "$attribution/summary.json" >"$work/broken/summary.json"
expect_fail 2 'summary.json: bins: wrong type (expected an integer' "${arguments[@]}" --run "$run" \
  --attribution "$work/broken"
sed 's/"peak_in_outer_5_percent"/"another_key"/' "$attribution/summary.json" >"$work/broken/summary.json"
expect_fail 2 'summary.json: attention.peak_in_outer_5_percent: is missing' "${arguments[@]}" --run "$run" \
  --attribution "$work/broken"
cp -r "$work/prediction" "$work/short"
head -n -1 "$work/prediction/predictions.tsv" >"$work/short/predictions.tsv"
expect_fail 2 'predictions.tsv: content: is not the table that metrics.json' "${arguments[@]}" \
  --run "$run" --prediction "$work/short"
mkdir "$work/bare"
printf '#!/bin/sh\nPATH=/nonexistent exec "%s" "$@"\n' "$(realpath "$report")" >"$work/bare/cdt-report"
chmod +x "$work/bare/cdt-report"
expect_fail 2 'gnuplot-nox' "$work/bare/cdt-report" "${arguments[@]:1}" --run "$run"
check 'no page of a refused input' [ ! -e "$work/none.html" ]

# In a browser: nothing is cut off at any size, light and dark, and in print; no request leaves the page.
browser=
for name in chromium-headless-shell chromium google-chrome; do
  [ -n "$browser" ] || browser=$(command -v $name)
done
if [ -z "$browser" ] || ! command -v python3 >/dev/null; then
  skip browser 'needs Chromium and Python 3 (apt-get install chromium-headless-shell python3)'
else
  look() { python3 tests/browser/check_page.py "$browser" "$1" >"$work/look" 2>&1; }
  for name in page less; do
    if look "$work/$name.html"; then pass; else fail "$name.html in $browser" "$work/look"; fi
  done
  # The rendered look: each of these must be detected.
  sed 's#</main>#<p style="width:3000px">wide</p><img src="http://127.0.0.1:9/a.png">&#;
    s#<meta http-equiv[^>]*>##; s#font-size="[0-9.]*"#font-size="90"#' "$page" >"$work/bad.html"
  if look "$work/bad.html"; then fail 'the look finds nothing on a bad page' "$work/look"; else pass; fi
  for finding in 'reaches past the window' 'asks for http://127.0.0.1:9/a.png' 'is cut off'; do
    expect_text "$work/look" "$finding"
  done
  [ -z "${CDT_SCREENSHOTS:-}" ] ||
    python3 tests/browser/check_page.py "$browser" "$page" "$CDT_SCREENSHOTS"
fi

finish
