"""The whole job: `python bench/music.py [FILE.json]` trains a model of music with gruvy and with plain PyTorch."""

import json
import random
import tempfile
from pathlib import Path

from whole import STEPS, arguments, check, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults. nn.GRU has no dropout within a sequence.
SAME = {
    "--head": "joint", "--hidden": 300, "--decoder-hidden": 200, "--seq-len": 256, "--layers": 1, "--dropout": 0.5,
    "--decoder-dropout": 0.2, "--batch": 16, "--epochs": 1, "--lr": 3e-3, "--warmup": 50, "--min-lr": 0.02,
    "--weight-decay": 0.01, "--clip": 1.0, "--threads": 2, "--seed": 0,
}  # fmt: skip
ALONE = ["--input-dropout", "0", "--recurrent-dropout", "0", "--ema", "0"]


def piece(rng, steps):
    """A melody over chords, in sixteenths."""
    frames, at = [], 40
    while len(frames) < steps:
        root = rng.choice([15, 17, 20, 22])
        chord = [root, root + rng.choice([3, 4]), root + 7]
        for _ in range(4):
            at = min(max(at + rng.choice([-4, -2, -1, 0, 1, 2, 4]), 34), 60)
            frames += [sorted({*(chord if rng.random() < 0.9 else []), at})] * rng.choice([2, 2, 2, 4])
    return frames[:steps]


def rolls(counts, most):
    rng = random.Random(0)
    return json.dumps({part: [piece(rng, rng.randint(20, most)) for _ in range(count)]
                       for part, count in zip(["train", "valid", "test"], counts)})  # fmt: skip


def small(args, folder):
    """A few pieces, and flags for ten steps over them."""
    data = folder / "small.json"
    data.write_text(rolls((20, 2, 4), 300))
    flags = {flag: getattr(args, flag[2:].replace("-", "_")) for flag in SAME}
    return data, flags | {"--batch": 100, "--dropout": 0, "--decoder-dropout": 0, "--epochs": STEPS}


def main():
    args = arguments(__doc__, SAME, "piano rolls as JSON, in parts; none: made up, of the size of Nottingham's")
    with tempfile.TemporaryDirectory() as folder:
        check(args, "music", *small(args, Path(folder)), ALONE, Path(folder))

    def train(data, folder):
        peer = with_torch("torch_music", data, args.flags)
        ours = with_gruvy(args, "music", data, [*args.flags, *ALONE], folder)
        frames = peer["frames"] * args.epochs

        def row(engine, got):
            return {"engine": engine, "steps": got["steps"], "frames": frames, "train_s": got["train_s"],
                    "test_nats": got["test"]["loss"]}  # fmt: skip

        return row(f"torch {peer['torch']}", peer), row("gruvy", ours)

    compare(args, lambda: rolls((694, 2, 20), 490), "frames", train)


if __name__ == "__main__":
    main()
