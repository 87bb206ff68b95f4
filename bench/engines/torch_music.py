"""A model of music in plain PyTorch: the end-to-end peer of `gruvy train music` on piano rolls.

    python bench/engines/torch_music.py FILE.json [flags, named as gruvy's]

FILE is `{"train": [piece, …], "valid": …, "test": …}`, a piece a list of steps, a step the keys that sound, 0 to 87. The
network hears the steps so far and predicts the next frame; pieces are learned in stretches of at most --seq-len steps.

    features [I] ─> nn.GRU ─> dropout ─> linear ─┬─> 88 logits, each key by itself              (bernoulli)
                                                 └─> state of the decoder                       (joint)
    keys of the frame, rising ─ embedding [89, E] ─> nn.GRU ─> dropout ─> linear [89], those that can still come

The features of a stretch are those of gruvy's `ear.rs`; they are computed once, beforehand. Stretches of like length go
into a batch, padded; the heads see no step of padding. The decoder reads the frames of a batch in groups of as many
keys, each a call of its own without padding (--groups 0: all in one call, padded). Prints progress on stderr and one
JSON object with the rate of training and the nats of a step of the test pieces on stdout. --start begins with the
weights of a model file of gruvy's, --evaluate measures them and nothing else.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch_train import add_training_arguments, epoch, fit, setup

KEYS, EMBED = 88, 32
# Steps after which music of an unknown meter may come round again.
CYCLES = 12, 16
FEATURES = 2 * KEYS + sum(CYCLES) + 2
END = KEYS


class Stretch:
    """Steps of a piece: what is heard before each `[T, I]`, and its frame as `[T, 88]` zeros and ones, as tokens that the
    decoder reads `[T, most + 1]`, the end first, and as how many keys `[T]`."""

    def __init__(self, frames, first, most):
        steps = len(frames)
        self.roll = torch.zeros(steps, KEYS)
        self.tokens = torch.full((steps, most + 2), END)
        for step, keys in enumerate(frames):
            self.roll[step, keys] = 1
            self.tokens[step, 1 : 1 + len(keys)] = torch.tensor(sorted(keys), dtype=torch.long)
        self.counts = self.roll.sum(1).long()
        self.features = torch.zeros(steps, FEATURES)
        since = torch.full((KEYS,), torch.inf)
        before = torch.zeros(KEYS)
        for step in range(steps):
            heard = self.features[step]
            heard[:KEYS] = before
            heard[KEYS : 2 * KEYS] = 1 / (1 + since)
            heard[2 * KEYS + (first + step) % CYCLES[0]] = 1
            heard[2 * KEYS + CYCLES[0] + (first + step) % CYCLES[1]] = 1
            heard[-2] = before.sum() / 8
            heard[-1] = float(step == 0)
            since = torch.where((self.roll[step] == 1) & (before == 0), torch.zeros(KEYS), since + 1)
            before = self.roll[step]


class Composer(nn.Module):
    def __init__(self, args):
        super().__init__()
        joint = args.head == "joint"
        self.rnn = nn.GRU(FEATURES, args.hidden)
        self.drop = nn.Dropout(args.dropout)
        self.head = nn.Linear(args.hidden, args.decoder_hidden if joint else KEYS)
        self.decoder = Decoder(args) if joint else None

    def forward(self, stretches):
        """Nats of each frame of the stretches, which fall in length, one after another."""
        y, _ = self.rnn(pad_sequence([s.features for s in stretches]))
        y = torch.cat([y[: len(s.features), row] for row, s in enumerate(stretches)])
        answers = self.head(self.drop(y))
        if self.decoder:
            counts = torch.cat([s.counts for s in stretches])
            return self.decoder(answers, torch.cat([s.tokens for s in stretches]), counts)
        targets = torch.cat([s.roll for s in stretches])
        return binary_cross_entropy_with_logits(answers, targets, reduction="none").sum(1)


class Decoder(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.embedding = nn.Embedding(KEYS + 1, EMBED)
        self.rnn = nn.GRU(EMBED, args.decoder_hidden)
        self.drop = nn.Dropout(args.decoder_dropout)
        self.head = nn.Linear(args.decoder_hidden, KEYS + 1)
        self.groups = args.groups

    def forward(self, states, tokens, counts):
        """Nats of each frame `[N]` from `states [N, H]`."""
        if not self.groups:
            return self.nats(states, tokens[:, : counts.max() + 2], counts)
        nats = states.new_empty(len(states))
        for count in counts.unique():
            of = (counts == count).nonzero().squeeze(1)
            nats = nats.index_copy(0, of, self.nats(states[of], tokens[of, : count + 2], counts[of]))
        return nats

    def nats(self, states, tokens, counts):
        read, asked = tokens[:, :-1].T, tokens[:, 1:].T
        y, _ = self.rnn(self.embedding(read), states.unsqueeze(0))
        there = torch.arange(len(asked)).unsqueeze(1) <= counts  # [L, N]
        logits = self.head(self.drop(y[there]))
        # A key lies above the last; the end can always come.
        above = torch.where(read == END, -1, read)[there].unsqueeze(1)
        logits = logits.masked_fill(torch.arange(KEYS + 1) <= above, -1e9)
        nats = torch.zeros(there.shape)
        nats[there] = cross_entropy(logits, asked[there], reduction="none")
        return nats.sum(0)


def first_bias(stretches, joint):
    """The last head's bias, with which it begins at the frequencies of the training music."""
    frames = sum(len(s.roll) for s in stretches)
    counts = 1 + torch.stack([s.roll.sum(0) for s in stretches]).sum(0).double()
    if joint:
        counts = torch.cat([counts, torch.tensor([1.0 + frames])])
        return (counts / counts.sum()).log().float()
    return (counts / (2 + frames - counts)).log().float()


