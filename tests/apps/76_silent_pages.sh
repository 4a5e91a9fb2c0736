#!/bin/bash
# Data that could lead a page to a false claim: test enhancers that are copies of training enhancers, a
# model whose output is constant, an artefact at the edge of every window, constant effects, a single
# enhancer. Each page is made, shows no undefined number, and claims nothing about DNA.
source tests/apps/lib.sh
for program in python3 gnuplot; do
  command -v $program >/dev/null || { skip silent_pages "$program is missing" && finish; }
done
synth() { expect_ok "$CDT_BIN/cdt-synth" --preset tiny --enhancers 400 --bins 24 --seed 1 --quiet "$@"; }
train() {
  expect_ok "$CDT_BIN/cdt-train" --lr 3e-3 --dropout 0 --hidden 16 --heads 2 --pool-heads 2 \
    --feed-forward 32 --fusion 16 --dna-layers 1 --device cpu --threads 1 --quiet "$@"
}

# changed KIND FROM TO: a modified copy of a data set.
changed() {
  expect_ok python3 - "$@" <<'END'
import json, random, shutil, struct, sys
kind, source, target = sys.argv[1:]
shutil.copytree(source, target)
def read(name):
    return [line.split("\t") for line in open(f"{target}/{name}").read().splitlines()]
(header, *pairs), bed = read("pairs.tsv"), read("enhancers.bed")
dna = bytearray(open(f"{target}/dna.f32", "rb").read())
features = json.load(open(f"{target}/dataset.json"))["dna"]["shape"][2]
window = len(dna) // len(bed)
if kind == "copies":  # each test enhancer: place, DNA and effects of a training enhancer
    row = {b[3]: i for i, b in enumerate(bed)}
    of = lambda split: list(dict.fromkeys(p[1] for p in pairs if p[0] == split))
    copied = dict(zip(of("train"), of("test")))
    pairs = [p for p in pairs if p[0] != "test"]
    pairs += [["test", copied[p[1]], *p[2:]] for p in pairs if p[1] in copied]
    for old, new in copied.items():
        bed[row[new]][:3] = bed[row[old]][:3]
        a, b = row[old] * window, row[new] * window
        dna[b:b + window] = dna[a:a + window]
elif kind == "edge":  # noise, except a first bin that is 2000 times as large and always the same
    random.seed(1)
    for at in range(0, len(dna), 4):
        first = at % window < 4 * features
        struct.pack_into("<f", dna, at, 100.0 * (-1) ** (at // 4) if first else random.gauss(0, 0.05))
elif kind == "classes":  # truth.json calls half of the genes of each class members of the other
    truth = open(f"{target}/truth.json").read()
    for gene in json.loads(truth)["genes"]:
        if int(gene["gene"][-1]) % 4 in (2, 3):
            entry = '{"gene": "%s", "class": "%s"}'
            truth = truth.replace(entry % (gene["gene"], gene["class"]), entry % (gene["gene"], "ba"[gene["class"] == "b"]))
    open(f"{target}/truth.json", "w").write(truth)
elif kind == "equal":
    for p in pairs:
        p[3] = "-0.25"
elif kind == "one":  # an enhancer's genes in all three splits
    genes = open(f"{target}/rna.genes.txt").read().split()
    splits = 4 * ["train"] + 2 * ["val"] + 2 * ["test"]
    pairs = [[s, bed[0][3], g, p[3]] for s, g, p in zip(splits, genes, pairs)]
def write(name, rows):
    open(f"{target}/{name}", "w").writelines("\t".join(r) + "\n" for r in rows)
write("pairs.tsv", [header] + pairs)
write("enhancers.bed", bed)
open(f"{target}/dna.f32", "wb").write(dna)
END
}

# page NAME DATA RUN: $work/NAME.html of the test pairs.
page() {
  local common=(--data "$2" --device cpu --threads 1 --quiet)
  local model=("${common[@]}" --model "$3/model.safetensors" --split test)
  page=$work/$1.html
  expect_ok "$CDT_BIN/cdt-predict" "${model[@]}" --out "$work/$1-predicted"
  expect_ok "$CDT_BIN/cdt-attribute" "${model[@]}" --methods random,occlusion --occlude-bins 3 --paths \
    --maps dna_to_rna --map-pairs 20 --null-replicates 999 --tracks 0 \
    --annotations "$2/sites.bed" --out "$work/$1-explained"
  expect_ok "$CDT_BIN/cdt-report" "${common[@]}" --run "$3" --prediction "$work/$1-predicted" \
    --attribution "$work/$1-explained" --out "$page"
  check "$1: no undefined number is shown" [ "$(grep -ciw nan "$page")" -eq 0 ]
  for claim in dna baseline sites; do
    check "$1: $claim is not claimed" [ "$(grep -c "class=\"said\" data-claim=\"$claim\"" "$page")" -eq 0 ]
  done
}
unsaid() { expect_text "$page" "class=\"unsaid\" data-claim=\"$1\">${2:-}"; }

# Memorised effects: nobody could predict those of new pairs.
synth --mechanism none --out "$work/none"
changed copies "$work/none" "$work/copies"
train --data "$work/copies" --out "$work/by-heart" --epochs 40 --batch-size 32
page copies "$work/copies" "$work/by-heart"
unsaid dna
unsaid baseline
check 'the model does know some of them' python3 - "$work/copies-predicted/metrics.json" <<'END'
import json, sys
metrics = json.load(open(sys.argv[1]))  # no baseline has an r above 0
gain = metrics["pearson_gain_over_strongest_baseline"]["difference"]["value"]
sys.exit(metrics["pearson"]["value"] < 0.15 or gain < 0.15)
END

# A last layer of zeros: attention still finds the site, the predictions do not.
synth --mechanism product --out "$work/data"
train --data "$work/data" --out "$work/flat" --epochs 4 --batch-size 32
expect_ok python3 - "$work/flat/model.safetensors" <<'END'
import json, struct, sys
content = bytearray(open(sys.argv[1], "rb").read())
length = struct.unpack("<Q", content[:8])[0]
begin, end = json.loads(content[8:8 + length])["task_layer.3.weight"]["data_offsets"]
content[8 + length + begin:8 + length + end] = bytes(end - begin)
open(sys.argv[1], "wb").write(content)
END
page saturated "$work/data" "$work/flat"
unsaid sites 'The planted site is scored above chance and above the decoy by attention'
expect_text "$page" 'n = 0 of 40 pairs, left out: 40 whose gradient is zero everywhere'
expect_text "$page" '<b>Which paths lead from the DNA to the prediction</b> is left out.'
check 'attention is drawn' grep -q '</span> Where the peaks are</h3>' "$page"

# Peaks at the edge. Whether an untrained model prefers the first bin is chance: with this seed it does.
changed edge "$work/data" "$work/edge"
train --data "$work/edge" --out "$work/at-edge" --epochs 1 --batch-size 32 --seed 4
page edge "$work/edge" "$work/at-edge"
expect_text "$page" '<span class="said" data-claim="edge-attention">'
for claim in agreement enrichment foretelling; do
  check "edge: $claim is not claimed" [ "$(grep -c "class=\"said\" data-claim=\"$claim\"" "$page")" -eq 0 ]
done

# Constant effects, a single enhancer.
changed equal "$work/data" "$work/equal"
train --data "$work/equal" --out "$work/of-equal" --epochs 2 --batch-size 32
page equal "$work/equal" "$work/of-equal"
expect_text "$page" 'The model has no correlation: all effects are equal.'
changed one "$work/data" "$work/one"
train --data "$work/one" --out "$work/of-one" --epochs 2 --batch-size 2
page one "$work/one" "$work/of-one"
unsaid dna

# A model that knows the mechanism with two sites, and classes that are not those of its genes.
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --enhancers 800 --bins 24 --dna-dim 16 --noise 0.03 --seed 1 --quiet \
  --mechanism specific --out "$work/specific"
expect_ok "$CDT_BIN/cdt-train" --data "$work/specific" --out "$work/of-specific" --epochs 16 --batch-size 16 --lr 2e-3 \
  --dropout 0 --hidden 32 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 32 --dna-layers 1 --device cpu \
  --threads 1 --quiet
changed classes "$work/specific" "$work/other-classes"
for data in specific other-classes; do
  common=(--data "$work/$data" --device cpu --threads 1 --quiet)
  model=("${common[@]}" --model "$work/of-specific/model.safetensors" --split test)
  page=$work/$data.html
  expect_ok "$CDT_BIN/cdt-predict" "${model[@]}" --out "$work/$data-predicted"
  expect_ok "$CDT_BIN/cdt-attribute" "${model[@]}" --all-genes --methods occlusion --occlude-bins 1 --tracks 0 \
    --null-replicates 99 --out "$work/$data-explained"
  expect_ok "$CDT_BIN/cdt-report" "${common[@]}" --run "$work/of-specific" --prediction "$work/$data-predicted" \
    --attribution "$work/$data-explained" --out "$page"
  check "$data: the model uses DNA" grep -q 'class="said" data-claim="dna"' "$page"
done
check 'the gradient follows the classes' grep -q 'class="said" data-claim="specific-gradient"' "$work/specific.html"
for claim in specific-attention specific-gradient specific-occlusion sites site-genes; do
  check "other classes: $claim is not claimed" \
    [ "$(grep -c "class=\"said\" data-claim=\"$claim\"" "$page")" -eq 0 ]
done
expect_text "$page" 'class="unsaid" data-claim="specific-gradient">These windows do not show'

# Every figure about positions says that the model sees none.
places=('Where the peaks are' 'Which elements the top bins overlap' 'Which paths lead from the DNA to the prediction'
  'Does the gradient predict the effect of occluding bins?' 'Do attention and gradient point to the same bins?'
  'Do the methods find the planted sites?' 'equally strong effects among')
python3 - "$work/equal.html" >"$work/seen" <<'END'
import re, sys
for figure in re.findall(r"<figure.*?</figure>", open(sys.argv[1]).read(), re.S):
    if '<p class="note">' in figure and "The model sees no positions" in figure:
        print(re.search(r"</span> ([^<]*)", figure)[1])
END
for place in "${places[@]}"; do expect_text "$work/seen" "$place"; done

finish
