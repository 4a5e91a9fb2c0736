#!/usr/bin/env bash
# Prints the float32 numbers of a binary file as text, a row on each line.
#
#   numbers.sh npy FILE [ROW [ROWS]]           an array of NumPy; its last dimension is a row
#   numbers.sh f32 FILE COLUMNS [ROW [ROWS]]   a blob of a data set, which has no header
#   numbers.sh tensor FILE NAME                a tensor of a .safetensors file
#
# ROW is the first row to print, from 0; ROWS is how many, default all.
set -euo pipefail
export LC_ALL=C
usage='usage: numbers.sh npy|f32|tensor FILE ...'
kind=${1:?$usage}
file=${2:?$usage}
shift 2

fail() {
  echo "numbers.sh: $file: $1" >&2
  exit 2
}

# rows START COLUMNS ROW ROWS: from byte START on.
rows() {
  local bytes=$((4 * $2))
  od -An -v -tf4 -w$bytes -j $(($1 + $3 * bytes)) ${4:+-N $(($4 * bytes))} "$file"
}

# unsigned OFFSET BYTES: a little-endian number.
unsigned() { od -An -tu"$2" -j "$1" -N "$2" "$file" | tr -d ' '; }

# text OFFSET BYTES
text() { tail -c +$(($1 + 1)) "$file" | head -c "$2" || true; }

case $kind in
  npy)
    length=$(unsigned 8 2)
    header=$(text 10 "$length")
    [[ $header =~ \'\<f4\'.*\'shape\':\ \(([0-9, ]*)\) ]] || fail 'no npy file of float32'
    shape=${BASH_REMATCH[1]%,}
    rows $((10 + length)) "${shape##*[, ]}" "${1:-0}" "${2:-}"
    ;;
  f32) rows 0 "${1:?$usage}" "${2:-0}" "${3:-}" ;;
  tensor)
    length=$(unsigned 0 8)
    header=$(text 8 "$length")
    [[ $header =~ \""${1:?$usage}"\":\{[^}]*\"shape\":\[([0-9,]*)\][^}]*\"data_offsets\":\[([0-9]+),([0-9]+)\] ]] ||
      fail "no tensor $1"
    columns=${BASH_REMATCH[1]##*,}
    rows $((8 + length + BASH_REMATCH[2])) "$columns" 0 $(((BASH_REMATCH[3] - BASH_REMATCH[2]) / 4 / columns))
    ;;
  *) fail "$usage" ;;
esac
