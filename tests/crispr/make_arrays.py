#!/usr/bin/env python3
"""Turns a table of the ENCODE CRISPR benchmark into the arrays and lists that cdt-import reads.

The DNA windows hold what the tables measure in place of embeddings; see docs/real-effects.md.
"""
import argparse
import bisect
import collections
import os
import shutil
import sys

import numpy as np
from tables import MARKS, InputError, read_expressed, read_gene_starts, read_pairs

# Channels of a DNA window, in order.
LEVELS = (*MARKS, "activity")
CHANNELS = ([f"own {level}" for level in LEVELS] + [f"others' {level}" for level in LEVELS] +
            ["own element", "other elements", "gene starts", "starts of expressed genes",
             "starts of ubiquitous genes", "distance from centre"])
OWN, OTHERS, IS_OWN, N_OTHERS, STARTS, EXPRESSED, UBIQUITOUS, DISTANCE = 0, 6, 12, 13, 14, 15, 16, 17
NEIGHBOURHOOD = 100_000  # base pairs on either side of a gene's start
PROMOTER = 5_000  # elements this near to a gene's start count as its promoter


def activity(marks):
    """Geometric mean of DHS and H3K27ac, the activity of activity-by-contact models (Fulco et al. 2019)."""
    return np.sqrt(marks[MARKS.index("DHS")] * marks[MARKS.index("H3K27ac")])


class Surroundings:
    """Activity around gene starts, of the tested elements of one cell type."""

    def __init__(self, marks, cell):
        self.of = {}
        for element, values in marks.items():
            if element.cell == cell:
                self.of.setdefault(element.chrom, []).append((element.centre, activity(values)))
        self.of = {chrom: np.array(places, float).T for chrom, places in self.of.items()}

    def features(self, chrom, start):
        """log(1 + x) of the sum of activity x contact, and of the promoter's activity."""
        if chrom not in self.of:
            return 0.0, 0.0
        centres, activities = self.of[chrom]
        distance = np.abs(centres - start)
        contact = (np.maximum(distance, PROMOTER) / PROMOTER)**-0.7
        return np.log1p(activities @ contact), np.log1p(activities[distance <= PROMOTER].sum())


class Positions:
    """Sorted positions by chromosome."""

    def __init__(self, places):
        self.of = {}
        for chrom, position in places:
            self.of.setdefault(chrom, []).append(position)
        for positions in self.of.values():
            positions.sort()

    def between(self, chrom, low, high):
        positions = self.of.get(chrom, [])
        return positions[bisect.bisect_left(positions, low):bisect.bisect_left(positions, high)]


