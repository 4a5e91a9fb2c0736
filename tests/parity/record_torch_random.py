"""Records fixtures/torch_random.json: what PyTorch draws after a seed.

    python3 tests/parity/record_torch_random.py

It holds the model's initial values as the CRC-32 of each tensor's bytes, and the orders of DataLoaders, for
many samples as the CRC-32 of their int32 values. Needs a CPU with AVX2: on others, float32 draws differ in
their last bits.
"""

import json
import zlib
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from cdt_torch import Cdt, Config

# Arguments of torch.manual_seed(), including the ends of its range; equal low 32 bits give equal
# draws.
SEEDS = (0, 42, 2**32 + 5, 2**63, -1)
MORE_SEEDS = (1, 2**64 - 1, -2**63)

SMALL = dict(dna_dim=7, rna_dim=5, protein_dim=3, genes=6, feed_forward=10, fusion=9)
# Hidden sizes on both sides of 16, from which on normal values are drawn differently; 15 and 1
# leave half a pair for the next query, 33 and 24 an incomplete block.
MODELS = [
    Config(**SMALL, hidden=15, heads=5, pool_heads=3),
    Config(**SMALL, hidden=16, heads=2, dna_layers=1, rna_layers=0),
    Config(**SMALL, hidden=24, heads=4, protein_layers=2),
    Config(**SMALL, hidden=33, heads=3, pool_heads=11),
    Config(**SMALL, hidden=1, heads=1, pool_heads=1),
    Config(**SMALL, variant="paper", hidden=15, heads=3),
    Config(**SMALL, variant="paper", hidden=20, heads=5),
]
FULL = [(Config(), 42), (Config(variant="paper"), 2**32 + 5)]

# seed, samples, batch, epochs
ORDERS = [(seed, n, batch, 3) for seed in SEEDS + MORE_SEEDS for n, batch in ((10, 3), (8, 4))]
ORDERS += [(7, 1, 1, 2), (7, 2, 2, 4), (42, 4605, 8, 6), (0, 100000, 7, 2)]
SPELT_OUT = 12  # samples

# Scripts without a generator: seed, model, samples, batch, epochs
SCRIPTS = [(seed, config, n, batch, 3) for seed in (0, 42, -1) for config in (0, 2, 5)
           for n, batch in ((10, 3), (300, 8))]


def crc32(tensor):
    return zlib.crc32(tensor.detach().contiguous().numpy().tobytes())


def initial(config, seed):
    torch.manual_seed(seed)
    model = Cdt(config)
    return {"config": json.dumps(config.as_dict()), "seed": str(seed),
            "crc32": [crc32(t) for t in model.state_dict().values()]}


def epochs_of(loader, count, after=lambda: None):
    """The indices of each epoch, without those of the incomplete batch."""
    out = []
    for _ in range(count):
        order = torch.cat(list(loader)).int()
        out.append(order.tolist() if len(order) <= SPELT_OUT else [len(order), crc32(order)])
        after()
    return out


def order(seed, n, batch, count):
    generator = torch.Generator()
    generator.manual_seed(seed)
    loader = DataLoader(range(n), batch_size=batch, shuffle=True, drop_last=True,
                        generator=generator)
    return {"seed": str(seed), "samples": n, "batch": batch, "epochs": epochs_of(loader, count)}


def script(seed, config, n, batch, count):
    """One seed, then everything from the global generator, with a validation after each epoch."""
    torch.manual_seed(seed)
    Cdt(MODELS[config])
    train = DataLoader(range(n), batch_size=batch, shuffle=True, drop_last=True)
    val = DataLoader(range(5), batch_size=batch)
    return {"seed": str(seed), "model": config, "samples": n, "batch": batch,
            "epochs": epochs_of(train, count, after=lambda: list(val))}


def main():
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        raise SystemExit("this CPU lacks AVX2, or ATEN_CPU_CAPABILITY hides it")
    recorded = {
        "torch": torch.__version__.split("+")[0],
        "models": [initial(config, seed) for config in MODELS for seed in SEEDS],
        "full": [initial(config, seed) for config, seed in FULL],
        "orders": [order(*case) for case in ORDERS],
        "scripts": [script(*case) for case in SCRIPTS],
    }
    # The model of a script is given as an index into "models".
    for case in recorded["scripts"]:
        case["model"] *= len(SEEDS)
    path = Path(__file__).parent / "fixtures" / "torch_random.json"
    lines = [f'{json.dumps(key)}: ' + (json.dumps(value) if key == "torch" else
                                       "[\n" + ",\n".join(map(json.dumps, value)) + "]")
             for key, value in recorded.items()]
    path.write_text("{" + ",\n".join(lines) + "}\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
