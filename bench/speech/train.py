"""The whole job: `python bench/speech/train.py` trains a model of speech with gruvy and with plain PyTorch."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))
from whole import arguments, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults.
SAME = {
    "--hidden": 128, "--layers": 1, "--dropout": 0.0, "--batch": 16, "--epochs": 1, "--lr": 3e-3, "--warmup": 50,
    "--min-lr": 0.02, "--weight-decay": 0.01, "--clip": 1.0, "--threads": 2, "--seed": 0,
}  # fmt: skip
ALONE = ["--unit", "word", "--repeats", "1", "--silence", "0", "--ema", "0"]
# Losses of the steps that are checked, and nats a label, may differ by this share.
TOLERANCE = 1e-4
STEPS = 10
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


def check(args, folder):
    """From the same weights both programs must take the same steps."""
    learn, test = divide(None, folder, (60, 20))
    small = {flag: getattr(args, flag[2:].replace("-", "_")) for flag in SAME}
    small |= {"--batch": 100, "--dropout": 0, "--epochs": STEPS}

    def flags(**more):
        changed = {f"--{name}": value for name, value in more.items()}
        return [f"{flag}={value}" for flag, value in (small | changed | {"--test": test}).items()]

    alone = [*ALONE, "--split", "100/0/0"]
    with_gruvy(args, "speech", learn, [*flags(epochs=1, lr=1e-30), *alone], folder)
    start = folder / "start.safetensors"
    shutil.copy(folder / "run" / "model.safetensors", start)
    ours = with_gruvy(args, "speech", learn, [*flags(), *alone], folder, ["--eval-every", "1"])
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["train"]["loss"] for line in lines]
    peer = with_torch("torch_speech", learn, flags(start=start))
    model = folder / "run" / "model.safetensors"
    nats = with_torch("torch_speech", learn, [*flags(start=model), "--evaluate"])["test"]["loss"]
    pairs = [*zip(losses, peer["losses"], strict=True), (ours["test"]["loss"], nats)]
    worst = max(abs(a - b) / b for a, b in pairs)
    print(f"{len(losses)} steps from the same weights: losses and nats differ by {worst:.1e} at the most")
    if worst > TOLERANCE:
        sys.exit(f"expected at most {TOLERANCE}: not the same model")


def main():
    args = arguments(__doc__, SAME, f"x, lengths and y as .npz, the last {TEST} to test on; none: made up")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        check(args, folder)
        learn, test = divide(args.data, folder, (TRAIN, TEST))
        args.data = learn
        print(f"load {os.getloadavg()[0]:.1f}")

        def train(_, folder):
            flags = [*args.flags, f"--test={test}"]
            peer = with_torch("torch_speech", learn, flags)
            ours = with_gruvy(args, "speech", learn, [*flags, *ALONE, "--split", "100/0/0"], folder)

            def row(engine, got):
                return {"engine": engine, "steps": got["steps"], "items": peer["items"] * args.epochs,
                        "train_s": got["train_s"], "test_nats": got["test"]["loss"]}  # fmt: skip

            return row(f"torch {peer['torch']} {peer['isa']}", peer), row("gruvy", ours)

        compare(args, None, "items", train)


if __name__ == "__main__":
    main()
