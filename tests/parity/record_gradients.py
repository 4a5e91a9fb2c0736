"""Records fixtures/gradients.safetensors from the PyTorch model: python3 record_gradients.py

The gradient methods by autograd, in float64, for the weights and inputs of the model fixtures
(record_fixtures.py made them). Names are MODEL/KIND/SAMPLE; the target gene of sample b is
input/gene[0, b] of the model's fixture. The "mean" baseline is the mean of its samples.
"""

import json
from pathlib import Path

import numpy as np
import torch

import tensor_file
from cdt_torch import Cdt, Config, Recorder
from record_fixtures import MODELS, recorded_extras

FIXTURES = Path(__file__).parent / "fixtures"
QUADRATURE_POINTS = 256
OCCLUDED_BINS = 4
SMOOTH = {"samples": 5, "noise": 0.15, "seed": 11}
SMOOTH_STREAM = 0x53470000


def load(name):
    tensors, meta = tensor_file.read(FIXTURES / f"{name}.safetensors")
    tensors = {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}
    model = Cdt(Config(**json.loads(meta["config"]))).double().eval()
    prefix = "weight/"
    model.load_state_dict({k[len(prefix):]: v.double() for k, v in tensors.items()
                           if k.startswith(prefix)})
    return model.requires_grad_(False), tensors


def philox_normals(seed, stream, count):
    """Standard normals, one Philox4x32-10 block each: Box-Muller on two 53-bit uniforms."""
    counter = [np.arange(count, dtype=np.uint64), np.zeros(count, np.uint64),
               np.full(count, stream, np.uint64), np.full(count, 0xFFFFFFFF, np.uint64)]
    key, low = [seed & 0xFFFFFFFF, seed >> 32], np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        high = np.uint64(32)
        counter = [(b >> high) ^ counter[1] ^ np.uint64(key[0]), b & low,
                   (a >> high) ^ counter[3] ^ np.uint64(key[1]), a & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    w = [c.astype(np.int64) for c in counter]
    uniform = lambda high, low: ((high >> 5) * 2.0**26 + (low >> 6)) * 2.0**-53
    return np.sqrt(-2 * np.log1p(-uniform(w[0], w[1]))) * np.cos(2 * np.pi * uniform(w[2], w[3]))


class Sample:
    """One enhancer and gene; every method is a function of the DNA input (L, dna_dim)."""

    def __init__(self, model, tensors, index):
        self.model = model
        self.dna = tensors["input/dna"][index].double()
        self.mean = tensors["input/dna"].double().mean(0)
        self.rna, self.protein = tensors["input/rna"].double(), tensors["input/protein"].double()
        self.gene = int(tensors["input/gene"][0, index])
        self.extras = recorded_extras(tensors, index)

    def predict(self, dna, rec=None):
        return self.model(dna[None], self.rna, self.protein, rec, **self.extras)[0, self.gene]

    def gradient(self, dna):
        dna = dna.detach().requires_grad_(True)
        return torch.autograd.grad(self.predict(dna), dna)[0]

    def integrated(self, baseline):
        nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_POINTS)
        mean = sum(0.5 * w * self.gradient(baseline + 0.5 * (a + 1) * (self.dna - baseline))
                   for a, w in zip(nodes, weights))
        return ((self.dna - baseline) * mean).sum(1)

    def smoothgrad(self):
        deviation = SMOOTH["noise"] * (self.dna.max() - self.dna.min())
        total = torch.zeros_like(self.dna)
        for s in range(SMOOTH["samples"]):
            noise = philox_normals(SMOOTH["seed"], SMOOTH_STREAM + s, self.dna.numel())
            total += self.gradient(self.dna + deviation * torch.from_numpy(noise).view_as(total))
        return (total / SMOOTH["samples"]).norm(dim=1)

    def occlusion(self, baseline):
        """prediction minus prediction without bins [b, b + OCCLUDED_BINS), for each b."""
        effects = []
        for begin in range(0, len(self.dna), OCCLUDED_BINS):
            hidden = self.dna.clone()
            hidden[begin:begin + OCCLUDED_BINS] = baseline[begin:begin + OCCLUDED_BINS]
            effects.append(self.predict(self.dna) - self.predict(hidden))
        return torch.stack(effects)

    def paths(self):
        """d prediction / d dna through each input of the head alone, the others fixed, (3, L, dna_dim):
        the pooled vectors; with the gene readout also the gene's RNA and protein tokens, (5, ..)."""
        rec = Recorder()
        dna = self.dna.clone().requires_grad_(True)
        self.predict(dna, rec)
        names = [f"vce.{m}" for m in ("dna", "rna", "protein")]
        if self.model.cfg.readout == "gene":
            names += ["dna_to_rna", "rna_to_protein"]
        body = [rec.values[name] for name in names]
        inputs = [v.detach().requires_grad_(True) for v in body]
        cell = self.model.vce.fusion(torch.cat(inputs[:3], dim=-1))
        read = rec.values["gene_window"].detach() if self.model.cfg.gene_window else None
        prediction = self.model.head(cell, *(inputs[3:] or (None, None)), read)[0, self.gene]
        seeds = torch.autograd.grad(prediction, inputs)
        return torch.stack([torch.autograd.grad(p, dna, s, retain_graph=True)[0]
                            for p, s in zip(body, seeds)])

    def gene_gradients(self):
        inputs = [self.rna.clone().requires_grad_(True), self.protein.clone().requires_grad_(True)]
        prediction = self.model(self.dna[None], *inputs, **self.extras)[0, self.gene]
        return [g[0].norm(dim=1) for g in torch.autograd.grad(prediction, inputs)]


def record_sample(sample):
    zero = torch.zeros_like(sample.dna)
    gradient, paths = sample.gradient(sample.dna), sample.paths()
    rna, protein = sample.gene_gradients()
    assert torch.allclose(paths.sum(0), gradient, rtol=1e-9, atol=1e-12)
    change = sample.predict(sample.dna) - sample.predict(zero)
    integrated = sample.integrated(zero)
    assert abs(integrated.sum() - change) < 1e-6 * max(1, abs(change)), (integrated.sum(), change)
    return {
        "gradient_x_input": (gradient * sample.dna).sum(1),
        "integrated_gradients": integrated,
        "integrated_gradients_mean": sample.integrated(sample.mean),
        "smoothgrad": sample.smoothgrad(),
        "occlusion": sample.occlusion(zero),
        "occlusion_mean": sample.occlusion(sample.mean),
        "path_norms": paths.norm(dim=2),
        "path_products": (paths * sample.dna).sum(2),
        "path_shares": (paths * gradient).sum((1, 2)) / (gradient * gradient).sum(),
        "rna_gradient": rna,
        "protein_gradient": protein,
    }


def main():
    torch.set_num_threads(1)
    out = {}
    for name in MODELS:
        model, tensors = load(name)
        for index in range(len(tensors["input/dna"])):
            for kind, value in record_sample(Sample(model, tensors, index)).items():
                out[f"{name}/{kind}/{index}"] = value.detach().float().contiguous()
    tensor_file.write(FIXTURES / "gradients.safetensors", out, {
        "format": "cdt-fixture", "torch": torch.__version__.split("+")[0],
        "occluded_bins": str(OCCLUDED_BINS),
        **{"smooth_" + k: repr(v) for k, v in SMOOTH.items()}})
    print(len(out), "tensors")


if __name__ == "__main__":
    main()
