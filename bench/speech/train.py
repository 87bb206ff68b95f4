"""The whole job: `python bench/speech/train.py` trains a model of speech with gruvy and with plain PyTorch."""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))
from whole import STEPS, arguments, check, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults.
SAME = {
    "--hidden": 128, "--layers": 1, "--dropout": 0.0, "--batch": 16, "--epochs": 1, "--lr": 3e-3, "--warmup": 50,
    "--min-lr": 0.02, "--weight-decay": 0.01, "--clip": 1.0, "--threads": 2, "--seed": 0,
}  # fmt: skip
ALONE = ["--unit", "word", "--repeats", "1", "--silence", "0", "--ema", "0", "--split", "100/0/0"]
TRAIN, TEST = 1000, 100
# Three frames of 40 values a step, 100 to 200 steps, 3 to 8 of 10 words.
WIDTH, LONGEST, WORDS = 120, 200, 10


def sequences(count, seed):
    """Noise, on which a word is a pattern for 4 to 12 steps."""
    patterns = np.random.default_rng(0).standard_normal((WORDS, WIDTH))
    rng = np.random.default_rng(seed)
    lengths = rng.integers(LONGEST // 2, LONGEST + 1, count)
    x, y = np.zeros((count, LONGEST, WIDTH), np.float32), []
    for item, length in enumerate(lengths):
        x[item, :length] = rng.standard_normal((length, WIDTH))
        words = rng.integers(WORDS, size=rng.integers(3, 9))
        for at, word in zip(np.arange(len(words)) * length // len(words), words):
            x[item, at : at + rng.integers(4, 13)] += patterns[word]
        x[item, length:] = 0
        y.append(" ".join(f"w{word}" for word in words))
    return {"x": x, "lengths": lengths, "y": np.array(y)}


def divide(data, folder, counts):
    """Files to train and to test on: the last of the sequences, or made-up ones."""
    all = dict(np.load(data)) if data else sequences(sum(counts), 1)
    files = folder / "train.npz", folder / "test.npz"
    for file, part in zip(files, [slice(None, -counts[1]), slice(-counts[1], None)]):
        np.savez(file, **{name: all[name][part] for name in ("x", "lengths", "y")})
    return files


def small(args, folder):
    """A few sequences, and flags for ten steps over them."""
    learn, test = divide(None, folder, (60, 20))
    flags = {flag: getattr(args, flag[2:].replace("-", "_")) for flag in SAME}
    return learn, flags | {"--batch": 100, "--dropout": 0, "--epochs": STEPS, "--test": test}


def main():
    args = arguments(__doc__, SAME, f"x, lengths and y as .npz, the last {TEST} to test on; none: made up")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        check(args, "speech", *small(args, folder), ALONE, folder)
        learn, test = divide(args.data, folder, (TRAIN, TEST))
        args.data = learn
        print(f"load {os.getloadavg()[0]:.1f}")

        def train(_, folder):
            flags = [*args.flags, f"--test={test}"]
            peer = with_torch("torch_speech", learn, flags)
            ours = with_gruvy(args, "speech", learn, [*flags, *ALONE], folder)

            def row(engine, got):
                return {"engine": engine, "steps": got["steps"], "items": peer["items"] * args.epochs,
                        "train_s": got["train_s"], "test_nats": got["test"]["loss"]}  # fmt: skip

            return row(f"torch {peer['torch']} {peer['isa']}", peer), row("gruvy", ours)

        compare(args, None, "items", train)


if __name__ == "__main__":
    main()
