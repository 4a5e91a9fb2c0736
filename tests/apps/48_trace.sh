#!/bin/bash
# --trace of cdt-train: a step op by op, in numbers that a run's profile confirms, as text, JSON and a
# figure of the architecture.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
trace() { "$train" --dry-run --trace --device cpu --threads 1 "$@"; }

# names OF_JSON: the modules of a trace, a line each, "loss" included.
names() { sed -n '/^  "modules"/,/^  "ops"/s/^      "name": "\(.*\)",$/\1/p' "$1"; }

# well_formed FILE
well_formed() {
  if command -v xmllint >/dev/null; then
    xmllint --noout "$1"
  elif command -v python3 >/dev/null; then
    python3 -c 'import sys, xml.dom.minidom as dom; dom.parse(sys.argv[1])' "$1"
  else
    grep -q '^</svg>$' "$1"
  fi
}

# narrow FILE: no line over 100 columns.
narrow() { ! grep -qE '^.{101}' "$1"; }

# --- the released model, at full size, computed nowhere
expect_ok trace
check "80 columns at the released sizes" test -z "$(grep -E '^.{81}' "$work/stdout")"
check "all parameters" grep -qE '^all modules +60,093,752 ' "$work/stdout"
check "parameters of a module" grep -qE '^dna_self_attn_layers\.1 +7,087,872 ' "$work/stdout"
check "an op with its shapes" grep -qE '^  linear +8x896x3072 +8x896x768 +2,360,064 +33\.82G' "$work/stdout"
for variant in released paper; do
  expect_ok trace --variant $variant --trace-format json --dna-layers 3
  cp "$work/stdout" "$work/$variant.json"
  expect_ok trace --variant $variant --trace-format svg --dna-layers 3
  svg=$work/$variant.svg
  cp "$work/stdout" "$svg"
  check "$variant: well-formed" well_formed "$svg"
  check "$variant: nothing from elsewhere" test "$(grep -cE '<script|href|@import|url\(' "$svg")" -eq 0
  check "$variant: sixteen modules" test "$(names "$work/$variant.json" | wc -l)" -eq 16
  for module in $(names "$work/$variant.json"); do
    check "$variant: $module once in the figure" test "$(grep -cF "id=\"$module\"" "$svg")" -eq 1
  done
  check "$variant: RNA asks DNA" grep -qF 'data-from="dna_self_attn_layers.2" data-to="dna_to_rna"' "$svg"
  expect_ok trace --variant $variant --batch-size 4096 --hidden 1000000 --feed-forward 1000000
  check "$variant: 100 columns at any size" narrow "$work/stdout"
done

# --- the profile of a run has the same numbers for each of its steps
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --out "$work/data" --seed 1 --quiet
sizes=(--data "$work/data" --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16)
for variant in released paper; do
  # One pair a step, so that all steps are alike.
  options=("${sizes[@]}" --variant "$variant" --batch-size 1)
  expect_ok trace "${options[@]}" --trace-format json
  cp "$work/stdout" "$work/trace.json"
  expect_ok "$train" "${options[@]}" --out "$work/run-$variant" --device cpu --threads 1 --epochs 1 --quiet --profile
  # Lines "PASS OP calls FLOP bytes" of what runs in training steps alone; of the run, a step's share.
  rows() {
    tr -d ' ",' <"$1" | awk -F: -v steps="$2" '
      $1 == "pass" { pass = $2 }
      $1 == "op" { op = $2 }
      $1 == "calls" { calls = $2 / steps }
      $1 == "gflop" { flop = $2 * 1e9 / steps }
      $1 == "flop" { flop = $2 }
      $1 == "bytes" && op != "" {
        if (pass == "backward" || op ~ /^(select|huber|dropout|clip|adamw)$/)
          printf "%s %s %d %.0f %.0f\n", pass, op, calls, flop, $2 / steps
        op = ""
      }' | sort
  }
  steps=$(sed -n '$s/.*"step":\([0-9]*\),.*/\1/p' "$work/run-$variant/metrics.jsonl")
  sed -n '/^  "profile"/,$p' "$work/trace.json" >"$work/trace-rows.json"
  rows "$work/trace-rows.json" 1 >"$work/traced"
  rows "$work/run-$variant/profile.json" "$steps" >"$work/profiled"
  check "$variant: a dozen rows and more" test "$(wc -l <"$work/traced")" -ge 12
  if debug_build; then
    skip "$variant: the rows of the profile" "in a debug build it has the fills of arenas too"
  else
    expect_same "$work/traced" "$work/profiled"
  fi
done

# --- what is refused
expect_fail 2 "--trace: follows a step that is not computed: it needs --dry-run" "$train" --trace --out "$work/x"
expect_fail 2 "--trace-format: changes nothing here: it needs --trace" "$train" --dry-run --trace-format json
expect_fail 2 "--trace-format: " "$train" --dry-run --trace --trace-format png
for extension in "--readout gene" "--bin-position distance" "--gene-position distance"; do
  read -ra words <<<"$extension"
  expect_fail 2 "--trace-format: svg draws models without extensions" \
    "$train" --dry-run --trace --device cpu --trace-format svg "${words[@]}"
done
expect_fail 2 "--trace: takes no value" "$train" --dry-run --trace=svg
expect_fail 2 "model sizes: " "$train" --dry-run --trace --hidden 10 --heads 3
finish
