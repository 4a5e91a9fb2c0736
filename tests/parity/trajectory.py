"""The released training in PyTorch, without its printing: what a run of cdt-train must follow.

The data of a run are plain arrays, so that the same run can be made in float32 and in float64, and in
float32 with every sum over bins and genes taken in another order: `shuffled()` permutes rows that the model
does not distinguish (docs/paper-vs-code.md, "position of a bin" and "a gene's embeddings").
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader


SERIES = ("train_loss", "val_loss", "val_pearson")  # numbers per epoch


@dataclass(frozen=True)
class Rules:
    """Settings of the training; the names are cdt-train's."""

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    patience: int
    grad_clip: float = 1.0
    min_delta: float = 0.001


@dataclass(frozen=True)
class Data:
    """dna (N, L, dna_dim), rna and protein (G, ..); train and val: (enhancer, gene, beta) arrays."""

    dna: np.ndarray
    rna: np.ndarray
    protein: np.ndarray
    train: tuple
    val: tuple

    def shuffled(self, rng):
        """Permutes bins and rows of genes, which has no effect in exact arithmetic."""
        return replace(self, dna=self.dna[:, rng.permutation(self.dna.shape[1])],
                       rna=self.rna[rng.permutation(len(self.rna))],
                       protein=self.protein[rng.permutation(len(self.protein))])


@dataclass
class Trajectory:
    """Per step: loss, norm (before clipping). Per epoch: lr, train_loss, val_loss, val_pearson."""

    loss: list = field(default_factory=list)
    norm: list = field(default_factory=list)
    lr: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    val_loss: list = field(default_factory=list)
    val_pearson: list = field(default_factory=list)
    best_epoch: int = 0
    stopped: bool = False


class EarlyStopping:
    """The reference's rule: an epoch is good if it gains min_delta on the last good one."""

    def __init__(self, rules):
        self.rules, self.best, self.bad = rules, -np.inf, 0

    def step(self, metric):
        good = metric >= self.best + self.rules.min_delta
        self.bad = 0 if good else self.bad + 1
        self.best = metric if good else self.best
        return self.bad >= self.rules.patience


class Trainer:
    """One run of `model`, whose dtype is used for all computation, with PyTorch's own loader, optimiser and
    scheduler. by_sample: one pair at a time, with added gradients, which takes the memory of one."""

    def __init__(self, model, data, rules, order_seed, by_sample=False, after_step=lambda: None):
        self.model, self.rules, self.by_sample = model, rules, by_sample
        self.after_step = after_step
        dtype = next(model.parameters()).dtype
        self.dna = data.dna
        self.dtype = dtype
        self.rna = torch.from_numpy(data.rna)[None].to(dtype)
        self.protein = torch.from_numpy(data.protein)[None].to(dtype)
        self.train, self.val = data.train, data.val
        self.loader = DataLoader(range(len(data.train[0])), batch_size=rules.batch_size, shuffle=True,
                                 drop_last=True,
                                 generator=torch.Generator().manual_seed(order_seed))
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=rules.lr,
                                           weight_decay=rules.weight_decay)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimiser, mode="max", factor=0.5, patience=5)
        self.stopping = EarlyStopping(rules)
        self.out = Trajectory()

    def logits(self, enhancers):
        """(B, G): every gene's prediction from each of those windows."""
        dna = torch.from_numpy(self.dna[enhancers]).to(self.dtype)
        return self.model(dna, self.rna, self.protein)

    def loss_of(self, rows):
        enhancer, gene, beta = (column[rows] for column in self.train)
        got = self.logits(enhancer).gather(1, torch.from_numpy(gene)[:, None])[:, 0]
        return functional.smooth_l1_loss(got, torch.from_numpy(beta).to(self.dtype))

    def step(self, rows):
        self.optimiser.zero_grad()
        total = 0.0
        for part in np.split(rows, len(rows) if self.by_sample else 1):
            loss = self.loss_of(part) * (len(part) / len(rows))
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.rules.grad_clip)
        self.optimiser.step()
        self.out.loss.append(total)
        self.out.norm.append(norm.item())
        self.after_step()

    def validate(self):
        """Mean over batches of the mean loss, and Pearson's r."""
        enhancer, gene, beta = self.val
        self.model.eval()
        with torch.no_grad():
            rows = {e: self.logits([e])[0] for e in sorted(set(enhancer.tolist()))}
        self.model.train()
        got = torch.stack([rows[e][g] for e, g in zip(enhancer.tolist(), gene.tolist())])
        want = torch.from_numpy(beta).to(self.dtype)
        losses = [functional.smooth_l1_loss(*part).item() for part in
                  zip(got.split(self.rules.batch_size), want.split(self.rules.batch_size))]
        return np.mean(losses), np.corrcoef(got.double().numpy(), beta.astype(np.float64))[0, 1]

    def checkpoint(self):
        """The checkpoint that one saves to continue later."""
        return {"model_state_dict": self.model.state_dict(),
                "optimizer_state_dict": self.optimiser.state_dict(),
                "scheduler_state_dict": self.scheduler.state_dict(),
                "early_stopping": {"patience": self.rules.patience,
                                   "min_delta": self.rules.min_delta,
                                   "best": self.stopping.best, "bad_epochs": self.stopping.bad}}

    def restore(self, checkpoint, epochs):
        """Restores the state of a run after so many epochs."""
        self.model.load_state_dict(checkpoint["model_state_dict"], strict=True)
        self.optimiser.load_state_dict(checkpoint["optimizer_state_dict"])
        self.scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
        self.stopping.best = checkpoint["early_stopping"]["best"]
        self.stopping.bad = checkpoint["early_stopping"]["bad_epochs"]
        for _ in range(epochs):  # the loader's generator draws an order each time
            for _ in self.loader:
                pass

    def run(self, after_epoch=lambda epoch: None, first=1, last=None):
        self.model.train()
        best = -np.inf
        for epoch in range(first, (last or self.rules.epochs) + 1):
            self.out.lr.append(self.optimiser.param_groups[0]["lr"])
            before = len(self.out.loss)
            for rows in self.loader:
                self.step(rows.numpy())
            val_loss, r = self.validate()
            self.scheduler.step(r)
            self.out.train_loss.append(np.mean(self.out.loss[before:]))
            self.out.val_loss.append(val_loss)
            self.out.val_pearson.append(r)
            if r > best:
                best, self.out.best_epoch = r, epoch
            self.out.stopped = self.stopping.step(r)
            after_epoch(epoch)
            if self.out.stopped:
                break
        return self.out

    def moments(self):
        """{name: (first, second)} of AdamW."""
        state = self.optimiser.state
        return {name: (state[p]["exp_avg"], state[p]["exp_avg_sq"])
                for name, p in self.model.named_parameters()}


def pieces(name, tensor):
    """A tensor under its name; a packed projection as queries, keys and values, because one of them may
    hold only rounding noise, as a key bias does."""
    if ".in_proj_" not in name:
        return {name: tensor}
    return {f"{name}[{part}]": third
            for part, third in zip(("query", "key", "value"), tensor.chunk(3))}
