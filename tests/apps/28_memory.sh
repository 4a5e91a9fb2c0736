#!/bin/bash
# The memory plan of a dry run: what runs then take, what is refused because it cannot fit, and that what is said to
# fit does.
source tests/apps/lib.sh
tiny_model
train=$CDT_BIN/cdt-train
# What cuBLASLt, if it is linked, takes when a program starts: address space (KiB) and memory (MiB).
mapped=0 resident=0
[ -z "$(cuda_setting NVCC)" ] || mapped=700000 resident=192
# row NAME: a row of the table in $work/stdout, in MiB.
row() { sed -n -E "s/^$1 +([0-9]+)\$/\\1/p" "$work/stdout"; }
# refused NEEDLE COMMAND...: exit status 2 and, beside warnings, one line that contains NEEDLE, before anything is
# written.
refused() {
  local needle=$1 status=0
  shift
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "refused: exit status 2, not $status" [ $status -eq 2 ]
  check 'refused: one line' [ "$(grep -vcE '^[^ ]+ warning: ' "$work/stderr")" -eq 1 ]
  expect_text "$work/stderr" "$needle"
  check 'refused: nothing is written' [ ! -e "$work/refused" ]
}
# said_to_fit: the batch size in the last line of $work/stderr.
said_to_fit() { tail -n 1 "$work/stderr" | sed -n -E 's/.*; --batch-size ([0-9]+) fits.*/\1/p'; }

expect_ok "$train" --dry-run --device cpu --threads 2
for name in weights gradients 'Adam moments' activations 'inside kernels' total; do
  check "row $name" [ -n "$(row "$name")" ]
done
# Windows of 256 bins make activations large, and one step keeps it short.
wide=$work/wide
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --bins 256 --genes 100 --enhancers 20 --seed 4 --out "$wide" --quiet
once=(--data "$wide" --threads 2 --epochs 1 --max-steps 1 --epoch-controls none --pool-heads 2 --fusion 64)

# --- a GPU has memory of its own
gpu=$CDT_BUILD/emulated/bin/cdt-train
if [ -x "$gpu" ]; then
  CDT_EMULATED_MEMORY=$((256 << 20)) refused 'of memory, and the GPU allows 2' "$gpu" "${once[@]}" \
    --device cuda --hidden 128 --heads 4 --feed-forward 512 --batch-size 64 --out "$work/refused" --quiet
else
  skip 'the memory of a GPU' 'this build has no emulated GPU'
fi

if sanitized; then
  skip 'limits and measured memory' 'AddressSanitizer takes most of it'
  finish
fi
# A model and a batch far too large for this machine can still be planned, in little memory.
expect_ok under 2000000 "$train" --dry-run --device cpu --threads 2 --batch-size 4096
check 'over a terabyte' [ "$(row total)" -gt $((1024 * 1024)) ]

# --- address space: little is enough for little work; else one line says what is enough
expect_ok under 1500000 "$train" --data "$data" --out "$work/small" --epochs 1 --hidden 16 \
  --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --threads 2 --quiet
check 'little work: no warning' [ ! -s "$work/stderr" ]
refused 'ulimit -v allows 1.4 GiB; --batch-size 1 does not fit either: it takes a smaller model (--hidden) or ' \
  under 1500000 "$train" --data "$data" --out "$work/refused" --epochs 1 --hidden 2048 --threads 2 --quiet
expect_ok under $((900000 + mapped)) "$train" --data "$data" --out "$work/middle" --epochs 1 --max-steps 1 --threads 2 --quiet \
  --hidden 256 --batch-size 2

# --- what runs take, against their plans
# measure NAME SIZES...: sets plan, certain and peak of a training step, in MiB.
measure() {
  local name=$1
  shift
  expect_ok "$train" --dry-run --data "$wide" --threads 2 --device cpu "$@"
  plan=$(row total)
  certain=$((plan - $(row 'inside kernels') - $(row 'DNA read ahead')))
  expect_ok "$train" "${once[@]}" --out "$work/$name" --quiet "$@"
  peak=$(sed -E 's/.*"peak_memory_bytes": ?([0-9]+).*/\1/' "$work/$name/metrics.jsonl")
  peak=$(((peak + (1 << 20) - 1) >> 20))
  note "$name: plan $plan MiB, peak $peak MiB"
}
measure least --hidden 8 --heads 1 --feed-forward 8 --batch-size 1
beside=$((peak - plan)) # program, libraries, data set
check "the program by itself, $beside MiB" [ "$beside" -lt $((64 + resident)) ]
for sizes in '128 8' '128 24' '384 4'; do
  read -r hidden batch <<<"$sizes"
  measure "h$hidden-b$batch" --hidden "$hidden" --heads 4 --feed-forward $((4 * hidden)) --batch-size "$batch"
  check "h$hidden-b$batch: no more than the plan and what the program takes by itself" \
    [ "$peak" -le $((plan + beside + 16)) ]
  check "h$hidden-b$batch: no less than what the plan says is certain" [ "$peak" -ge "$certain" ]
