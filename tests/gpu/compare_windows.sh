#!/bin/bash
# Compares two attributions of the same pairs: each float32 .npy file of REFERENCE with the same file of
# CANDIDATE, row by row (a window, or a query's row of a map). The norm of the error may be ERROR times that
# of the reference, and the correlation must reach R. Occlusion is a difference of two predictions and
# carries their rounding however small it is, so there ERROR is relative to the prediction if that is
# larger. Prints the worst row of each file, then of all; exit status 1 if any is out of bounds.
#
#   tests/gpu/compare_windows.sh REFERENCE CANDIDATE R ERROR
set -u
export LC_ALL=C
reference=${1:?usage: compare_windows.sh REFERENCE CANDIDATE R ERROR} candidate=$2

# Prints the length of a row.
width() { head -c 128 "$1" | sed -n '1s/.*[(, ]\([0-9][0-9]*\),\{0,1\}).*/\1/p'; }
# Prints one number per line.
numbers() { tail -c +129 "$1" | od -An -v -t fF -w4; }

# predictions FILE: the scale of each row, if it differs from the row's own.
predictions() {
  [[ $1 != */occlusion.npy ]] || awk -F '\t' '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "prediction") column = i }
    NR > 1 { print $column }' "$reference/pairs.tsv"
}

# compare FILE R ERROR: name, rows, smallest correlation, largest error, verdict.
compare() {
  paste <(numbers "$reference/$1") <(numbers "$candidate/$1") |
    awk -v name="$1" -v width="$(width "$reference/$1")" -v least="$2" -v most="$3" \
      -v predictions="$(predictions "$1" | paste -sd ' ')" '
      function end_of_row(   a, b, e, r, scale) {
        a = xx - x * x / n; b = yy - y * y / n
        scale = width * prediction[rows + 1] ^ 2
        if (scale < xx) scale = xx
        e = sqrt(dd) / (scale > 0 ? sqrt(scale) : 1e-30)
        if (!(e <= error)) error = e
        # A constant row has no correlation, nor has one whose variation is lost in rounding.
        if (a > 1e-9 * xx && scale == xx) {
          r = b > 0 ? (xy - x * y / n) / sqrt(a * b) : 0
          if (!(r >= worst)) worst = r
        }
        n = x = y = xx = yy = xy = dd = 0; rows++
      }
      BEGIN { worst = 1; split(predictions, prediction, " ") }
      NF != 2 || $1 !~ /[0-9]/ || $2 !~ /[0-9]/ { bad = 1 }
      { n++; x += $1; y += $2; xx += $1 * $1; yy += $2 * $2; xy += $1 * $2; dd += ($1 - $2) ^ 2 }
      n == width { end_of_row() }
      END {
        bad = bad || !rows || n || !(worst >= least) || !(error <= most)
        printf "%-36s %5d rows  r >= %.5f  error <= %.1e%s\n", name, rows, worst, error,
          bad ? "  out of bounds" : ""
      }'
}

(cd "$reference" && find . -name '*.npy' -printf '%P\n' | sort) |
  while read -r name; do compare "$name" "$3" "$4"; done |
  awk 'BEGIN { error = "0.0e+00"; where = "all equal" }
    { print; files++; if ($9 > error + 0) { error = $9; where = $1 } }
    /out of bounds$/ { outside++ }
    END {
      printf "%d files, %d out of bounds, largest error %s (%s)\n", files, outside, error, where
      exit outside > 0 || files == 0
    }'
