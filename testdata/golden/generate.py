"""Writes the golden vectors: `python generate.py`. README.md beside it says what the files hold.

`python generate.py --redraw SEED --out FOLDER` writes other cases of the same families.

Everything is computed in float64 and rounded to float32 once, at the end; inputs, weights and
cotangents are float32 numbers to begin with. What a float32 implementation differs by is its own
rounding.
"""

import argparse
import json
import random
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from cells import SIZES, mingru_in_log_space, stack
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent


@dataclass
class Case:
    """One file. Sizes are as in torch.nn.GRU; `lengths` of None means that all rows are full,
    `weights` of None that weights are within ±0.8.

    Rates are sums of few powers of two: the same numbers in float32."""

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
    zoneout: float = 0.0
    recurrent_dropout: float = 0.0
    noise_seed: int | None = None
    layer_norm: bool = False
    weights: float | None = None

    def settings(self):
        """The metadata: what is not asked for in the last five is left out."""
        last = ("zoneout", "recurrent_dropout", "noise_seed", "layer_norm", "weights")
        return {k: v for k, v in asdict(self).items() if v or k not in last}

    def is_plain(self):
        """Whether PyTorch, or the minGRU's paper, has this form of the cell."""
        return not (self.zoneout or self.noise_seed is not None or self.layer_norm)


def family(seed, cell):
    """What PyTorch has to say about one cell."""
    name = cell.replace("-", "_")
    return [
        Case(f"{name}_plain", seed, 2, 5, 4, 3, cell=cell),
        Case(f"{name}_lanes_ragged", seed + 1, 9, 4, 5, 17, cell=cell,
             lengths=(4, 1, 3, 2, 4, 3, 4, 1, 2)),
        Case(f"{name}_no_bias", seed + 2, 3, 5, 4, 7, cell=cell, bias=False),
        Case(f"{name}_stacked_bidirectional_ragged", seed + 3, 3, 6, 4, 5, cell=cell, num_layers=2,
             bidirectional=True, lengths=(3, 6, 1)),
    ]


def everything(seed):
    """Every cell with all that can stand around it, in both directions."""
    return [
        Case(f"all_{cell.replace('-', '_')}", seed + i, 3, 5, 3, 9, cell=cell, bidirectional=True,
             lengths=(4, 5, 1), zoneout=0.375, recurrent_dropout=0.25, noise_seed=17 + i,
             layer_norm=True)
        for i, cell in enumerate(SIZES)
    ]


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
    *family(30, "lstm"),
    *family(40, "rnn"),
    *family(50, "rnn-relu"),
    *family(60, "mingru"),
    Case("mingru_long", 65, 2, 50, 4, 3, cell="mingru"),
    Case("norm_gru", 70, 3, 4, 5, 17, layer_norm=True),
    Case("norm_lstm", 71, 3, 4, 5, 17, cell="lstm", layer_norm=True),
    Case("zoneout_gru", 72, 2, 5, 3, 9, zoneout=0.375),
    Case("zoneout_lstm", 73, 2, 5, 3, 9, cell="lstm", zoneout=0.375),
    *everything(80),
]

# The GRU's file is older than the others' and lacks the cell.
TRAIN_SEEDS = {"gru": 20, "lstm": 21, "rnn": 22, "rnn-relu": 23, "mingru": 24}
TRAIN = {
    "seed": 20, "batch": 4, "seq_len": 6, "input_size": 3, "hidden_size": 8, "outputs": 2,
    "steps": 10, "lr": 0.01, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8, "weight_decay": 0.1,
}  # fmt: skip

# What is drawn from with --redraw: small sizes more often, and units astride the lanes of vectors.
STEPS = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 21]
FEATURES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17]
UNITS = [3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33]


def randoms(seed):
    """A source of random float32 numbers as float64 tensors: normal, or uniform within ±scale."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float32).double()

    def uniform(*shape, scale):
        return ((torch.rand(*shape, generator=rng, dtype=torch.float32) * 2 - 1) * scale).double()

    return normal, uniform


def layers(cell, input_size, hidden_size, num_layers=1, bias=True, bidirectional=False):
    """The parameters of a cell under PyTorch's names, and PyTorch's own module where it has one."""
    kinds = {"gru": nn.GRU, "gru-v3": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN, "rnn-relu": nn.RNN}
    options = {"nonlinearity": "relu"} if cell == "rnn-relu" else {}
    if cell in kinds:
        return kinds[cell](
            input_size, hidden_size, num_layers, bias=bias, bidirectional=bidirectional, **options
        ).double()  # fmt: skip
    suffixes = ["", "_reverse"] if bidirectional else [""]
    params = nn.ParameterDict()
    rows = SIZES[cell][0] * hidden_size
    for layer in range(num_layers):
        width = input_size if layer == 0 else hidden_size * len(suffixes)
        for suffix in suffixes:
            params[f"weight_ih_l{layer}{suffix}"] = torch.empty(rows, width).double()
            if bias:
                params[f"bias_ih_l{layer}{suffix}"] = torch.empty(rows).double()
    return params


def fill(module, uniform, weights=None):
    """Large weights and biases: the gates must move through their whole range."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(uniform(*p.shape, scale=1.0 if "bias" in name else weights or 0.8))