done

# --- control groups: what does not fit is refused, what is said to fit does
# new_group: makes a group as $group, if this process may; else returns 1.
new_group() {
  local point
  point=$(awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break }
    $(i + 1) == "cgroup" && $(i + 3) ~ /(^|,)memory(,|$)/ { print $5; exit }' /proc/self/mountinfo)
  file=memory.limit_in_bytes
  if [ -z "$point" ]; then
    point=$(awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break } $(i + 1) == "cgroup2" { print $5; exit }' \
      /proc/self/mountinfo)
    file=memory.max
  fi
  [ -n "$point" ] || return 1
  group=$point/cdt-test-$$
  mkdir "$group" 2>/dev/null || return 1
  limit 512 && measure_own && return 0
  rmdir "$group"
  return 1
}
# measure_own: sets own to the most memory of a program that only starts, in the group, in MiB.
measure_own() {
  local peak
  grouped "$train" --version >"$work/stdout" || return 1
  peak=$(cat "$group"/memory.max_usage_in_bytes "$group"/memory.peak 2>/dev/null)
  own=$(((${peak:-0} + (1 << 20) - 1) >> 20))
}
# limit MIBIBYTES: of the group, in which no process is now, without swap. Fails if the system has no such limit.
limit() {
  local bytes=$(($1 << 20)) name
  for name in "$file" memory.memsw.limit_in_bytes "$file"; do
    [ ! -e "$group/$name" ] || echo $bytes >"$group/$name" # refused where it exceeds the limit with swap
  done 2>/dev/null
  [ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
  [ "$(cat "$group/$file" 2>/dev/null || echo 0)" -eq $bytes ] &&
    { [ -e "$group/memory.memsw.limit_in_bytes" ] || [ -e "$group/memory.swap.max" ] ||
      grep -q '^SwapTotal: *0 kB' /proc/meminfo; }
}
grouped() (
  echo "$BASHPID" >"$group/cgroup.procs"
  exec "$@"
)
if new_group; then
  trap 'rmdir "$group"; rm -rf "$work"' EXIT
  limit $((160 + own))
  step=("$train" "${once[@]}" --hidden 128 --heads 4 --feed-forward 512 --quiet)
  refused "cgroup $group/memory." grouped "${step[@]}" --batch-size 32 --out "$work/refused"
  fits=$(said_to_fit)
  check "a batch size that fits: $fits" [ "${fits:-0}" -gt 0 ]
  expect_text "$work/stderr" 'averages gradients over as many pairs'
  expect_ok grouped "${step[@]}" --batch-size "$fits" --out "$work/fits"
  check 'what fits: no warning' [ "$(grep -c 'more memory' "$work/stderr")" -eq 0 ]
  # The batch size of a run that is resumed is part of it. A run that is over takes no step, and needs no memory for it.
  expect_ok grouped "${step[@]/#--max-steps/--accumulate}" --batch-size "$fits" --out "$work/longer"
  limit $((60 + own))
  refused '; the run keeps its batch size, for which ' grouped "$train" --resume --out "$work/longer" --epochs 2 --quiet
  expect_ok grouped "$train" --resume --out "$work/fits" --quiet
  explain=(--data "$wide" --split train --threads 2 --quiet --out)
  limit $((120 + own))
  predict=("$CDT_BIN/cdt-predict" --model "$work/h384-b4/model.safetensors" --no-controls "${explain[@]}")
  refused "cgroup $group/memory." grouped "${predict[@]}" "$work/refused" --batch-size 16
  fits=$(said_to_fit)
  expect_ok grouped "${predict[@]}" "$work/predicted" --batch-size "${fits:-0}"
  limit $((56 + own))
  refused 'an attribution of 1 gene of an enhancer takes at least ' grouped "$CDT_BIN/cdt-attribute" \
    --model "$work/h384-b4/model.safetensors" --sample 2 "${explain[@]}" "$work/refused"
else
  skip 'control groups' 'this process may not make one'
fi

finish
