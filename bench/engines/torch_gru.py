"""torch.nn.GRU behind the engine protocol, and its matrix product as the machine's roof.

    python torch_gru.py THREADS
"""

import sys

import torch
from protocol import serve


def load(case):
    case = {k: torch.from_numpy(v) for k, v in case.items()}
    x, h0, dy = case.pop("x"), case.pop("h0"), case.pop("dy")
    gru = torch.nn.GRU(x.shape[2], dy.shape[2])
    gru.load_state_dict(case)
    x_train = x.clone().requires_grad_()

    def forward():
        with torch.inference_mode():
            return {"output": gru(x, h0)[0]}

    def train():
        gru.zero_grad(set_to_none=True)
        x_train.grad = None
        y = gru(x_train, h0)[0]
        y.backward(dy)
        grads = {f"grad.{name}": p.grad for name, p in gru.named_parameters()}
        return {"output": y.detach(), "grad.x": x_train.grad} | grads

    a, b = torch.rand(2, 2048, 2048)

    def roof():
        with torch.inference_mode():
            return {"product": a @ b}

    # nn.GRU keeps plain weights: there is nothing to prepare for inference.
    return {"forward": forward, "infer": forward, "train": train, "roof": roof}


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    isa = torch.backends.cpu.get_cpu_capability()
    serve(f"{torch.__version__} {isa}", ["forward", "infer", "train", "roof"], load)
