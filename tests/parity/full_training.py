"""The training of full_size.py: cdt-train and PyTorch from the same start, in the same order.

One step per epoch, each with two of the three pairs. With the released sizes and seed 0 the plateau rule
halves the learning rate after the seventh epoch, and early stopping ends the run after the eighth. PyTorch
processes one pair at a time and adds the gradients, because both at once would take twice the memory.

The quantity compared is the distance from a float64 run of the same training. The bound is four times the
larger distance of two float32 PyTorch runs, one of them with bins and rows of genes in another order, plus
half a unit in the last place of the stored value. Two runs do not show what happens to a gradient that is
nearly zero, which AdamW divides by its own size; for weights this is added, element by element
(amplifier()).
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import torch

import tensor_file
from cdt_torch import Cdt
from trajectory import SERIES, Data, Rules, Trainer, pieces

TIMES = 4.0
EPSILON = float(np.finfo(np.float32).eps)
RULES = Rules(epochs=20, batch_size=2, lr=1e-4, weight_decay=1e-5, patience=7)
LABELS = {"m": "gradients (first moments after a step)", "v": "second moments after a step",
          "weight": "weights after the last step"}
NOISE = 1e-2  # a piece with a larger distance in PyTorch's own float32 is noise (key biases)


def write_pairs(folder, rng, genes):
    """Three train pairs; and the same genes with two of the enhancers for validation, with opposite
    effects: the better the former are fitted, the worse the latter."""
    chosen = rng.choice(genes, 3, replace=False)
    train = (np.array([2, 0, 1]), chosen, np.float32([-0.9, -0.3, -0.6]))
    val = (np.array([0, 0, 0, 1, 1, 1]), np.tile(chosen, 2),
           np.float32([0.7, 0.1, 0.5, 0.6, 0.2, 0.4]))
    with open(folder / "pairs.tsv", "w") as tsv:
        tsv.write("split\tenhancer\tgene\tbeta\n")
        for split, columns in (("train", train), ("val", val)):
            for enhancer, gene, beta in zip(*columns):
                tsv.write(f"{split}\te{enhancer}\tGENE{gene}\t{beta:.8g}\n")
    return train, val


def reach_of(trainer, reach):
    """Adds the effect of the last step on an error of the gradient as large as the gradient's root mean
    square in its piece: AdamW divides it by the root of the element's second moment."""
    group = trainer.optimiser.param_groups[0]
    for name, p in trainer.model.named_parameters():
        state = trainer.optimiser.state[p]
        correction = 1.0 - group["betas"][1] ** int(state["step"])
        root = torch.sqrt(state["exp_avg_sq"] / correction) + group["eps"]
        grads, roots = pieces(name, p.grad), pieces(name, root)
        for piece, grad in grads.items():
            size = norm_of(grad) / grad.numel() ** 0.5
            reach[piece] = reach.get(piece, 0.0) + (group["lr"] * size / roots[piece]).float()


def torch_run(cfg, data, seed, dtype):
    """The trajectory; the initial weights, the moments after the first and the last step, the weights after
    the last; in float64 also the reach of errors."""
    torch.manual_seed(seed)
    model = Cdt(cfg)
    kept = {"initial": {n: t.clone() for n, t in model.state_dict().items()}, "reach": {}}
    follow = dtype == torch.float64
    trainer = Trainer(model.to(dtype), data, RULES, seed, by_sample=True,
                      after_step=lambda: reach_of(trainer, kept["reach"]) if follow else None)

    def keep(epoch):
        if epoch == 1:
            for kind, which in (("m", 0), ("v", 1)):
                kept[kind] = {n: both[which].clone() for n, both in trainer.moments().items()}

    out = trainer.run(keep)
    kept["last m"] = {n: first for n, (first, _) in trainer.moments().items()}
    kept["weight"] = dict(model.state_dict())
    return out, kept


