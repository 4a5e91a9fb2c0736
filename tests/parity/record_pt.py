"""Writes fixtures/pt: files of torch.save in every supported form, and in those that are refused.

    python3 tests/parity/record_pt.py

pt_test.cc reads them. The values of a tensor are integers and halves, exact in every type: element i of a
storage is i / 2 - 3.
"""

import argparse
import collections
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch

import tensor_file

FOLDER = Path(__file__).parent / "fixtures" / "pt"


def values(*shape, dtype=torch.float32):
    count = int(np.prod(shape, dtype=int))
    return (torch.arange(count, dtype=torch.float64) / 2 - 3).to(dtype).reshape(shape)


def save(name, what, **options):
    torch.save(what, FOLDER / f"{name}.pt", **options)


class Affine(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        with torch.no_grad():
            self.linear.weight.copy_(values(2, 3))
            self.linear.bias.copy_(values(2))


class Command:
    """The content of a malicious file: unpickled by Python, it would run a command."""

    def __reduce__(self):
        return os.system, ("true",)


def save_read():
    """The files that are read."""
    both = {"w": values(3, 4), "b": values(3)}
    save("ordered_dict", collections.OrderedDict(both))
    save("dict", both)
    for name in ("float64", "float16", "bfloat16"):
        dtype = getattr(torch, name)
        save(name, {"w": values(3, 4, dtype=dtype), "b": values(3)})
    save("transposed", {"w": values(4, 3).t()})
    save("transposed_half", {"w": values(4, 3, dtype=torch.float16).t()})
    save("columns", {"w": values(3, 4)[:, 1:3]})
    save("rows", {"w": values(5, 2)[1:4]})
    save("every_second", {"w": values(12)[1::2]})
    save("permuted", {"w": values(2, 3, 4).permute(2, 0, 1)})
    save("channels_last", {"w": values(2, 3, 2, 2).to(memory_format=torch.channels_last)})
    save("expanded", {"w": values(3, 1).expand(3, 4)})
    tied = values(3, 4)
    save("shared", {"w": tied, "again": tied, "turned": tied.t(), "last": tied[2]})
    save("empty_and_scalar", {"none": values(0, 3), "one": torch.tensor(-2.5)})
    save("parameters", {"w": torch.nn.Parameter(values(3, 4)),
                        "frozen": torch.nn.Parameter(values(3), requires_grad=False)})
    save("module_state", Affine().state_dict())
    save("buffers", {"w": values(3, 4), "count": torch.tensor(7), "on": torch.tensor([True]),
                     "unsigned": torch.tensor([1, 2], dtype=torch.uint16)})
    for name, prefix in (("parallel", "module."), ("compiled", "_orig_mod."),
                         ("compiled_parallel", "module._orig_mod.")):
        save(name, {prefix + key: value for key, value in both.items()})
    for key in ("model_state_dict", "state_dict", "model"):
        save(f"in_{key}", {"epoch": 3, key: collections.OrderedDict(both)})
    save("beside_loss", {"epoch": 3, "model_state_dict": both, "loss": torch.tensor(0.5)})
    for protocol in (3, 4, 5):
        save(f"protocol_{protocol}", {"epoch": 300, "best": np.float64(0.5), "model": both},
             pickle_protocol=protocol)
    buffer = io.BytesIO()
    torch.save(both, buffer)
    (FOLDER / "archive.pt").write_bytes(buffer.getvalue())
    torch.serialization.set_crc32_options(False)
    save("no_checksums", both)
    torch.serialization.set_crc32_options(True)
    save("extras", {"model": both, "numbers": [1, -70000, 2**40, 0.25, True, None, "text",
                                               np.float32(1.5), np.int64(-4), 2**70],
                    "nested": {"a": [(), [[]], {}], 5: torch.Size([2, 3])},
                    "dtype": torch.float16})


def save_model():
    """The weights of plain_state_dict.safetensors as a training script might leave them: wrapped in
    DataParallel, with transposed storages, next to other values."""
    tensors, _ = tensor_file.read(FOLDER.parent / "plain_state_dict.safetensors")
    state = {"module." + name: turned(torch.from_numpy(values.copy()))
             for name, values in tensors.items()}
    save("plain_state_dict", {"epoch": 7, "model_state_dict": state, "best_r": np.float64(0.5)})


def turned(tensor):
    """The same values, in a storage with the last two axes exchanged."""
    if tensor.dim() < 2:
        return tensor
    return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)


def save_refused():
    """The files that are refused."""
    both = {"w": values(3, 4), "b": values(3)}
    save("refused_old_form", both, _use_new_zipfile_serialization=False)
    save("refused_whole_module", Affine())
    save("refused_module_inside", {"epoch": 1, "model": torch.nn.Linear(2, 1)})
    save("refused_namespace", {"args": argparse.Namespace(lr=1), "model": both})
    save("refused_command", {"w": values(2), "x": Command()})
    save("refused_command_5", {"w": values(2), "x": Command()}, pickle_protocol=5)
    save("refused_sparse", {"w": values(3, 4).to_sparse()})
    save("refused_complex", {"w": torch.ones(2, dtype=torch.complex64)})
    save("refused_negated", {"w": torch.tensor([1 + 2j, 3 + 4j]).conj().imag})
    save("refused_list", [values(2), values(3)])
    save("refused_numbered", {0: values(2), 1: values(3)})
    save("refused_no_tensors", {"epoch": 3, "loss": 0.5})
    save("refused_other_entries", {"w": values(2), "epoch": 3})
    torch.jit.script(torch.nn.Linear(2, 1)).save(FOLDER / "refused_torchscript.pt")
    with zipfile.ZipFile(FOLDER / "refused_protocol_1.pt", "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({"epoch": 1}, protocol=1))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.pt"):
        if not old.name.startswith("trajectory_"):  # written by record_trajectory.py
            old.unlink()
    save_read()
    save_model()
    save_refused()
    print(f"torch {torch.__version__}: {len(list(FOLDER.glob('*.pt')))} files")
