"""Reads the tables of the ENCODE CRISPR benchmark: measured pairs, gene starts, expressed genes."""
import gzip
import zlib
from dataclasses import dataclass

MARKS = ("DHS", "H3K27ac", "H3K4me1", "CTCF", "H3K27me3")
REQUIRED = ("chrom", "chromStart", "chromEnd", "EffectSize", "measuredGeneSymbol", "ValidConnection", "Regulated")
UNKNOWN = ("", "NA")


class InputError(Exception):
    """A mistake in the input, on one line: FILE: FIELD: what is wrong."""


@dataclass(frozen=True, order=True)
class Element:
    """A tested element in one cell type; 0-based, half open."""
    chrom: str
    start: int
    end: int
    cell: str

    @property
    def centre(self):
        return (self.start + self.end) // 2


@dataclass
class Pair:
    element: Element
    gene: str
    effect: str  # as the table writes it
    regulated: bool
    ubiquitous: bool
    distance: float | None  # from the element to the gene's start
    marks: list  # reads per million of each of MARKS; 0 where the table has none


def read_lines(path):
    """All lines of a file, plain or gzip, without their ends."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode().splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def read_table(path, required):
    """The columns of a tab-separated table, and its rows as (place, dictionary)."""
    lines = read_lines(path)
    columns = lines[0].split("\t") if lines else []
    missing = [name for name in required if name not in columns]
    if missing:
        raise InputError(f"{path}: header: column {missing[0]} is missing")
    rows = []
    for n, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise InputError(f"{path}: line {n}: wrong number of columns "
                             f"(expected {len(columns)}, got {len(fields)})")
        rows.append((f"{path}: line {n}", dict(zip(columns, fields))))
    return columns, rows


def number(kind, row, column, place):
    """The value of a column as int or float; None where the table lacks the column or the value."""
    text = row.get(column, "")
    if text in UNKNOWN:
        return None
    try:
        value = kind(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:
        raise InputError(f"{place}, column {column}: not a finite number (got {text})")
    return value


def truth(row, column, place):
    if row[column] not in ("TRUE", "FALSE"):
        raise InputError(f"{place}, column {column}: expected TRUE or FALSE, got {row[column]}")
    return row[column] == "TRUE"


def pair_of(row, place):
    start, end = (number(int, row, column, place) for column in ("chromStart", "chromEnd"))
    if start is None or end is None or not 0 <= start < end:
        raise InputError(f"{place}, column chromEnd: expected 0 <= chromStart < chromEnd, "
                         f"got {row['chromStart']} and {row['chromEnd']}")
    if len(row["measuredGeneSymbol"].split()) != 1:
        raise InputError(f"{place}, column measuredGeneSymbol: expected one word, got {row['measuredGeneSymbol']!r}")
    return Pair(
        element=Element(row["chrom"], start, end, row.get("CellType", "")),
        gene=row["measuredGeneSymbol"],
        effect=row["EffectSize"],
        regulated=truth(row, "Regulated", place),
        ubiquitous=row.get("measuredGeneUbiquitousExpressed") == "TRUE",
        distance=number(float, row, "distanceToTSS", place),
        marks=[number(float, row, f"{mark}.RPM", place) or 0.0 for mark in MARKS])


def read_pairs(path, all_connections):
    """The pairs to use and what was counted. Of repeated pairs (cell type, coordinates, gene), the first is kept."""
    columns, rows = read_table(path, REQUIRED)
    counts = {"rows": len(rows), "invalid": 0, "unknown": 0, "repeated": 0,
              "no_marks": [mark for mark in MARKS if f"{mark}.RPM" not in columns]}
    pairs = {}
    for place, row in rows:
        if not all_connections and row["ValidConnection"] != "TRUE":
            counts["invalid"] += 1
        elif (number(float, row, "EffectSize", place) is None or row["Regulated"] in UNKNOWN
              or row["measuredGeneSymbol"] in UNKNOWN):
            counts["unknown"] += 1
        else:
            pair = pair_of(row, place)
            counts["repeated"] += (pair.element, pair.gene) in pairs
            pairs.setdefault((pair.element, pair.gene), pair)
    if not pairs:
        raise InputError(f"{path}: ValidConnection: no pair is left of {len(rows)} rows ({counts['invalid']} are not "
                         f"TRUE, {counts['unknown']} lack an effect, a label or a gene)")
    return list(pairs.values()), counts


def read_gene_starts(path):
    """Chromosome and start by symbol, from windows around gene starts (BED); of repeated symbols, the first."""
    starts = {}
    for n, line in enumerate(read_lines(path), 1):
        fields = line.split("\t")
        if not line or line.startswith("#"):
            continue
        if len(fields) < 4 or not (fields[1].isdigit() and fields[2].isdigit()):
            raise InputError(f"{path}: line {n}: expected chromosome, start, end and gene, separated by tabs")
        starts.setdefault(fields[3], (fields[0], (int(fields[1]) + int(fields[2])) // 2))
    if not starts:
        raise InputError(f"{path}: no gene in it")
    return starts


def read_expressed(path):
    """The symbols of the expressed genes by cell type."""
    _, rows = read_table(path, ("cell_type", "gene", "expressed"))
    expressed = {}
    for place, row in rows:
        if truth(row, "expressed", place):
            expressed.setdefault(row["cell_type"], set()).add(row["gene"])
    return expressed
