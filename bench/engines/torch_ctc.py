"""PyTorch's CTC loss of logits behind the engine protocol.

    python torch_ctc.py THREADS DTYPE

The gradient is of the sum of the losses. DTYPE `float64` is what the drivers compare with.
"""

import sys

import torch
from protocol import serve
from torch.nn.functional import ctc_loss


def load(case):
    case = {k: torch.from_numpy(v) for k, v in case.items()}
    logits = case["logits"].to(getattr(torch, sys.argv[2])).requires_grad_()

    def losses():
        log_p = logits.log_softmax(2)
        return ctc_loss(log_p, case["labels"], case["lengths"], case["label_counts"], reduction="none")

    def forward():
        with torch.inference_mode():
            return {"loss": losses()}

    def train():
        logits.grad = None
        loss = losses()
        loss.sum().backward()
        return {"loss": loss.detach(), "grad.logits": logits.grad}

    return {"forward": forward, "train": train}


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    isa = torch.backends.cpu.get_cpu_capability()
    serve(f"{torch.__version__} {isa}", ["forward", "train"], load)
