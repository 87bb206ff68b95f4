"""torch.nn.GRU, LSTM and RNN behind the engine protocol, and its matrix product as the machine's roof.

    python torch_rnn.py THREADS CELL
"""

import sys

import torch
from protocol import serve


CELLS = {
    "gru": torch.nn.GRU,
    "lstm": torch.nn.LSTM,
    "rnn": torch.nn.RNN,
    "rnn-relu": lambda i, h: torch.nn.RNN(i, h, nonlinearity="relu"),
}


def load(case):
    case = {k: torch.from_numpy(v) for k, v in case.items()}
    x, h0, dy = case.pop("x"), case.pop("h0"), case.pop("dy")
    layer = CELLS[sys.argv[2]](x.shape[2], dy.shape[2])
    if sys.argv[2] == "lstm":
        h0 = tuple(part.contiguous() for part in h0.chunk(2, dim=2))
    layer.load_state_dict(case)
    x_train = x.clone().requires_grad_()

    def forward():
        with torch.inference_mode():
            return {"output": layer(x, h0)[0]}

    def train():
        layer.zero_grad(set_to_none=True)
        x_train.grad = None
        y = layer(x_train, h0)[0]
        y.backward(dy)
        grads = {f"grad.{name}": p.grad for name, p in layer.named_parameters()}
        return {"output": y.detach(), "grad.x": x_train.grad} | grads

    a, b = torch.rand(2, 2048, 2048)

    def roof():
        with torch.inference_mode():
            return {"product": a @ b}

    # PyTorch keeps plain weights: there is nothing to prepare for inference.
    return {"forward": forward, "infer": forward, "train": train, "roof": roof}


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    isa = torch.backends.cpu.get_cpu_capability()
    serve(f"{torch.__version__} {isa}", ["forward", "infer", "train", "roof"], load)
