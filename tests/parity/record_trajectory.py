"""Records fixtures/trajectory_VARIANT.safetensors: 50 training steps of PyTorch, with the initial weights
and the order of one seed.

    python3 tests/parity/record_trajectory.py

The recorded values are those of a float64 run. The distance that float32 may have from them is measured:
MEMBERS float32 runs, equal in exact arithmetic, differ in the order of their sums over bins and genes. The
largest distance of any of them from the float64 run is recorded with each tensor and number.
pt/trajectory_released.pt is the checkpoint of a float32 run after EXCHANGE epochs.
"""

import copy
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import tensor_file
from cdt_torch import Cdt, Config
from trajectory import SERIES, Data, Rules, Trainer, pieces

MEMBERS = 12
CHECKPOINTS = (1, 5, 25)  # epochs after which weights are compared; moments after the first
EXCHANGE = 15  # epochs after which the checkpoint in pt/ was saved

CASES = {
    "released": dict(
        config=Config(dna_dim=7, rna_dim=5, protein_dim=6, genes=5, hidden=12, heads=3, pool_heads=2,
                      feed_forward=16, fusion=14, dna_layers=1, dropout=0.0),
        rules=Rules(epochs=40, batch_size=4, lr=2e-3, weight_decay=0.5, patience=18),
        seed=6, effect=3.0),
    "paper": dict(
        config=Config(variant="paper", dna_dim=6, rna_dim=4, protein_dim=5, genes=5, hidden=10, heads=2,
                      feed_forward=12, fusion=11, dna_layers=1, dropout=0.0),
        rules=Rules(epochs=40, batch_size=4, lr=2e-3, weight_decay=0.5, patience=17),
        seed=2**32 + 18, effect=3.0),
}


def make_data(cfg, effect, rng, enhancers=8, bins=6, train=9, val=10):
    """Pairs are distinct, and every gene of val is in train."""
    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    while True:
        cells = rng.permutation(enhancers * cfg.genes)[:train + val]
        gene = (cells % cfg.genes).astype(np.int64)
        if set(gene[train:]) <= set(gene[:train]):
            break
    beta = (-effect * rng.random(train + val)).astype(np.float32)
    columns = ((cells // cfg.genes).astype(np.int64), gene, beta)
    return Data(draw(enhancers, bins, cfg.dna_dim), draw(cfg.genes, cfg.rna_dim),
                draw(cfg.genes, cfg.protein_dim), tuple(c[:train] for c in columns),
                tuple(c[train:] for c in columns))


def run(model, data, rules, seed):
    """The trajectory and {name: tensor} of its checkpoints, in float64."""
    kept = {}
    trainer = Trainer(copy.deepcopy(model), data, rules, seed)

    def keep(epoch):
        if epoch not in CHECKPOINTS:
            return
        for name, p in trainer.model.state_dict().items():
            kept[f"weight{epoch}/{name}"] = p.double().clone()
        if epoch == CHECKPOINTS[0]:
            for name, (first, second) in trainer.moments().items():
                kept[f"m{epoch}/{name}"] = first.double().clone()
                kept[f"v{epoch}/{name}"] = second.double().clone()

    return trainer.run(keep), kept


def distances(got, exact):
    """{name: number}: the distance of each piece of each tensor, in norm."""
    return {piece: float((part - want).norm())
            for name, tensor in exact.items()
            for (piece, part), want in zip(pieces(name, got[name]).items(),
                                           pieces(name, tensor).values())}


def series_distances(got, exact):
    """{name: [number]}: the largest distance of each number up to each epoch."""
    return {name: np.maximum.accumulate(np.abs(np.subtract(getattr(got, name), getattr(exact, name))))
            for name in SERIES}


def check(name, exact, members, rules):
    """Checks that the trajectory covers what it should, and that float32 takes the same decisions as
    float64."""
    same = ("lr", "best_epoch", "stopped")
    assert all(getattr(m, key) == getattr(exact, key) for m in members for key in same), name
    assert len(exact.loss) == 50 and exact.stopped and len(set(exact.lr)) >= 3, name
    assert min(exact.norm) < 0.9 * rules.grad_clip and max(exact.norm) > 1.1 * rules.grad_clip, name


def record(name, case, folder):
    torch.manual_seed(case["seed"])
    model = Cdt(case["config"])
    rng = np.random.default_rng(case["seed"])
    data = make_data(case["config"], case["effect"], rng)
    exact, tensors = run(copy.deepcopy(model).double(), data, case["rules"], case["seed"])
    members = [run(model, data.shuffled(rng), case["rules"], case["seed"]) for _ in range(MEMBERS)]
    check(name, exact, [out for out, _ in members], case["rules"])
    near = [distances(kept, tensors) for _, kept in members]
    near_series = [series_distances(out, exact) for out, _ in members]
    off = {piece: max(n[piece] for n in near) for piece in near[0]}
    off.update({key: np.max([n[key] for n in near_series], axis=0).tolist() for key in SERIES})
    numbers = {key: getattr(exact, key) for key in (*SERIES, "lr", "norm", "best_epoch")}
    arrays = {"dna": data.dna, "rna": data.rna, "protein": data.protein}
    for split, columns in (("train", data.train), ("val", data.val)):
        arrays[split] = np.stack([c.astype(np.float32) for c in columns])
    tensor_file.write(folder / f"trajectory_{name}.safetensors", {**arrays, **tensors}, {
        "config": json.dumps(case["config"].as_dict()), "rules": json.dumps(asdict(case["rules"])),
        "seed": str(case["seed"]), "trajectory": json.dumps(numbers), "off": json.dumps(off),
        "torch": torch.__version__.split("+")[0]})
    if name == "released":
        begun = Trainer(copy.deepcopy(model), data, case["rules"], case["seed"])
        begun.run(last=EXCHANGE)
        torch.save(begun.checkpoint(), folder / "pt" / "trajectory_released.pt")
    print(name, "norms", " ".join(f"{x:.2f}" for x in exact.norm))
    print("  lr", " ".join(f"{x:g}" for x in exact.lr), "best epoch", exact.best_epoch)
    worst = {k: max((v / float(tensors[n].norm()), p) for n in tensors for p, v in
                    ((p, off[p]) for p in pieces(n, tensors[n])) if n.startswith(k + "/")
                    and "bias" not in n) for k in sorted({n.split("/")[0] for n in tensors})}
    print("  float32 off by", worst, {k: off[k][-1] for k in SERIES})


def main():
    torch.set_num_threads(1)
    for name, case in CASES.items():
        record(name, case, Path(__file__).parent / "fixtures")


if __name__ == "__main__":
    main()
