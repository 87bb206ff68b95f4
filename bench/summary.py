"""What a run comes to: the time of each peer over ours, shape by shape, and the geometric means."""

import statistics

from cases import SHAPES
from engine import OURS

BEST, MEAN = "best peer", "geomean"
# A call of one step is another question than a sequence: it has no part in the means.
APART = "step"


def summaries(rows, engines):
    """One table for each mode and each of our plain layers that has others to compare with, as (mode, ours, table).

    A table is {shape: {column: (ratio of medians, ratio of minima)}}. Columns are the peers of the same cell, the
    best of them, and our GRU where the cell is another.
    """
    times = {(r["mode"], r["shape"], r["engine"]): (r["median_ms"], r["min_ms"]) for r in rows}
    plain = [e for e in engines if not e.regular]
    for mode in dict.fromkeys(r["mode"] for r in rows):
        for ours in (e for e in plain if e.program == OURS):
            others = [e for e in plain if e.program != OURS and e.cell == ours.cell]
            others += [e for e in plain if e.program == OURS and e.cell == "gru" and e is not ours]
            table = {
                s.name: ratios(times, (mode, s.name), ours, others)
                for s in SHAPES
                if (mode, s.name, ours.name) in times
            }
            if any(table.values()):
                yield mode, ours, with_means(table)


def ratios(times, where, ours, others):
    """The columns of one shape."""
    least = times[*where, ours.name]
    of = {
        e: tuple(a / b for a, b in zip(times[*where, e.name], least))
        for e in others
        if (*where, e.name) in times
    }
    of_peers = [ratio for e, ratio in of.items() if e.program != OURS]
    best = {BEST: tuple(map(min, zip(*of_peers)))} if of_peers else {}
    return {e.name: ratio for e, ratio in of.items()} | best


def with_means(table):
    """The table with the geometric means of the columns that all its shapes have."""
    shapes = [of for shape, of in table.items() if shape != APART]
    columns = [c for c in shapes[0] if all(c in of for of in shapes)] if shapes else []
    mean = {
        column: tuple(map(statistics.geometric_mean, zip(*(of[column] for of in shapes))))
        for column in columns
    }
    return table | {MEAN: mean} if mean else table


def text(mode, ours, table):
    """The table as lines."""
    columns = list(dict.fromkeys(column for of in table.values() for column in of))
    width = max(14, *map(len, columns)) + 1
    yield f"{mode}, {ours.name}: time over ours, by medians (by minima)"
    yield f"{'':8}" + "".join(f"{c:>{width}}" for c in columns)
    for shape, of in table.items():
        cells = ("{:.2f} ({:.2f})".format(*of[c]) if c in of else "" for c in columns)
        yield f"{shape:8}" + "".join(f"{c:>{width}}" for c in cells)


def rows_of(mode, ours, table):
    """What the table adds to the measured rows, in their form."""
    for shape, of in table.items():
        for column, (median, least) in of.items():
            if shape == MEAN or column == BEST:
                engine = f"{BEST}:{ours.cell}" if column == BEST else column
                yield {
                    "shape": shape, "mode": mode, "engine": engine, "this_over_ours": median,
                    "this_over_ours_by_min": least,
                }  # fmt: skip