def gains(case, params, uniform):
    """A gain around 1 for every row of every weight."""
    gain = lambda rows: (1 + uniform(rows, scale=0.5)).float().double().requires_grad_()
    return {
        name.replace("weight", "gain"): gain(len(p))
        for name, p in params.items()
        if case.layer_norm and "weight" in name
    }


def by_torch(case, module, x, lengths, h0):
    """PyTorch's own layers; on a packed sequence where ragged, zeros past a row's length."""
    parts = [part.contiguous() for part in h0.split(case.hidden_size, dim=2)]
    if case.lengths:
        x = pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, last = module(x, tuple(parts) if len(parts) > 1 else parts[0])
    if case.lengths:
        y = pad_packed_sequence(y, total_length=case.seq_len)[0]
    return y, torch.cat(last, dim=2) if len(parts) > 1 else last


def run(case, module, params, x, lengths, h0):
    """Outputs and final states, from PyTorch or from the minGRU's paper where they have the case.
    That our own hand agrees there vouches for it elsewhere."""
    hand = stack(case, params, x, lengths, h0)
    if not case.is_plain() or case.cell == "gru-v3":
        return hand
    if case.cell == "mingru":
        theirs = stack(case, params, x, lengths, h0, mingru_in_log_space)
    else:
        theirs = by_torch(case, module, x, lengths, h0)
    torch.testing.assert_close(theirs, hand, rtol=1e-12, atol=1e-12)
    return theirs


def golden(case):
    """The tensors of one case."""
    normal, uniform = randoms(case.seed)
    module = layers(
        case.cell, case.input_size, case.hidden_size, case.num_layers, case.bias, case.bidirectional
    )
    fill(module, uniform, case.weights)
    params = dict(module.named_parameters())
    params |= gains(case, params, uniform)
    states = case.num_layers * (2 if case.bidirectional else 1)
    width = SIZES[case.cell][2] * case.hidden_size
    x = normal(case.seq_len, case.batch, case.input_size).requires_grad_()
    h0 = normal(states, case.batch, width)
    if case.cell == "mingru" and case.is_plain():
        h0 = h0.abs()  # the paper takes its logarithm
    h0.requires_grad_()
    lengths = torch.tensor(case.lengths or [case.seq_len] * case.batch)

    output, h_n = run(case, module, params, x, lengths, h0)
    dy, dh_n = normal(*output.shape), normal(*h_n.shape)
    ((output * dy).sum() + (h_n * dh_n).sum()).backward()
    tensors = {"x": x, "h0": h0, "output": output, "h_n": h_n, "dy": dy, "dh_n": dh_n} | params
    grads = {f"grad.{k}": v.grad for k, v in ({"x": x, "h0": h0} | params).items()}
    return tensors | grads | {"lengths": lengths}


