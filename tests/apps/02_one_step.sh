#!/bin/bash
# docs/tour/one_step.cc is short, has a shape on every tensor, and does a step that lowers the loss.
source tests/apps/lib.sh
source=docs/tour/one_step.cc

check 'at most 60 lines of code' [ "$(grep -vcE '^ *(//|$)' $source)" -le 60 ]
grep -nE '^ +(const )?(Tensor|Var) ' $source | grep -vE '// \(' >"$work/shapeless"
check 'a shape on every tensor' [ ! -s "$work/shapeless" ] || cat "$work/shapeless"

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$work/data" --quiet
expect_ok "$CDT_BUILD/tests/one_step" "$work/data"
check 'the loss falls and the gradient has a norm' awk \
  '{ gsub(/[,;]/, "") } NF == 9 && $2 > $6 && $6 > 0 && $9 > 0 { ok = 1 } END { exit !ok }' \
  "$work/stdout"
cp "$work/stdout" "$work/first"
expect_ok "$CDT_BUILD/tests/one_step" "$work/data"
expect_same "$work/stdout" "$work/first"

"$CDT_BUILD/tests/one_step" "$work/none" >"$work/stdout" 2>"$work/stderr"
check 'no data set: exit status 1' [ $? -eq 1 ]
expect_text "$work/stderr" "one_step: $work/none"
finish
