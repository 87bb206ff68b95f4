"""The benchmark driver: `python bench/run.py`. README.md beside it says what is measured and how.

Starts each engine as a child process, gives all of them the same layer and inputs, compares their
answers with those of the first peer, then times them in turn; prints tables and writes a CSV file.
"""

import argparse
import csv
import datetime
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import summary
from cases import CELLS, SHAPES, write
from engine import HERE, OURS, REGULAR, RUST, Engine
from safetensors.numpy import load_file

# What `--engines all` stands for.
ALL = [
    OURS, "torch_rnn", "jax_rnn", "onnxruntime_rnn", "rten", "tract", "burn",
    "gruvy:lstm", "torch_rnn:lstm", "jax_rnn:lstm", "onnxruntime_rnn:lstm", "rten:lstm", "tract:lstm",
    "gruvy:rnn", "torch_rnn:rnn", "gruvy:mingru",
]  # fmt: skip
# The largest product, measured in any case.
ROOF = "roof"
ROOF_FLOP = 2 * 2048**3

MODES = ["forward", "infer", "train"]

# Largest difference allowed, over the largest magnitude of the tensor.
TOLERANCE = {"output": 1e-5, "grad": 1e-4}

FIELDS = [
    "date", "commit", "cpu", "threads", "command", "shape", "B", "T", "I", "H", "mode", "engine",
    "version", "calls", "median_ms", "min_ms", "gflop_per_s", "share_of_roof", "this_over_ours",
    "this_over_ours_by_min", "max_relative_difference",
]  # fmt: skip


def differences(engines, shape, modes, folder):
    """Loads the shape; the largest difference from the cell's first peer, by engine and mode.

    Engines with a regulariser compute something else and are compared with nobody.
    """
    worst = {}
    for engine in engines:
        engine.ask(op="load", file=str(write(shape, engine, folder)))
    for mode in modes:
        answers = {}
        for engine in engines:
            if mode in engine.modes and not engine.regular:
                path = str(folder / "answer.safetensors")
                engine.ask(op="answer", mode=mode, file=path)
                answers[engine] = load_file(path)
        for engine, got in answers.items():
            peers = [e for e in answers if e.cell == engine.cell]
            reference = next((e for e in peers if e.program != OURS), peers[0])
            worst[engine.name, mode] = compare(shape, mode, engine.name, got, answers[reference])
    return worst


def compare(shape, mode, name, got, want):
    if got.keys() != want.keys():
        sys.exit(f"{shape.name} {mode}: {name} answers {sorted(got)}, expected {sorted(want)}")
    worst = 0.0
    for key, w in want.items():
        error = float(np.abs(got[key] - w).max() / np.abs(w).max())
        if not error <= TOLERANCE[key.split(".")[0]]:
            sys.exit(f"{shape.name} {mode}: {name}'s {key} is off by {error:.2e}; nothing timed")
        worst = max(worst, error)
    return worst


def measure(engines, mode, rounds, block_s):
    """Seconds of every call, by engine: blocks of calls, the engines taking turns each round."""
    engines = [e for e in engines if mode in e.modes]
    calls = {}
    for engine in engines:  # also the warm-up
        once = statistics.median(engine.seconds(mode, 3))
        calls[engine.name] = min(max(round(block_s / once), 1), 10_000)
    samples = {e.name: [] for e in engines}
    for _ in range(rounds):
        for engine in engines:
            time.sleep(0.02)  # the other's threads stop spinning
            engine.seconds(mode, 1)
            samples[engine.name] += engine.seconds(mode, calls[engine.name])
    return samples


def cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def commit():
    describe = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(describe, cwd=HERE, capture_output=True, text=True)
    return done.stdout.strip()


HEADER = (
    f"{'shape':8} {'mode':8} {'engine':24} {'median ms':>10} {'min ms':>10} {'GFLOP/s':>8} "
    f"{'of roof':>8} {'this/ours':>9} {'by min':>7} {'difference':>10}"
)


def line(row):
    """A row as text."""

    def cell(key, form, width):
        return " " * width if row[key] is None else format(row[key], form)

    return (
        f"{row['shape']:8} {row['mode']:8} {row['engine']:24} {row['median_ms']:10.4f} "
        f"{row['min_ms']:10.4f} {row['gflop_per_s']:8.1f} {cell('share_of_roof', '8.0%', 8)} "
        f"{cell('this_over_ours', '9.3f', 9)} {cell('this_over_ours_by_min', '7.3f', 7)} "
        f"{cell('max_relative_difference', '10.1e', 10)}"
    )


def rows_of(engines, samples, flop, roof):
    """Statistics of one shape and mode, one row per engine; ours is our plain layer of the same cell."""
    medians = {name: statistics.median(s) for name, s in samples.items()}
    least = {name: min(s) for name, s in samples.items()}
    plain = {e.cell: e.name for e in engines if e.program == OURS and not e.regular}
    for engine in engines:
        name = engine.name
        if name not in samples:
            continue
        seconds, ours = samples[name], plain.get(engine.cell)
        rate = flop(engine.cell) / medians[name] / 1e9
        yield {
            "engine": name,
            "calls": len(seconds),
            "median_ms": medians[name] * 1e3,
            "min_ms": least[name] * 1e3,
            "gflop_per_s": rate,
            "share_of_roof": rate / roof if roof else None,
            "this_over_ours": medians[name] / medians[ours] if ours in medians else None,
            "this_over_ours_by_min": least[name] / least[ours] if ours in least else None,
        }


