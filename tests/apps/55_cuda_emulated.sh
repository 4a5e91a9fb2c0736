#!/bin/bash
# --device cuda through the programs, on the emulated GPU: the unchanged sources of engine/cuda, run on the
# host (docs/emulation.md). Training, recorded or not, must follow the CPU's.
source tests/apps/lib.sh
gpu=$CDT_BUILD/emulated/bin
compare_runs=$CDT_BUILD/tests/compare_runs
export CDT_EMULATED_MEMORY=$((32 << 30))

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/data" --seed 1 --quiet
sizes=(--hidden 32 --heads 4 --pool-heads 2 --feed-forward 64 --fusion 48)

# run PROGRAM OUT OPTIONS...
run() {
  "$1" --data "$work/data" --out "$work/$2" --epochs "${epochs:-2}" --batch-size 8 --seed 3 --threads 1 --quiet \
    "${@:3}"
}
# values RUN: metrics without the fields that depend on the clock and the machine.
values() { sed 's/,"seconds".*//' "$work/$1/metrics.jsonl"; }

epochs=1 expect_ok run "$CDT_BIN/cdt-train" start "${sizes[@]}"
start=$work/start/model.safetensors
expect_ok "$compare_runs" perturb --model "$start" --out "$work/moved.safetensors"
for p in 0 0.3; do
  expect_ok run "$CDT_BIN/cdt-train" cpu$p --model "$start" --dropout $p
  expect_ok run "$CDT_BIN/cdt-train" control$p --model "$work/moved.safetensors" --dropout $p
  expect_ok run "$gpu/cdt-train" cuda$p --model "$start" --dropout $p --device cuda
  expect_ok "$compare_runs" compare --start "$start" --reference "$work/cpu$p" \
    --control "$work/control$p" --candidate "$work/cuda$p"
  expect_text "$work/stdout" '"outside": 0'
done

# A replayed step equals the step itself: the same bits without recording, and when repeated.
expect_ok run "$gpu/cdt-train" plain --model "$start" --device cuda --no-graph
expect_same "$work/plain/last/model.safetensors" "$work/cuda0.3/last/model.safetensors"
expect_same <(values plain) <(values cuda0.3)
# Streams that run as late as allowed: nothing relies on a lucky order.
CDT_EMULATION_LAZY=1 expect_ok run "$gpu/cdt-train" lazy --model "$start" --device cuda
expect_same "$work/lazy/last/model.safetensors" "$work/cuda0.3/last/model.safetensors"
# A device too small to keep DNA windows (it has less than the 2 GiB to be left free) streams them.
CDT_EMULATED_MEMORY=$((2 << 30)) expect_ok run "$gpu/cdt-train" streamed --model "$start" \
  --device cuda
expect_same "$work/streamed/last/model.safetensors" "$work/cuda0.3/last/model.safetensors"
# The second of two devices, which the threads that read DNA windows must use too.
CDT_EMULATED_DEVICES=2 expect_ok run "$gpu/cdt-train" second --model "$start" --device cuda:1
check "no thread took another device" eval '! grep -q "cuda emulation" "$work/stderr"'
expect_same "$work/second/last/model.safetensors" "$work/cuda0.3/last/model.safetensors"
# bfloat16, with heads for which attention is fused: as close to the CPU's float32 as runs whose starts
# differ by half a unit of bfloat16.
epochs=1 expect_ok run "$CDT_BIN/cdt-train" wide --hidden 32 --heads 1 --pool-heads 1 \
  --feed-forward 64 --fusion 48
wide=$work/wide/model.safetensors
expect_ok "$compare_runs" perturb --model "$wide" --out "$work/moved-wide.safetensors" --epsilon 3.9e-3
expect_ok run "$CDT_BIN/cdt-train" cpu-wide --model "$wide"
expect_ok run "$CDT_BIN/cdt-train" control-wide --model "$work/moved-wide.safetensors"
expect_ok run "$gpu/cdt-train" bf16-wide --model "$wide" --device cuda --precision bf16
expect_ok "$compare_runs" compare --start "$wide" --reference "$work/cpu-wide" \
  --control "$work/control-wide" --candidate "$work/bf16-wide"
expect_text "$work/stdout" '"outside": 0'
expect_ok run "$gpu/cdt-train" bf16-plain --model "$wide" --device cuda --precision bf16 --no-graph
expect_same "$work/bf16-plain/last/model.safetensors" "$work/bf16-wide/last/model.safetensors"

