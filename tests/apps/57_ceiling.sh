#!/bin/bash
# cdt-ceiling: which rows of two tables are compared, the correlations and their limit, what it says about
# them, and what it refuses.
source tests/apps/lib.sh
ceiling=$CDT_BIN/cdt-ceiling

# Two screens of 40 enhancers with three genes each; noise from fixed sums of sines, the same effects.
awk -v out="$work" 'BEGIN {
  a = out "/a.tsv"; b = out "/b.tsv"
  print "enhancer\tgene\tbeta\tlabel" >a
  print "beta\tgene\tother\tenhancer" >b
  for (e = 0; e < 40; ++e) for (g = 0; g < 3; ++g) {
    effect = -0.5 * sin(e * 1.7 + g) ^ 2
    printf "E%d\tG%d\t%.6f\t%d\n", e, g, effect + 0.1 * sin(97 * e + 31 * g), g % 2 >a
    if (e < 35) printf "%.6f\tG%d\tx\tE%d\n", effect + 0.1 * sin(89 * e + 57 * g), g, e >b
  }
  print "0.1\tG9\tx\tE99" >b
}'
expect_ok "$ceiling" "$work/a.tsv" "$work/b.tsv" --out "$work/ceiling.json"
expect_text "$work/stdout" "a.tsv, column beta: 120 rows, 15 only here"
expect_text "$work/stdout" "b.tsv, column beta: 106 rows, 1 only here"
expect_text "$work/stdout" "105 common rows"
expect_text "$work/stdout" "over 35 groups of equal enhancer"
expect_text "$work/stdout" "The agreement of another quantity is no ceiling"
check 'nothing was missing' test "$(grep -c 'missing value' "$work/stdout")" -eq 0
cp "$work/stdout" "$work/said"
gzip -k "$work/a.tsv" "$work/b.tsv"
expect_ok "$ceiling" "$work/a.tsv.gz" "$work/b.tsv.gz"
check 'compressed tables give the same' cmp <(sed 's/\.gz,/,/' "$work/stdout") "$work/said"
head -c 300 "$work/b.tsv.gz" >"$work/cut.tsv.gz"
expect_fail 2 'cut.tsv.gz: gzip: ' "$ceiling" "$work/a.tsv.gz" "$work/cut.tsv.gz"

# number NAME: the value of an estimate in the file.
number() { tr -d ' \n' <"$work/ceiling.json" | grep -oP "\"$1\":\{\"value\":\K[-0-9.e]+"; }
interval() { tr -d ' \n' <"$work/ceiling.json" | grep -oP "\"$1\":\{\"value\":[^[]*\[\K[^]]+" | tr ',' ' '; }
join -t $'\t' <(awk -F '\t' 'NR > 1 { print $1 ":" $2 "\t" $3 }' "$work/a.tsv" | sort) \
  <(awk -F '\t' 'NR > 1 { print $4 ":" $2 "\t" $1 }' "$work/b.tsv" | sort) >"$work/joined"
check "Pearson's r of the joined rows" awk -v r="$(number pearson)" '
  { n++; x += $2; y += $3; xx += $2 * $2; yy += $3 * $3; xy += $2 * $3 }
  END { d = (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n)) - r; exit !(n == 105 && d * d < 1e-10) }' "$work/joined"
check 'rho of the joined rows' awk -v r="$(number spearman)" '
  { x[NR] = $2; y[NR] = $3 }
  function rank(v, i,   j, below, tied) {
    for (j = 1; j <= NR; ++j) { below += v[j] < v[i]; tied += v[j] == v[i] }
    return below + (tied + 1) / 2
  }
  END {
    for (i = 1; i <= NR; ++i) { p = rank(x, i); q = rank(y, i); a += p; b += q; aa += p * p; bb += q * q; ab += p * q }
    d = (ab - a * b / NR) / sqrt((aa - a * a / NR) * (bb - b * b / NR)) - r; exit !(d * d < 1e-10)
  }' "$work/joined"
check 'the limit is the square root' awk -v r="$(number pearson)" -v l="$(number noise_free_limit)" \
  'BEGIN { exit !(r > 0 && (l * l - r) ^ 2 < 1e-12) }'
for name in pearson spearman noise_free_limit; do
  # shellcheck disable=SC2046
  set -- $(interval $name)
  check "$name lies in its interval" awk -v low="$1" -v v="$(number $name)" -v high="$2" 'BEGIN { exit !(low < v && v < high) }'
done

# The order of rows and other columns make no difference; the seed and the clusters do.
{ head -n 1 "$work/a.tsv" && tail -n +2 "$work/a.tsv" | sort -k 2; } | cut -f 1-3 >"$work/sorted.tsv"
expect_ok "$ceiling" "$work/sorted.tsv" "$work/b.tsv"
check 'the same numbers' cmp <(sed -n 's/^[PS][pe].* \([0-9.]* \[.*\)/\1/p' "$work/said" | cut -c 1-5) \
  <(sed -n 's/^[PS][pe].* \([0-9.]* \[.*\)/\1/p' "$work/stdout" | cut -c 1-5)
expect_ok "$ceiling" "$work/a.tsv" "$work/b.tsv" --cluster label
expect_text "$work/stdout" 'over 2 groups of equal label'
expect_text "$work/stdout" 'the intervals are too narrow'
expect_ok "$ceiling" "$work/a.tsv" "$work/b.tsv" --seed 5 && cp "$work/stdout" "$work/seed5"
check 'another seed, other draws' test -n "$(cmp "$work/seed5" "$work/said")"