def benchmark(engines, shapes, args, folder):
    """Rows as they are measured; the roof first, as the others are given as shares of it."""
    roof = None
    for shape in shapes:
        modes = [mode for mode in args.modes if mode != ROOF]
        worst = differences(engines, shape, modes, folder)
        if shape is shapes[0]:
            once = {e.program: e for e in reversed(engines)}.values()  # one of each program
            samples = measure(once, ROOF, args.rounds, args.block_s)
            for row in rows_of(engines, samples, lambda _: ROOF_FLOP, None):
                roof = max(roof or 0.0, ROOF_FLOP / row["min_ms"] / 1e6)
                yield row | {"shape": "2048³", "mode": ROOF, "max_relative_difference": None}
        for mode in modes:
            samples = measure(engines, mode, args.rounds, args.block_s)
            for row in rows_of(engines, samples, lambda cell: shape.flop(mode, cell), roof):
                error = {"max_relative_difference": worst.get((row["engine"], mode))}
                sizes = {k: getattr(shape, k) for k in "BTIH"}
                yield row | {"shape": shape.name, "mode": mode} | sizes | error


def arguments():
    names = [s.name for s in SHAPES]
    split = lambda text: text.split(",")  # noqa: E731
    p = argparse.ArgumentParser(description="Times recurrent layers: ours and its peers, in turn.")
    p.add_argument("--engines", type=split, default=[OURS, "torch_rnn"], metavar="A,B",
                   help=f"{OURS}, files in engines/ and {RUST}, each with :CELL of {list(CELLS)}, ours with "
                   f"+REGULARISER of {REGULAR}; all: what a record has (default: %(default)s)")  # fmt: skip
    p.add_argument("--shapes", type=split, default=names, metavar="A,B", help=f"of {names}")
    p.add_argument("--modes", type=split, default=MODES, metavar="A,B",
                   help=f"of {MODES}; {ROOF}, the largest product, is measured in any case")  # fmt: skip
    p.add_argument("--threads", type=int, default=2, help="for every engine (default: 2)")
    p.add_argument("--rounds", type=int, default=7, help="turns of each engine (default: 7)")
    p.add_argument("--block-s", type=float, default=0.3, help="seconds a turn (default: 0.3)")
    p.add_argument("--csv", type=Path, help="default: bench/results/DATE.csv")
    p.add_argument("--record", action="store_true", help="write to bench/record/DATE-cpu.csv")
    args = p.parse_args()
    if args.engines == ["all"]:
        args.engines = ALL
    cells = {e.partition("+")[0].partition(":")[2] or "gru" for e in args.engines}
    regular = {e.partition("+")[2] for e in args.engines} - {""}
    if unknown := cells - set(CELLS) | regular - set(REGULAR):
        p.error(f"unknown cells or regularisers {sorted(unknown)}")
    if unknown := set(args.modes) - {*MODES, ROOF}:
        p.error(f"unknown modes {sorted(unknown)}: choose from {[*MODES, ROOF]}")
    if unknown := set(args.shapes) - set(names):
        p.error(f"unknown shapes {sorted(unknown)}: choose from {names}")
    return args


def destination(args, now):
    """Where the rows go."""
    if args.record:
        return HERE / "record" / f"{now[:10]}-cpu.csv"
    return args.csv or HERE / "results" / f"{now.replace(':', '')[:17]}.csv"


def main():
    sys.stdout.reconfigure(line_buffering=True)
    args = arguments()
    engines = [Engine(name, args.threads) for name in args.engines]
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    common = {"date": now, "commit": commit(), "cpu": cpu_model(), "threads": args.threads,
              "command": shlex.join(["python", *sys.argv])}  # fmt: skip
    print(f"{common['cpu']}, {args.threads} threads")
    print(", ".join(f"{e.name} {e.version}" for e in engines))
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"Others use this machine (load {load:.1f}): trust the minima more than the medians.")
    versions = {e.name: e.version for e in engines}
    path = destination(args, now)
    path.parent.mkdir(exist_ok=True, parents=True)
    shapes = [s for s in SHAPES if s.name in args.shapes]
    with tempfile.TemporaryDirectory() as folder, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        print(HEADER)
        rows = []
        for row in benchmark(engines, shapes, args, Path(folder)):
            print(line(row))
            writer.writerow(common | {"version": versions[row["engine"]]} | row)
            rows.append(row)
        for mode, ours, table in summary.summaries(rows, engines):
            print("", *summary.text(mode, ours, table), sep="\n")
            writer.writerows(common | row for row in summary.rows_of(mode, ours, table))
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
