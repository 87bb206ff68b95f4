"""Writes `golden.safetensors`: PyTorch's CTC loss and its gradient, in float64 of float32 logits.

Cases: labels that repeat, empty ones, lengths of all kinds, a batch of one, many classes; and one of
10,000 steps, whose logits follow from a formula and of whose gradient every 97th row is kept.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import ctc_loss

# Name, classes, and of each sequence its labels and its steps.
CASES = [
    ("repeats", 5, [([1, 1, 2, 2, 2, 4], 12), ([3, 3, 3], 9), ([4], 12)]),
    ("empty", 4, [([], 6), ([2, 1], 6), ([], 1)]),
    ("tight", 6, [([1, 2, 3, 4, 5], 5), ([2, 2, 1], 4), ([5], 1)]),
    ("single", 3, [([1, 2, 1], 7)]),
    ("many_classes", 40, [([39, 1, 17, 17, 8], 30), ([20] * 9, 25)]),
    ("long", 7, [([1 + i * i % 6 for i in range(500)], 10_000)]),
]


def logits(count, scale):
    """Exact in float32."""
    i = torch.arange(count, dtype=torch.int64)
    return (((i + 3) * 7919 % 2003).double() - 1001.0) / 256.0 * scale


def main():
    tensors, facts = {}, {"torch": torch.__version__, "cases": []}
    for name, classes, rows in CASES:
        steps, batch = max(length for _, length in rows), len(rows)
        z = logits(steps * batch * classes, 1.0).reshape(steps, batch, classes)
        assert (z.float().double() == z).all()
        z.requires_grad_(True)
        losses = ctc_loss(
            z.log_softmax(2),
            torch.tensor([label for labels, _ in rows for label in labels], dtype=torch.int64),
            torch.tensor([length for _, length in rows]),
            torch.tensor([len(labels) for labels, _ in rows]),
            reduction="none",
        )
        weights = 1.0 + torch.arange(batch).double() / 4.0
        (losses * weights).sum().backward()
        every = 97 if name == "long" else 1
        tensors[f"{name}.losses"] = losses.detach().float()
        tensors[f"{name}.dlogits"] = z.grad[::every].float().contiguous()
        facts["cases"].append({"name": name, "classes": classes, "every": every, "rows": rows})
    save_file(tensors, Path(__file__).parent / "golden.safetensors", {"cases": json.dumps(facts)})


if __name__ == "__main__":
    main()
