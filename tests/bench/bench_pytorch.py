"""Times the workloads of `make bench` in PyTorch; prints one JSON object.

    python3 tests/bench/bench_pytorch.py [--device cpu|cuda] [--precision fp32|tf32|bf16]
        [--compile] [--workloads train,predict,attribute] [--threads N] [--train-batch 8|auto]
        [--predict-batch 1] [--repeat 1]

- training: forward, backward, clipping, AdamW; dropout 0.3;
- prediction: eval, no_grad, one batch of enhancers, time per enhancer;
- attribution: one enhancer-gene pair, the dna_to_rna row and d prediction / d dna. Weights need no
  gradient, so PyTorch skips theirs: the best a PyTorch user gets without restructuring the computation.

By default, attention is the reference's modules, which compute their maps in cross attention and pooling.
--compile uses torch.compile, and scaled_dot_product_attention wherever no map is requested; a workload that
cannot be compiled is null, with the reason beside it. The first runs, which compile, are in
"..._warm_up_s".

Precisions: fp32 is PyTorch's default (TF32 off in matrix products), tf32 turns TF32 on, bf16 is
torch.autocast over float32 weights. AdamW is PyTorch's fused one on a GPU.

Each workload runs in its own process, so its peak memory is measured separately. A training batch of 8
takes about 23 GB; if memory is short (or the process dies) it is measured at batch 1, times 8, and
"train_note" says so. Sizes can be made smaller for a trial run (--help).
"""

import argparse
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import torch
from torch.nn import functional

from cdt_torch import Cdt, Config, Recorder, prediction_and_row, windows

TRAIN_BATCH = 8  # of a training step, whichever batch fits


def inputs_of(args, cfg, batch):
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator).to(args.device)

    return (draw(batch, args.bins, cfg.dna_dim), draw(1, cfg.genes, cfg.rna_dim),
            draw(1, cfg.genes, cfg.protein_dim),
            (torch.arange(batch) * 7 % cfg.genes).to(args.device))


def finish(args):
    if args.device == "cuda":
        torch.cuda.synchronize()