class Window:
    """Bins around an element's centre: bin b starts at centre + (b - bins / 2) x bin_bp."""

    def __init__(self, element, bins, bin_bp):
        self.bin_bp, self.bins, self.chrom = bin_bp, bins, element.chrom
        self.low = element.centre - bins // 2 * bin_bp
        self.high = self.low + bins * bin_bp

    def bins_of(self, start, end):
        """The bins that overlap [start, end)."""
        first, last = (start - self.low) // self.bin_bp, (end - 1 - self.low) // self.bin_bp
        return slice(max(first, 0), min(last, self.bins - 1) + 1)

    def counts(self, positions):
        inside = [(p - self.low) // self.bin_bp for p in positions.between(self.chrom, self.low, self.high)]
        return np.bincount(np.array(inside, dtype=int), minlength=self.bins)


def dna_windows(elements, marks, starts_of, args):
    """(elements, bins, channels). Starts_of: (all, expressed, ubiquitous) gene starts by cell type."""
    dna = np.zeros((len(elements), args.bins, len(CHANNELS)), np.float32)
    levels = np.log1p([[*marks[element], activity(marks[element])] for element in elements]).astype(np.float32)
    longest = max(e.end - e.start for e in elements)
    order = sorted(range(len(elements)), key=lambda i: (elements[i].cell, elements[i]))
    keys = [(elements[i].cell, elements[i].chrom, elements[i].start) for i in order]
    for i, element in enumerate(elements):
        window = Window(element, args.bins, args.bin_bp)
        own = window.bins_of(element.start, element.end)
        dna[i, own, OWN:OWN + len(LEVELS)] = levels[i]
        dna[i, own, IS_OWN] = 1
        first = bisect.bisect_left(keys, (element.cell, element.chrom, window.low - longest))
        last = bisect.bisect_left(keys, (element.cell, element.chrom, window.high))
        for j in order[first:last]:
            covered = window.bins_of(elements[j].start, elements[j].end)
            if j == i or elements[j].end <= window.low:
                continue
            there = dna[i, covered, OTHERS:OTHERS + len(LEVELS)]
            np.maximum(there, levels[j], out=there)
            dna[i, covered, N_OTHERS] += 1
        for channel, positions in zip((STARTS, EXPRESSED, UBIQUITOUS), starts_of[element.cell]):
            dna[i, :, channel] = np.log1p(window.counts(positions))
        dna[i, :, DISTANCE] = np.abs((np.arange(args.bins) + 0.5) * 2 / args.bins - 1)
    return dna


def gene_tables(genes, cells, starts, starts_of, expressed, ubiquitous, surroundings, args):
    """RNA (genes, features): what the tables say of a gene, then a random code. Protein: a random code."""
    n = len(cells)
    rna = np.zeros((len(genes), 3 * n + 3), np.float32)
    for g, gene in enumerate(genes):
        rna[g, :n] = [gene in expressed.get(cell, ()) for cell in cells]
        rna[g, n] = gene in ubiquitous
        if gene in starts:
            chrom, start = starts[gene]
            near = (chrom, start - NEIGHBOURHOOD, start + NEIGHBOURHOOD)
            rna[g, n + 1:n + 3] = [np.log1p(len(p.between(*near))) for p in starts_of[cells[0]][:2]]
            rna[g, n + 3:] = np.ravel([surroundings[cell].features(chrom, start) for cell in cells])
    rng = np.random.default_rng(args.seed)
    codes = rng.standard_normal((2, len(genes), args.code), np.float32)
    return np.concatenate([rna, codes[0]], axis=1), codes[1]


def ranking(pairs):
    """Average precision, and precision at 70 % recall, of nearness for the label; ties share a rank."""
    known = [p for p in pairs if p.distance is not None]
    distance = np.array([p.distance for p in known])
    regulated = np.array([p.regulated for p in known], float)
    if not known or not 0 < regulated.sum():
        return None
    order = np.argsort(distance)
    ends = np.flatnonzero(np.append(np.diff(distance[order]) != 0, True))
    found = np.cumsum(regulated[order])[ends]
    precision = found / (ends + 1)
    recall = found / regulated.sum()
    return len(known), np.sum(np.diff(recall, prepend=0) * precision), precision[np.argmax(recall >= 0.7)]


def split_of(chrom, args):
    return "test" if chrom in args.test_chroms else "val" if chrom in args.val_chroms else "train"


def element_name(element, cells):
    name = f"{element.chrom}-{element.start}-{element.end}"
    return name if len(cells) == 1 else f"{name}_{element.cell}"


def report_table(pairs, counts):
    """What the table holds, and how well nearness alone ranks it."""
    print(f"rows       {counts['rows']} read; left out: {counts['invalid']} not ValidConnection, {counts['unknown']} "
          f"without effect, label or gene, {counts['repeated']} that repeat a pair (the first is kept)")
    print(f"table      {len(pairs)} pairs, {sum(p.regulated for p in pairs)} regulated, of "
          f"{len({p.element for p in pairs})} elements and {len({p.gene for p in pairs})} genes")
    nearness = ranking(pairs)
    if nearness:
        print(f"nearness   as a score of Regulated, {nearness[0]} pairs: average precision {nearness[1]:.3f}, "
              f"precision at 70 % recall {nearness[2]:.3f}")


def report_pairs(pairs, elements, genes, cells, counts, starts, expressed, args):
    """What the data set will hold."""
    print(f"kept       {len(pairs)} pairs of {len(elements)} elements and {len(genes)} genes with {args.min_pairs} "
          f"pairs or more, {sum(p.regulated for p in pairs)} regulated")
    for split in ("train", "val", "test"):
        chosen = [p for p in pairs if split_of(p.element.chrom, args) == split]
        print(f"{split:10} {len(chosen)} pairs, {sum(p.regulated for p in chosen)} regulated, "
              f"{len({p.element for p in chosen})} elements, {len({p.gene for p in chosen})} genes")
    print(f"genes      {sum(g not in starts for g in genes)} without a start in {args.genes}")
    for cell in cells:
        print(f"cell type  {cell or 'not named'}: {sum(p.element.cell == cell for p in pairs)} pairs, "
              f"{len(expressed.get(cell, ()))} expressed genes in {args.expressed}")
    if counts["no_marks"]:
        print(f"marks      not in the table, so zero: {', '.join(counts['no_marks'])}")


def make(args):
    table, counts = read_pairs(args.table, args.all_connections)
    pairs_of = collections.Counter(p.gene for p in table)
    pairs = [p for p in table if pairs_of[p.gene] >= args.min_pairs]
    if not pairs:
        raise InputError(f"--min-pairs: no gene has so many pairs (expected at most {max(pairs_of.values())}, "
                         f"got {args.min_pairs})")
    starts, expressed = read_gene_starts(args.genes), read_expressed(args.expressed)
    marks = {p.element: p.marks for p in pairs}
    elements, genes = sorted(marks), sorted({p.gene for p in pairs})
    cells = sorted({element.cell for element in elements})
    ubiquitous = {p.gene for p in pairs if p.ubiquitous}
    starts_of = {cell: [Positions(place for gene, place in starts.items() if chosen is None or gene in chosen)
                        for chosen in (None, expressed.get(cell, ()), ubiquitous)] for cell in cells}
    dna = dna_windows(elements, marks, starts_of, args)
    tested = {p.element: p.marks for p in table}
    surroundings = {cell: Surroundings(tested, cell) for cell in cells}
    rna, protein = gene_tables(genes, cells, starts, starts_of, expressed, ubiquitous, surroundings, args)

    if os.path.exists(args.out):
        raise InputError(f"{args.out}: exists; remove it, or name another folder")
    part = args.out.rstrip("/") + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    for name, array in (("dna", dna), ("rna", rna), ("protein", protein)):
        np.save(f"{part}/{name}.npy", array)
    names = {element: element_name(element, cells) for element in elements}
    lists = {
        "elements.bed": [f"{e.chrom}\t{e.start}\t{e.end}\t{names[e]}" for e in elements],
        "genes.txt": genes,
        "pairs.tsv": ["split\tenhancer\tgene\tbeta\tlabel"] +
                     [f"{split_of(p.element.chrom, args)}\t{names[p.element]}\t{p.gene}\t{p.effect}\t{p.regulated:d}"
                      for p in pairs]}
    for name, lines in lists.items():
        with open(f"{part}/{name}", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
    os.rename(part, args.out)
    report_table(table, counts)
    report_pairs(pairs, elements, genes, cells, counts, starts, expressed, args)
    print(f"arrays     DNA {dna.shape}, RNA {rna.shape}, protein {protein.shape} in {args.out}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0], allow_abbrev=False)
    parser.add_argument("--table", required=True, help="measured pairs, plain or gzip")
    parser.add_argument("--genes", required=True, help="BED of windows around gene starts, named by symbol")
    parser.add_argument("--expressed", required=True, help="table with cell_type, gene and expressed")
    parser.add_argument("--out", required=True, help="folder to make")
    parser.add_argument("--bins", type=int, default=64, help="bins of a window [64]")
    parser.add_argument("--bin-bp", type=int, default=2048, help="base pairs of a bin [2048]")
    parser.add_argument("--min-pairs", type=int, default=1, help="leave out genes with fewer pairs [1]")
    parser.add_argument("--code", type=int, default=16, help="length of a gene's random codes [16]")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random codes [1]")
    parser.add_argument("--val-chroms", default="chr3,chr7,chr12,chr20", help="chromosomes of val [%(default)s]")
    parser.add_argument("--test-chroms", default="chr1,chr8,chr9", help="chromosomes of test [%(default)s]")
    parser.add_argument("--all-connections", action="store_true", help="keep pairs whose ValidConnection is not TRUE")
    args = parser.parse_args()
    args.val_chroms, args.test_chroms = args.val_chroms.split(","), args.test_chroms.split(",")
    try:
        if args.bins < 1 or args.bin_bp < 1 or args.code < 1:
            raise InputError("--bins, --bin-bp, --code: expected at least 1")
        make(args)
    except InputError as error:
        print(f"make_arrays.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"make_arrays.py: {args.out}: cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
