"""A run that changes sides: begun in PyTorch and continued by cdt-train, and the other way.

    python3 tests/parity/exchange.py --bin build/bin

It is the training of trajectory_released.safetensors (record_trajectory.py), 50 steps. The first 30 run on
one side; the last 20, in which the plateau rule lowers the learning rate and early stopping ends the run,
on the other. Weights and epochs must be within the bounds recorded there. PyTorch's side is its own
torch.load(weights_only=True), load_state_dict(strict=True), AdamW and ReduceLROnPlateau. Takes seconds;
exit code 0 if all agree.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

import tensor_file
from cdt_torch import Cdt, Config
from full_size import Checks, run
from trajectory import SERIES, Data, Rules, Trainer, pieces

FIXTURES = Path(__file__).parent / "fixtures"
TIMES = 4.0  # as in trajectory_test.cc
EPSILON = float(np.finfo(np.float32).eps)
DONE = 15  # epochs of two steps before the exchange


class Case:
    """The recorded training."""

    def __init__(self, name):
        self.tensors, about = tensor_file.read(FIXTURES / f"trajectory_{name}.safetensors")
        self.config = Config(**json.loads(about["config"]))
        self.rules = Rules(**json.loads(about["rules"]))
        self.seed = int(about["seed"])
        self.want, self.off = json.loads(about["trajectory"]), json.loads(about["off"])
        columns = {split: self.tensors[split] for split in ("train", "val")}
        self.data = Data(*(self.tensors[k] for k in ("dna", "rna", "protein")),
                         *((c[0].astype(np.int64), c[1].astype(np.int64), c[2])
                           for c in columns.values()))

    def write(self, folder):
        """The data set directory."""
        folder.mkdir()
        shapes = {k: self.tensors[k].shape for k in ("dna", "rna", "protein")}
        for name, shape in shapes.items():
            self.tensors[name].astype("<f4").tofile(folder / f"{name}.f32")
        for name in ("rna", "protein"):
            (folder / f"{name}.genes.txt").write_text(
                "".join(f"G{i}\n" for i in range(shapes["rna"][0])))
        (folder / "enhancers.bed").write_text(
            "".join(f"chr1\t{i * 100000}\t{i * 100000 + 500}\tE{i}\n" for i in range(shapes["dna"][0])))
        rows = [f"{split}\tE{e}\tG{g}\t{float(b)!r}\n" for split in ("train", "val")
                for e, g, b in zip(*getattr(self.data, split))]
        (folder / "pairs.tsv").write_text("split\tenhancer\tgene\tbeta\n" + "".join(rows))
        entry = {n: {"file": f"{n}.f32", "shape": list(s)} for n, s in shapes.items()}
        entry["rna"]["genes"], entry["protein"]["genes"] = "rna.genes.txt", "protein.genes.txt"
        (folder / "dataset.json").write_text(json.dumps({
            "format": "cdt-dataset", "version": 1, "bin_bp": 128, "assembly": "hg38", **entry,
            "enhancers": "enhancers.bed", "pairs": "pairs.tsv", "provenance": {}}))

    def words(self, *left_out):
        """Options of cdt-train, except sizes and the start."""
        rules = {f.name.replace("_", "-"): getattr(self.rules, f.name) for f in fields(self.rules)
                 if f.name not in ("epochs", "min_delta", *left_out)}
        return [w for name, value in rules.items() for w in (f"--{name}", value)] + [
            "--order", f"torch:{self.seed}", "--steer-by", "all", "--dropout", 0]

    def sizes(self):
        """Options of the model."""
        names = ("variant", "hidden", "heads", "pool_heads", "feed_forward", "fusion", "dna_layers", "rna_layers",
                 "protein_layers")
        return [w for n in names for w in ("--" + n.replace("_", "-"), getattr(self.config, n))]

    def trainer(self):
        """PyTorch's run, from the start."""
        torch.manual_seed(self.seed)
        return Trainer(Cdt(self.config), self.data, self.rules, self.seed)

    def check_weights(self, what, weights, checks):
        """The weights after the last epoch."""
        worst = 0.0
        for name, want in ((n[9:], t) for n, t in self.tensors.items() if n.startswith("weight25/")):
            exact = pieces("weight25/" + name, torch.from_numpy(want.copy()))
            got = pieces("weight25/" + name, weights[name])
            for piece, part in exact.items():
                bound = TIMES * self.off[piece] + EPSILON * float(part.norm())
                worst = max(worst, float((got[piece] - part).norm()) / bound)
        checks.line(f"{what}: weights after 50 steps", worst <= 1, f"at most {worst:.2f} of the bound")

    def check_epochs(self, what, epochs, checks):
        """{epoch: {name: number}} of the epochs after the exchange."""
        expected = list(range(DONE + 1, len(self.want["lr"]) + 1))
        checks.line(f"{what}: epochs", sorted(epochs) == expected,
                    f"{sorted(epochs)[0]} to {sorted(epochs)[-1]}, then early stopping")
        checks.line(f"{what}: learning rates",
                    all(row["lr"] == self.want["lr"][e - 1] for e, row in epochs.items()),
                    f"{min(r['lr'] for r in epochs.values()):g} at the end")
        worst = max(abs(row[name] - self.want[name][e - 1]) /
                    (TIMES * self.off[name][e - 1] + EPSILON * abs(self.want[name][e - 1]))
                    for e, row in epochs.items() for name in SERIES)
        checks.line(f"{what}: losses and correlations", worst <= 1, f"at most {worst:.2f} of the bound")


