#!/bin/bash
# provenance.json in every output folder: the same keys everywhere, what ran, on what, from what; the same bytes
# again on the same machine, and nothing in it that names the machine or the time.
source tests/apps/lib.sh
# shellcheck disable=SC2119  # no option of cdt-synth
tiny_model
prediction=$work/prediction attribution=$work/attribution converted=$work/converted
run=$work/run
predict=("$CDT_BIN/cdt-predict" --data "$data" --model "$model" --quiet --no-controls --threads 1)
expect_ok "${predict[@]}" --out "$prediction"
expect_ok "$CDT_BIN/cdt-convert" "$run/last" "$converted"
folders=("$data" "$run" "$prediction" "$converted")
if [ -x "$CDT_BIN/cdt-attribute" ]; then
  expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$model" --split val --sample 2 --tracks 0 \
    --out "$attribution" --quiet
  folders+=("$attribution")
fi
if [ -x "$CDT_BIN/cdt-split" ]; then
  expect_ok "$CDT_BIN/cdt-split" --data "$data" --by gene --out "$work/split" --quiet
  folders+=("$work/split")
fi
keys() { sed -n 's/^  "\([a-z_]*\)": .*/\1/p' "$1/provenance.json" | paste -sd ' '; }
for folder in "${folders[@]}"; do
  check "$folder: keys" [ "$(keys "$folder")" = \
    'format version program code command_line options fingerprint compiler libraries device' ]
  expect_text "$folder/provenance.json" '"format": "cdt-provenance"'
  check "$folder: no time, no host" [ "$(grep -c "$(uname -n)\|$(date +%Y-%m)" "$folder/provenance.json")" -eq 0 ]
done
# field FOLDER KEY: its first value on the second level.
field() { sed -n "s/^    \"$2\": \(.*[^,]\),\{0,1\}$/\1/p" "$1/provenance.json" | head -n 1; }
check 'the version' [ "$(field "$run" version)" = "\"$("$CDT_BIN/cdt-train" --version | awk 'NR == 1 { print $2 }')\"" ]
hash=$("$CDT_BIN/cdt-train" --version | sed -n 's/.*(git \([0-9a-f]*\).*/\1/p')
check 'the hash' grep -qF "\"git\": ${hash:+\"$hash}" "$run/provenance.json"
check 'the threads' [ "$(field "$prediction" threads)" = 1 ]
check 'the CPU' grep -q '"cpu": ' "$run/provenance.json"
model_name=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
[ -z "$model_name" ] || check 'as the system names it' [ "$(field "$run" cpu)" = "\"$model_name\"" ]
for library in oneDNN zlib; do
  check "$library" grep -qE "\"$library\": \"[0-9]+\.[0-9.]+\"" "$run/provenance.json"
done
expect_text "$run/provenance.json" '-ffp-contract=off'
# Digests are those that the other files have; a run that starts from no file has none of a model.
# digest FILE KEY: the value in its object `fingerprint`.
digest() { sed -n '/"fingerprint": {/,/}/p' "$1" | sed -n "s/^    \"$2\": \([^,]*\),*$/\1/p"; }
for name in model data; do
  check "digest of the $name" [ "$(digest "$prediction/provenance.json" $name)" = \
    "$(digest "$prediction/metrics.json" $name)" ]
  check "is one" grep -qE '^"[0-9a-f]{16}"$' <(digest "$prediction/provenance.json" $name)
done
check 'no model' [ "$(digest "$run/provenance.json" model)" = null ]
# The same command gives the same bytes.
mv "$prediction" "$work/before"
expect_ok "${predict[@]}" --out "$prediction"
expect_same "$work/before/provenance.json" "$prediction/provenance.json"
# The options are those in effect: a resumed run's are those of the run.
expect_ok "$CDT_BIN/cdt-train" --out "$run" --resume --epochs 2 --quiet
expect_text "$run/provenance.json" '"command_line": "cdt-train --out '
check 'the size of the model' [ "$(field "$run" hidden)" = 16 ]
check 'no earlier part on another machine' [ "$(grep -c '"earlier"' "$run/provenance.json")" -eq 0 ]
# A part that other code made is kept.
sed -i 's/"version": "[0-9.]*"/"version": "0.0.1"/' "$run/provenance.json"
for epochs in 3 4; do expect_ok "$CDT_BIN/cdt-train" --out "$run" --resume --epochs $epochs --quiet; done
check 'an earlier part' [ "$(grep -c '"version": "0.0.1"' "$run/provenance.json")" -eq 1 ]
check 'once' [ "$(grep -c '"cdt-provenance"' "$run/provenance.json")" -eq 2 ]
finish
