"""The whole job: `python bench/forecast.py [TABLE]` trains a forecast model with gruvy and with plain PyTorch."""

import math
import random
from datetime import datetime, timedelta

from whole import arguments, compare, with_gruvy, with_torch

# Schedule, decay and clipping are gruvy's defaults.
SAME = {
    "--context": 96, "--horizon": 96, "--segment": 24, "--levels": "0.5", "--valid-steps": 2880, "--test-steps": 2880,
    "--epoch-windows": 50_000, "--hidden": 128, "--layers": 1, "--dropout": 0.5, "--batch": 256, "--epochs": 2,
    "--lr": 1e-3, "--warmup": 50, "--min-lr": 0.02, "--weight-decay": 0.01, "--clip": 1.0, "--threads": 2, "--seed": 0,
}  # fmt: skip
# What the peer always does.
OURS = ["--freq", "h", "--output", "quantile", "--decoder", "direct", "--transform", "none", "--difference", "last",
        "--scale", "series", "--series-id", "true"]  # fmt: skip


def synthetic(steps=14_400, series=7):
    """Waves of a day, a week and a year with noise that lasts, of their own size in each series."""
    rng = random.Random(0)
    periods = (24, 168, 8766)
    waves = [[(rng.uniform(0.3, 3), rng.uniform(0, math.tau), p) for p in periods] for _ in range(series)]
    noise = [0.0] * series
    lines = ["date," + ",".join(f"s{k}" for k in range(series))]
    for t in range(steps):
        noise = [0.9 * n + rng.gauss(0, 0.4) for n in noise]
        values = (n + sum(size * math.sin(math.tau * t / p + at) for size, at, p in of)
                  for n, of in zip(noise, waves))  # fmt: skip
        time = datetime(2016, 7, 1) + timedelta(hours=t)
        lines.append(f"{time}," + ",".join(f"{v:.4f}" for v in values))
    return "\n".join(lines) + "\n"


def main():
    args = arguments(__doc__, SAME, "hourly CSV, a time and a column a series, no gaps; none: waves and noise")

    def train(table, folder):
        peer = with_torch("torch_forecast", table, args.flags)
        ours = with_gruvy(args, "forecast", table, [*args.flags, *OURS], folder)

        def row(engine, got, errors):
            return {"engine": engine, "steps": got["steps"], "windows": got["steps"] * args.batch,
                    "train_s": got["train_s"], "test_mse": errors["mse"], "test_mae": errors["mae"]}  # fmt: skip

        return row(f"torch {peer['torch']}", peer, peer["test"]), row("gruvy", ours, ours["test"])

    compare(args, synthetic, "windows", train)


if __name__ == "__main__":
    main()