def from_torch(case, args, data, work, checks):
    """30 steps in PyTorch, 20 here."""
    trainer = case.trainer()
    trainer.run(last=DONE)
    torch.save(trainer.checkpoint(), work / "torch.pt")
    run(args.bin / "cdt-train", "--data", data, "--out", work / "here", "--model", work / "torch.pt",
        "--state", work / "torch.pt", "--heads", case.config.heads, "--pool-heads",
        case.config.pool_heads, "--epochs", case.rules.epochs,
        *case.words("lr", "weight_decay"))
    weights, _ = tensor_file.read(work / "here" / "last" / "model.safetensors")
    rows = [json.loads(line) for line in open(work / "here" / "metrics.jsonl", encoding="utf-8")]
    case.check_weights("PyTorch, then here", {n: torch.from_numpy(t.copy()) for n, t in weights.items()},
                       checks)
    case.check_epochs("PyTorch, then here", {r["epoch"]: r for r in rows}, checks)


def to_torch(case, args, data, work, checks):
    """30 steps here, 20 in PyTorch."""
    run(args.bin / "cdt-train", "--data", data, "--out", work / "begun", "--epochs", DONE, "--init",
        f"torch:{case.seed}", *case.words(), *case.sizes())
    run(args.bin / "cdt-convert", work / "begun" / "last", work / "here.pt")
    trainer = case.trainer()
    trainer.restore(torch.load(work / "here.pt", weights_only=True), DONE)
    checks.line("here, then PyTorch: scheduler", trainer.scheduler.last_epoch == DONE,
                f"{trainer.scheduler.num_bad_epochs} bad epochs at the exchange")
    out = trainer.run(first=DONE + 1)
    case.check_weights("here, then PyTorch", trainer.model.state_dict(), checks)
    case.check_epochs("here, then PyTorch", {
        DONE + 1 + i: {"lr": out.lr[i], **{name: getattr(out, name)[i] for name in SERIES}}
        for i in range(len(out.lr))}, checks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=Path, default=Path("build/bin"))
    args = parser.parse_args()
    checks = Checks()
    torch.set_num_threads(1)
    for name in ("released", "paper"):
        case = Case(name)
        with tempfile.TemporaryDirectory() as temporary:
            work = Path(temporary)
            case.write(work / "data")
            print(f"{name}:")
            from_torch(case, args, work / "data", work, checks)
            to_torch(case, args, work / "data", work, checks)
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