def train(c):
    """AdamW steps on fixed random targets: the loss before each, and the parameters after."""
    cell = c.get("cell", "gru")
    normal, uniform = randoms(c["seed"])
    rnn = layers(cell, c["input_size"], c["hidden_size"])
    head = nn.Linear(c["hidden_size"], c["outputs"]).double()
    fill(rnn, uniform, c.get("weights"))
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
    case = Case("", 0, c["batch"], c["seq_len"], c["input_size"], c["hidden_size"], cell)
    zeros = torch.zeros(1, c["batch"], SIZES[cell][2] * c["hidden_size"]).double()
    lengths = torch.tensor([c["seq_len"]] * c["batch"])
    losses = []
    for _ in range(c["steps"]):
        if cell == "mingru":  # by hand: a state of zero has no logarithm
            y = stack(case, dict(rnn.named_parameters()), x, lengths, zeros)[0]
        else:
            y = rnn(x)[0]
        loss = nn.functional.mse_loss(head(y), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    tensors |= {f"final.{k}": v for k, v in model.named_parameters()}
    return tensors | {"losses": torch.stack(losses)}


def train_settings(cell):
    """The metadata of a training."""
    if cell == "gru":
        return {"name": "train_adamw"} | TRAIN
    own = {"name": f"train_adamw_{cell.replace('-', '_')}", "cell": cell}
    return own | TRAIN | {"seed": TRAIN_SEEDS[cell]}


def sizes(rng):
    """Rows, steps, features and units for any case, and weights that fit the number of units.

    Random weights within ±w of H units have a spectral radius of about w √(H / 3). If it grew with
    H, rounding errors would grow at every step until nothing else is left."""
    units = rng.choice(UNITS)
    return {
        "seed": rng.getrandbits(32),
        "batch": rng.randint(2, 9),
        "seq_len": rng.choice(STEPS),
        "input_size": rng.choice(FEATURES),
        "hidden_size": units,
        "weights": min(0.8, 2.4 / units**0.5),
    }


def redrawn(case, rng):
    """A case of the same family with other sizes, layers, lengths and rates."""
    new = sizes(rng)
    if case.seq_len >= 50:  # a long case stays long
        new["seq_len"] *= 4
    if case.layer_norm:  # what is normalised must not come from one number: only its sign is left
        new["input_size"] = max(2, new["input_size"])
        if case.cell == "rnn-relu":
            new["hidden_size"] = max(8, new["hidden_size"])
    if case.num_layers > 1:
        new["num_layers"] = rng.randint(2, 4)
    if case.lengths:
        new["lengths"] = some_lengths(new["seq_len"], new["batch"], rng)
    if case.zoneout:
        new["zoneout"] = rng.randint(1, 12) / 16
    if case.recurrent_dropout:  # at high rates one unit of few is left
        new["recurrent_dropout"] = rng.randint(1, 6) / 16
    if case.noise_seed is not None:
        new["noise_seed"] = rng.getrandbits(32)
    return replace(case, **new)


def some_lengths(seq_len, batch, rng):
    """Valid steps of each row: a row of one step, one of more, and none that must be full."""
    return (1, rng.randint(2, seq_len), *(rng.randint(1, seq_len) for _ in range(batch - 2)))


def redrawn_training(c, rng):
    """A training of the same cell and optimizer with other sizes."""
    return c | sizes(rng) | {"outputs": rng.randint(1, 4), "steps": rng.randint(5, 15)}


def write(tensors, settings, folder):
    """One file: floats as float32, settings as JSON under the metadata key `golden`."""
    tensors = {
        k: (v.detach().float() if v.is_floating_point() else v).contiguous()
        for k, v in tensors.items()
    }
    settings = settings | {"torch": torch.__version__.split("+")[0]}
    path = folder / f"{settings['name']}.safetensors"
    save_file(tensors, path, {"golden": json.dumps(settings)})
    print(f"{path.stat().st_size:7} {path.name}")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Write golden vectors for the tests of gruvy.")
    parser.add_argument(
        "--redraw", type=int, metavar="SEED",
        help="instead of the cases in this script, draw others: the same families with other "
        "sizes, lengths, rates and numbers, the same for the same SEED; needs --out",
    )  # fmt: skip
    parser.add_argument(
        "--count", type=int, default=1, metavar="N", help="draw each family N times (default: 1)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER",
        help="write to FOLDER, made if it is missing (default: the folder of this script); "
        "for --redraw it must hold no .safetensors files yet",
    )  # fmt: skip
    args = parser.parse_args()
    if args.redraw is None and args.count != 1:
        parser.error("--count goes with --redraw")
    if args.redraw is not None and args.out is None:
        parser.error("--redraw needs --out")
    if args.redraw is not None and any(args.out.glob("*.safetensors")):
        parser.error(f"{args.out} holds .safetensors files: choose another folder")
    if args.count < 1:
        parser.error("--count must be at least 1")
    return args


def chosen(args):
    """The cases and the trainings to write."""
    trainings = [train_settings(cell) for cell in TRAIN_SEEDS]
    if args.redraw is None:
        return CASES, trainings
    rng = random.Random(args.redraw)
    cases, other_trainings = [], []
    for i in range(1, args.count + 1):
        end = f"_{args.redraw}_{i}"
        cases += [replace(redrawn(case, rng), name=case.name + end) for case in CASES]
        other_trainings += [
            redrawn_training(c, rng) | {"name": c["name"] + end} for c in trainings
        ]
    return cases, other_trainings


def main():
    args = arguments()
    folder = args.out or HERE
    folder.mkdir(parents=True, exist_ok=True)
    cases, trainings = chosen(args)
    for case in cases:
        write(golden(case), case.settings(), folder)
    for settings in trainings:
        write(train(settings), settings, folder)


if __name__ == "__main__":
    main()
