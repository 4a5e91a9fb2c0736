#!/bin/bash
# cdt-attribute's files for genome browsers, its annotations, and its scores against planted sites.
source tests/apps/lib.sh
attribute=$CDT_BIN/cdt-attribute
tiny_model
run() { "$attribute" --data "$data" --model "$model" "$@"; }

# --- tracks
expect_ok run --split val --tracks 3 --out "$work/a"
tracks=$work/a/tracks
enhancers=$(tail -n +2 "$work/a/pairs.tsv" | head -n 3 | cut -f 1 | uniq | wc -l)
check 'bedGraph per pair' [ "$(ls "$tracks" | grep -c '^[123]_.*\.bedGraph$')" -eq 6 ]
check 'bedGraph per enhancer' \
  [ "$(ls "$tracks" | grep -c '^merged_.*\.bedGraph$')" -eq $((2 * enhancers)) ]
check 'bedGraph over all' [ "$(ls "$tracks" | grep -c '^all\..*\.bedGraph$')" -eq 2 ]
for track in "$tracks"/*.bedGraph; do
  if ! awk -F '\t' 'NR == 1 { if ($0 !~ /^track type=bedGraph name=".*" description=".*" db=hg38 .*viewLimits=/) bad = 1; next }
    NF != 4 || $2 !~ /^[0-9]+$/ || ($1 == chrom && $2 < end) || $1 < chrom || $3 <= $2 { bad = 1 }
    { chrom = $1; end = $3 } END { exit bad || NR < 17 }' "$track"; then
    fail "not a bedGraph: $track" "$track"
  fi
done
pass
# A merged track is the mean of the tracks of its pairs.
check 'the mean of the pairs' awk -F '\t' 'FNR == 1 { next }
  FILENAME ~ /merged_1_/ { if (n[$2] == 0 || ($4 - sum[$2] / n[$2]) ^ 2 > 1e-12 * $4 ^ 2) bad = 1; seen++; next }
  { sum[$2] += $4; n[$2]++ } END { exit bad || seen != 16 }' \
  <(cat "$tracks"/1_*.gradient.bedGraph) "$tracks"/2_*.gradient.bedGraph \
  "$tracks"/merged_1_*.gradient.bedGraph
peaks=$tracks/peaks.bed
check 'nine columns, integer scores, colours' awk -F '\t' 'NF != 9 || $5 !~ /^[0-9]+$/ || $5 > 1000 ||
  $9 !~ /^[0-9]+,[0-9]+,[0-9]+$/ || $7 != $2 || $8 != $3 || $4 ~ / / { bad = 1 }
  END { exit bad || !NR }' "$peaks"
check 'peaks sorted' sort -c -k1,1 -k2,2n "$peaks"
check 'a colour per method' [ "$(cut -f 9 "$peaks" | sort -u | wc -l)" -eq 2 ]
# Each file that the session names exists next to it.
session=$tracks/igv_session.xml
if command -v xmllint >/dev/null; then
  check 'the session is XML' xmllint --noout "$session"
  value() { xmllint --xpath "string($1)" "$session"; }
  check 'its genome' [ "$(value '/Session/@genome')" = hg38 ]
  check 'its regions' [ "$(value 'count(/Session/Regions/Region)')" -eq "$enhancers" ]
  resources=$(value 'count(/Session/Resources/Resource)')
  check 'its resources' [ "$resources" -eq 3 ]
  for i in $(seq "$resources"); do
    path=$(value "/Session/Resources/Resource[$i]/@path")
    check 'a resource beside the session' test -s "$tracks/$path"
    check 'a track of each resource' [ "$(value "/Session/Panel/Track[$i]/@id")" = "$path" ]
  done
else
  skip igv_session.xml 'xmllint is missing'
fi
check 'custom tracks' [ "$(grep -c '^track ' "$tracks/ucsc.txt")" -eq 3 ]
check 'where the browser opens' grep -qE '^browser position chr[0-9XY]+:[0-9]+-[0-9]+$' \
  <(head -n 1 "$tracks/ucsc.txt")
check 'all files are in the summary' [ "$(grep -c '"tracks/' "$work/a/summary.json")" -eq \
  "$(ls "$tracks" | wc -l)" ]

bigwigs=$(ls "$tracks" | grep -c '\.bw$')
if grep -q 'no libBigWig' "$work/stdout"; then
  skip bigWig 'this build has no libBigWig'
else
  check 'a bigWig beside each bedGraph' [ "$bigwigs" -eq "$(ls "$tracks" | grep -c '\.bedGraph$')" ]
  for file in "$tracks"/*.bw; do
    check 'bigWig magic' [ "$(head -c 4 "$file" | od -An -tx4 | tr -d ' ')" = 888ffc26 ]
  done
fi

# For another name of the assembly, the browsers get their own name.
cp -r "$data" "$work/grch"
sed -i 's/"hg38"/"GRCh38"/' "$work/grch/dataset.json"
expect_ok "$attribute" --data "$work/grch" --model "$model" --split val --tracks 2 --out "$work/g"
check 'db of every track' [ "$(grep -ho ' db=[^ ]*' "$work"/g/tracks/*.bedGraph "$work/g/tracks/ucsc.txt" | sort -u)" = ' db=hg38' ]
check 'a name of its own for every track' [ "$(head -qn 1 "$work"/a/tracks/*.bedGraph | grep -o 'name="[^"]*"' | sort | uniq -d | wc -l)" -eq 0 ]

# An assembly with unknown sizes: bedGraph and everything else, but no bigWig, and a line that says so.
cp -r "$data" "$work/mouse"
sed -i 's/"hg38"/"mm10"/' "$work/mouse/dataset.json"
expect_ok "$attribute" --data "$work/mouse" --other-inputs --model "$model" --split val --tracks 1 \
  --out "$work/m"
check 'no bigWig' [ "$(ls "$work/m/tracks" | grep -c '\.bw$')" -eq 0 ]
expect_text "$work/stdout" 'without bigWig'
expect_text "$work/m/tracks/igv_session.xml" 'all.gradient.bedGraph'
# With --chrom-sizes there are bigWig files, and windows end with their chromosomes.
awk -F '\t' -v OFS='\t' '{ if (!($1 in last) || $3 > last[$1]) last[$1] = $3 }
  END { for (c in last) print c, last[c] + 200 }' "$data/enhancers.bed" >"$work/mouse.sizes"
expect_ok "$attribute" --data "$work/mouse" --other-inputs --model "$model" --split val --tracks 1000 \
  --chrom-sizes "$work/mouse.sizes" --out "$work/s"
if ! grep -q 'no libBigWig' "$work/stdout"; then
  check 'bigWig by --chrom-sizes' [ "$(ls "$work/s/tracks" | grep -c '\.bw$')" -eq \
    "$(ls "$work/s/tracks" | grep -c '\.bedGraph$')" ]
fi
check 'cut at the given ends' awk -F '\t' 'NR == FNR { size[$1] = $2; next }
  FNR > 1 && $3 > size[$1] { bad = 1 } $3 == size[$1] { seen++ } END { exit bad || !seen }' \
  "$work/mouse.sizes" "$work"/s/tracks/all.gradient.bedGraph
sed -i '2s/$/x/' "$work/mouse.sizes"
expect_fail 2 'mouse.sizes: line 2: size of' "$attribute" --data "$work/mouse" --other-inputs --model "$model" \
  --split val --chrom-sizes "$work/mouse.sizes" --out "$work/none"
expect_fail 2 "$work/nowhere" "$attribute" --data "$work/mouse" --other-inputs --model "$model" --split val \
  --chrom-sizes "$work/nowhere" --out "$work/none"
check 'refused sizes leave no folder' [ ! -e "$work/none" ]
# The window of an enhancer near the chromosome's end is cut there.
cp -r "$data" "$work/end"
awk -F '\t' -v OFS='\t' '{ $1 = "chrM"; $2 = 16400; $3 = 16500; print }' "$data/enhancers.bed" \
  >"$work/end/enhancers.bed"
expect_ok "$attribute" --data "$work/end" --model "$model" --split val --tracks 2 --out "$work/e"
check 'cut at the end' awk -F '\t' 'FNR > 1 && $3 > 16569 { bad = 1 } $3 == 16569 { seen++ }
  END { exit bad || !seen }' "$work"/e/tracks/*.bedGraph
check 'peaks too' awk -F '\t' '$7 > 16569 || $6 > $7 { bad = 1 } END { exit bad }' \
  <(tail -n +2 "$work/e/peaks.tsv")
check 'the ends are recorded' [ "$(grep -A 1 '"chromosome_sizes"' "$work/e/summary.json" |
  tail -n 1)" = '    "chrM": 16569' ]
# Elements past the end: one window still reaches back onto the chromosome; the others have no base on it
# and get no tracks.
first=$(awk -F '\t' '$1 == "val" { print $2; exit }' "$data/pairs.tsv")
cp -r "$data" "$work/past"
awk -F '\t' -v OFS='\t' -v e="$first" '{ $1 = "chrM"; $2 = $4 == e ? 17000 : 30000; $3 = $2 + 100
  print }' "$data/enhancers.bed" >"$work/past/enhancers.bed"
val=$(awk -F '\t' '$1 == "val"' "$data/pairs.tsv" | cut -f 2 | sort -u | wc -l)
expect_ok "$attribute" --data "$work/past" --model "$model" --split val --tracks 1000 --out "$work/p"
check 'one window in the session' [ "$(grep -c '<Region ' "$work/p/tracks/igv_session.xml")" -eq 1 ]
expect_text "$work/p/tracks/igv_session.xml" ' locus="chrM:16027-16569" '
check 'where UCSC opens' [ "$(head -n 1 "$work/p/tracks/ucsc.txt")" = \
  'browser position chrM:16027-16569' ]
check 'no empty interval' awk -F '\t' '!/^(track|browser)/ && $2 >= $3 { bad = 1 } END { exit bad }' \
  "$work/p/tracks/ucsc.txt" "$work"/p/tracks/*.bedGraph "$work/p/tracks/peaks.bed"
expect_text "$work/stdout" "tracks: none for $((val - 1)) enhancers ("
sed -i 's/\t17000\t17100\t/\t30000\t30100\t/' "$work/past/enhancers.bed"
expect_ok "$attribute" --data "$work/past" --model "$model" --split val --tracks 1000 \
  --out "$work/p" --overwrite
check 'no window on the chromosome, no tracks' [ ! -e "$work/p/tracks" ]
expect_text "$work/stdout" "tracks: none for $val enhancers ("
# The report cuts loci at the ends that the attribution was given.
expect_ok "$CDT_BIN/cdt-report" --data "$work/past" --run "$work/run" --attribution "$work/p" \
  --out "$work/past.html" --quiet
expect_text "$work/past.html" 'no base of chrM, '

# --- annotations: causal and decoy sites of the truth as BED9+ elements with classes
sites() {
  awk -F '\t' -v OFS='\t' -v kind="$1" -v class="$2" 'NR == FNR {
      match($0, /"enhancer": "[^"]*"/)
      name = substr($0, RSTART + 13, RLENGTH - 14)
      if (match($0, "\"" kind "_bins\": \\[[0-9,]*")) {
        list = substr($0, RSTART, RLENGTH); sub(/.*\[/, "", list); bins[name] = list }
      next }
    { n = split(bins[$4], b, ","); centre = int(($2 + $3) / 2); start = centre + (b[1] - 8) * 128
      end = centre + (b[n] - 7) * 128
      print $1, start, end, kind "_" $4, 0, ".", start, end, "1,2,3", class }' \
    "$data/truth.json" "$data/enhancers.bed"
}
{
  echo 'track name=sites'
  sites causal acts,both
  sites decoy decoys,both
} >"$work/sites.bed"
gzip -c "$work/sites.bed" >"$work/sites2.bed.gz"
expect_ok run --split val --tracks 0 --out "$work/n" --annotations "$work/sites.bed" \
  --annotations "$work/sites2.bed.gz"
check 'no warning' [ "$(grep -c warning "$work/stderr")" -eq 0 ]
rows=$work/n/annotations.tsv
check 'a row per top bin and file' [ "$(tail -n +2 "$rows" | wc -l)" -eq \
  $((2 * $(tail -n +2 "$work/n/peaks.tsv" | wc -l))) ]
check 'gzip gives the same' cmp <(awk -F '\t' '$8 == "sites"' "$rows" | cut -f 1-7,9-) \
  <(awk -F '\t' '$8 == "sites2"' "$rows" | cut -f 1-7,9-)
check 'distances' awk -F '\t' 'NR > 1 { d = $11 >= $7 ? $11 - $7 + 1 : $12 <= $6 ? $12 - $6 - 1 : 0
  if (d != $13) bad = 1; if (d == 0) hit++ } END { exit bad || !hit }' "$rows"
check 'elements of the enhancer' awk -F '\t' 'NR > 1 && $13 == 0 && $9 !~ "_" $1 "$" { bad++ }
  END { exit bad > NR / 4 }' "$rows"
for text in '"enrichment"' '"circular_shift"' '"other_windows"' '"odds_ratio"' '"class": "decoys"' \
  '"class": "both"' '"zero_dna_left_out": 0'; do
  expect_text "$work/n/summary.json" "$text"
done
expect_text "$work/stdout" 'sites: acts'
for text in '"direction": ' '"p_monte_carlo_error"' '"p_at_floor"'; do
  expect_text "$work/n/summary.json" "$text"
done
expect_text "$work/stdout" 'two-sided p'
sed -n '/^top bins on annotated elements/,/^finding/p' "$work/stdout" >"$work/classes"
check 'the table fits a terminal' [ "$(LC_ALL=C.UTF-8 grep -cE '.{101}' "$work/classes")" -eq 0 ]
expect_ok run --split val --tracks 0 --out "$work/n" --overwrite --quiet
check 'an earlier table is gone' [ ! -e "$rows" ]

# Assemblies: named by file or track line, or detected from coordinates.
cp "$work/sites.bed" "$work/hg19_sites.bed"
expect_ok run --split val --tracks 0 --out "$work/w" --annotations "$work/hg19_sites.bed"
expect_text "$work/stderr" 'names hg19, the data set is in hg38'
expect_text "$work/w/summary.json" 'names hg19, the data set is in hg38'
sed 's/^track.*/track name=sites db=GRCh38/' "$work/sites.bed" >"$work/right.bed"
printf 'chr1\t248956400\t248956500\tx\t0\t.\t1\t2\t0\tacts\n' >>"$work/right.bed"
expect_ok run --split val --tracks 0 --out "$work/w" --overwrite --annotations "$work/right.bed"
expect_text "$work/stderr" '1 elements end past their chromosome in hg38'
check 'the right name is no warning' [ "$(grep -c 'names' "$work/stderr")" -eq 0 ]