def seconds(function, args):
    """Total seconds of the warm-up runs, and the median over `repeat` runs after them, each measured on an
    idle device until its work is done."""
    def run():
        finish(args)
        start = time.perf_counter()
        function()
        finish(args)
        return time.perf_counter() - start

    # As in paper_bench: on a GPU also until its clocks have risen.
    runs, least = (1, 0.0) if args.device == "cpu" else (3, 0.5)
    warm = []
    while len(warm) < runs or sum(warm) < least:
        warm.append(run())
    times = sorted(run() for _ in range(args.repeat))
    return {"warm_up_s": sum(warm), "seconds": times[args.repeat // 2]}


def compiled(function, args):
    return torch.compile(function) if args.compile else function


def predictions(model, args):
    """(dna, rna, protein) -> (B, G)"""
    return compiled(lambda *inputs: model(*inputs, rec=Recorder(lean=args.compile)), args)


def autocast(args):
    return torch.autocast(args.device, torch.bfloat16, enabled=args.precision == "bf16")


def train(args, cfg):
    model = Cdt(cfg).to(args.device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-5,
                                  fused=args.device == "cuda")
    dna, rna, protein, genes = inputs_of(args, cfg, args.batch)
    beta = torch.full((args.batch,), -0.1, device=args.device)
    predicted = predictions(model, args)

    def step():
        optimiser.zero_grad()
        with autocast(args):
            prediction = predicted(dna, rna, protein).gather(1, genes[:, None])[:, 0]
        functional.smooth_l1_loss(prediction.float(), beta).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return seconds(step, args)


def predict(args, cfg):
    model = Cdt(cfg).to(args.device).eval()
    dna, rna, protein, _ = inputs_of(args, cfg, args.batch)
    predicted = predictions(model, args)
    with torch.no_grad(), autocast(args):
        times = seconds(lambda: predicted(dna, rna, protein), args)
    return {**times, "seconds": times["seconds"] / args.batch}


def attribute(args, cfg):
    model = Cdt(cfg).to(args.device).eval().requires_grad_(False)
    dna, rna, protein, genes = inputs_of(args, cfg, 1)
    forward = compiled(functools.partial(prediction_and_row, lean=args.compile), args)
    with autocast(args):
        return seconds(lambda: windows(model, dna, rna, protein, genes, forward), args)


WORKLOADS = {"train": train, "predict": predict, "attribute": attribute}


def available_bytes(args):
    if args.device == "cuda":
        # In a separate process: this one does not use the GPU.
        code = "import torch; print(torch.cuda.mem_get_info()[0])"
        return int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout)
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def training_bytes(args, cfg, batch):
    """Estimates the memory: score matrices in three copies (softmax, dropped, and masks with what is in
    flight), ten D-wide and three F-wide activations per position of a block, four copies of the parameters.
    About 23 GB for the full model at batch 8."""
    l, g = args.bins, cfg.genes
    rows = ((cfg.dna_layers, l, l), (cfg.rna_layers, g, g), (cfg.protein_layers, g, g),
            (1, g, l), (1, g, g))
    scores = sum(n * cfg.heads * q * k for n, q, k in rows)
    activations = sum(n * q * (10 * cfg.hidden + 3 * cfg.feed_forward) for n, q, _ in rows)
    with torch.device("meta"):
        parameters = sum(p.numel() for p in Cdt(cfg).parameters())
    return 4 * (batch * (3 * scores + activations) + 4 * parameters)


def compiler_problem(args):
    """Why torch.compile cannot work on this machine, or "": it compiles C code at run time."""
    if args.device == "cuda":
        named = os.environ.get("CC")
        candidates, what = ([named] if named else ["gcc", "clang"]), "a C compiler (CC)"
        header = Path(sysconfig.get_paths()["include"]) / "Python.h"
        if not header.exists():
            return f"torch.compile needs {header} (python3-dev)"
    else:
        named = os.environ.get("CXX")
        candidates, what = ([named] if named else ["g++", "clang++"]), "a C++ compiler (CXX)"
    if any(shutil.which(name) for name in candidates):
        return ""
    return f"torch.compile needs {what}: there is no {' or '.join(candidates)}"


def run_workload(args, cfg):
    """The numbers of one workload; with --compile, null if it cannot be compiled."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    on_gpu = args.device == "cuda"
    times = {"seconds": None, "warm_up_s": None}
    reason = compiler_problem(args) if args.compile else ""
    if not reason:
        try:
            times = WORKLOADS[args.workload](args, cfg)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the compiler raises
            if not args.compile:
                raise
            lines = str(error).strip().splitlines() or [""]
            reason = f"{type(error).__name__}: {lines[0]}"
    return {
        **times,
        "reason": reason,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peak_device_bytes": torch.cuda.max_memory_allocated() if on_gpu else 0,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "threads": torch.get_num_threads()}


def measure(workload, batch):
    """Runs this script for one workload in a separate process; None if it died."""
    command = [sys.executable, __file__, *sys.argv[1:], "--workload", workload,
               "--batch", str(batch)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"bench_pytorch: {workload}: {done.stdout.strip()}", file=sys.stderr)  # if this is cut off
    return json.loads(done.stdout) if done.returncode == 0 else None


def measure_training(args, cfg):
    """(result, batch, note)."""
    batch = TRAIN_BATCH if args.train_batch == "auto" else int(args.train_batch)
    reason = ""
    need = training_bytes(args, cfg, batch)
    if args.train_batch == "auto" and need > 0.95 * available_bytes(args):
        reason = (f"batch {batch} needs about {need / 1e9:.0f} GB, "
                  f"{available_bytes(args) / 1e9:.0f} GB are free")
    if not reason:
        result = measure("train", batch)
        if result or batch == 1:
            scaled = f"measured at batch {batch}, times {TRAIN_BATCH / batch:g}"
            return result, batch, "" if batch == TRAIN_BATCH else scaled
        reason = f"batch {batch} did not finish"
    return measure("train", 1), 1, f"measured at batch 1, times {TRAIN_BATCH}: {reason}"


def add_result(out, workload, seconds_name, result, scale=1.0):
    """The numbers of a workload under their names."""
    if not result:
        sys.exit(f"bench_pytorch: {workload} failed")
    prefix = "" if workload == "train" else workload + "_"
    measured = result["seconds"]
    out[seconds_name] = None if measured is None else measured * scale
    out[workload + "_warm_up_s"] = result["warm_up_s"]
    out[prefix + "peak_rss_bytes"] = result["peak_rss_bytes"]
    out[workload + "_peak_device_bytes"] = result["peak_device_bytes"]
    if result["reason"]:
        out[workload + "_reason"] = result["reason"]
    out.update({"device": result["device"], "threads": result["threads"]})


def report(args, cfg):
    out = {
        "precision": args.precision,
        "torch_version": torch.__version__,
        "compile": args.compile,
        "attention": ("scaled_dot_product_attention where no map is asked for" if args.compile
                      else "the reference's modules, with their maps"),
    }
    if "train" in args.workloads:
        result, batch, note = measure_training(args, cfg)
        add_result(out, "train", "train_step_s", result, TRAIN_BATCH / batch)
        out.update({"train_batch": batch, "train_note": note})
    if "predict" in args.workloads:
        add_result(out, "predict", "predict_s_per_enhancer",
                   measure("predict", args.predict_batch))
        out["predict_batch"] = args.predict_batch
    if "attribute" in args.workloads:
        add_result(out, "attribute", "attribute_s_per_pair", measure("attribute", 1))
    print(json.dumps(out))


def workloads(text):
    names = text.split(",")
    for name in names:
        if name not in WORKLOADS:
            raise argparse.ArgumentTypeError(f"no such workload: '{name}'")
    return names


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true",
                        help="torch.compile, and scaled_dot_product_attention")
    parser.add_argument("--workloads", type=workloads, default=",".join(WORKLOADS),
                        help="which to time, separated by commas")
    parser.add_argument("--train-batch", default="auto", help="auto, or the batch to measure")
    parser.add_argument("--predict-batch", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--bins", type=int, default=896)
    for name, value in Config().as_dict().items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    parser.add_argument("--workload", choices=WORKLOADS, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse()
    cfg = Config(**{k: getattr(args, k) for k in Config().as_dict()})
    if args.device == "cpu" and args.precision == "tf32":
        sys.exit("bench_pytorch: --precision: tf32 needs --device cuda")
    if not args.workload:
        return report(args, cfg)
    print(json.dumps(run_workload(args, cfg)))


if __name__ == "__main__":
    main()
