"""A direct (segment-wise) forecast model in plain PyTorch: the end-to-end peer of `gruvy train forecast`.

    python bench/engines/torch_forecast.py FILE.csv [flags, named as gruvy's]

FILE has a column of times, an hour apart, and a column for each series, without gaps. Of each series the last
--test-steps are tested on, the --valid-steps before them are not looked at, and all windows of context and horizon in
the rest are learned from. Series are standardised once and windows are views of them; the last value of the context is
subtracted.

    step of a segment   [z × w, missing × w, calendar, series, position]      time-major
    context             C/w steps ─> nn.GRU ─> h
    horizon             h and each of H/w positions ─> one step of the same GRU ─> dropout ─> linear [w, levels]

The calendar is sine and cosine of day and week at the segment's first step (less than two years are
learned from, so gruvy leaves the year out too); marks of missing values are zeros, as
nothing is missing, and so are values in the horizon and positions in the context. Pinball loss. Prints progress on
stderr and one JSON object with the rate of training and the errors of the test windows, standardised, on stdout.
"""

import argparse
import csv
import json
import math
from datetime import datetime
from pathlib import Path

import torch
from torch import nn
from torch_train import add_training_arguments, fit, setup


class Windows:
    """All windows of the series, and the inputs that a network has for them."""

    def __init__(self, times, y, args):
        self.context, self.horizon, self.segment = args.context, args.horizon, args.segment
        test = len(times) - args.test_steps
        train = test - args.valid_steps
        mean, std = y[:, :train].mean(1, keepdim=True), y[:, :train].std(1, correction=0, keepdim=True)
        length = self.context + self.horizon
        z = ((y - mean) / std).float()
        self.values = z.unfold(1, length, 1)  # [S, N - length + 1, length], by the first step of the context
        self.calendar = calendar(times)  # [N, K]
        self.ids = torch.eye(len(y))
        self.positions = torch.eye(self.horizon // self.segment).unsqueeze(1)  # [P, 1, P]
        self.first = torch.arange(0, length, self.segment).unsqueeze(1)  # of each segment [C/w + P, 1]
        self.train = torch.cartesian_prod(torch.arange(len(y)), torch.arange(train - length + 1))
        last = torch.arange(test - self.context, len(times) - length + 1)
        self.test = torch.cartesian_prod(torch.arange(len(y)), last)

    def batch(self, which):
        """Of windows [B, (series, first step)]: context [C/w, B, I], horizon [P, B, I], what came in it [P, B, w]."""
        series, start = which.unbind(1)
        z = self.values[series, start]
        z = z - z[:, self.context - 1 : self.context]
        z = z.unflatten(1, (-1, self.segment)).transpose(0, 1)
        seen = self.context // self.segment
        ahead = len(z) - seen
        ids = self.ids[series].expand(len(z), -1, -1)
        known = torch.cat([self.calendar[start + self.first], ids], 2)
        size = (len(which), self.segment)
        context = [z[:seen], z.new_zeros(seen, *size), known[:seen], z.new_zeros(seen, len(which), ahead)]
        position = self.positions.expand(-1, len(which), -1)
        horizon = [z.new_zeros(ahead, len(which), 2 * self.segment), known[seen:], position]
        return torch.cat(context, 2), torch.cat(horizon, 2), z[seen:]

    def input_size(self):
        return 2 * self.segment + self.calendar.size(1) + len(self.ids) + len(self.positions)


def calendar(times):
    """Sine and cosine of the place in day and week [N, 4]."""

    def phases(t):
        day = (t.hour * 60 + t.minute) / 1440
        return day, (t.weekday() + day) / 7

    angles = 2 * math.pi * torch.tensor([phases(t) for t in times], dtype=torch.float64)
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1).float()


