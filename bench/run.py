"""The benchmark driver: `python bench/run.py`. README.md beside it says what is measured and how.

Starts each engine as a child process, gives all of them the same layer and inputs, compares their
answers with those of the first peer, then times them in turn and prints a table and a CSV file.
"""

import argparse
import csv
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).resolve().parent
OURS = "gruvy"
# Rows of the input weights and of the hidden weights, in units of H, and vectors of a state.
CELLS = {
    "gru": (3, 3, 1), "gru-v3": (3, 3, 1), "lstm": (4, 4, 2), "rnn": (1, 1, 1), "rnn-relu": (1, 1, 1),
    "mingru": (2, 0, 1),
}  # fmt: skip
REGULAR = ["dropout", "input_dropout", "recurrent_dropout", "zoneout", "weight_dropout", "layer_norm"]
ROOF_FLOP = 2 * 2048**3

# Largest difference allowed, over the largest magnitude of the tensor.
TOLERANCE = {"output": 1e-5, "grad": 1e-4}

FIELDS = [
    "date", "commit", "cpu", "threads", "command", "shape", "B", "T", "I", "H", "mode", "engine",
    "version", "calls", "median_ms", "min_ms", "gflop_per_s", "share_of_roof", "ours_over_this",
    "ours_over_this_by_min", "max_relative_difference",
]  # fmt: skip


@dataclass(frozen=True)
class Shape:
    name: str
    B: int
    T: int
    I: int  # noqa: E741
    H: int

    def flop(self, mode, cell):
        """Products only: x W_ih and h W_hh forward, twice that again for their gradients."""
        gates, hidden_gates, _ = CELLS[cell]
        forward = 2 * self.T * self.B * self.H * (gates * self.I + hidden_gates * self.H)
        return 3 * forward if mode == "train" else forward

    def case(self, cell, seed=0):
        """The layer and its inputs, as PyTorch initialises one."""
        gates, hidden_gates, states = CELLS[cell]
        rng = np.random.default_rng(seed)
        bound = self.H**-0.5

        def normal(*shape):
            return rng.standard_normal(shape, dtype=np.float32)

        def uniform(*shape):
            return (rng.random(shape, dtype=np.float32) * 2 - 1) * np.float32(bound)

        weights = {
            "weight_ih_l0": uniform(gates * self.H, self.I),
            "bias_ih_l0": uniform(gates * self.H),
        }
        if hidden_gates:
            weights["weight_hh_l0"] = uniform(hidden_gates * self.H, self.H)
            weights["bias_hh_l0"] = uniform(hidden_gates * self.H)
        return weights | {
            "x": normal(self.T, self.B, self.I),
            "h0": normal(1, self.B, states * self.H),
            "dy": normal(self.T, self.B, self.H),
        }


SHAPES = [
    Shape("series", 64, 168, 16, 64),
    Shape("small", 32, 100, 64, 128),
    Shape("charlm", 64, 128, 128, 512),
    Shape("long", 16, 1000, 32, 256),
    Shape("large", 128, 64, 1024, 1024),
    Shape("step", 1, 1, 64, 256),
]