# Columns by name; without enhancer and gene in both the first column is the key and rows are on their own.
printf 'gene\tA\nx\t1\ny\t2\nz\tNA\nu\t4\nv\t7\n' >"$work/one.tsv"
printf 'symbol\tB\nv\t5\nu\t4.5\nz\t1\ny\t.\nx\t1\nw\t9\n' >"$work/two.tsv"
expect_ok "$ceiling" "$work/one.tsv" "$work/two.tsv" --value A --value-b B --out "$work/small.json"
expect_text "$work/stdout" 'compared      3 common rows, 2 more left out for a missing value'
expect_text "$work/stdout" 'over rows, one by one'
expect_text "$work/small.json" '"missing_values_left_out": 2'
expect_text "$work/small.json" '"bootstrap_over": null'
expect_fail 2 'one.tsv: line 1, column symbol: column is missing' "$ceiling" "$work/one.tsv" "$work/two.tsv" \
  --key symbol --value A --value-b B

# Sentences about what is bounded.
expect_ok "$ceiling" "$work/a.tsv" "$work/a.tsv"
expect_text "$work/stdout" 'Nothing: the values are equal in all common rows'
awk -F '\t' -v OFS='\t' 'NR > 1 { $3 = sin(NR * 12.9) } 1' "$work/a.tsv" >"$work/noise.tsv"
expect_ok "$ceiling" "$work/a.tsv" "$work/noise.tsv"
expect_text "$work/stdout" 'Nothing: r is not clearly above 0'
check 'no limit is stated' test "$(grep -c 'square root' "$work/stdout")" -eq 0

# The second screen of cdt-predict gives the same r.
data=$work/data
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/run" --epochs 1 --hidden 8 --heads 2 --pool-heads 2 \
  --feed-forward 8 --fusion 8 --dna-layers 1 --device cpu --threads 1 --quiet
awk -F '\t' -v OFS='\t' 'NR == 1 { print "enhancer\tgene\tbeta" } $1 == "val" { print $2, $3, $4 + 0.1 * sin(NR) }' \
  "$data/pairs.tsv" >"$work/screen.tsv"
expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$work/run/model.safetensors" --split val --quiet \
  --no-controls --replicate "$work/screen.tsv" --out "$work/prediction"
expect_ok "$ceiling" "$work/screen.tsv" "$data/pairs.tsv" --out "$work/ceiling.json" --overwrite
check 'r is that of cdt-predict --replicate' test "$(number pearson)" = "$(
  sed -n '/"replicate": {/,/}/p' "$work/prediction/metrics.json" | tr -d ' \n' | grep -oP '"pearson":\{"value":\K[-0-9.e]+')"

# Refused.
bad() { # NEEDLE CONTENT-OF-B ARGUMENT...
  local needle=$1
  printf '%b' "$2" >"$work/bad.tsv"
  shift 2
  expect_fail 2 "$needle" "$ceiling" "$work/one.tsv" "$work/bad.tsv" --value A "$@"
}
bad 'bad.tsv: line 1, column A: column is missing' 'gene\tb\nx\t1\n'
bad 'bad.tsv: line 3, column gene: twice: x' 'gene\tA\nx\t1\nx\t1\n'
# Rows of samples: the message gives the key that names each of them, if both tables have the column.
printf 'enhancer\tgene\tsample\tbeta\n' >"$work/samples.tsv"
awk -v OFS='\t' 'BEGIN { for (i = 0; i < 20; ++i) print "E" int(i / 4), "G" int(i / 2) % 2, "S" i % 2, sin(i * i) }' \
  >>"$work/samples.tsv"
twice='samples.tsv: line 3, column enhancer: twice: E0, G0; the key must name one row'
expect_fail 2 "$twice: give --key enhancer,gene,sample" "$ceiling" "$work/samples.tsv" "$work/samples.tsv"
expect_ok "$ceiling" "$work/samples.tsv" "$work/samples.tsv" --key enhancer,gene,sample
expect_text "$work/stdout" '20 common rows'
expect_fail 2 "$twice" "$ceiling" "$work/samples.tsv" "$work/b.tsv"
check 'no such key where one lacks the column' test "$(grep -c 'give --key' "$work/stderr")" -eq 0
bad 'bad.tsv: line 2, column A: ' 'gene\tA\nx\tone\n'
bad 'bad.tsv: line 2, column A: ' 'gene\tA\nx\tinf\n'
bad 'bad.tsv: line 2: wrong number of columns' 'gene\tA\nx\n'
bad 'bad.tsv: line 1: header line is missing' ''
bad 'bad.tsv: rows: too few in common with ' 'gene\tA\nx\t1\ny\t2\n'
bad 'got 2 of 3 rows, and 1 with NA' 'gene\tA\nx\t1\ny\t2\nz\t3\n'
bad 'bad.tsv: column A: all 4 common rows have one value' 'gene\tA\nx\t1\ny\t1\nu\t1\nv\t1\n'
bad 'command line: --key: names an empty column' 'gene\tA\nx\t1\n' --key gene,
bad 'one.tsv: line 1, column place: column is missing' 'gene\tA\nx\t1\n' --cluster place
expect_fail 2 'already holds' "$ceiling" "$work/a.tsv" "$work/b.tsv" --out "$work/ceiling.json"
expect_fail 2 'would overwrite' "$ceiling" "$work/a.tsv" "$work/b.tsv" --out "$work/a.tsv" --overwrite
expect_fail 2 "$work/none.tsv" "$ceiling" "$work/none.tsv" "$work/b.tsv" --out "$work/never.json"
check 'nothing is half-written' test ! -e "$work/never.json"

finish
