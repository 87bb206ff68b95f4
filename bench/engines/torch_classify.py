"""A text classifier in plain PyTorch: the end-to-end peer of `gruvy train classify`.

    python bench/engines/torch_classify.py FILE.tsv [flags, named as gruvy's]

FILE has a text and a label on each line, with a tab between them. The last --test-items are tested on, in their order;
the others are learned from. Words are what stands between blanks.

    words ─ embedding [V, E] ─> nn.GRU, both directions ─> maximum over the steps ─> dropout ─> linear [K]

Items of like length go into a batch together: all items are shuffled, pools of 50 batches sorted by length and cut
into batches, which are shuffled. Batches are padded; --packed 1 packs them (`pack_padded_sequence`), which computes no step of
padding but is several times slower on a CPU. A share of the words is made unknown. Prints progress on stderr and one JSON
object with the rate of training and the errors of the test items on stdout.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch_train import add_training_arguments, epoch, fit, setup


class Classifier(nn.Module):
    def __init__(self, vocab, classes, args):
        super().__init__()
        self.embedding = nn.Embedding(vocab, args.embed)
        between = args.dropout if args.layers > 1 else 0.0
        self.rnn = nn.GRU(args.embed, args.hidden, args.layers, dropout=between, bidirectional=True)
        self.drop = nn.Dropout(args.dropout)
        self.head = nn.Linear(2 * args.hidden, classes)
        self.packed = args.packed

    def forward(self, tokens, lengths):
        """Logits [B, K] of `tokens [T, B]`; `lengths [B]` fall."""
        x = self.embedding(tokens)
        past = torch.arange(len(tokens)).unsqueeze(1) >= lengths  # [T, B]
        if self.packed:
            y, _ = pad_packed_sequence(self.rnn(pack_padded_sequence(x, lengths))[0])
        else:
            y, _ = self.rnn(x)
        return self.head(self.drop(y.masked_fill(past.unsqueeze(2), -torch.inf).amax(0)))


def train(model, items, labels, args):
    lengths = torch.tensor([len(item) for item in items])
    batches = []

    def loss_at(_):
        nonlocal batches
        if not batches:
            batches = epoch(lengths, args.batch)
        which = batches.pop()
        tokens = pad_sequence([items[i] for i in which])
        if args.word_dropout:
            tokens = tokens.masked_fill(torch.rand(tokens.shape) < args.word_dropout, 0)
        return nn.functional.cross_entropy(model(tokens, lengths[which]), labels[which])

    steps = args.epochs * -(-len(items) // args.batch)
    return steps, fit(model, args, steps, loss_at)


@torch.inference_mode()
def evaluate(model, items, labels, batch=64):
    """Log loss and accuracy."""
    model.eval()
    lengths = torch.tensor([len(item) for item in items])
    loss, right = 0.0, 0
    for which in lengths.argsort(descending=True).split(batch):
        logits = model(pad_sequence([items[i] for i in which]), lengths[which])
        loss += nn.functional.cross_entropy(logits, labels[which], reduction="sum").item()
        right += (logits.argmax(1) == labels[which]).sum().item()
    return loss / len(items), right / len(items)


def read(path, args):
    """Items and labels of both parts, words known, labels."""
    rows = [line.rstrip("\n").rsplit("\t", 1) for line in path.open(encoding="utf-8")]
    texts = [text.lower().split() for text, _ in rows]
    names = sorted({label for _, label in rows})
    counts = Counter(word for text in texts[: -args.test_items] for word in text)
    words = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: args.vocab_size]]
    token = {word: i for i, word in enumerate(words, 1)}
    items = [torch.tensor([token.get(word, 0) for word in text][: args.max_len]) for text in texts]
    labels = torch.tensor([names.index(label) for _, label in rows])
    return items, labels, len(words) + 1, len(names)


def arguments():
    p = argparse.ArgumentParser(description="Trains a text classifier with PyTorch.")
    p.add_argument("file", type=Path)
    p.add_argument("--test-items", type=int, default=1000)
    p.add_argument("--vocab-size", type=int, default=20_000)
    p.add_argument("--embed", type=int, default=128)
    p.add_argument("--max-len", type=int, default=400)
    p.add_argument("--word-dropout", type=float, default=0.1)
    p.add_argument("--packed", type=int, default=0, help="1: pack batches, so that no padding is computed; slower on a CPU")
    add_training_arguments(p)
    return p.parse_args()


def main():
    args = arguments()
    setup(args)
    items, labels, vocab, classes = read(args.file, args)
    model = Classifier(vocab, classes, args)
    held_out = -args.test_items
    steps, seconds = train(model, items[:held_out], labels[:held_out], args)
    loss, accuracy = evaluate(model, items[held_out:], labels[held_out:])
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({
        "steps": steps, "train_s": seconds, "test": {"loss": loss, "accuracy": accuracy},
        "items": len(items) + held_out, "parameters": parameters, "threads": args.threads,
        "torch": torch.__version__,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