# --- an interrupted run resumes bit for bit
epochs=1 expect_ok run "$gpu/cdt-train" half --model "$start" --device cuda
expect_ok "$gpu/cdt-train" --resume --out "$work/half" --epochs 2 --device cuda --quiet
expect_same "$work/half/last/model.safetensors" "$work/cuda0.3/last/model.safetensors"

# --- prediction and attribution
for device in cpu cuda; do
  bin=$CDT_BIN
  [ $device = cpu ] || bin=$gpu
  expect_ok "$bin/cdt-predict" --data "$work/data" --model "$start" --out "$work/predict-$device" \
    --split val --device $device --quiet
  expect_ok "$bin/cdt-attribute" --data "$work/data" --model "$start" --split val --sample 5 \
    --out "$work/attribute-$device" --device $device --quiet
done
CDT_EMULATED_DEVICES=2 expect_ok "$gpu/cdt-predict" --data "$work/data" --model "$start" \
  --out "$work/predict-second" --split val --device cuda:1 --quiet
expect_same "$work/predict-second/predictions.tsv" "$work/predict-cuda/predictions.tsv"
# near FILE FILE COLUMN: the numbers of a column agree to 1e-5 of its largest value.
near() {
  paste <(cut -f "$3" "$1") <(cut -f "$3" "$2") | awk 'NR > 1 {
    d = $1 - $2; if (d < 0) d = -d; if (d > miss) miss = d
    a = $1 < 0 ? -$1 : $1; if (a > most) most = a }
    END { exit !(NR > 1 && most > 0 && miss <= 1e-5 * most) }'
}
check "predictions agree" near "$work/predict-cpu/predictions.tsv" \
  "$work/predict-cuda/predictions.tsv" 4
expect_same <(cut -f 1-3 "$work/predict-cpu/predictions.tsv") \
  <(cut -f 1-3 "$work/predict-cuda/predictions.tsv")

# --- attribution in batches of enhancers equals the CPU's, one enhancer at a time; the same bytes with or
# without recording, and however late streams run
# attribute OUT PROGRAM OPTIONS...
attribute() {
  "$2" --data "$work/data" --model "$start" --split train --sample 40 --methods gradient_x_input --tracks 0 \
    --out "$work/$1" --quiet "${@:3}"
}
same_windows() {
  for file in attention.npy gradient.npy methods/gradient_x_input.npy pairs.tsv; do
    expect_same "$work/$1/$file" "$work/$2/$file"
  done
}
expect_ok attribute cpu "$CDT_BIN/cdt-attribute" --device cpu
expect_ok attribute batches "$gpu/cdt-attribute" --device cuda
check "batches agree with one enhancer at a time" tests/gpu/compare_windows.sh "$work/cpu" "$work/batches" 0.999 1e-5
expect_ok attribute batches-plain "$gpu/cdt-attribute" --device cuda --no-graph
same_windows batches-plain batches
CDT_EMULATION_LAZY=1 expect_ok attribute batches-lazy "$gpu/cdt-attribute" --device cuda
same_windows batches-lazy batches
# A device without room for a batch beside the 2 GiB to be left free processes pairs one by one.
CDT_EMULATED_MEMORY=$((2 << 30)) expect_ok attribute batches-of-one "$gpu/cdt-attribute" --device cuda
check "a batch of one agrees" tests/gpu/compare_windows.sh "$work/batches" "$work/batches-of-one" 0.999 1e-5

# --- windows of all methods in bfloat16 are close to those of float32: 16 roundings of 2^-8
# windows OUT PRECISION OPTIONS...
windows() {
  "$gpu/cdt-attribute" --data "$work/data" --split val --sample 2 --tracks 0 --device cuda --out "$work/$1" \
    --precision "$2" --overwrite --quiet "${@:3}"
}
# windows_near BOUND: bf16 and fp32
windows_near() { tests/gpu/compare_windows.sh "$work/fp32" "$work/bf16" 0.99 "$1" >"$work/windows"; }
all=(--model "$start" --methods all --smooth-samples 2 --occlude-bins 4 --paths --gene-gradients --maps all)
expect_ok windows fp32 fp32 "${all[@]}"
expect_ok windows bf16 bf16 "${all[@]}"
check "bf16: windows, paths, gene gradients and maps" windows_near 0.0625 || cat "$work/windows"
expect_text "$work/windows" "23 files, 0 out of bounds"
check "bf16 is not float32" eval '! windows_near 1e-4'
# More genes than the hidden size.
epochs=1 expect_ok run "$CDT_BIN/cdt-train" narrow --hidden 4 --heads 2 --pool-heads 2 \
  --feed-forward 8 --fusion 6
