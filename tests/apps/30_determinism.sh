#!/bin/bash
# The table of docs/determinism.md: what may change without changing a byte of what the programs write, and how far
# results move where bits do change, between instruction sets.
source tests/apps/lib.sh
bin=$(cd "$CDT_BIN" && pwd)
widths=(--hidden 24 --heads 3 --pool-heads 1 --feed-forward 40 --fusion 10 --batch-size 3)

# chain NAME [PREFIX...]: in the new folder $work/NAME, makes a data set, trains, predicts and attributes, each command
# behind PREFIX. All paths are relative, so that files that record them can be equal.
chain() {
  local name=$1
  shift
  mkdir "$work/$name" && cd "$work/$name" || return
  expect_ok "$@" "$bin/cdt-synth" --preset tiny --genes 19 --seed 1 --out data --quiet "${options[@]}"
  expect_ok "$@" "$bin/cdt-train" --data data --out run --epochs 2 --quiet "${widths[@]}" "${options[@]}"
  [ "$name" != resumed ] ||
    expect_ok "$@" "$bin/cdt-train" --resume --out run --epochs 3 --quiet "${options[@]}"
  explain "$@"
  cd "$OLDPWD" || return
}
# explain [PREFIX...]: predicts and attributes with the run in this folder.
explain() {
  local model=(--data data --model run/model.safetensors --quiet "${options[@]}")
  expect_ok "$@" "$bin/cdt-predict" "${model[@]}" --split train --bootstrap 100 --batch-size 3 --out prediction
  expect_ok "$@" "$bin/cdt-attribute" "${model[@]}" --split test --sample 3 --methods all --maps all --paths \
    --null-replicates 99 --out attribution
}
options=(--threads 1)

# content FILE: its bytes without what states the command and the options that were varied, the time taken, and the
# most memory that was used.
content() {
  case $1 in
    */provenance.json | */config.json) grep -vE '^ *"(command_line|threads|epochs|resume|overwrite|instructions|oneDNN)":' "$1" ;;
    */metrics.jsonl) sed -E 's/"(seconds|samples_per_second|peak_memory_bytes)": ?[^,}]*//g' "$1" ;;
    */lock) ;;
    *) cat "$1" ;;
  esac
}
# differing NAME: prints the files of $work/NAME that are missing or differ from those of $work/$base.
differing() {
  local file
  diff <(cd "$work/$base" && find . -type f | sort) <(cd "$work/$1" && find . -type f | sort)
  while IFS= read -r file; do
    cmp -s <(content "$work/$base/$file") <(content "$work/$1/$file") || echo "$file"
  done < <(cd "$work/$base" && find . -type f | sort)
}
base=base
same() {
  differing "$1" >"$work/differing"
  check "$1: differs from $base: $(head -n 5 "$work/differing" | tr '\n' ' ')" [ ! -s "$work/differing" ]
}

chain base
chain again
same again
# A control: a changed byte is seen, also in a file of which some lines are left out, and so is a missing file.
cp -r "$work/base" "$work/changed"
for file in attribution/summary.json run/config.json; do printf x >>"$work/changed/$file"; done
rm "$work/changed/prediction/metrics.json"
check 'three changes are seen' [ "$(differing changed 2>/dev/null | wc -l)" -eq 5 ]

for threads in 2 3 4; do
  options=(--threads "$threads")
  chain "threads-$threads"
  same "threads-$threads"
done
options=(--threads 1)

# --- around the process
mkdir "$work/tmp" "$work/home"
chain environment env -i HOME="$work/home" TMPDIR="$work/tmp" TZ=Pacific/Kiritimati LANG=C
same environment
check 'no temporary file stays' [ -z "$(find "$work/tmp" "$work/home" -mindepth 1)" ]
(umask 0077 && chain mask nice -n 7; echo "$tests_passed $tests_failed" >"$work/counts")
read -r tests_passed tests_failed <"$work/counts"
same mask
if command -v setarch >/dev/null && setarch -R true 2>/dev/null; then
  chain addresses setarch -R
  same addresses
else
  skip 'fixed addresses' 'setarch -R is not allowed here'
fi
if [ "$(id -u)" -eq 0 ] && chmod 711 "$work" &&
  setpriv --reuid=65534 --clear-groups test -x "$bin/cdt-train" 2>/dev/null; then
  (umask 0000 && chain user setpriv --reuid=65534 --clear-groups; echo "$tests_passed $tests_failed" >"$work/counts")
  read -r tests_passed tests_failed <"$work/counts"
  same user
else
  skip 'another user' 'this takes root, setpriv, and programs that every user may run'
fi

# --- locales, whose decimal comma and letters have broken many programs
mkdir "$work/locales"
for locale in de_DE tr_TR; do
  if localedef -i $locale -f UTF-8 "$work/locales/$locale.UTF-8" 2>/dev/null; then
    chain $locale env LOCPATH="$work/locales" LC_ALL=$locale.UTF-8 LANGUAGE="${locale%_*}"
    same $locale
  else
    skip "locale $locale" 'localedef cannot make it'
  fi
done

# --- paths: absolute ones are recorded as they are given, and change nothing else
cd "$work" || exit 1
mkdir absolute
cp -r base/data absolute/data
expect_ok "$bin/cdt-train" --data "$work/absolute/data" --out "$work/absolute/run" --epochs 2 --threads 1 --quiet \
  "${widths[@]}"
for file in model.safetensors last/model.safetensors; do
  expect_same "base/run/$file" "absolute/run/$file"
done
expect_same <(content base/run/metrics.jsonl) <(content absolute/run/metrics.jsonl)
expect_ok "$bin/cdt-predict" --data ./base/../base/data --model "$work/absolute/run/model.safetensors" --split train \
  --bootstrap 100 --batch-size 3 --threads 1 --quiet --out "$work/absolute/prediction"
