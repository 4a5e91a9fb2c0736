# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables that the scripts share: runner.sh
# Compares training and attribution on the GPU with the CPU's, at small sizes. The CPU's results are
# computed once, where the programs are built, and carried along: $material/inputs (a data set, initial
# weights) and $material/references. tests/gpu/steps.sh says what else is set.
kDropout=0.3
kPrecisions='fp32 tf32 bf16'
# More than one tile of 64 in bins and genes; heads of 32, for which attention in bf16 is fused.
kDataSizes=(--enhancers 60 --bins 70 --genes 66)
kModelSizes=(--hidden 64 --heads 2 --pool-heads 2 --feed-forward 128 --fusion 96)

# Rounding errors: half a unit in the last place of float32 or bfloat16 (7 bits of mantissa); a whole unit
# of tf32 (10 bits), since tensor cores may truncate a factor instead of rounding it.
rounding() { case $1 in fp32) echo 1.2e-7 ;; tf32) echo 9.8e-4 ;; bf16) echo 3.9e-3 ;; esac; }

# train_small OUT START DEVICE PRECISION: keeps only the files that are compared.
train_small() {
  rm -rf "$1"
  ours cdt-train --data "$material/inputs/data" --out "$1" --model "$2" --device "$3" --precision "$4" \
    --dropout $kDropout --epochs 2 --batch-size 8 --seed 3 --quiet &&
    rm -f "$1/last/state.safetensors" "$1/model.safetensors"
}

# attribute_small OUT DEVICE PRECISION
attribute_small() {
  rm -rf "$1"
  ours cdt-attribute --data "$material/inputs/data" --model "$material/inputs/start.safetensors" --split val \
    --sample 4 --tracks 0 --methods all --smooth-samples 4 --occlude-bins 4 --paths --gene-gradients --maps all --device "$2" \
    --precision "$3" --out "$1" --quiet
}

# make_references [SIZE_OPTION...]: once for these programs; options of cdt-synth for another size.
make_references() {
  local precision seed moved=$material/moved.safetensors
  [ ! "$material/references/made" -nt "$(path_of cdt-train)" ] || return 0
  [ $# -gt 0 ] || set -- "${kDataSizes[@]}"
  rm -rf "$material/inputs" "$material/references"
  mkdir -p "$material/inputs" "$material/references"
  ours cdt-synth --preset tiny "$@" --out "$material/inputs/data" --seed 1 --quiet &&
    ours cdt-train --data "$material/inputs/data" --out "$material/first" --device cpu --epochs 4 \
      "${kModelSizes[@]}" --seed 3 --quiet || return 1
  mv "$material/first/model.safetensors" "$material/inputs/start.safetensors"
  rm -r "$material/first"
  train_small "$material/references/cpu" "$material/inputs/start.safetensors" cpu fp32 || return 1
  for precision in $kPrecisions; do
    for seed in 1 2; do
      ours compare_runs perturb --model "$material/inputs/start.safetensors" --out "$moved" \
        --epsilon "$(rounding "$precision")" --seed $seed &&
        train_small "$material/references/$precision-$seed" "$moved" cpu fp32 || return 1
    done
  done
  rm "$moved"
  attribute_small "$material/references/windows" cpu fp32 && : >"$material/references/made"
}

# compare_training PRECISION: the run may diverge 8 times as far as CPU runs whose start was perturbed by
# the rounding of the precision (tests/gpu/compare_runs.cc).
compare_training() {
  local references=$material/references
  train_small "$folder/cuda" "$material/inputs/start.safetensors" cuda "$1" || return 1
  measure compare_runs compare --start "$material/inputs/start.safetensors" --reference "$references/cpu" \
    --control "$references/$1-1" --control "$references/$1-2" --candidate "$folder/cuda"
}

# compare_attribution PRECISION: a window may be off by 16 roundings of the precision; in float32, where
# sums run in another order, by 1e-4.
compare_attribution() {
  local error
  case $1 in fp32) error=1e-4 ;; tf32) error=1.56e-2 ;; bf16) error=6.25e-2 ;; esac
  attribute_small "$folder/cuda" cuda "$1" || return 1
  tests/gpu/compare_windows.sh "$material/references/windows" "$folder/cuda" 0.99 $error
}
