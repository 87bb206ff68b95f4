"""Writes the golden vectors: `python generate.py`. README.md beside it says what the files hold.

Everything is computed in float64 and rounded to float32 once, at the end; inputs, weights and
cotangents are float32 numbers to begin with. What a float32 implementation differs by is its own
rounding.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent


@dataclass
class Case:
    """One file. Sizes are as in torch.nn.GRU; `lengths` of None means that all rows are full."""

    name: str
    seed: int
    batch: int
    seq_len: int
    input_size: int
    hidden_size: int
    cell: str = "gru"
    num_layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    lengths: tuple[int, ...] | None = None


CASES = [
    Case("gru_plain", 1, 2, 5, 4, 3),
    Case("gru_stacked", 2, 3, 7, 5, 9, num_layers=2),
    Case("gru_bidirectional_ragged", 3, 4, 6, 3, 5, bidirectional=True, lengths=(4, 6, 1, 3)),
    Case("gru_stacked_bidirectional_ragged", 4, 5, 6, 4, 6, num_layers=2, bidirectional=True,
         lengths=(2, 6, 5, 1, 6)),
    Case("gru_lanes", 5, 9, 4, 17, 33),
    Case("gru_lanes_ragged", 6, 9, 5, 7, 17, lengths=(5, 1, 3, 2, 5, 4, 4, 1, 2)),
    Case("gru_no_bias", 7, 3, 5, 4, 8, bias=False),
    Case("gru_v3_plain", 8, 2, 5, 4, 3, cell="gru-v3"),
    Case("gru_v3_lanes_ragged", 9, 9, 4, 8, 17, cell="gru-v3",
         lengths=(4, 1, 3, 2, 4, 3, 4, 1, 2)),
    Case("gru_v3_stacked_bidirectional_ragged", 10, 3, 6, 4, 5, cell="gru-v3", num_layers=2,
         bidirectional=True, lengths=(3, 6, 1)),
    Case("gru_v3_no_bias", 11, 3, 5, 4, 7, cell="gru-v3", bias=False),
]

TRAIN = {
    "seed": 20, "batch": 4, "seq_len": 6, "input_size": 3, "hidden_size": 8, "outputs": 2,
    "steps": 10, "lr": 0.01, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8, "weight_decay": 0.1,
}  # fmt: skip


def randoms(seed):
    """A source of random float32 numbers as float64 tensors: normal, or uniform within ±scale."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float32).double()

    def uniform(*shape, scale):
        return ((torch.rand(*shape, generator=rng, dtype=torch.float32) * 2 - 1) * scale).double()

    return normal, uniform


def fill(module, uniform):
    """Large weights and biases: the gates must move through their whole range."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(uniform(*p.shape, scale=1.0 if "bias" in name else 0.8))


def one_direction(cell, weights, x, lengths, h, reverse):
    """One layer and direction, written out. x [T, B, I], h [B, H] -> y [T, B, H], last state."""
    w_ih, w_hh, *bias = weights
    b_ih, b_hh = bias if bias else (torch.zeros(w_ih.shape[0]).double(),) * 2
    hidden = h.shape[1]
    ys = [None] * x.shape[0]
    for t in reversed(range(x.shape[0])) if reverse else range(x.shape[0]):
        ir, iz, i_n = (x[t] @ w_ih.T + b_ih).chunk(3, dim=1)
        hr, hz = (h @ w_hh[: 2 * hidden].T + b_hh[: 2 * hidden]).chunk(2, dim=1)
        w_hn, b_hn = w_hh[2 * hidden :], b_hh[2 * hidden :]
        r, z = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
        if cell == "gru":
            n = torch.tanh(i_n + r * (h @ w_hn.T + b_hn))
        else:
            n = torch.tanh(i_n + (r * h) @ w_hn.T + b_hn)
        valid = (lengths > t).unsqueeze(1)
        h = torch.where(valid, (1 - z) * n + z * h, h)
        ys[t] = torch.where(valid, h, torch.zeros_like(h))
    return torch.stack(ys), h


def by_hand(case, params, x, h0, lengths):
    """Layers and directions over `one_direction`, with torch.nn.GRU's parameter names."""
    directions = ["", "_reverse"] if case.bidirectional else [""]
    kinds = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if case.bias else [])
    states = []
    for layer in range(case.num_layers):
        ys = []
        for suffix in directions:
            weights = [params[f"{kind}_l{layer}{suffix}"] for kind in kinds]
            y, h = one_direction(
                case.cell, weights, x, lengths, h0[len(states)], suffix == "_reverse"
            )
            ys.append(y)
            states.append(h)
        x = torch.cat(ys, dim=2)
    return x, torch.stack(states)