def train(model, stretches, args):
    """Steps, seconds, and the loss at every step."""
    lengths = torch.tensor([len(s.roll) for s in stretches])
    batches, losses = [], []

    def loss_at(_):
        if not batches:
            batches.extend(epoch(lengths, args.batch))
        loss = model([stretches[i] for i in batches.pop()]).mean()
        losses.append(loss.detach())
        return loss

    steps = args.epochs * -(-len(stretches) // args.batch)
    seconds = fit(model, args, steps, loss_at)
    return steps, seconds, [loss.item() for loss in losses]


@torch.inference_mode()
def evaluate(model, pieces):
    """Nats of a step, over all steps but the first of each piece."""
    model.eval()
    nats = torch.cat([model([piece])[1:].double() for piece in pieces])
    return nats.mean().item()


def stretches_of(pieces, seq_len, most):
    return [Stretch(piece[at : at + seq_len], at, most) for piece in pieces for at in range(0, len(piece), seq_len)]


def arguments():
    p = argparse.ArgumentParser(description="Trains a model of music with PyTorch.")
    p.add_argument("file", type=Path)
    p.add_argument("--head", choices=["joint", "bernoulli"], default="joint")
    p.add_argument("--seq-len", type=int, default=256)
    p.add_argument("--decoder-hidden", type=int, default=200)
    p.add_argument("--decoder-dropout", type=float, default=0.2)
    p.add_argument("--groups", type=int, default=1, help="0: the frames of a batch in one call, padded")
    p.add_argument("--start", type=Path, help="begin with the weights of this model file")
    p.add_argument("--evaluate", action="store_true", help="train nothing")
    add_training_arguments(p, hidden=300, dropout=0.5, batch=16)
    return p.parse_args()


def main():
    args = arguments()
    setup(args)
    parts = json.loads(args.file.read_text(encoding="utf-8"))
    most = max(len(frame) for pieces in parts.values() for piece in pieces for frame in piece)
    learn = stretches_of(parts["train"], args.seq_len, most)
    model = Composer(args)
    last = model.decoder or model
    last.head.bias.data = first_bias(learn, args.head == "joint")
    if args.start:
        model.load_state_dict(load_file(args.start))
    steps, seconds, losses = (0, 0.0, []) if args.evaluate else train(model, learn, args)
    test = evaluate(model, [Stretch(piece, 0, most) for piece in parts["test"]])
    print(json.dumps({
        "steps": steps, "train_s": seconds, "losses": losses, "test": {"loss": test},
        "frames": sum(len(s.roll) for s in learn), "parameters": sum(p.numel() for p in model.parameters()),
        "threads": args.threads, "torch": torch.__version__,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
