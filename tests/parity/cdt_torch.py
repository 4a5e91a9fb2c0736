"""The Central Dogma Transformer in PyTorch, the reference of the parity tests.

Written from the description of the released v3.3.1 model: the same state_dict (names, shapes and order),
nn.MultiheadAttention with a packed in_proj, post-norm blocks. `variant="paper"` is the paper's literal
form: pooling by one query without projections, cross attention as residual plus attention only, fusion
Linear-GELU-Linear, one Linear as task head. Every size is a parameter. The extensions of the engine
(readout by gene, bin and gene positions) are off by default, as there.

Dimensions: B batch, L DNA bins, G genes, D hidden, H heads, N = L or G.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Config:
    """Sizes; the defaults are the released model. Field names as in model/config.h."""

    variant: str = "released"
    dna_dim: int = 3072
    rna_dim: int = 512
    protein_dim: int = 768
    genes: int = 2360
    hidden: int = 768
    heads: int = 8
    pool_heads: int = 4
    feed_forward: int = 3072
    fusion: int = 1536
    dna_layers: int = 2
    rna_layers: int = 1
    protein_layers: int = 1
    dropout: float = 0.3
    readout: str = "column"
    bin_position: bool = False
    bins: int = 0
    gene_position: bool = False
    gene_window: bool = False

    def as_dict(self):
        """As the engine writes it: without the extensions that are off."""
        off = {"readout": "column", "bin_position": False, "bins": 0, "gene_position": False,
               "gene_window": False}
        return {k: v for k, v in asdict(self).items() if off.get(k, None) != v}


def waves(distance):
    """distance (..) in bins -> (.., 32): sin and cos of distance / 10000^(k / 16), alternating."""
    angle = distance.double()[..., None] / 10000.0 ** (torch.arange(16).double() / 16)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def bin_features(bins):
    """(L, 32): the waves of the distance of each bin's middle from the window's centre."""
    return waves(torch.arange(bins).double() + 0.5 - bins / 2)


def gene_features(distance, bins, bin_bp):
    """distance (..) in bp from the window's centre to a gene's start, NaN if there is none -> (.., 48)."""
    known = ~torch.isnan(distance)
    d = torch.nan_to_num(distance.double())
    inside = known & (d.abs() / bin_bp <= bins / 2)
    far = torch.log10(1 + d.abs() / 1000) / 3
    size = torch.log10(d.abs().clamp(min=1000))
    bumps = torch.exp(-0.5 * ((size[..., None] - 3 - 0.3 * torch.arange(12)) / 0.3) ** 2)
    rest = torch.cat([torch.stack([torch.ones_like(d), inside.double(), torch.copysign(far, d), far],
                                  dim=-1), bumps], dim=-1)
    return torch.cat([waves(d / bin_bp) * inside[..., None], rest * known[..., None]], dim=-1)


class Recorder:
    """Collects intermediates and, if requested, attention maps by name: all of them, or those of the
    modules in a set. lean: no other maps are computed (PyTorch then uses scaled_dot_product_attention);
    otherwise cross attention and pooling always compute theirs, as in the reference."""

    def __init__(self, want_attention=False, lean=False):
        self.want_attention = want_attention
        self.lean = lean
        self.values = {}
        self.attention = {}

    def wants(self, module):
        if isinstance(self.want_attention, bool):
            return self.want_attention
        return module in self.want_attention

    def value(self, name, tensor):
        self.values[name] = tensor
        return tensor


class Projector(nn.Module):
    """LayerNorm(Linear(x)), then dropout: (.., in) -> (.., D)."""

    def __init__(self, in_dim, cfg):
        super().__init__()
        self.linear = nn.Linear(in_dim, cfg.hidden)
        self.norm = nn.LayerNorm(cfg.hidden)
        self.drop = nn.Dropout(cfg.dropout)

    def forward(self, x):
        return self.drop(self.norm(self.linear(x)))


class Block(nn.Module):
    """Post-norm attention block; `attention` names its MHA: self_attn or cross_attn."""

    def __init__(self, attention, cfg):
        super().__init__()
        self.attention = attention
        self.plain = cfg.variant == "paper" and attention == "cross_attn"
        mha = nn.MultiheadAttention(cfg.hidden, cfg.heads, dropout=cfg.dropout, batch_first=True)
        setattr(self, attention, mha)
        if self.plain:
            return
        self.ffn = nn.Sequential(
            nn.Linear(cfg.hidden, cfg.feed_forward), nn.GELU(), nn.Dropout(cfg.dropout),
            nn.Linear(cfg.feed_forward, cfg.hidden), nn.Dropout(cfg.dropout))
        self.norm1 = nn.LayerNorm(cfg.hidden)
        self.norm2 = nn.LayerNorm(cfg.hidden)
        self.drop = nn.Dropout(cfg.dropout)

    def forward(self, x, context, name, rec):
        """x (B, Nq, D), context (B, Nk, D) -> (B, Nq, D). As in the reference, a cross block always
        materialises its (B, H, Nq, Nk) weights, a self block only on request."""
        want = rec.wants(name) or (self.attention == "cross_attn" and not rec.lean)
        mha = getattr(self, self.attention)
        out, weights = mha(x, context, context, need_weights=want, average_attn_weights=False)
        if rec.wants(name):
            rec.attention[name + ".attention"] = weights
        if self.plain:
            return rec.value(name, x + out)
        y = self.norm1(x + self.drop(out))
        return rec.value(name, self.norm2(y + self.ffn(y)))


class VirtualCellEmbedder(nn.Module):
    """Pools each modality with a learned query and fuses the three vectors: -> (B, D)."""

    def __init__(self, cfg):
        super().__init__()
        self.paper = cfg.variant == "paper"
        d = cfg.hidden
        for m in ("dna", "rna", "protein"):
            setattr(self, f"{m}_query", nn.Parameter(torch.randn(1, 1, d)))
        if self.paper:
            self.fusion = nn.Sequential(nn.Linear(3 * d, cfg.fusion), nn.GELU(),
                                        nn.Linear(cfg.fusion, d))
            return
        for m in ("dna", "rna", "protein"):
            setattr(self, f"{m}_attn", nn.MultiheadAttention(
                d, cfg.pool_heads, dropout=cfg.dropout, batch_first=True))
        self.fusion = nn.Sequential(
            nn.Linear(3 * d, cfg.fusion), nn.GELU(), nn.Dropout(cfg.dropout),
            nn.Linear(cfg.fusion, d), nn.LayerNorm(d))

    def pool(self, m, x, rec):
        """x (B, N, D) -> (B, D)."""
        query = getattr(self, f"{m}_query")
        wanted = rec.wants(f"vce.{m}")
        if self.paper:
            weights = torch.softmax(query @ x.transpose(1, 2) / math.sqrt(x.shape[-1]), dim=-1)
            out = weights @ x
            weights = weights.unsqueeze(1)  # (B, 1, 1, N), one head
        else:
            out, weights = getattr(self, f"{m}_attn")(
                query.expand(x.shape[0], -1, -1), x, x, need_weights=wanted or not rec.lean,
                average_attn_weights=False)
        if wanted:
            rec.attention[f"vce.{m}.attention"] = weights.squeeze(2)
        return rec.value(f"vce.{m}", out.squeeze(1))

    def forward(self, dna, rna, protein, rec):
        parts = [self.pool(m, x, rec) for m, x in
                 (("dna", dna), ("rna", rna), ("protein", protein))]
        return rec.value("vce", self.fusion(torch.cat(parts, dim=-1)))


class Cdt(nn.Module):
    """dna (B, L, dna_dim), rna (G, rna_dim), protein (G, protein_dim) -> (B, G)."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg

        def layers(n):
            return nn.ModuleList(Block("self_attn", cfg) for _ in range(n))

        self.dna_projector = Projector(cfg.dna_dim, cfg)
        self.rna_projector = Projector(cfg.rna_dim, cfg)
        self.protein_projector = Projector(cfg.protein_dim, cfg)
        self.dna_self_attn_layers = layers(cfg.dna_layers)
        self.rna_self_attn_layers = layers(cfg.rna_layers)
        self.protein_self_attn_layers = layers(cfg.protein_layers)
        self.dna_to_rna = Block("cross_attn", cfg)
        self.rna_to_protein = Block("cross_attn", cfg)
        self.vce = VirtualCellEmbedder(cfg)
        if cfg.readout == "gene":
            self.task_layer = nn.Sequential(
                nn.Linear(3 * cfg.hidden, cfg.hidden), nn.GELU(), nn.Dropout(cfg.dropout),
                nn.Linear(cfg.hidden, 1))
        elif cfg.variant == "paper":
            self.task_layer = nn.Linear(cfg.hidden, cfg.genes)
        else:
            self.task_layer = nn.Sequential(
                nn.Linear(cfg.hidden, cfg.hidden), nn.GELU(), nn.Dropout(cfg.dropout),
                nn.Linear(cfg.hidden, cfg.genes))
        if cfg.bin_position:
            self.bin_position = nn.Linear(32, cfg.hidden)
        if cfg.gene_position:
            self.gene_position = nn.Linear(48, cfg.hidden)

    def project_dna(self, dna):
        """The projector, with the bins' positions added between its norm and its dropout."""
        if not self.cfg.bin_position:
            return self.dna_projector(dna)
        m = self.dna_projector
        features = bin_features(dna.shape[1]).to(dna)
        return m.drop(m.norm(m.linear(dna)) + self.bin_position(features))

    def read_gene_windows(self, rna, gene_dna):
        """What genes read from the windows at their starts: rna (B, G, D), the same for all samples, and
        gene_dna (G, L, dna_dim) -> (1, G, D); None without gene windows."""
        if not self.cfg.gene_window:
            return None
        context = self.trunk("dna", self.project_dna(gene_dna), Recorder())
        return self.dna_to_rna(rna[0][:, None], context, "dna_to_rna", Recorder()).transpose(0, 1)

    def head(self, cell, rna, protein, read):
        """cell (B, D), rna and protein (B, G, D), read (1, G, D) or None -> (B, G)"""
        if self.cfg.readout == "column":
            return self.task_layer(cell)
        cell = cell[:, None].expand_as(rna)
        if read is not None:
            rna = rna + read
        return self.task_layer(torch.cat([cell, rna, protein], dim=-1)).squeeze(-1)

    def trunk(self, modality, x, rec):
        for i, layer in enumerate(getattr(self, f"{modality}_self_attn_layers")):
            x = layer(x, x, f"{modality}_self_attn_layers.{i}", rec)
        return x

    def forward(self, dna, rna, protein, rec=None, places=None, gene_dna=None):
        """places (B, G, 48): gene_features(), for a model with gene positions; gene_dna (G, L, dna_dim):
        the windows at the genes' starts, for a model with gene windows."""
        rec = rec or Recorder()
        batch = dna.shape[0]
        dna = rec.value("dna_projector", self.project_dna(dna))
        # RNA is repeated before its projector, protein after: one dropout mask per sample and one
        # per batch.
        rna = rec.value("rna_projector", self.rna_projector(rna.expand(batch, -1, -1)))
        protein = rec.value("protein_projector", self.protein_projector(protein))
        protein = protein.expand(batch, -1, -1)
        dna = self.trunk("dna", dna, rec)
        rna = self.trunk("rna", rna, rec)
        protein = self.trunk("protein", protein, rec)
        read = self.read_gene_windows(rna, gene_dna)
        if self.cfg.gene_position:
            rna = rna + self.gene_position(places)
        rna = self.dna_to_rna(rna, dna, "dna_to_rna", rec)
        protein = self.rna_to_protein(protein, rna, "rna_to_protein", rec)
        cell = self.vce(dna, rna, protein, rec)
        if read is not None:
            rec.value("gene_window", read)
        return rec.value("task_layer", self.head(cell, rna, protein, read))


def prediction_and_row(model, dna, rna, protein, genes, lean=False, **extras):
    """The sum of the predictions of genes[b] from dna[b], and the genes' rows of the dna_to_rna map, mean
    over heads (B, L). lean: no other map is computed."""
    rec = Recorder(want_attention={"dna_to_rna"} if lean else True, lean=lean)
    picked = model(dna, rna, protein, rec, **extras).gather(1, genes[:, None]).sum()
    rows = rec.attention["dna_to_rna.attention"].mean(1)[torch.arange(len(genes)), genes]
    return picked, rows


def windows(model, dna, rna, protein, genes, forward=prediction_and_row, **options):
    """What drives the prediction of genes[b] from dna[b], over the bins: the gene's row of the
    dna_to_rna map (B, L), and the L2 norm over features of d prediction / d dna (B, L)."""
    dna = dna.detach().requires_grad_(True)
    picked, rows = forward(model, dna, rna, protein, genes, **options)
    gradient = torch.autograd.grad(picked, dna)[0]
    return rows.detach(), gradient.norm(dim=-1)
