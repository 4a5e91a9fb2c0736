"""Records the fixtures of the parity tests from the PyTorch model: python3 record_fixtures.py

Needs torch and numpy. Writes fixtures/*.safetensors next to this file (--out: elsewhere); what the
names in them mean is in fixtures/README.md. Seeds are fixed, so a recording can be repeated; its
last digits depend on the version of PyTorch, which the files name.
"""

import argparse
import copy
import json
from pathlib import Path

import torch
from torch.nn import functional

import record_ops
import tensor_file
from cdt_torch import Cdt, Config, Recorder, gene_features, windows

STEPS = 10

# name: sizes, batch, bins and the ten steps. Odd sizes throughout; "single" has every size 1 that
# can be 1, "paper" has a weight decay large enough to matter, "deep" has DNA wider than the hidden
# size. The others have the extensions that the released model lacks.
MODELS = {
    "released": dict(
        config=Config(dna_dim=17, rna_dim=9, protein_dim=7, genes=11, hidden=24, heads=4,
                      pool_heads=2, feed_forward=40, fusion=30, dropout=0.0),
        batch=3, bins=13, lr=1e-3, weight_decay=1e-5),
    "deep": dict(
        config=Config(dna_dim=31, rna_dim=6, protein_dim=5, genes=9, hidden=15, heads=3,
                      pool_heads=5, feed_forward=21, fusion=19, dna_layers=3, rna_layers=2,
                      protein_layers=0, dropout=0.0),
        batch=2, bins=15, lr=1e-4, weight_decay=1e-5),
    "paper": dict(
        config=Config(variant="paper", dna_dim=11, rna_dim=5, protein_dim=8, genes=7, hidden=20,
                      heads=5, feed_forward=27, fusion=33, dropout=0.0),
        batch=3, bins=18, lr=1e-3, weight_decay=0.05),
    "single": dict(
        config=Config(dna_dim=1, rna_dim=2, protein_dim=1, genes=1, hidden=6, heads=1,
                      pool_heads=6, feed_forward=1, fusion=1, dna_layers=1, dropout=0.0),
        batch=1, bins=1, lr=1e-3, weight_decay=1e-5),
    "gene_readout": dict(
        config=Config(variant="paper", readout="gene", dna_dim=9, rna_dim=5, protein_dim=6, genes=8,
                      hidden=12, heads=3, feed_forward=14, fusion=10, dna_layers=1, dropout=0.0),
        batch=2, bins=11, lr=1e-3, weight_decay=1e-5),
    "positions": dict(
        config=Config(readout="gene", bin_position=True, bins=14, gene_position=True, dna_dim=19,
                      rna_dim=7, protein_dim=5, genes=10, hidden=18, heads=3, pool_heads=2,
                      feed_forward=26, fusion=22, dropout=0.0),
        batch=3, bins=14, lr=1e-3, weight_decay=1e-5),
    "gene_window": dict(
        config=Config(readout="gene", bin_position=True, bins=9, gene_position=True, gene_window=True,
                      dna_dim=8, rna_dim=5, protein_dim=4, genes=5, hidden=12, heads=3, pool_heads=2,
                      feed_forward=13, fusion=10, dna_layers=1, dropout=0.0),
        batch=2, bins=9, lr=1e-3, weight_decay=1e-5),
}
BIN_BP = 1000  # of the windows of "positions" and "gene_window"


def build_model(cfg):
    """Default initialisation, but norms and biases are moved off 1 and 0, where errors would hide."""
    model = Cdt(cfg)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 1:
                p.add_(0.2 * torch.randn_like(p))
    return model


def make_inputs(cfg, batch, bins):
    inputs = {
        "dna": torch.randn(batch, bins, cfg.dna_dim),
        "rna": torch.randn(1, cfg.genes, cfg.rna_dim),
        "protein": torch.randn(1, cfg.genes, cfg.protein_dim),
        "gene": torch.randint(cfg.genes, (STEPS, batch)),
        "beta": -torch.rand(STEPS, batch),
    }
    if cfg.gene_position:  # inside the window and far outside, on both sides; one gene has no place
        distance = (torch.rand(batch, cfg.genes) - 0.5) * 10.0 ** (3 + 4 * torch.rand(batch, cfg.genes))
        distance[:, 1] = float("nan")
        distance[0, 0] = 0.0
        inputs["distance"] = distance.round()
    if cfg.gene_window:
        inputs["gene_dna"] = torch.randn(cfg.genes, bins, cfg.dna_dim)
    inputs["gene"][0, -1] = inputs["gene"][0, 0]  # two samples of one gene
    inputs["beta"][:, 0] -= 3.0  # beyond the Huber corner
    return inputs


def extras_of(inputs, samples=slice(None)):
    """What only extended models read, as arguments of forward(), for some of the samples."""
    extras = {}
    if "distance" in inputs:
        features = gene_features(inputs["distance"][samples], inputs["dna"].shape[1], BIN_BP)
        extras["places"] = features.to(inputs["dna"])
    if "gene_dna" in inputs:
        extras["gene_dna"] = inputs["gene_dna"]
    return extras