expect_same base/prediction/predictions.tsv absolute/prediction/predictions.tsv
cd "$OLDPWD" || exit 1

# --- resumed after two of three epochs, with another number of threads
mkdir "$work/straight"
cd "$work/straight" || exit 1
expect_ok "$bin/cdt-synth" --preset tiny --genes 19 --seed 1 --out data --quiet
expect_ok "$bin/cdt-train" --data data --out run --epochs 3 --quiet "${widths[@]}" --threads 1
explain
cd "$OLDPWD" || exit 1
options=(--threads 2)
chain resumed
options=(--threads 1)
base=straight
rm -r "$work"/{straight,resumed}/run/previous # which moment was saved before the last one is history
same resumed
base=base

# --- instruction sets: the same bits within one, a bounded difference between two
# distance FILE FILE: the norm of the difference of their predictions, relative to that of the first.
distance() {
  paste "$1" "$2" | awk -F '\t' '
    NR == 1 { for (i = NF; i > 0; i--) if ($i == "prediction") { b = b ? b : i; a = i } next }
    { d += ($a - $b) ^ 2; n += $a ^ 2 }
    END { printf "%.3g\n", sqrt(d / n) }'
}
# A float32 result has a rounding error of about 2^-23 times the square root of the number of roundings chained on the
# longest path. That path has the sums of: the projector and its norm; layers whose keys are bins, twice in the DNA
# trunk and once from DNA to RNA; one whose keys are genes; pooling; the head. Two results differ by up to twice that.
# A factor of 4 is for the divisions by standard deviations and softmax sums.
forward_bound=$(awk -v d=24 -v h=3 -v f=40 -v fusion=10 -v bins=16 -v genes=19 -v dna=8 '
  function layer(keys) { return 7 * d + d / h + 2 * keys + f }
  BEGIN {
    chained = dna + 2 * d + 3 * layer(bins) + layer(genes) + 2 * genes + 2 * d + fusion + d
    printf "%.3g", 2 * 4 * 2 ^ -23 * sqrt(chained)
  }')
# A step of training goes forward and back, twice the path, and adds the error of its gradient.
steps=8
training_bound=$(awk -v b="$forward_bound" -v k=$steps 'BEGIN { printf "%.3g", b + k * b * sqrt(2) }')
within() { awk -v x="$1" -v bound="$2" 'BEGIN { exit !(x <= bound) }'; }

# short_run NAME [PREFIX...]: a few steps, and what they predict.
short_run() {
  local name=$1
  shift
  mkdir "$work/$name"
  expect_ok "$@" "$bin/cdt-train" --data "$work/base/data" --out "$work/$name/run" --max-steps $steps --threads 1 \
    --quiet "${widths[@]}"
  expect_ok "$@" "$bin/cdt-predict" --data "$work/base/data" --model "$work/$name/run/last/model.safetensors" \
    --split train --no-controls --threads 1 --quiet --out "$work/$name/prediction"
}
# forward NAME [PREFIX...]: what the weights of the base predict.
forward() {
  local name=$1
  shift
  expect_ok "$@" "$bin/cdt-predict" --data "$work/base/data" --model "$work/base/run/model.safetensors" \
    --split train --no-controls --threads 1 --quiet --out "$work/$name"
}
instructions() { sed -n 's/^ *"instructions": "\(.*\)",$/\1/p' "$1"; }
here=$(instructions "$work/base/prediction/provenance.json")
short_run short
forward forward
compared=0
for isa in SSE41 AVX AVX2 AVX512_CORE; do
  name=$(tr '[:upper:]' '[:lower:]' <<<"$isa")
  ONEDNN_MAX_CPU_ISA=$isa forward "forward-$name"
  # On a CPU without it, the variable only names an upper limit.
  [ "$(instructions "$work/forward-$name/provenance.json")" = "$name" ] || {
    skip "$isa" "this CPU, or this oneDNN, computes with $(instructions "$work/forward-$name/provenance.json")"
    continue
  }
  compared=$((compared + 1))
  for again in '' -again; do ONEDNN_MAX_CPU_ISA=$isa short_run "short-$name$again"; done
  for file in run/model.safetensors run/last/model.safetensors prediction/predictions.tsv; do
    expect_same "$work/short-$name/$file" "$work/short-$name-again/$file"
  done
  far=$(distance "$work/forward/predictions.tsv" "$work/forward-$name/predictions.tsv")
  check "$isa: predictions of the same weights differ by $far" within "$far" "$forward_bound"
  trained=$(distance "$work/short/prediction/predictions.tsv" "$work/short-$name/prediction/predictions.tsv")
  check "$isa: predictions after $steps steps differ by $trained" within "$trained" "$training_bound"
  note "$isa against $here: $far (at most $forward_bound), after $steps steps $trained (at most $training_bound)"
done
check 'some instruction set was compared' [ $compared -gt 0 ]
# Twice the bound is seen, and so is another seed.
awk -F '\t' -v OFS='\t' -v b="$forward_bound" '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == "prediction") at = i }
  NR > 1 { $at = sprintf("%.9g", $at * (1 + 2 * b)) } { print }' "$work/forward/predictions.tsv" >"$work/planted"
check 'a planted difference is seen' eval '! within "$(distance "$work/forward/predictions.tsv" "$work/planted")" "$forward_bound"'
widths+=(--seed 5)
short_run seed
check 'another seed is seen' eval \
  '! within "$(distance "$work/short/prediction/predictions.tsv" "$work/seed/prediction/predictions.tsv")" "$training_bound"'
finish
