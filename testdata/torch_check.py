"""Checks a text model of gruvy's against PyTorch. Run by hand:

    python testdata/torch_check.py MODEL FILE [--gruvy target/release/gruvy]

`torch.nn.GRU.load_state_dict` (or `LSTM`, `RNN`) takes the model file's `rnn.*` tensors as they are, `nn.Embedding`
and `nn.Linear` the others. The model then reads FILE in float64, the state carried from the first token
to the last, and its mean loss is compared with what `gruvy eval MODEL FILE --json` answers. Needs
torch and safetensors, for a model with unit `bpe` also tokenizers. Exits 1 if they disagree.
"""

import argparse
import functools
import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

TOLERANCE = 1e-5
CHUNK = 1024


def read(path):
    """The header that gruvy wrote and the tensors of a model file or run folder."""
    path = path / "model.safetensors" if path.is_dir() else path
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["gruvy"])
        return header, {name: file.get_tensor(name) for name in file.keys()}


CELLS = {
    "gru": nn.GRU,
    "lstm": nn.LSTM,
    "rnn": nn.RNN,
    "rnn-relu": functools.partial(nn.RNN, nonlinearity="relu"),
}


class Model(nn.Module):
    """Token ids [T, B] and a state to logits [T, B, V] and the next state."""

    def __init__(self, spec, tensors):
        super().__init__()
        rnn, embedding = spec["rnn"], spec["input"]["embedding"]
        if rnn["cell"] not in CELLS or rnn.get("layer_norm") or rnn.get("zoneout"):
            sys.exit(f"torch.nn has no such layer: {rnn}; choose a model with a cell of {list(CELLS)}")
        self.embedding = nn.Embedding(embedding["vocab"], embedding["dim"])
        self.rnn = CELLS[rnn["cell"]](
            rnn["input_size"], rnn["hidden_size"], rnn["num_layers"],
            bias=rnn["bias"], bidirectional=rnn["bidirectional"],
        )  # fmt: skip
        self.head = nn.Linear((1 + rnn["bidirectional"]) * rnn["hidden_size"], embedding["vocab"])
        if spec["head"] == "tied":
            tensors = tensors | {"head.weight": tensors["embedding.weight"]}
        self.load_state_dict(tensors, strict=True)

    def forward(self, tokens, state):
        y, state = self.rnn(self.embedding(tokens), state)
        return self.head(y), state


def encode(codec, data):
    """The token ids of a file's bytes."""
    if codec["unit"] == "byte":
        return list(data)
    text = data.decode()
    if codec["unit"] == "char":
        ids = {c: i + 1 for i, c in enumerate(codec["vocabulary"])}
        return [ids.get(c, 0) for c in text]
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps(codec["tokenizer"])).encode(text).ids


@torch.inference_mode()
def mean_loss(model, tokens):
    """Mean cross entropy in nats of each token given all before it, from the second on."""
    tokens = torch.tensor(tokens).unsqueeze(1)
    state, total = None, 0.0
    for at in range(0, len(tokens) - 1, CHUNK):
        targets = tokens[at + 1 : at + 1 + CHUNK, 0]
        logits, state = model(tokens[at : at + len(targets)], state)
        total += nn.functional.cross_entropy(logits[:, 0], targets, reduction="sum").item()
    return total / (len(tokens) - 1)


def main():
    parser = argparse.ArgumentParser(description="Checks a text model of gruvy's against PyTorch.")
    parser.add_argument("model", type=Path, help="model file or run folder")
    parser.add_argument("file", type=Path, help="a text file of at least two tokens")
    parser.add_argument("--gruvy", default="gruvy", help="the command (default: gruvy)")
    args = parser.parse_args()

    header, tensors = read(args.model)
    model = Model(header["spec"], tensors).double().eval()
    tokens = encode(header["codec"], args.file.read_bytes())
    torch_loss = mean_loss(model, tokens)

    command = [args.gruvy, "eval", str(args.model), str(args.file), "--json"]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    difference = abs(answer["loss_nats"] - torch_loss) / torch_loss
    print(f"tokens predicted  gruvy {answer['tokens']}, torch {len(tokens) - 1}")
    print(f"loss in nats      gruvy {answer['loss_nats']:.8f}, torch {torch_loss:.8f} "
          f"(torch {torch.__version__}, float64)")  # fmt: skip
    print(f"relative difference {difference:.1e}, allowed {TOLERANCE:.0e}")
    if answer["tokens"] != len(tokens) - 1 or not difference <= TOLERANCE:
        sys.exit(1)


if __name__ == "__main__":
    main()