def by_torch(gru, x, h0, lengths):
    """torch.nn.GRU over a packed sequence; outputs past a row's length come back as zeros."""
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, h_n = gru(packed, h0)
    return pad_packed_sequence(y, total_length=x.shape[0])[0], h_n


def golden(case):
    """The tensors of one case."""
    normal, uniform = randoms(case.seed)
    gru = nn.GRU(
        case.input_size, case.hidden_size, case.num_layers,
        bias=case.bias, bidirectional=case.bidirectional,
    ).double()  # fmt: skip
    fill(gru, uniform)
    params = dict(gru.named_parameters())
    directions = 2 if case.bidirectional else 1
    x = normal(case.seq_len, case.batch, case.input_size).requires_grad_()
    h0 = normal(case.num_layers * directions, case.batch, case.hidden_size).requires_grad_()
    lengths = torch.tensor(case.lengths or [case.seq_len] * case.batch)

    output, h_n = by_hand(case, params, x, h0, lengths)
    if case.cell == "gru":  # torch's own; that our hand agrees vouches for the other cells
        hand = output, h_n
        output, h_n = by_torch(gru, x, h0, lengths) if case.lengths else gru(x, h0)
        torch.testing.assert_close((output, h_n), hand, rtol=1e-12, atol=1e-12)

    dy, dh_n = normal(*output.shape), normal(*h_n.shape)
    ((output * dy).sum() + (h_n * dh_n).sum()).backward()
    tensors = {"x": x, "h0": h0, "output": output, "h_n": h_n, "dy": dy, "dh_n": dh_n} | params
    grads = {f"grad.{k}": v.grad for k, v in ({"x": x, "h0": h0} | params).items()}
    return tensors | grads | {"lengths": lengths}


def train():
    """Ten AdamW steps on fixed random targets: the loss before each, and the parameters after."""
    c = TRAIN
    normal, uniform = randoms(c["seed"])
    rnn = nn.GRU(c["input_size"], c["hidden_size"]).double()
    head = nn.Linear(c["hidden_size"], c["outputs"]).double()
    fill(rnn, uniform)
    fill(head, uniform)
    model = nn.ModuleDict({"rnn": rnn, "head": head})
    x = normal(c["seq_len"], c["batch"], c["input_size"])
    target = normal(c["seq_len"], c["batch"], c["outputs"])
    tensors = {"x": x, "target": target}
    tensors |= {k: v.detach().clone() for k, v in model.named_parameters()}
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=c["lr"], betas=(c["beta_1"], c["beta_2"]),
        eps=c["eps"], weight_decay=c["weight_decay"],
    )  # fmt: skip
    losses = []
    for _ in range(c["steps"]):
        loss = nn.functional.mse_loss(head(rnn(x)[0]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    tensors |= {f"final.{k}": v for k, v in model.named_parameters()}
    return tensors | {"losses": torch.stack(losses)}


def write(tensors, settings):
    """One file: floats as float32, settings as JSON under the metadata key `golden`."""
    tensors = {
        k: (v.detach().float() if v.is_floating_point() else v).contiguous()
        for k, v in tensors.items()
    }
    settings = settings | {"torch": torch.__version__.split("+")[0]}
    path = HERE / f"{settings['name']}.safetensors"
    save_file(tensors, path, {"golden": json.dumps(settings)})
    print(f"{path.stat().st_size:7} {path.name}")


def main():
    for case in CASES:
        write(golden(case), asdict(case))
    write(train(), {"name": "train_adamw"} | TRAIN)


if __name__ == "__main__":
    main()