class Engine:
    """A child process that answers one JSON line with one JSON line.

    Named PROGRAM, PROGRAM:CELL (default gru) or, ours alone, PROGRAM:CELL+REGULARISER.
    """

    def __init__(self, name, threads):
        self.name = name
        rest, _, self.regular = name.partition("+")
        self.program, _, cell = rest.partition(":")
        self.cell = cell or "gru"
        if self.program == OURS:
            command = ["cargo", "run", "--release", "--quiet", "--package", "gruvy-bench", "--"]
        else:
            command = [sys.executable, str(HERE / "engines" / f"{self.program}.py")]
        self.child = subprocess.Popen(
            [*command, str(threads), self.cell, *self.regular.split()],
            cwd=HERE, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        hello = self.receive()
        self.version, self.modes = hello["version"], hello["modes"]

    def receive(self):
        line = self.child.stdout.readline()
        if not line:
            sys.exit(f"engine {self.name} stopped with exit code {self.child.wait()}")
        return json.loads(line)

    def ask(self, **request):
        print(json.dumps(request), file=self.child.stdin)
        return self.receive()

    def seconds(self, mode, calls):
        return self.ask(op="time", mode=mode, calls=calls)["seconds"]


def differences(engines, shape, modes, folder):
    """Loads the shape; the largest difference from the cell's first peer, by engine and mode.

    Engines with a regulariser compute something else and are compared with nobody.
    """
    worst = {}
    for cell in {e.cell for e in engines}:
        save_file(shape.case(cell), folder / f"{cell}.safetensors")
    for engine in engines:
        engine.ask(op="load", file=str(folder / f"{engine.cell}.safetensors"))
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
    f"{'of roof':>8} {'ours/this':>9} {'by min':>7} {'difference':>10}"
)


def line(row):
    """A row as text."""

    def cell(key, form, width):
        return " " * width if row[key] is None else format(row[key], form)

    return (
        f"{row['shape']:8} {row['mode']:8} {row['engine']:24} {row['median_ms']:10.4f} "
        f"{row['min_ms']:10.4f} {row['gflop_per_s']:8.1f} {cell('share_of_roof', '8.0%', 8)} "
        f"{cell('ours_over_this', '9.3f', 9)} {cell('ours_over_this_by_min', '7.3f', 7)} "
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
            "ours_over_this": medians[ours] / medians[name] if ours in medians else None,
            "ours_over_this_by_min": least[ours] / least[name] if ours in least else None,
        }


def benchmark(engines, shapes, args, folder):
    """Rows as they are measured; the roof first, as the others are given as shares of it."""
    roof = None
    for shape in shapes:
        worst = differences(engines, shape, args.modes, folder)
        if shape is shapes[0]:
            samples = measure(engines, "roof", args.rounds, args.block_s)
            for row in rows_of(engines, samples, lambda _: ROOF_FLOP, None):
                roof = max(roof or 0.0, ROOF_FLOP / row["min_ms"] / 1e6)
                yield row | {"shape": "2048³", "mode": "roof", "max_relative_difference": None}
        for mode in args.modes:
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
                   help=f"{OURS} and files in engines/, each with :CELL of {list(CELLS)}, ours with "
                   f"+REGULARISER of {REGULAR} (default: %(default)s)")  # fmt: skip
    p.add_argument("--shapes", type=split, default=names, metavar="A,B", help=f"of {names}")
    p.add_argument("--modes", type=split, default=["forward", "infer", "train"], metavar="A,B")
    p.add_argument("--threads", type=int, default=2, help="for every engine (default: 2)")
    p.add_argument("--rounds", type=int, default=7, help="turns of each engine (default: 7)")
    p.add_argument("--block-s", type=float, default=0.3, help="seconds a turn (default: 0.3)")
    p.add_argument("--csv", type=Path, help="default: bench/results/DATE.csv")
    args = p.parse_args()
    cells = {e.partition("+")[0].partition(":")[2] or "gru" for e in args.engines}
    regular = {e.partition("+")[2] for e in args.engines} - {""}
    if unknown := cells - set(CELLS) | regular - set(REGULAR):
        p.error(f"unknown cells or regularisers {sorted(unknown)}")
    if unknown := set(args.shapes) - set(names):
        p.error(f"unknown shapes {sorted(unknown)}: choose from {names}")
    return args


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
    path = args.csv or HERE / "results" / f"{now.replace(':', '')[:17]}.csv"
    path.parent.mkdir(exist_ok=True, parents=True)
    shapes = [s for s in SHAPES if s.name in args.shapes]
    with tempfile.TemporaryDirectory() as folder, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        print(HEADER)
        for row in benchmark(engines, shapes, args, Path(folder)):
            print(line(row))
            writer.writerow(common | {"version": versions[row["engine"]]} | row)
    print(f"written to {path}")


if __name__ == "__main__":
    main()
