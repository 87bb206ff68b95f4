"""The memory of one training step: `python bench/memory.py`. README.md says what is measured.

A fresh process for every engine and every length; prints a table, writes a CSV file on request.
"""

import argparse
import csv
import math
import tempfile
from dataclasses import replace
from pathlib import Path

from cases import SHAPES, Shape, write
from engine import Engine

LONG = next(s for s in SHAPES if s.name == "long")


def peak(name, shape, threads):
    """Bytes that a training step needs beyond the layer and its inputs."""
    engine = Engine(name, threads)
    with tempfile.TemporaryDirectory() as folder:
        # The code of a training step, and what a library sets up for the first, is not counted.
        engine.ask(op="load", file=str(write(replace(shape, T=2), engine, Path(folder))))
        engine.seconds("train", 1)
        engine.ask(op="load", file=str(write(shape, engine, Path(folder))))
        size = engine.ask(op="peak", mode="train")["bytes"]
    engine.close()
    return size


def arguments():
    split = lambda text: text.split(",")  # noqa: E731
    p = argparse.ArgumentParser(description="Memory of one training step, by length.")
    p.add_argument("--engines", type=split, default=["gruvy", "torch_rnn"], metavar="A,B",
                   help="as run.py has them, ours and those in engines/ (default: %(default)s)")  # fmt: skip
    p.add_argument("--lengths", type=lambda text: [int(t) for t in text.split(",")], metavar="T,T",
                   default=[LONG.T, 1024, 4096, 16384], help="steps (default: %(default)s)")  # fmt: skip
    p.add_argument("--threads", type=int, default=2, help="for every engine (default: 2)")
    p.add_argument("--csv", type=Path, help="write the table there too")
    return p.parse_args()


def main():
    args = arguments()
    print(f"MiB beyond layer and inputs; B {LONG.B}, I {LONG.I}, H {LONG.H}, {args.threads} threads")
    print(f"{'T':>6}" + "".join(f"{name:>18}" for name in args.engines), flush=True)
    rows = []
    for steps in args.lengths:
        shape = Shape("long", LONG.B, steps, LONG.I, LONG.H)
        sizes = {name: peak(name, shape, args.threads) for name in args.engines}
        print(f"{steps:6}" + "".join(f"{size / 2**20:18.1f}" for size in sizes.values()), flush=True)
        rows += [{"T": steps, "engine": name, "bytes": size} for name, size in sizes.items()]
    first, last = args.lengths[0], args.lengths[-1]
    if first < last:
        print(f"grows as T to the power of, from {first} to {last}:")
        of = {(row["engine"], row["T"]): row["bytes"] for row in rows}
        growth = [math.log(of[e, last] / of[e, first], last / first) for e in args.engines]
        print(" " * 6 + "".join(f"{power:18.2f}" for power in growth))
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["T", "engine", "bytes"])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