class Forecaster(nn.Module):
    def __init__(self, input_size, args):
        super().__init__()
        between = args.dropout if args.layers > 1 else 0.0
        self.rnn = nn.GRU(input_size, args.hidden, args.layers, dropout=between)
        self.drop = nn.Dropout(args.dropout)
        self.head = nn.Linear(args.hidden, args.segment * len(args.levels))
        self.levels = len(args.levels)

    def forward(self, context, horizon):
        """Quantiles [P, B, w, levels]."""
        _, state = self.rnn(context)
        positions, batch, _ = horizon.shape
        y, _ = self.rnn(horizon.flatten(0, 1).unsqueeze(0), state.repeat(1, positions, 1))
        return self.head(self.drop(y)).view(positions, batch, -1, self.levels)


def pinball(quantiles, target, levels):
    """Twice the mean over all levels: with the median alone, the mean absolute error."""
    e = target.unsqueeze(-1) - quantiles
    return 2 * torch.maximum(levels * e, (levels - 1) * e).mean()


def train(model, windows, levels, args):
    """Trains; gives the steps taken and the seconds. Each epoch draws windows anew, each one once before any twice."""
    steps_per_epoch = -(-args.epoch_windows // args.batch)
    count = len(windows.train)
    order = None

    def loss_at(step):
        nonlocal order
        at = step % steps_per_epoch * args.batch
        if at == 0:
            rounds = -(-steps_per_epoch * args.batch // count)
            order = torch.cat([torch.randperm(count) for _ in range(rounds)])
        context, horizon, target = windows.batch(windows.train[order[at : at + args.batch]])
        return pinball(model(context, horizon), target, levels)

    steps = args.epochs * steps_per_epoch
    return steps, fit(model, args, steps, loss_at)


@torch.inference_mode()
def evaluate(model, windows, levels):
    """Mean squared and mean absolute error of the median, or the level nearest it, over all test windows.

    gruvy squares the error of the mean that the quantiles imply: the same if the median is the only level.
    """
    model.eval()
    middle = (levels - 0.5).abs().argmin()
    squares, absolute, count = 0.0, 0.0, 0
    for which in windows.test.split(1024):
        context, horizon, target = windows.batch(which)
        e = target - model(context, horizon)[..., middle]
        squares += e.square().sum().item()
        absolute += e.abs().sum().item()
        count += e.numel()
    return squares / count, absolute / count


def read(path):
    """Times and values [S, N]."""
    with path.open(newline="") as file:
        _, *rows = csv.reader(file)
    times = [datetime.fromisoformat(row[0]) for row in rows]
    y = torch.tensor([[float(v) for v in row[1:]] for row in rows], dtype=torch.float64)
    return times, y.T


def arguments():
    p = argparse.ArgumentParser(description="Trains a forecast model with PyTorch.")
    p.add_argument("file", type=Path)
    p.add_argument("--context", type=int, default=96)
    p.add_argument("--horizon", type=int, default=96)
    p.add_argument("--segment", type=int, default=24, help="a divisor of both")
    p.add_argument("--levels", type=lambda text: [float(v) for v in text.split(",")], default=[0.5])
    p.add_argument("--valid-steps", type=int, default=2880)
    p.add_argument("--test-steps", type=int, default=2880)
    p.add_argument("--epoch-windows", type=int, default=50_000)
    add_training_arguments(p)
    args = p.parse_args()
    if args.context % args.segment or args.horizon % args.segment:
        p.error("--segment: expected a divisor of --context and of --horizon")
    return args


def main():
    args = arguments()
    setup(args)
    windows = Windows(*read(args.file), args)
    levels = torch.tensor(args.levels)
    model = Forecaster(windows.input_size(), args)
    steps, seconds = train(model, windows, levels, args)
    mse, mae = evaluate(model, windows, levels)
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({
        "windows_per_s": steps * args.batch / seconds, "steps": steps, "train_s": seconds,
        "test": {"mse": mse, "mae": mae}, "parameters": parameters, "threads": args.threads,
        "torch": torch.__version__,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
