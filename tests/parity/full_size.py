"""Compares the programs with PyTorch at full size (60,093,752 parameters, 896 x 3072, 2360 genes):

    python3 tests/parity/full_size.py --bin build/bin            # everything, released sizes
    python3 tests/parity/full_size.py --bin build/bin --variant paper
    python3 tests/parity/full_size.py --bin build/bin --checkpoint RUN/model.safetensors --data DIR

Writes a random data set and a plain state_dict (or takes an existing data set and checkpoint), runs
cdt-train --dry-run, cdt-predict and cdt-attribute, and compares them with the model of cdt_torch.py; then
trains (full_training.py). Takes a quarter of an hour on two cores and 10 GB. Exit code 0 if all agree.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import tensor_file
from cdt_torch import Cdt, Config, windows
from full_training import check_training
from record_fixtures import build_model

FORWARD_TOLERANCE = 1e-5   # as in compare.h
GRADIENT_TOLERANCE = 1e-4


def relative_error(got, want):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


class Checks:
    """Prints one line per comparison and remembers failures."""

    def __init__(self):
        self.failed = 0

    def error(self, what, got, want, tolerance):
        got, want = np.asarray(got), np.asarray(want)
        shapes = got.shape == want.shape
        error = relative_error(got, want) if shapes else float("inf")
        self.line(what, error <= tolerance, f"relative error {error:.2e}, allowed {tolerance:.0e}, "
                                            f"{want.size} values")

    def line(self, what, ok, detail):
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {what}: {detail}", flush=True)


def write_dataset(folder, cfg, bins, enhancers, pairs_each, rng):
    """A cdt-dataset of random numbers; every enhancer has pairs_each validation pairs."""
    folder.mkdir(parents=True)
    shapes = {"dna": (enhancers, bins, cfg.dna_dim), "rna": (cfg.genes, cfg.rna_dim),
              "protein": (cfg.genes, cfg.protein_dim)}
    for name, shape in shapes.items():
        rng.standard_normal(shape, dtype=np.float32).astype("<f4").tofile(folder / f"{name}.f32")
    genes = [f"GENE{i}" for i in range(cfg.genes)]
    for name in ("rna", "protein"):
        (folder / f"{name}.genes.txt").write_text("".join(g + "\n" for g in genes))
    with open(folder / "enhancers.bed", "w") as bed:
        for i in range(enhancers):
            bed.write(f"chr1\t{1000000 * (i + 1)}\t{1000000 * (i + 1) + 500}\te{i}\n")
    with open(folder / "pairs.tsv", "w") as tsv:
        tsv.write("split\tenhancer\tgene\tbeta\n")
        for i in range(enhancers):
            for gene in rng.choice(cfg.genes, min(pairs_each, cfg.genes), replace=False):
                for split in ("train", "val"):
                    tsv.write(f"{split}\te{i}\t{genes[gene]}\t{rng.normal():.4f}\n")
    entry = {n: {"file": f"{n}.f32", "shape": list(s)} for n, s in shapes.items()}
    entry["rna"]["genes"], entry["protein"]["genes"] = "rna.genes.txt", "protein.genes.txt"
    (folder / "dataset.json").write_text(json.dumps({
        "format": "cdt-dataset", "version": 1, "bin_bp": 128, "assembly": "hg38", **entry,
        "enhancers": "enhancers.bed", "pairs": "pairs.tsv",
        "provenance": {"tool": "tests/parity/full_size.py"}}))


class DatasetView:
    """The parts of a data set directory that the comparison needs."""

    def __init__(self, folder):
        about = json.loads((folder / "dataset.json").read_text())

        def blob(name):
            return np.memmap(folder / about[name]["file"], "<f4", "r",
                             shape=tuple(about[name]["shape"]))

        self.dna = blob("dna")
        self.rna = torch.from_numpy(np.array(blob("rna")))[None]
        self.protein = torch.from_numpy(np.array(blob("protein")))[None]
        genes = (folder / about["rna"]["genes"]).read_text().split()
        self.gene_index = {g: i for i, g in enumerate(genes)}
        names = [line.split("\t")[3].strip() for line in
                 (folder / about["enhancers"]).read_text().splitlines() if line]
        self.row = {name: i for i, name in enumerate(names)}

    def enhancer(self, name):
        return torch.from_numpy(np.array(self.dna[self.row[name]]))[None]


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def run(binary, *arguments):
    command = [str(binary), *map(str, arguments), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stderr}")
    return done.stdout + done.stderr


def load_checkpoint(path, cfg):
    """A model from a file that cdt-train wrote; its metadata holds the configuration."""
    tensors, metadata = tensor_file.read(path)
    if "config" in metadata:
        known = Config().as_dict()
        cfg = Config(**{k: v for k, v in json.loads(metadata["config"]).items() if k in known})
    model = Cdt(cfg)
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in tensors.items()})
    return model


def check_count(args, data_dir, work, model, checks):
    text = run(args.bin / "cdt-train", "--data", data_dir, "--out", work / "dry", "--variant",
               args.variant, "--dry-run")
    count = sum(p.numel() for p in model.parameters())
    digits = "".join(c for c in text if c not in ",' ")
    checks.line("parameter count", str(count) in digits, f"{count}")


def check_predictions(args, data_dir, weights, work, model, view, checks):
    run(args.bin / "cdt-predict", "--data", data_dir, "--model", weights, "--out",
        work / "prediction", "--split", "val", *args.head_options)
    rows = rows_of(work / "prediction" / "predictions.tsv")[:args.pairs]
    logits = {}
    with torch.no_grad():
        for name in {r["enhancer"] for r in rows}:
            logits[name] = model(view.enhancer(name), view.rna, view.protein)[0]
    want = [float(logits[r["enhancer"]][view.gene_index[r["gene"]]]) for r in rows]
    checks.error("cdt-predict, prediction", [float(r["prediction"]) for r in rows], want,
                 FORWARD_TOLERANCE)


def check_attribution(args, data_dir, weights, work, model, view, checks):
    run(args.bin / "cdt-attribute", "--data", data_dir, "--model", weights, "--out",
        work / "attribution", "--split", "val", "--sample", args.windows, *args.head_options)
    rows = rows_of(work / "attribution" / "pairs.tsv")
    attention, gradient = [], []
    for r in rows:
        a, g = windows(model, view.enhancer(r["enhancer"]), view.rna, view.protein,
                       torch.tensor([view.gene_index[r["gene"]]]))
        attention.append(a[0].numpy())
        gradient.append(g[0].numpy())
    checks.error("cdt-attribute, attention", np.load(work / "attribution" / "attention.npy"),
                 attention, FORWARD_TOLERANCE)
    checks.error("cdt-attribute, gradient", np.load(work / "attribution" / "gradient.npy"),
                 gradient, GRADIENT_TOLERANCE)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=Path, default=Path("build/bin"))
    parser.add_argument("--data", type=Path, help="a data set directory instead of a random one")
    parser.add_argument("--checkpoint", type=Path, help="model.safetensors of a run; needs --data")
    parser.add_argument("--bins", type=int, default=896)
    parser.add_argument("--enhancers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=40, help="predictions to compare at most")
    parser.add_argument("--windows", type=int, default=2, help="pairs to attribute")
    parser.add_argument("--seed", type=int, default=0)
    for name, value in Config().as_dict().items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    args = parser.parse_args()
    if args.checkpoint and not args.data:
        parser.error("--checkpoint needs --data")
    args.head_options = ["--heads", args.heads, "--pool-heads", args.pool_heads]
    return args


def main():
    args = parse()
    cfg = Config(**{k: getattr(args, k) for k in Config().as_dict()})
    torch.manual_seed(args.seed)
    checks = Checks()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        data_dir = args.data or work / "data"
        if not args.data:
            write_dataset(data_dir, cfg, args.bins, args.enhancers,
                          -(-args.pairs // args.enhancers), np.random.default_rng(args.seed))
        if args.checkpoint:
            weights, model = args.checkpoint, load_checkpoint(args.checkpoint, cfg)
            args.head_options = []
        else:
            weights, model = work / "weights.safetensors", build_model(cfg)
            tensor_file.write(weights, model.state_dict())
        model.eval()
        view = DatasetView(data_dir)
        if not args.checkpoint and cfg == Config(variant=cfg.variant):
            check_count(args, data_dir, work, model, checks)
        check_predictions(args, data_dir, weights, work, model, view, checks)
        check_attribution(args, data_dir, weights, work, model, view, checks)
        del model
        if not args.data:
            write_dataset(work / "training", cfg, args.bins, 3, 1, np.random.default_rng(args.seed))
            check_training(args, cfg, work / "training", work, checks)
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
