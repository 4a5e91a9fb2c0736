"""Records fixtures/attention.safetensors from the PyTorch model: python3 record_attention.py

Rollout, GMAR, gene-row correlation and head entropy, composed by hand from autograd and the maps,
for the weights and inputs of the model fixtures (record_fixtures.py made them). Names are
MODEL/KIND/SAMPLE; the target gene of sample b is input/gene[0, b] of the model's fixture.
"""

import json
from pathlib import Path

import numpy as np
import torch

import tensor_file
from cdt_torch import Block, Cdt, Config, Recorder
from record_fixtures import MODELS, recorded_extras

FIXTURES = Path(__file__).parent / "fixtures"


class ExplicitAttention(torch.nn.Module):
    """nn.MultiheadAttention written out, so that its maps are part of the graph of the output."""

    def __init__(self, mha):
        super().__init__()
        self.mha = mha

    def forward(self, x, context, _, **_options):
        m = self.mha
        heads = lambda t: t.unflatten(-1, (m.num_heads, m.head_dim)).transpose(1, 2)
        (wq, wk, wv), (bq, bk, bv) = m.in_proj_weight.chunk(3), m.in_proj_bias.chunk(3)
        q, k, v = heads(x @ wq.T + bq), heads(context @ wk.T + bk), heads(context @ wv.T + bv)
        maps = torch.softmax(q @ k.transpose(-1, -2) / m.head_dim ** 0.5, dim=-1)
        return m.out_proj((maps @ v).transpose(1, 2).flatten(2)), maps


def load(name):
    tensors, meta = tensor_file.read(FIXTURES / f"{name}.safetensors")
    tensors = {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}
    model = Cdt(Config(**json.loads(meta["config"]))).double().eval()
    prefix = "weight/"
    model.load_state_dict({k[len(prefix):]: v.double() for k, v in tensors.items()
                           if k.startswith(prefix)})
    for block in model.modules():
        if isinstance(block, Block):
            setattr(block, block.attention, ExplicitAttention(getattr(block, block.attention)))
    return model, tensors


def maps_of(model, tensors, sample, gene):
    """Per-head maps of one sample, and the gradient of the prediction at each of them."""
    rec = Recorder(want_attention=True)
    dna = tensors["input/dna"][sample:sample + 1].double().requires_grad_(True)
    logits = model(dna, tensors["input/rna"].double(), tensors["input/protein"].double(), rec,
                   **recorded_extras(tensors, sample))
    maps = {k.removesuffix(".attention"): v for k, v in rec.attention.items()}
    wanted = [k for k in maps if k.startswith("dna_self") or k == "dna_to_rna"]
    gradients = torch.autograd.grad(logits[0, gene], [maps[k] for k in wanted])
    return {k: v[0].detach() for k, v in maps.items()}, {k: g[0] for k, g in zip(wanted, gradients)}


def weights_of(gradient, order):
    norms = torch.linalg.vector_norm(gradient.flatten(1), ord=order, dim=1)
    total = norms.sum()
    return norms / total if total > 0 else torch.full_like(norms, 1 / len(norms))


def roll(row, layers, weights):
    """row A'_n ... A'_1, A' = (sum_h w_h A_h + I) / 2."""
    eye = torch.eye(len(row), dtype=row.dtype)
    for maps, w in reversed(list(zip(layers, weights))):
        row = row @ (0.5 * (torch.einsum("h,hij->ij", w, maps) + eye))
    return row


def record_model(name, out):
    model, tensors = load(name)
    genes = tensors["input/gene"][0].long().tolist()
    for sample, gene in enumerate(genes):
        maps, gradients = maps_of(model, tensors, sample, gene)
        dna = sorted(k for k in maps if k.startswith("dna_self"))
        layers = [maps[k] for k in dna]
        equal = torch.full((len(maps["dna_to_rna"]),), 1 / len(maps["dna_to_rna"])).double()
        cross = maps["dna_to_rna"][:, gene]
        at = lambda kind: f"{name}/{kind}/{sample}"
        out[at("rollout")] = roll(equal @ cross, layers, [equal] * len(layers))
        for kind, order in (("gmar", 1), ("gmar_l2", 2)):
            w = [weights_of(gradients[k], order) for k in dna]
            w_cross = weights_of(gradients["dna_to_rna"], order)
            out[at(kind)] = roll(w_cross @ cross, layers, w)
            out[at(kind + "_weights")] = torch.stack([*w, w_cross])
        for block, map_ in maps.items():
            row = map_ if map_.dim() == 3 else map_[:, None]
            out[at("entropy/" + block)] = -torch.special.xlogy(row, row).sum(-1).mean(-1)
        mean_map = maps["dna_to_rna"].mean(0)
        if len(mean_map) > 1 and mean_map.shape[1] > 1:
            r = np.corrcoef(mean_map.numpy())[np.triu_indices(len(mean_map), 1)]
            out[at("row_correlation")] = torch.tensor([r.mean(), np.median(r), r.min()])


def main():
    torch.set_num_threads(1)
    out = {}
    for name in MODELS:
        record_model(name, out)
    out = {k: v.detach().float().contiguous() for k, v in out.items()}
    tensor_file.write(FIXTURES / "attention.safetensors", out,
                      {"format": "cdt-fixture", "torch": torch.__version__.split("+")[0]})
    print(len(out), "tensors")


if __name__ == "__main__":
    main()
