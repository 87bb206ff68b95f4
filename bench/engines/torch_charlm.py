"""A character language model in plain PyTorch: the end-to-end peer of `gruvy train text`.

    python bench/engines/torch_charlm.py FILE [flags, named as gruvy's]

Embedding, nn.GRU, dropout, linear; the text is cut into `--batch` rows read side by side, each of as
many whole stretches of `--seq-len` as it fills, and the state runs on from one stretch to the next. Prints progress
on stderr and one JSON object with the rate of training and the loss on held-out text on stdout.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from torch import nn
from torch_train import add_training_arguments, fit, setup


class CharLm(nn.Module):
    def __init__(self, vocab, args):
        super().__init__()
        self.embedding = nn.Embedding(vocab, args.embed)
        self.drop = nn.Dropout(args.dropout)
        between = args.dropout if args.layers > 1 else 0.0
        self.rnn = nn.GRU(args.embed, args.hidden, args.layers, dropout=between)
        self.head = nn.Linear(args.hidden, vocab)
        if args.tied:
            self.head.weight = self.embedding.weight

    def forward(self, tokens, state):
        y, state = self.rnn(self.drop(self.embedding(tokens)), state)
        return self.head(self.drop(y)), state


def loss_of(model, tokens, at, steps, state):
    """Mean loss of `steps` predictions from position `at` of tokens [N, B], and the state after."""
    targets = tokens[at + 1 : at + 1 + steps]
    logits, state = model(tokens[at : at + len(targets)], state)
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()), state


@torch.inference_mode()
def evaluate(model, tokens):
    """Nats per character, the state carried from the first character to the last."""
    model.eval()
    tokens, state, total = tokens.unsqueeze(1), None, 0.0
    for at in range(0, len(tokens) - 1, 1024):
        steps = min(1024, len(tokens) - 1 - at)
        loss, state = loss_of(model, tokens, at, steps, state)
        total += loss.item() * steps
    model.train()
    return total / (len(tokens) - 1)


def train(model, tokens, args):
    """Trains on tokens [N, B]; returns steps taken, characters seen and seconds."""
    starts = range(0, len(tokens) - 1, args.seq_len)  # the last row is a target alone
    steps = min(args.steps or math.inf, args.epochs * len(starts))
    state = None

    def loss_at(step):
        nonlocal state
        at = starts[step % len(starts)]
        state = state.detach() if at else None
        loss, state = loss_of(model, tokens, at, args.seq_len, state)
        return loss

    seconds = fit(model, args, steps, loss_at)
    return steps, steps * args.seq_len * args.batch, seconds


def arguments():
    p = argparse.ArgumentParser(description="Trains a character model with PyTorch.")
    p.add_argument("file", type=Path)
    p.add_argument("--embed", type=int, default=128)
    p.add_argument("--tied", action="store_true", help="needs --embed equal to --hidden")
    p.add_argument("--seq-len", type=int, default=128)
    p.add_argument("--steps", type=int, help="stop after so many, to measure the rate only")
    p.add_argument("--train", type=float, default=90, help="percent; the rest is held out")
    add_training_arguments(p, hidden=512)
    return p.parse_args()


def main():
    args = arguments()
    setup(args)
    text = args.file.read_text()
    ids = {c: i for i, c in enumerate(sorted(set(text)))}
    tokens = torch.tensor([ids[c] for c in text])
    cut = int(len(tokens) * args.train / 100)
    length = (cut - 1) // (args.batch * args.seq_len) * args.seq_len
    rows = tokens[: args.batch * length + 1].unfold(0, length + 1, length).T.contiguous()

    model = CharLm(len(ids), args)
    steps, seen, seconds = train(model, rows, args)
    nats = evaluate(model, tokens[cut:])
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({
        "tokens_per_s": seen / seconds, "steps": steps, "train_tokens": seen, "train_s": seconds,
        "valid_nats": nats, "parameters": parameters, "threads": args.threads,
        "torch": torch.__version__,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
