"""The whole job: `python bench/charlm.py [TEXT]` trains a character model with gruvy and with plain PyTorch.

The same text, model, batches, optimizer, number of tokens and threads, one after the other. Rates are of
training alone: without reading the text, starting, evaluating and saving. The losses on held-out text say that both did
the same work; they start from different random weights.
"""

import argparse
import csv
import json
import random
import shlex
import statistics
import string
import subprocess
import sys
import tempfile
from pathlib import Path

from engine import CARGO_RUN, HERE

TORCH = [sys.executable, str(HERE / "engines" / "torch_charlm.py")]
# Both programs have these flags, and are given the same values. Schedule, decay and clipping are gruvy's defaults.
SAME = {
    "--embed": 128, "--hidden": 512, "--layers": 1, "--dropout": 0.0, "--batch": 64, "--seq-len": 128,
    "--epochs": 1, "--lr": 2e-3, "--warmup": 50, "--min-lr": 0.02, "--weight-decay": 0.01, "--clip": 1.0,
    "--threads": 2, "--seed": 0,
}  # fmt: skip


def synthetic(characters=1_000_000):
    """Words of a made-up language, the frequent ones short."""
    rng = random.Random(0)
    letters = string.ascii_lowercase
    words = ["".join(rng.choices(letters, k=2 + n // 200)) for n in range(2000)]
    weights = [1 / (n + 1) for n in range(2000)]
    text = ""
    while len(text) < characters:
        text += " ".join(rng.choices(words, weights, k=rng.randint(4, 12))).capitalize() + ".\n"
    return text[:characters]


def answer(command):
    """The JSON object that a program prints."""
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(command)} stopped with exit code {done.returncode}")
    return json.loads(done.stdout)


def with_torch(text, flags):
    got = answer([*TORCH, str(text), *flags, "--train", "90"])
    return {"engine": f"torch {got['torch']}", "steps": got["steps"], "tokens": got["train_tokens"],
            "train_s": got["train_s"], "valid_nats": got["valid_nats"]}  # fmt: skip


def with_gruvy(gruvy, text, flags, folder):
    # One evaluation, at the end; it is not timed.
    once = ["--split", "90/10/0", "--eval-every", "1000000000", "--save-every", "1000000", "--patience", "0"]
    run = ["--out", str(folder / "run"), "--force", "--json", "--quiet"]
    got = answer([*gruvy, "train", "text", str(text), *flags, *once, *run])["outcome"]
    return {"engine": "gruvy", "steps": got["steps"], "train_s": got["train_s"],
            "valid_nats": got["valid"]["loss"]}  # fmt: skip


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("text", type=Path, nargs="?", help="a text file; none: a made-up language")
    for flag, value in SAME.items():
        p.add_argument(flag, type=type(value), default=value, help="(default: %(default)s)")
    p.add_argument("--rounds", type=int, default=1, help="trainings of each (default: 1)")
    p.add_argument("--gruvy", type=shlex.split, default=[*CARGO_RUN, "--package", "gruvy-cli", "--"],
                   metavar="COMMAND", help="default: built from this clone")  # fmt: skip
    p.add_argument("--csv", type=Path, help="write a row for each training there")
    return p.parse_args()


def main():
    args = arguments()
    flags = [f"{flag}={getattr(args, flag[2:].replace('-', '_'))}" for flag in SAME]
    rows = []
    print(f"{'engine':18} {'steps':>6} {'train s':>9} {'tokens/s':>9} {'nats held out':>14}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        text = args.text.resolve() if args.text else folder / "text.txt"
        if not args.text:
            text.write_text(synthetic())
        for _ in range(args.rounds):
            peer, ours = with_torch(text, flags), with_gruvy(args.gruvy, text, flags, folder)
            if peer["steps"] != ours["steps"]:
                sys.exit(f"{peer['steps']} steps with PyTorch, {ours['steps']} with gruvy: not the same work")
            for row in (peer, ours | {"tokens": peer["tokens"]}):
                row["tokens_per_s"] = row["tokens"] / row["train_s"]
                print(f"{row['engine']:18} {row['steps']:6} {row['train_s']:9.1f} "
                      f"{row['tokens_per_s']:9.0f} {row['valid_nats']:14.4f}", flush=True)  # fmt: skip
                rows.append(row)
    theirs, ours = ([r["tokens_per_s"] for r in rows[part::2]] for part in (0, 1))
    print(f"gruvy's rate over PyTorch's: {statistics.median(ours) / statistics.median(theirs):.2f}")
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "command"])
            writer.writeheader()
            writer.writerows(row | {"command": shlex.join(["python", *sys.argv])} for row in rows)


if __name__ == "__main__":
    main()
