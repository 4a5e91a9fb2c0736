#!/bin/bash
# docs/notebooks/explore.ipynb: as it is committed, executed on a small demo, on outputs with little in
# them, and on outputs that were altered, which it must notice.
source tests/apps/lib.sh
export OPENBLAS_NUM_THREADS=1
notebook=$PWD/docs/notebooks/explore.ipynb
command -v python3 >/dev/null || { skip notebook 'python3 is missing' && finish; }

# --- as committed
check 'less than 600 kB' [ "$(stat -c %s "$notebook")" -lt 600000 ]
expect_ok python3 - "$notebook" <<'END'
import json, re, sys
notebook = json.load(open(sys.argv[1], encoding="utf-8"))
cells = notebook["cells"]
code = [cell for cell in cells if cell["cell_type"] == "code"]
assert notebook["metadata"]["kernelspec"]["name"] == "python3"
assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "not run from top to bottom"
outputs = [output for cell in code for output in cell["outputs"]]
assert not any(cell["metadata"] for cell in cells), "a cell has metadata, such as the time it ran"
assert not any(output["output_type"] == "error" or output.get("name") == "stderr" for output in outputs)
assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10, "figures are missing"
text = json.dumps([{k: v for k, v in o.get("data", {}).items() if k != "image/png"} | {"text": o.get("text")}
                   for o in outputs] + [cell["source"] for cell in cells])
assert "numbers recomputed" in text
assert not re.search(r"/(home|root|work|tmp|usr|Users)/", text), "a path of a machine"
END

missing=$(python3 - <<'END'
import importlib.util as util
print(" ".join(m for m in ("numpy", "pandas", "matplotlib", "nbconvert", "ipykernel") if not util.find_spec(m)))
END
)
[ -z "$missing" ] || { skip 'the notebook is executed' "python3 lacks $missing" && finish; }

# --- outputs: small ones with all parts, and smaller ones without what is optional
demo=$work/demo little=$work/little
# explained FOLDER OPTION...: trains, predicts and explains as tests/run_demo.sh does, on less.
explained() {
  local out=$1 model=(--data "$1/data" --model "$1/run/model.safetensors" --threads 1 --quiet)
  expect_ok "$CDT_BIN/cdt-train" --data "$out/data" --out "$out/run" --threads 1 --quiet --epochs 3 --lr 3e-3 \
    --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --dropout 0
  expect_ok "$CDT_BIN/cdt-predict" "${model[@]}" --split test --out "$out/prediction"
  expect_ok "$CDT_BIN/cdt-attribute" "${model[@]}" --split val --null-replicates 99 --tracks 0 \
    --out "$out/attribution" "${@:2}"
}
expect_ok "$CDT_BIN/cdt-synth" --preset demo --enhancers 200 --seed 1 --out "$demo/data" --quiet
explained "$demo" --sample 40 --methods random,gradient_x_input --maps all --maps-per-head --temperature 0.3 \
  --annotations "$demo/data/sites.bed"
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 3 --out "$little/data" --quiet
rm "$little/data/truth.json" "$little/data/sites.bed"
explained "$little"

# --- executed by nbconvert, in a folder that is not its own
# executed NAME FOLDER: into $work/NAME.ipynb, all cells run.
executed() {
  mkdir "$work/$1"
  cp "$notebook" "$work/$1/explore.ipynb"
  CDT_DEMO=$2 IPYTHONDIR=$work/ipython MPLCONFIGDIR=$work/matplotlib expect_ok python3 -m nbconvert \
    --to notebook --execute --output ../"$1.ipynb" "$work/$1/explore.ipynb"
}
executed full "$demo"
check 'no part is skipped' [ "$(grep -cE '^ *"Skipped: ' "$work/full.ipynb")" -eq 0 ]
expect_text "$work/full.ipynb" 'numbers recomputed'
executed bare "$little"
check 'five parts are skipped' [ "$(grep -cE '^ *"Skipped: ' "$work/bare.ipynb")" -eq 5 ]

# --- one file altered at a time: the cells run until one of them stops
# altered NAME FILE: a copy of the demo, of whose FILE the caller changes the bytes.
altered() {
  mkdir "$work/$1"
  cp -r "$demo/data" "$demo/run" "$demo/prediction" "$demo/attribution" "$work/$1"
  file=$work/$1/$2
}
# float_at OFFSET VALUE: writes over a float32 of $file, offset from its end.
float_at() {
  python3 -c 'import struct, sys
file = open(sys.argv[1], "r+b")
file.seek(-4 * int(sys.argv[2]), 2)
file.write(struct.pack("<f", float(sys.argv[3])))' "$file" "$@"
}
altered nothing run/metrics.jsonl
altered prediction prediction/predictions.tsv && sed -i -E '2s/^(([^\t]*\t){3})[^\t]*/\10.5/' "$file"
altered best run/metrics.jsonl && sed -i 's/"best":true/"best":false/' "$file"
altered attention attribution/attention.npy && float_at 7 0.9
altered gradient attribution/gradient.npy && float_at 5 1e9
altered map attribution/maps/dna_to_rna.npy && float_at 3 0.5
altered truth data/truth.json && sed -i 's/"causal_bins": \[[0-9]*/"causal_bins": [0/' "$file"
altered sites data/sites.bed && sed -i 's/causal$/decoy/' "$file"
altered shared attribution/summary.json && sed -i '/"top_overlap"/,/value/s/"value": [0-9]/&9/' "$file"
python3 - "$notebook" "$work" <<'END' >"$work/stopped"
import json, os, sys
os.environ["MPLBACKEND"] = "agg"
cells = [cell for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
for name in "nothing prediction best attention gradient map truth sites shared".split():
    os.environ["CDT_DEMO"] = os.path.join(sys.argv[2], name)
    shown, sys.stdout = sys.stdout, open(os.devnull, "w")
    try:
        scope, said = {}, "ran to its end"
        for cell in cells:
            exec("".join(cell["source"]), scope)
    except AssertionError as error:
        said = str(error)
    sys.stdout = shown
    scope["plt"].close("all")
    print(f"{name}\t{said}")
END
# stopped NAME NEEDLE
stopped() { check "$1: stops with '$2'" grep -q "^$1	$2" "$work/stopped"; }
stopped nothing 'ran to its end'
stopped prediction 'r: computed'
stopped best 'the epoch that was kept: '
stopped attention 'attention_peak_bin'
stopped gradient 'gradient_peak_bin'
stopped map 'mean entropy of dna_to_rna'
stopped truth 'AUROC of '
stopped sites 'fold of '
stopped shared 'mean overlap: '
finish
