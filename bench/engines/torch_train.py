"""The training loop that the end-to-end peers in PyTorch share, by the rules of gruvy's own: AdamW whose decay spares
biases, linear warm-up over a tenth of the steps at most, cosine schedule, clipping by the global norm."""

import math
import sys
import time

import torch
from torch import nn

# Batches whose items are sorted by length together.
POOL = 50


def rate(args, step, steps):
    """The learning rate at a step, as a share of --lr."""
    warmup = min(args.warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    done = min((step - warmup) / max(steps - 1 - warmup, 1), 1.0)
    return args.min_lr + (1 - args.min_lr) * (1 + math.cos(math.pi * done)) / 2


def optimizer_of(model, args):
    biases = [p for p in model.parameters() if p.dim() < 2]
    matrices = [p for p in model.parameters() if p.dim() > 1]
    groups = [{"params": matrices}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=args.lr, weight_decay=args.weight_decay, fused=True)


def epoch(lengths, batch):
    """Batches of items, as indices, each from its longest item to its shortest."""
    order = torch.randperm(len(lengths))
    batches = []
    for pool in order.split(batch * POOL):
        pool = pool[lengths[pool].argsort(descending=True)]
        batches.extend(pool.split(batch))
    return [batches[i] for i in torch.randperm(len(batches))]


def fit(model, args, steps, loss_at):
    """Takes that many steps down `loss_at(step)`; the seconds that took."""
    optimizer = optimizer_of(model, args)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: rate(args, i, steps))
    model.train()
    start = time.perf_counter()
    for step in range(steps):
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            each_ms = 1e3 * (time.perf_counter() - start) / (step + 1)
            line = f"step {step + 1} of {steps}  loss {loss.item():.4f}  {each_ms:.1f} ms each"
            print(line, file=sys.stderr)
    return time.perf_counter() - start


def add_training_arguments(p, **defaults):
    """Flags named as gruvy's."""
    flags = {
        "hidden": 128, "layers": 1, "dropout": 0.0, "batch": 64, "epochs": 10, "lr": 2e-3, "min-lr": 0.0, "warmup": 100,
        "weight-decay": 0.01, "clip": 1.0, "threads": 2, "seed": 0,
    }  # fmt: skip
    for flag, value in (flags | defaults).items():
        p.add_argument(f"--{flag}", type=type(value), default=value, help="(default: %(default)s)")


def setup(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