for precision in fp32 bf16; do
  expect_ok windows $precision $precision --model "$work/narrow/model.safetensors" --all-genes \
    --methods gradient_x_input
done
check "bf16: all genes" windows_near 0.0625 || cat "$work/windows"

# --- attention by cuDNN in bfloat16: close to our own, with one note per shape; byte for byte our own if
# the library cannot be used
# whose_attention OUT PROGRAM OPTIONS...: runs it with a profile.
whose_attention() {
  "$gpu/$2" --data "$work/data" --model "$wide" --split val --device cuda --precision bf16 --profile \
    --out "$work/$1" --quiet "${@:3}"
}
# notes OUT TEXT: how many notes in its profile start with TEXT after the shape.
notes() { grep -oE "\"attention of [^:]*: $2" "$work/$1/profile.json" | wc -l; }
for program in predict attribute; do
  sample=()
  [ $program = predict ] || sample=(--sample 2 --tracks 0)
  for choice in own cudnn auto; do
    expect_ok whose_attention $program-$choice cdt-$program --attention $choice "${sample[@]}"
  done
  check "$program: by cuDNN" test "$(notes $program-cudnn "cuDNN's")" -gt 2
  check "$program: all of it" test "$(notes $program-cudnn 'our own')" -eq 0
  expect_text "$work/$program-own/profile.json" '"notes": []'
done
check "predictions by cuDNN are near" eval 'paste <(cut -f 4 "$work/predict-own/predictions.tsv") \
  <(cut -f 4 "$work/predict-cudnn/predictions.tsv") | awk "NR > 1 { d = \$1 - \$2; e += d * d; n += \$1 * \$1 }
    END { exit !(n > 0 && e > 0 && e <= 0.0625 ^ 2 * n) }"'
expect_same "$work/predict-auto/predictions.tsv" "$work/predict-own/predictions.tsv"
for planted in missing no-engine failing wrong; do
  CDT_EMULATED_CUDNN=$planted expect_ok whose_attention predict-$planted cdt-predict --attention cudnn
  expect_same "$work/predict-$planted/predictions.tsv" "$work/predict-own/predictions.tsv"
  expect_text "$work/predict-$planted/profile.json" 'our own; '
done
refused="--attention: cuDNN's is not in tf32 but in bf16 only (expected auto or own, got cudnn)"
expect_fail 2 "$refused" "$gpu/cdt-predict" --data "$work/data" --model "$wide" --split val --device cuda \
  --precision tf32 --attention cudnn --out "$work/none"
expect_fail 2 "--attention: no such option" "$gpu/cdt-train" --data "$work/data" --out "$work/none" \
  --attention cudnn

# --- no GPU is one line
CDT_EMULATED_DEVICES=0 expect_fail 2 "--device" "$gpu/cdt-predict" --data "$work/data" \
  --model "$start" --out "$work/none" --device cuda
expect_fail 2 "no such GPU (expected cuda:0 to cuda:0, got cuda:3)" "$gpu/cdt-predict" \
  --data "$work/data" --model "$start" --out "$work/none" --device cuda:3
CDT_EMULATED_DEVICES=0 expect_ok "$gpu/cdt-predict" --data "$work/data" --model "$start" \
  --out "$work/auto" --device auto --quiet
# A GPU that is too old is refused by name, and skipped by auto.
old='the GPU is too old (expected compute capability 8.0 or more, got 7.0)'
CDT_EMULATED_CAPABILITY=7 expect_fail 2 "--device: $old (expected auto or cpu, got cuda)" \
  "$gpu/cdt-predict" --data "$work/data" --model "$start" --out "$work/none" --device cuda
CDT_EMULATED_CAPABILITY=7 expect_ok "$gpu/cdt-predict" --data "$work/data" --model "$start" \
  --out "$work/passed-over" --device auto --quiet
check "the CPU's predictions" cmp "$work/auto/predictions.tsv" "$work/passed-over/predictions.tsv"
check "nothing is left" test ! -e "$work/none"
finish
