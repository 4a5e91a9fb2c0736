#!/bin/bash
# cdt-train lowers the learning rate, keeps the best epoch and stops early by the rules of the released training: the
# rules, written again in awk, give the same from the validation r of each epoch. tests/unit/schedule_test.cc replays
# the published epoch logs through the same schedule.
source tests/apps/lib.sh
data=$work/data run=$work/run
patience=14  # two halvings, after six epochs without a gain each, before a run can stop

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$data" --quiet
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$run" --epochs 200 --patience $patience --lr 1e-2 --threads 1 \
  --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --dropout 0.1 --quiet
best_epoch=$(sed -n 's/^best epoch\t//p' "$work/stdout")
sed -E 's/.*"epoch":([0-9]+).*"lr":([^,]*).*"val_seen_pearson":([^,]*).*"best":([a-z]*).*/\1 \2 \3 \4/' \
  "$run/metrics.jsonl" >"$work/epochs"

# replayed FILE: a line for each epoch whose learning rate, choice or end differs; then the best epoch, the number of
# halvings and the last epoch.
replayed() {
  awk -v patience=$patience '
    NR == 1 { rate = $2; steered = bar = best = -2 }
    stopped { print "epoch " $1 ": after the end" }
    $2 != rate { print "epoch " $1 ": learning rate " $2 ", by the rule " rate }
    $4 != ($3 > best ? "true" : "false") { print "epoch " $1 ": best " $4 }
    {
      if ($3 > best) { best = $3; chosen = $1 }
      if ($3 > steered * 1.0001) { steered = $3; bad = 0 }
      else if (++bad > 5) { rate /= 2; bad = 0; ++halvings }
      if ($3 >= bar + 0.001) { bar = $3; waited = 0 }
      else stopped = ++waited >= patience
    }
    END {
      if (!stopped) print "the rule does not stop after epoch " $1
      print chosen, halvings, $1
    }' "$1"
}
replayed "$work/epochs" >"$work/replayed"
if [ "$(wc -l <"$work/replayed")" -eq 1 ]; then pass; else fail 'not by the rules' "$work/replayed"; fi
read -r chosen halvings last < <(tail -n 1 "$work/replayed")
check "best epoch $best_epoch, by the rule $chosen" test "$best_epoch" -eq "$chosen"
check 'the rate was halved twice' test "$halvings" -ge 2
check 'the run stopped early, and not at the best epoch' test "$last" -lt 200 -a "$chosen" -lt "$last"

# The replay notices each kind of fault.
expect_fault() {
  replayed <(sed -E "$2" "$work/epochs") >"$work/planted"
  expect_text "$work/planted" "$1"
}
expect_fault "epoch $chosen: best false" "$chosen s/true/false/"
expect_fault 'epoch 5: learning rate 0.005' '5 s/ 0.01 / 0.005 /'
expect_fault "does not stop after epoch $((last - 1))" "$last d"
expect_fault "epoch $((last + 1)): after the end" "$last { p; s/^[0-9]+/$((last + 1))/ }"
finish
