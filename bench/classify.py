"""The whole job: `python bench/classify.py [FILE.tsv]` trains a text classifier with gruvy and with plain PyTorch."""

import random

from whole import arguments, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults.
SAME = {
    "--vocab-size": 20_000, "--embed": 128, "--max-len": 400, "--word-dropout": 0.1, "--hidden": 128, "--layers": 1,
    "--dropout": 0.5, "--batch": 32, "--epochs": 1, "--lr": 2e-3, "--warmup": 50, "--min-lr": 0.02,
    "--weight-decay": 0.01, "--clip": 1.0, "--threads": 2, "--seed": 0,
}  # fmt: skip
# Words with blanks between them, so that both programs see the same ones.
TRAIN, TEST = 25_000, 1000
WORDS, LENGTH = 30_000, 250


def synthetic():
    """Documents of 250 words in the mean (50 to 450), as frequent as Zipf has it. A few words lean to a label: which
    label a document has is which of them are more."""
    rng = random.Random(0)
    words = [f"w{i}" for i in range(WORDS)]
    frequency = [1 / (rank + 10) for rank in range(WORDS)]
    leaning = [set(range(300, 3000, 9)), set(range(304, 3000, 9))]
    lines = []
    for item in range(TRAIN + TEST):
        label = item % 2
        text = rng.choices(range(WORDS), frequency, k=rng.randint(50, 2 * LENGTH - 50))
        text = [word - 4 * (word in leaning[1 - label] and rng.random() < 0.25) for word in text]
        lines.append(" ".join(words[word] for word in text) + f"\t{label}")
    return "\n".join(lines) + "\n"


def main():
    args = arguments(__doc__, SAME, "a text and a label a line, with a tab between them, the last 1,000 to test on; none: made up")

    def train(file, folder):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        learn, test = folder / "train.tsv", folder / "test.tsv"
        learn.write_text("".join(lines[:-TEST]), encoding="utf-8")
        test.write_text("".join(lines[-TEST:]), encoding="utf-8")
        peer = with_torch("torch_classify", file, [*args.flags, f"--test-items={TEST}"])
        alone = ["--split", "100/0/0", "--test", str(test), "--pool", "max", "--header", "false",
                 "--label-smoothing", "0", "--ema", "0"]  # fmt: skip
        ours = with_gruvy(args, "classify", learn, [*args.flags, *alone], folder)

        def row(engine, got, errors):
            return {"engine": engine, "steps": got["steps"], "items": peer["items"] * args.epochs,
                    "train_s": got["train_s"], "test_loss": errors["loss"], "test_accuracy": errors["accuracy"]}  # fmt: skip

        return row(f"torch {peer['torch']}", peer, peer["test"]), row("gruvy", ours, ours["test"])

    compare(args, synthetic, "items", train)


if __name__ == "__main__":
    main()