def recorded_extras(tensors, sample):
    """Those of one sample of a fixture, in float64."""
    inputs = {k.removeprefix("input/"): v for k, v in tensors.items() if k.startswith("input/")}
    return {k: v.double() for k, v in extras_of(inputs, slice(sample, sample + 1)).items()}


def loss_of(model, inputs, step, rec=None):
    logits = model(inputs["dna"], inputs["rna"], inputs["protein"], rec, **extras_of(inputs))
    prediction = logits.gather(1, inputs["gene"][step][:, None])[:, 0]
    return prediction, functional.smooth_l1_loss(prediction, inputs["beta"][step])


def unbatched(name, tensor):
    """RNA and protein before the cross attentions do not depend on the sample: (B, ..) -> (1, ..)."""
    shared = name.startswith(("rna_projector", "protein_projector", "rna_self", "protein_self"))
    return tensor[:1] if shared else tensor


def record_pass(model, inputs):
    """One forward and backward pass: every intermediate, map and gradient by name."""
    out = {}
    model.zero_grad(set_to_none=True)
    read = [k for k in ("dna", "gene_dna") if k in inputs]
    inputs = dict(inputs, **{k: inputs[k].clone().requires_grad_(True) for k in read})
    rec = Recorder(want_attention=True)
    prediction, loss = loss_of(model, inputs, 0, rec)
    loss.backward()
    for name, value in rec.values.items():
        out["value/" + name] = unbatched(name, value)
    for name, value in rec.attention.items():
        out["attention/" + name] = unbatched(name, value)
    out["prediction"], out["loss"] = prediction, loss.reshape(1)
    for name, parameter in model.named_parameters():
        out["gradient/" + name] = parameter.grad
    for k in read:
        out["input_gradient/" + k] = inputs[k].grad
    out["attention_window"], out["gradient_window"] = windows(
        model, inputs["dna"], inputs["rna"], inputs["protein"], inputs["gene"][0],
        **extras_of(inputs))
    return {name: tensor.detach().clone() for name, tensor in out.items()}


def record_steps(model, inputs, lr, weight_decay):
    """Ten AdamW steps with clipping; the targets change from step to step."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    losses, norms = [], []
    for step in range(STEPS):
        optimiser.zero_grad()
        _, loss = loss_of(model, inputs, step)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).reshape(1))
        optimiser.step()
        losses.append(loss.detach().reshape(1))
    out = {"steps/loss": torch.cat(losses), "steps/norm": torch.cat(norms)}
    for name, tensor in model.state_dict().items():
        out["final/" + name] = tensor.clone()
    return out


def float32_noise(model, inputs, recorded):
    """Largest relative error of PyTorch's own float32 tensors against float64, by kind of tensor."""
    wide = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    exact = record_pass(copy.deepcopy(model).double(), wide)
    noise = {}
    for name, truth in exact.items():
        if truth.norm() > 1e-12:
            kind = name.split("/")[0]
            error = float((recorded[name].double() - truth).norm() / truth.norm())
            if error > noise.get(kind, (0.0, ""))[0] and "in_proj_bias" not in name:
                noise[kind] = (error, name)
    return noise


def record_model(name, spec, out_dir):
    torch.manual_seed(sum(name.encode()))
    cfg = spec["config"]
    model = build_model(cfg)
    inputs = make_inputs(cfg, spec["batch"], spec["bins"])
    tensors = {"weight/" + k: v.clone() for k, v in model.state_dict().items()}
    tensors.update({"input/" + k: v.float() for k, v in inputs.items()})
    recorded = record_pass(model, inputs)
    noise = float32_noise(model, inputs, recorded)
    tensors.update(recorded)
    if name == "deep":
        tensor_file.write(out_dir / "plain_state_dict.safetensors", model.state_dict())
    tensors.update(record_steps(model, inputs, spec["lr"], spec["weight_decay"]))
    tensor_file.write(out_dir / f"{name}.safetensors", tensors, {
        "format": "cdt-fixture", "config": json.dumps(cfg.as_dict()),
        "lr": repr(spec["lr"]), "weight_decay": repr(spec["weight_decay"]),
        "torch": torch.__version__.split("+")[0], "bin_bp": str(BIN_BP)})
    worst = ", ".join(f"{kind} {e:.1e} ({n})" for kind, (e, n) in noise.items() if e > 1e-6)
    print(f"{name}: {len(tensors)} tensors; own float32 error above 1e-6: {worst or 'none'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "fixtures")
    parser.add_argument("models", nargs="*", help="record only these, and no single ops")
    options = parser.parse_args()
    out_dir = options.out
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in options.models or MODELS:
        record_model(name, MODELS[name], out_dir)
    if options.models:
        return
    record_ops.record(out_dir / "ops.safetensors")
    print("total", sum(f.stat().st_size for f in out_dir.glob("*.safetensors")), "bytes")


if __name__ == "__main__":
    main()
