#!/bin/bash
# The figures of docs/tour: drawn from a small demo, each from numbers of its own, none too large; what reads
# the programs' files for them; and the gradient check of chapter 9, which must see a planted error.
source tests/apps/lib.sh
draw=docs/tour/draw
demo=$work/demo

# Every chapter has a figure of its name that draw.sh draws and that is committed.
chapters=$(cd docs/tour && ls [0-9][0-9]-*.md)
check 'twelve chapters' [ "$(wc -l <<<"$chapters")" -eq 12 ]
for chapter in $chapters; do
  figure=$(grep -oE 'figures/[0-9]{2}-[a-z-]+\.svg' "docs/tour/$chapter" | head -n 1)
  check "$chapter shows no figure of its own" [ "${figure:8:2}" = "${chapter:0:2}" ]
  check "$figure is not committed" [ -s "docs/tour/$figure" ]
done

# numbers.sh and json.awk on files whose content is known.
printf '\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40' >"$work/four.f32" # 1 2 3 4
check 'rows of a blob' [ "$($draw/numbers.sh f32 "$work/four.f32" 2 1 | xargs)" = '3 4' ]
{
  printf '\x93NUMPY\x01\x00\x46\x00'
  printf '%-69s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
  cat "$work/four.f32"
} >"$work/four.npy"
check 'rows of an npy file' [ "$($draw/numbers.sh npy "$work/four.npy" 0 1 | xargs)" = '1 2' ]
header='{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b.c":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}'
{
  # shellcheck disable=SC2059  # the length is the format
  printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0"
  printf '%s' "$header"
  cat "$work/four.f32"
} >"$work/two.safetensors"
check 'a tensor of a safetensors file' [ "$($draw/numbers.sh tensor "$work/two.safetensors" b.c | xargs)" = '2 3 4' ]
check 'a tensor that is not there' eval "! $draw/numbers.sh tensor $work/two.safetensors c 2>/dev/null"
check 'JSON as lines' [ "$(printf '{"a": [1, {"b": "x, y"}], "c": {}}' | awk -f $draw/json.awk | xargs)" = 'a.0 1 a.1.b x, y' ]

# The rule of chapter 9 against differences of step 1e-5: right, and with its last term left out.
row='0.1 0.2 -0.3 0.25 0.05 -0.12 0.3 -0.2'
error_at() { awk -v planted="$1" -f $draw/layer_norm.awk <<<"$row" | awk '$1 == "1e-05" { print $2 }'; }
check 'the rule of layer norm' awk -v e="$(error_at 0)" 'BEGIN { exit !(e < 1e-8) }'
check 'a planted error of the rule is not seen' awk -v e="$(error_at 1)" 'BEGIN { exit !(e > 1e-2) }'

# The figures themselves, of a demo that takes a few seconds.
if ! command -v gnuplot >/dev/null; then
  skip figures 'there is no gnuplot'
  finish
fi
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 1 --out "$demo/data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$demo/data" --out "$demo/run" --seed 1 --epochs 3 --hidden 16 --heads 4 \
  --pool-heads 4 --feed-forward 32 --fusion 32 --dropout 0 --lr 1e-3 --quiet
expect_ok "$CDT_BIN/cdt-predict" --data "$demo/data" --model "$demo/run/model.safetensors" --split test \
  --out "$demo/prediction" --quiet
expect_ok "$CDT_BIN/cdt-attribute" --data "$demo/data" --model "$demo/run/model.safetensors" --split val \
  --out "$demo/attribution" --quiet
expect_ok $draw/draw.sh "$CDT_BIN" "$demo" "$work/numbers" "$work/figures"
check 'twelve figures' [ "$(find "$work/figures" -name '*.svg' | wc -l)" -eq 12 ]
for figure in "$work"/figures/*.svg docs/tour/figures/[0-9]*.svg; do
  check "$figure is larger than 60 kB" [ "$(wc -c <"$figure")" -le 60000 ]
  check "$figure does not end as an SVG" grep -q '</svg>' "$figure"
  check "$figure has nothing drawn in it" [ "$(grep -c '<path' "$figure")" -gt 20 ]
done
for numbers in "$work"/numbers/[0-9]*.tsv; do
  check "$numbers has values that are none" eval "[ -s $numbers ] && ! grep -qiE 'nan|inf|null' $numbers"
done
expect_ok $draw/draw.sh "$CDT_BIN" "$demo" "$work/numbers" "$work/again"
check 'the same demo gives other figures' diff -r "$work/figures" "$work/again"
finish
