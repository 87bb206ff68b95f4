"""Whole trainings by gruvy and by plain PyTorch, one after the other: what `charlm.py`, `forecast.py`, `music.py` and
`speech/train.py` share.

The two programs of a job do the same work: data, model, batches, optimizer, number of steps and threads. Rates are of
training alone, without reading, starting, evaluating and saving. Errors on data held out say that both did the same
work; they start from different random weights.
"""

import argparse
import csv
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from engine import CARGO_RUN, HERE

# One evaluation, at the end; it is not timed.
ONCE = ["--eval-every", "1000000000", "--save-every", "1000000", "--patience", "0"]

# Steps that are checked; their losses, and nats on data held out, may differ by this share.
STEPS, TOLERANCE = 10, 1e-4


def answer(command):
    """The JSON object that a program prints."""
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(command)} stopped with exit code {done.returncode}")
    return json.loads(done.stdout)


def with_torch(program, data, flags):
    """The answer of `engines/PROGRAM.py`."""
    return answer([sys.executable, str(HERE / "engines" / f"{program}.py"), str(data), *flags])


def with_gruvy(args, task, data, flags, folder, when=ONCE):
    """The outcome of `gruvy train TASK`, which evaluates and saves `when`."""
    run = ["--out", str(folder / "run"), "--force", "--json", "--quiet"]
    return answer([*args.gruvy, "train", task, str(data), *flags, *when, *run])["outcome"]


def check(args, task, data, small, alone, folder):
    """From the same weights, and without dropout, both programs must take the same steps: `small` are the flags
    of both, `alone` those of gruvy."""

    def flags(**more):
        changed = {f"--{name}": value for name, value in more.items()}
        return [f"{flag}={value}" for flag, value in (small | changed).items()]

    program = f"torch_{task}"
    with_gruvy(args, task, data, [*flags(epochs=1, lr=1e-30), *alone], folder)
    start = folder / "start.safetensors"
    shutil.copy(folder / "run" / "model.safetensors", start)
    ours = with_gruvy(args, task, data, [*flags(), *alone], folder, ["--eval-every", "1"])
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["train"]["loss"] for line in lines]
    peer = with_torch(program, data, flags(start=start))
    model = folder / "run" / "model.safetensors"
    nats = with_torch(program, data, [*flags(start=model), "--evaluate"])["test"]["loss"]
    pairs = [*zip(losses, peer["losses"], strict=True), (ours["test"]["loss"], nats)]
    worst = max(abs(a - b) / b for a, b in pairs)
    print(f"{len(losses)} steps from the same weights: losses and nats differ by {worst:.1e} at the most")
    if worst > TOLERANCE:
        sys.exit(f"expected at most {TOLERANCE}: not the same model")


def arguments(description, same, data_help):
    """Flags of a job; `same` are those that both programs have, with their values."""
    p = argparse.ArgumentParser(description=description)
    p.add_argument("data", type=Path, nargs="?", help=data_help)
    for flag, value in same.items():
        p.add_argument(flag, type=type(value), default=value, help="(default: %(default)s)")
    p.add_argument("--rounds", type=int, default=1, help="trainings of each (default: 1)")
    p.add_argument("--gruvy", type=shlex.split, default=[*CARGO_RUN, "--package", "gruvy-cli", "--"],
                   metavar="COMMAND", help="default: built from this clone")  # fmt: skip
    p.add_argument("--csv", type=Path, help="write a row for each training there")
    args = p.parse_args()
    args.flags = [f"{flag}={getattr(args, flag[2:].replace('-', '_'))}" for flag in same]
    return args


def compare(args, synthetic, units, train):
    """Trains `--rounds` times, prints a table of the rates and their ratio, and writes `--csv`.

    `train(data, folder)` gives the row of PyTorch's training and that of ours: engine, steps, `units`
    (such as tokens), train_s and the errors. `synthetic()` is the text of a file, where none was given.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        data = args.data.resolve() if args.data else folder / "data.csv"
        if not args.data:
            data.write_text(synthetic())
        for _ in range(args.rounds):
            peer, ours = train(data, folder)
            if peer["steps"] != ours["steps"]:
                sys.exit(f"{peer['steps']} steps with PyTorch, {ours['steps']} with gruvy: not the same work")
            for row in (peer, ours):
                errors = [name for name in row if name not in ("engine", "steps", units, "train_s")]
                if not rows:
                    heads = "".join(f" {name:>13}" for name in errors)
                    print(f"{'engine':18} {'steps':>6} {'train s':>9} {units + '/s':>10}{heads}", flush=True)
                rate = row[units] / row["train_s"]
                values = "".join(f" {row[name]:13.4f}" for name in errors)
                print(f"{row['engine']:18} {row['steps']:6} {row['train_s']:9.2f} {rate:10.0f}{values}", flush=True)
                rows.append(row | {f"{units}_per_s": rate})
    theirs, ours = ([row[f"{units}_per_s"] for row in rows[part::2]] for part in (0, 1))
    by_median, by_best = statistics.median(ours) / statistics.median(theirs), max(ours) / max(theirs)
    print(f"gruvy's rate over PyTorch's: {by_median:.2f} by median, {by_best:.2f} by the fastest")
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "command"])
            writer.writeheader()
            writer.writerows(row | {"command": shlex.join(["python", *sys.argv])} for row in rows)
