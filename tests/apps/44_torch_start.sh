#!/bin/bash
# cdt-train --init and --order as PyTorch draws them: resumed bit for bit, also in mid-epoch; errors for bad
# values; runs without these options are written as before the options existed.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
data=$work/data
sizes=(--hidden 48 --heads 2 --pool-heads 2 --feed-forward 64 --fusion 32 --batch-size 2)

# become OUT OPTION...: this shell becomes a run of three epochs on one thread.
become() {
  exec "${shell_signals[@]}" "$train" --data "$data" --out "$work/$1" --epochs 3 --threads 1 --seed 5 --quiet \
    "${sizes[@]}" "${@:2}"
}
run() { (become "$@"); }
same_weights() { cmp -s "$work/$1/last/model.safetensors" "$work/$2/last/model.safetensors"; }
# newer RUN: how many of its states name the settings.
newer() { grep -acE '"(init|order)\\?"' "$work/$1/last/state.safetensors"; }
fails() { expect_fail 2 "$1" "$train" --data "$data" --out "$work/none" "${@:2}"; }

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$data" --seed 1 --quiet

# --- each option changes the run, which also resumes after an interruption in mid-epoch
expect_ok run plain
for words in '--init torch:7 --order torch:3' '--init torch:7 --order torch'; do
  # shellcheck disable=SC2086
  expect_ok run straight $words
  check "$words: another run" test "$(same_weights plain straight; echo $?)" -eq 1
  # shellcheck disable=SC2086
  become halves $words >"$work/stdout" 2>"$work/stderr" &
  pid=$!
  for ((i = 0; i < 2000; i++)); do
    [ -s "$work/halves/metrics.jsonl" ] && break
    sleep 0.005
  done
  kill -INT $pid 2>/dev/null
  wait $pid
  check "$words: interrupted" grep -q 'interrupted at epoch' "$work/stderr"
  expect_ok run halves --resume
  check "$words: the same run" same_weights straight halves
  for option in $words; do
    case $option in
      --init | --order) name=${option#--} ;;
      *) expect_text "$work/straight/config.json" "\"$name\": \"$option\"" ;;
    esac
  done
  if [ "$words" = '--init torch:7 --order torch' ]; then
    expect_fail 2 '--init: differs from the run being resumed (expected torch:7, got seed)' \
      "$train" --out "$work/straight" --resume --init seed
    # shellcheck disable=SC2086
    expect_ok run means $words --init-head mean
    check '--init-head after --init' test "$(same_weights straight means; echo $?)" -eq 1
    expect_ok run further --model "$work/straight/model.safetensors" --order torch:7
  fi
  check "$words: stored" test "$(newer straight)" -eq 1
  rm -r "$work/halves" "$work/straight"
done

# --- without them a run is written and starts as before
check 'not among the settings' test "$(newer plain)" -eq 0
expect_ok run named --init seed --order seed
check 'the same run by name' same_weights plain named
expect_same "$work/plain/config.json" <(sed 's/named/plain/' "$work/named/config.json")

# --- one line for a bad value
expected='expected torch: and a whole number from -2^63 to 2^64 - 1, got'
fails "--init: no seed ($expected torch:)" --init torch:
fails "--init: no seed ($expected torch:1x)" --init torch:1x
fails "--order: no seed ($expected torch:18446744073709551616)" --order torch:18446744073709551616
fails '--init: no such choice (expected seed|torch:SEED, got torch)' --init torch
fails '--order: no such choice (expected seed|torch:SEED|torch, got random)' --order random
fails '--order: torch goes on with the generator of --init torch:SEED' --order torch
fails '--init: the weights are those of --model; leave one of the two out' --init torch:1 \
  --model "$work/plain/model.safetensors"
echo '{"init": "torch:-9223372036854775809"}' >"$work/bad.json"
fails "init: no seed ($expected torch:-9223372036854775809)" --config "$work/bad.json"
check 'nothing made' test ! -e "$work/none"

finish
