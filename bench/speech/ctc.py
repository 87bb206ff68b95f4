"""CTC alone: `python bench/speech/ctc.py` times the loss and its gradient by gruvy and by PyTorch, from logits on.

Both are compared with PyTorch in float64 first. Then they take turns.
"""

import argparse
import csv
import os
import shlex
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

sys.path.append(str(Path(__file__).resolve().parents[1]))
from engine import Engine
from run import cpu_model, measure

OURS, PEER, EXACT = "gruvy:ctc", "torch_ctc:float32", "torch_ctc:float64"
# Largest errors allowed: of losses as a share, of gradients where probabilities lie between 0 and 1.
# PyTorch's gradients are told and not judged: in float32 they lose digits with the length.
TOLERANCE = {"loss": 1e-5, "grad.logits": 5e-4}


@dataclass(frozen=True)
class Shape:
    name: str
    B: int
    V: int
    # Least and most of a sequence.
    steps: tuple[int, int]
    labels: tuple[int, int]

    def write(self, file):
        """Logits exact in float32; `long` is the case of that name in `testdata/ctc`."""
        between = lambda ends: np.linspace(*ends, self.B).astype(np.int64)  # noqa: E731
        lengths, counts = between(self.steps[::-1]), between(self.labels[::-1])
        i = np.arange(lengths.max() * self.B * self.V)
        logits = ((i + 3) * 7919 % 2003 - 1001).astype(np.float32) / 256
        labels = np.concatenate([1 + np.arange(count) ** 2 % (self.V - 1) for count in counts])
        logits = logits.reshape(-1, self.B, self.V)
        save_file({"logits": logits, "labels": labels, "lengths": lengths, "label_counts": counts}, file)


SHAPES = [
    Shape("digits", 16, 11, (100, 200), (3, 8)),
    Shape("letters", 16, 29, (300, 500), (60, 90)),
    Shape("pieces", 16, 500, (300, 500), (30, 50)),
    Shape("long", 1, 7, (10_000, 10_000), (500, 500)),
]


def errors(shape, engines, folder):
    """Of each engine's losses and gradient, against the last engine's."""
    case, file = folder / "case.safetensors", str(folder / "answer.safetensors")
    shape.write(case)
    answers = []
    for engine in engines:
        engine.ask(op="load", file=str(case))
        engine.ask(op="answer", mode="train", file=file)
        answers.append(load_file(file))
    exact, found = answers[-1], {}
    for engine, got in zip(engines[:-1], answers):
        off = {name: np.abs(got[name] - exact[name]) for name in TOLERANCE}
        off["loss"] = off["loss"] / np.maximum(exact["loss"], 1)
        worst = {name: float(values.max()) for name, values in off.items()}
        judged = TOLERANCE if engine.name == OURS else ["loss"]
        if any(not worst[name] <= TOLERANCE[name] for name in judged):
            sys.exit(f"{shape.name}: {engine.name} is off by {worst}; nothing timed")
        found[engine.name] = worst
    return found


def arguments():
    names = [shape.name for shape in SHAPES]
    p = argparse.ArgumentParser(description="Times CTC losses: ours and PyTorch's, in turn.")
    p.add_argument("--shapes", type=lambda text: text.split(","), default=names, metavar="A,B", help=f"of {names}")
    p.add_argument("--threads", type=int, default=2, help="for both (default: 2)")
    p.add_argument("--rounds", type=int, default=7, help="turns of each (default: 7)")
    p.add_argument("--block-s", type=float, default=0.3, help="seconds a turn (default: 0.3)")
    p.add_argument("--csv", type=Path, help="write a row for each measurement there")
    args = p.parse_args()
    if unknown := set(args.shapes) - set(names):
        p.error(f"unknown shapes {sorted(unknown)}: choose from {names}")
    return args


def main():
    sys.stdout.reconfigure(line_buffering=True)
    args = arguments()
    *timed, exact = [Engine(name, args.threads) for name in (OURS, PEER, EXACT)]
    print(f"{cpu_model()}, {args.threads} threads, load {os.getloadavg()[0]:.1f}")
    print(", ".join(f"{e.name} {e.version}" for e in timed))
    print(f"{'shape':8} {'mode':8} {'engine':18} {'median ms':>10} {'min ms':>10} {'this/ours':>9} {'by min':>7} "
          f"{'loss off':>9} {'grad off':>9}")  # fmt: skip
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in (s for s in SHAPES if s.name in args.shapes):
            off = errors(shape, [*timed, exact], Path(folder))
            for mode in ("forward", "train"):
                samples = measure(timed, mode, args.rounds, args.block_s)
                ours = samples[OURS]
                for name, took in samples.items():
                    row = {"shape": shape.name, "mode": mode, "engine": name, "calls": len(took),
                           "median_ms": 1e3 * statistics.median(took), "min_ms": 1e3 * min(took),
                           "this_over_ours": statistics.median(took) / statistics.median(ours),
                           "this_over_ours_by_min": min(took) / min(ours),
                           "loss_off": off[name]["loss"], "gradient_off": off[name]["grad.logits"]}  # fmt: skip
                    rows.append(row)
                    print(f"{shape.name:8} {mode:8} {name:18} {row['median_ms']:10.3f} {row['min_ms']:10.3f} "
                          f"{row['this_over_ours']:9.2f} {row['this_over_ours_by_min']:7.2f} "
                          f"{row['loss_off']:9.1e} {row['gradient_off']:9.1e}")  # fmt: skip
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "command"])
            writer.writeheader()
            writer.writerows(row | {"command": shlex.join(["python", *sys.argv])} for row in rows)


if __name__ == "__main__":
    main()