# Unsorted files are accepted; errors are refused by file and line, and leave no folder.
{ head -n 1 "$work/sites.bed"; tail -n +2 "$work/sites.bed" | tac; } >"$work/reversed.bed"
mkdir "$work/reverse"
mv "$work/reversed.bed" "$work/reverse/sites.bed"
expect_ok run --split val --tracks 0 --out "$work/r" --annotations "$work/reverse/sites.bed"
expect_ok run --split val --tracks 0 --out "$work/n" --overwrite --annotations "$work/sites.bed"
expect_same "$work/n/annotations.tsv" "$work/r/annotations.tsv"
refuse() {
  expect_fail 2 "$1" "$attribute" --data "$data" --model "$model" --split val --out "$work/none" \
    --annotations "$2" "${@:3}"
}
size=$(stat -c %s "$work/sites2.bed.gz")
head -c $((size - 6)) "$work/sites2.bed.gz" >"$work/cut.bed.gz"
refuse 'cut.bed.gz: gzip: cut short' "$work/cut.bed.gz"
printf 'chr1\t5\n' >"$work/bad.bed"
refuse 'bad.bed: line 1: too few tab-separated columns' "$work/bad.bed"
printf 'chr1\t5\tx\n' >"$work/bad.bed"
refuse 'bad.bed: line 1, end: bad coordinate' "$work/bad.bed"
printf '1\t5\t9\n' >"$work/bad.bed"
refuse "bad.bed: chromosomes: none of them has an enhancer of the data set" "$work/bad.bed"
refuse 'none.bed' "$work/none.bed"
refuse 'sites.bed: name: a file of that name was given already' "$work/sites.bed" \
  --annotations "$work/reverse/sites.bed"
check 'a refused file leaves no folder' [ ! -e "$work/none" ]

# --- planted sites
for text in '"truth_scores"' '"precision_at_k"' '"causal_over_decoy"' '"pairs_without_effect"'; do
  expect_text "$work/a/summary.json" "$text"
done
expect_ok run --split val --tracks 0 --out "$work/t" --methods random
expect_text "$work/stdout" 'finding the planted sites'
check 'a line per method' [ "$(grep -cE '^(attention|gradient|random) +[0-9]+ +[01]\.[0-9]{3} \[' "$work/stdout")" -eq 3 ]
rm "$work/mouse/truth.json"
expect_ok "$attribute" --data "$work/mouse" --other-inputs --model "$model" --split val --tracks 0 --out "$work/m" \
  --overwrite
check 'no truth, no scores' [ "$(grep -c truth_scores "$work/m/summary.json")" -eq 0 ]

finish