def engine_run(args, cfg, run, data_dir):
    """Runs cdt-train; returns its files after each part: initial weights, moments after a step, last
    weights."""
    seed = args.seed
    settings = ["--init", f"torch:{seed}", "--order", f"torch:{seed}", "--dropout", 0, "--steer-by",
                "all", "--batch-size", RULES.batch_size, "--lr", RULES.lr, "--weight-decay",
                RULES.weight_decay, "--patience", RULES.patience]
    for name in ("variant", "hidden", "heads", "pool_heads", "feed_forward", "fusion", "dna_layers",
                 "rna_layers", "protein_layers"):
        settings += ["--" + name.replace("_", "-"), getattr(cfg, name)]
    begin = [args.bin / "cdt-train", "--data", data_dir, "--out", run, "--epochs", 1, *settings]
    first = run.parent / "initial.safetensors"
    with subprocess.Popen([*map(str, begin), "--quiet"], stdout=subprocess.DEVNULL) as program:
        last = run / "last" / "model.safetensors"
        while program.poll() is None and not first.exists():
            if last.exists():
                os.link(last, first)  # keeps the file when the first epoch replaces last/
            time.sleep(0.01)
    if program.returncode != 0:
        sys.exit(f"cdt-train: exit code {program.returncode}")
    moments = tensor_file.read(run / "last" / "state.safetensors")[0]
    kept = {"initial": tensor_file.read(first)[0],
            "m": {n[2:]: t for n, t in moments.items() if n.startswith("m.")},
            "v": {n[2:]: t for n, t in moments.items() if n.startswith("v.")}}
    subprocess.run([str(args.bin / "cdt-train"), "--out", str(run), "--resume", "--epochs",
                    str(RULES.epochs), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    kept["weight"], _ = tensor_file.read(run / "last" / "model.safetensors")
    lines = (run / "metrics.jsonl").read_text().splitlines()
    _, state = tensor_file.read(run / "last" / "state.safetensors")
    return [json.loads(line) for line in lines], kept, state


def norm_of(difference):
    return float(torch.linalg.vector_norm(difference))


def amplifier(exact, members, rates):
    """How far the weights of a piece may be off because its gradients are. The relative error of the
    gradient, from the moments after the first and the last step, times 1 + |m / sqrt(v)| <= 2 by the
    derivative of the update, in each element as far as it reaches there; an update is at most the learning
    rate, in either direction."""
    relative = {}
    for kind in ("m", "last m"):
        for name, tensor in exact[kind].items():
            for piece, want in pieces(name, tensor).items():
                off = max(norm_of(pieces(name, m[kind][name].double())[piece] - want) for m in members)
                relative[piece] = max(relative.get(piece, 0.0), off / max(norm_of(want), 1e-300))

    def amplified(piece):
        steps = (2.0 * relative[piece] * exact["reach"][piece].double()).clamp(max=2.0 * sum(rates))
        return norm_of(steps)

    return amplified


def without_clip(tensors, exact, power):
    """The moments of a float32 PyTorch run without the error of its clipping norm. PyTorch sums the squares
    in float32 too, which at full size is off by 6e-5 and would hide errors a hundred times as large as
    those of the gradients."""
    def norm(all_of):
        return sum(norm_of(t.double()) ** 2 for t in all_of.values()) ** 0.5

    scale = norm(exact["m"]) / norm(tensors["m"])
    return {name: t.double() * scale ** power for name, t in tensors["m" if power == 1 else "v"].items()}


class Table:
    """Distances from the float64 run, of numbers and of pieces of tensors, by kind."""

    def __init__(self):
        self.nearest = {}  # kind: (share of the bound, relative distance, PyTorch's, name)
        self.rows = {}  # kind: all as one vector, here and in PyTorch; the largest distance to PyTorch

    def add(self, kind, name, ours, theirs, size, amplified=0.0):
        bound = TIMES * (theirs + amplified) + EPSILON * size
        share = ours / bound if bound > 0 else (0.0 if ours == 0 else np.inf)
        entry = (share, ours / size if size else ours, theirs / size if size else theirs, name)
        self.nearest[kind] = max(self.nearest.get(kind, (-1.0,)), entry)

    def add_tensors(self, kind, exact, members, ours, amplified=lambda piece: 0.0):
        squares, largest = np.zeros(3), 0.0
        for name, tensor in exact.items():
            got = torch.from_numpy(np.array(ours[name])).double().reshape(tensor.shape)
            runs = [pieces(name, m[name].double()) for m in members]
            for piece, want in pieces(name, tensor).items():
                mine, size = pieces(name, got)[piece], norm_of(want)
                off, theirs = norm_of(mine - want), max(norm_of(run[piece] - want) for run in runs)
                self.add(kind, piece, off, theirs, size, amplified(piece))
                squares += np.square([off, theirs, size])
                if theirs < NOISE * size:
                    largest = max(largest, norm_of(mine - runs[0][piece]) / norm_of(runs[0][piece]))
        off, theirs, size = np.sqrt(squares)
        self.rows[kind] = (off / size, theirs / size, largest)

    def add_series(self, exact, members, lines):
        for key in SERIES:
            want = np.array(getattr(exact, key))
            off = [np.abs(np.array(getattr(run, key)) - want) for run in members]
            theirs = np.maximum.accumulate(np.max(off, axis=0))
            for epoch, line in enumerate(lines):
                self.add(key, f"epoch {epoch + 1}", abs(line[key] - want[epoch]), theirs[epoch],
                         abs(want[epoch]))

    def report(self, exact, lines, checks):
        print("epoch  " + "   ".join(f"{key + ', PyTorch':22}" for key in SERIES))
        for epoch, line in enumerate(lines):
            print(f"{epoch + 1:5}  " + "   ".join(
                f"{line[key]:10.7f} {getattr(exact, key)[epoch]:10.7f} " for key in SERIES))
        for kind, (off, theirs, largest) in self.rows.items():
            print(f"{LABELS[kind]}: all as one vector {off:.2e} from float64, PyTorch {theirs:.2e}; "
                  f"a tensor at most {largest:.2e} from PyTorch's float32")
        for kind, (share, off, theirs, name) in self.nearest.items():
            checks.line(LABELS.get(kind, kind), share <= 1.0,
                        f"nearest to its bound {name}: {off:.2e} from float64, PyTorch {theirs:.2e}; "
                        f"{100 * share:.0f} % of the bound")


def check_rules(exact, lines, state, checks):
    rates = [line["lr"] for line in lines]
    checks.line("learning rates", rates == exact.lr, " ".join(f"{x:g}" for x in rates))
    checks.line("early stopping", int(state["stopped"]) == exact.stopped
                and int(state["global_step"]) == len(exact.loss),
                f"after {state['global_step']} steps; PyTorch after {len(exact.loss)}")
    checks.line("best epoch", int(state["best_epoch"]) == exact.best_epoch, state["best_epoch"])
    checks.line("clipping", max(exact.norm) > RULES.grad_clip,
                "norms " + " ".join(f"{x:.3g}" for x in exact.norm))


def check_training(args, cfg, data_dir, work, checks):
    cfg = replace(cfg, dropout=0.0)
    rng = np.random.default_rng(args.seed)
    train, val = write_pairs(data_dir, rng, cfg.genes)
    blobs = {n: np.fromfile(data_dir / f"{n}.f32", "<f4") for n in ("dna", "rna", "protein")}
    data = Data(blobs["dna"].reshape(-1, args.bins, cfg.dna_dim),
                blobs["rna"].reshape(cfg.genes, cfg.rna_dim),
                blobs["protein"].reshape(cfg.genes, cfg.protein_dim), train, val)
    lines, ours, state = engine_run(args, cfg, work / "run", data_dir)
    first, one = torch_run(cfg, data, args.seed, torch.float32)
    equal = all(np.array_equal(t.numpy().view(np.int32), ours["initial"][n].view(np.int32))
                for n, t in one["initial"].items())
    checks.line("initial weights", equal,
                f"{sum(t.numel() for t in one['initial'].values())} values, bit for bit")
    second, other = torch_run(cfg, data.shuffled(rng), args.seed, torch.float32)
    exact, wide = torch_run(cfg, data, args.seed, torch.float64)
    table = Table()
    for power, kind in ((1, "m"), (2, "v")):
        table.add_tensors(kind, wide[kind], [without_clip(run, wide, power) for run in (one, other)],
                          ours[kind])
    table.add_tensors("weight", wide["weight"], (one["weight"], other["weight"]), ours["weight"],
                      amplifier(wide, (one, other), exact.lr))
    table.add_series(exact, (first, second), lines)
    table.report(exact, lines, checks)
    check_rules(exact, lines, state, checks)
