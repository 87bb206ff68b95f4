"""A model of speech in plain PyTorch: the end-to-end peer of `gruvy train speech` on arrays.

    python bench/engines/torch_speech.py TRAIN.npz --test TEST.npz [flags, named as gruvy's]

    x [N, T, I], lengths [N], y [N] words ─> standardised ─> nn.GRU ─> dropout ─> linear
        ─> log_softmax ─> ctc_loss

A label is a word, in order of the alphabet, behind the blank. Values are standardised once,
beforehand. Sequences of like length go into a batch, padded. The loss of a sequence is divided by its
labels. Prints progress on stderr and one JSON object with the rate of training and the nats a label of
the test sequences on stdout. --start begins with the weights of a model file of gruvy's, --evaluate
measures them and nothing else.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import ctc_loss
from torch.nn.utils.rnn import pad_sequence
from torch_train import add_training_arguments, epoch, fit, setup


class Listener(nn.Module):
    def __init__(self, width, classes, args):
        super().__init__()
        self.rnn = nn.GRU(width, args.hidden)
        self.drop = nn.Dropout(args.dropout)
        self.head = nn.Linear(args.hidden, classes)

    def forward(self, batch):
        """Nats a label, the mean of the sequences."""
        steps, labels = zip(*batch)
        y, _ = self.rnn(pad_sequence(steps))
        log_p = self.head(self.drop(y)).log_softmax(2)
        lengths, counts = (torch.tensor([len(one) for one in all]) for all in (steps, labels))
        return ctc_loss(log_p, torch.cat(labels), lengths, counts)


def read(path):
    """Steps `[T, I]` and words of each sequence."""
    with np.load(path) as file:
        x, lengths, y = file["x"], file["lengths"], file["y"]
    return [torch.from_numpy(x[:length]) for x, length in zip(x, lengths)], [str(text).split() for text in y]


def train(model, items, args):
    """Steps, seconds, and the loss at every step."""
    lengths = torch.tensor([len(steps) for steps, _ in items])
    batches, losses = [], []

    def loss_at(_):
        if not batches:
            batches.extend(epoch(lengths, args.batch))
        loss = model([items[i] for i in batches.pop()])
        losses.append(loss.detach())
        return loss

    steps = args.epochs * -(-len(items) // args.batch)
    seconds = fit(model, args, steps, loss_at)
    return steps, seconds, [loss.item() for loss in losses]


@torch.inference_mode()
def evaluate(model, items):
    model.eval()
    return sum(model([item]).item() for item in items) / len(items)


def arguments():
    p = argparse.ArgumentParser(description="Trains a model of speech with PyTorch.")
    p.add_argument("file", type=Path)
    p.add_argument("--test", type=Path, required=True)
    p.add_argument("--start", type=Path, help="begin with the weights of this model file")
    p.add_argument("--evaluate", action="store_true", help="train nothing")
    add_training_arguments(p, batch=16)
    return p.parse_args()


def main():
    args = arguments()
    setup(args)
    steps, texts = read(args.file)
    words = sorted({word for text in texts for word in text})
    every = torch.cat(steps)
    mean, deviation = every.mean(0), every.std(0, correction=0)

    def items(steps, texts):
        labels = [torch.tensor([1 + words.index(word) for word in text]) for text in texts]
        return list(zip([(one - mean) / deviation for one in steps], labels, strict=True))

    learn, test = items(steps, texts), items(*read(args.test))
    model = Listener(every.shape[1], 1 + len(words), args)
    if args.start:
        model.load_state_dict(load_file(args.start))
    count, seconds, losses = (0, 0.0, []) if args.evaluate else train(model, learn, args)
    print(json.dumps({
        "steps": count, "train_s": seconds, "losses": losses, "test": {"loss": evaluate(model, test)},
        "items": len(learn), "parameters": sum(p.numel() for p in model.parameters()), "threads": args.threads,
        "torch": torch.__version__, "isa": torch.backends.cpu.get_cpu_capability(),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
