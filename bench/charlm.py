"""The whole job: `python bench/charlm.py [TEXT]` trains a character model with gruvy and with plain PyTorch."""

import random
import string

from whole import arguments, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults.
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


def main():
    args = arguments(__doc__, SAME, "a text file; none: a made-up language")

    def train(text, folder):
        peer = with_torch("torch_charlm", text, [*args.flags, "--train", "90"])
        ours = with_gruvy(args, "text", text, [*args.flags, "--split", "90/10/0"], folder)
        tokens = peer["train_tokens"]

        def row(engine, got, nats):
            return {"engine": engine, "steps": got["steps"], "tokens": tokens, "train_s": got["train_s"],
                    "valid_nats": nats}  # fmt: skip

        return (row(f"torch {peer['torch']}", peer, peer["valid_nats"]),
                row("gruvy", ours, ours["valid"]["loss"]))  # fmt: skip

    compare(args, synthetic, "tokens", train)


if __name__ == "__main__":
    main()
