#!/bin/bash
# Writes the first inputs of the fuzz targets into OUT/TARGET: small valid files of each kind, by the engine's
# writers (seeds.cc), from the fixtures of other tests, and from a short run of the programs.
#
#   tests/fuzz/seeds.sh BUILD OUT
set -eu
build=${1:?usage: tests/fuzz/seeds.sh BUILD OUT} out=${2:?usage: tests/fuzz/seeds.sh BUILD OUT}
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
"$build/tests/fuzz_seeds" "$out"

# keep TARGET FILE...: as seeds of the target, under the names of the files.
keep() {
  local target=$1
  shift
  mkdir -p "$out/$target"
  cp "$@" "$out/$target/"
}

for file in tests/parity/fixtures/pt/*.pt; do
  [ "$(stat -c %s "$file")" -gt 4096 ] || keep pt "$file"
done
keep npy tests/arrays/*.npy
keep npz tests/arrays/*.npz
for file in tests/arrays/*.npy; do keep npz-array "$file"; done

# A run of the programs: everything that a report reads.
data=$run/data
"$build/bin/cdt-synth" --preset tiny --enhancers 20 --bins 12 --genes 4 --out "$data" --quiet
"$build/bin/cdt-train" --data "$data" --out "$run/run" --epochs 2 --hidden 4 --heads 2 --pool-heads 2 \
  --feed-forward 4 --fusion 4 --dna-layers 1 --device cpu --quiet
"$build/bin/cdt-predict" --data "$data" --model "$run/run/model.safetensors" --split test --out "$run/prediction" \
  --positive-below -0.01 --ridge --bootstrap 100 --device cpu --quiet
"$build/bin/cdt-attribute" --data "$data" --model "$run/run/model.safetensors" --split test --out "$run/attribution" \
  --device cpu --quiet
"$build/bin/cdt-audit" --data "$data" --out "$run/audit.json" --quiet >"$run/audit.txt"
keep audit "$run/audit.json"
keep manifest "$data/dataset.json"
keep truth "$data/truth.json"
keep pairs "$data/pairs.tsv"
keep genes "$data/rna.genes.txt"
keep bed "$data/enhancers.bed"
keep run-config "$run/run/config.json"
keep epochs "$run/run/metrics.jsonl"
keep metrics "$run/prediction/metrics.json"
keep summary "$run/attribution/summary.json"
keep json "$run/run/provenance.json"

# text TARGET NAME TEXT: a seed whose TEXT has the escapes of printf.
text() {
  mkdir -p "$out/$1"
  # shellcheck disable=SC2059  # the escapes are meant
  printf "$3" >"$out/$1/$2"
}
text json values '{"epochs": 5, "lr": 1e-3, "pair": ["a:b", "c:\\\\u00e9"], "x": {"y": null, "z": [true, -0.5]}}'
text options all '{"text": "a", "path": "p", "list": ["a", "b"], "whole": 5, "real": 0.25, "choice": "two",\n"names": "a,c", "flag": true}'
text truth classes '{"format": "cdt-truth", "version": 2, "noise_ceiling": {"test": {"pearson": 0.9}}, "genes": [{"gene": "A", "class": "a"}],\n"sites": [{"enhancer": "E", "bins_for_a": [1, 2], "bins_for_b": [5]}],\n"pairs": [{"enhancer": "E", "gene": "A", "has_effect": true, "noiseless_beta": -0.5}]}'
text tsv plain 'a\tx\tb\tc\n1\t2\t3\t4\n\t\t\t\n'
text tsv windows '\357\273\277b\ta\r\n1\t2\r\n\n\n'
text pairs all 'split\tenhancer\tgene\tbeta\tlabel\tfold\tse\tsample\ntrain\tE1\tA\t-0.5\t1\t1\t0.25\ts\nval\tE2\tB\t1e-3\t0\t2\t1\tt\n'
text pairs few 'gene\tenhancer\tbeta\nA\tE\t0\n'
text genes three 'A\nB\nC\n'
text bed places 'track name=x\nchr1\t5\t90\nchr1\t100\t120\t.\nchrX\t7\t9\te\t0\t+\n#\n'
text gene-starts genes 'chr1\t5\t90\tA\t0\t+\nchr2\t7\t9\tB\t0\t-\nchr1\t1\t8\tC\nchr1\t2\t9\tA\t0\t.\n'
text gene-starts windows 'chr1\t500\t1000\tA\t0\t+\nchr2\t700\t1200\tB\t0\t-\n'
text annotations encode 'track name=x db=hg38\nchr1\t5\t90\ta\t0\t.\t5\t90\t1,2,3\tpELS,CTCF-bound\nchr2\t1\t70\tb\t0\t.\t1\t70\t1,2,3\tPLS\nchr1\t50\t60\tc\t0\t.\t5\t6\t0\tdELS\nchr1\t9\t9\tc\t0\t.\t5\t6\t0\t.\n\n'
text annotations narrow_peak 'chr1\t5\t90\tpeak\t100\t.\t1.5\t2\t-1\t40\nchr1\t20\t30\tpeak\t100\t.\t1.5\t2\t-1\t4\n'
text annotations screen 'chr1\t5\t90\tEH1\tEH2\tpELS\nchr1\t5\t90\tEH1\tEH2\tdELS,CTCF-bound\n'
text chrom-sizes two 'chr1\t248956422\nchrUn\t5000\nchrX\t156040895\n'
text chrom-sizes other 'a\t1\nb\t4294967295\n'
