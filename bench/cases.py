"""What is measured: cells, shapes, and the layer with its inputs that every engine is given."""

from dataclasses import dataclass

import numpy as np
from safetensors.numpy import save_file

# Engines that are given the layer as an ONNX model too.
ONNX = ["rten", "tract"]

# Rows of the input weights and of the hidden weights, in units of H, and vectors of a state.
CELLS = {
    "gru": (3, 3, 1), "gru-v3": (3, 3, 1), "lstm": (4, 4, 2), "rnn": (1, 1, 1), "rnn-relu": (1, 1, 1),
    "mingru": (2, 0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    name: str
    B: int
    T: int
    I: int  # noqa: E741
    H: int

    def flop(self, mode, cell):
        """Products only: x W_ih and h W_hh forward, twice that again for their gradients."""
        gates, hidden_gates, _ = CELLS[cell]
        forward = 2 * self.T * self.B * self.H * (gates * self.I + hidden_gates * self.H)
        return 3 * forward if mode == "train" else forward

    def case(self, cell, seed=0):
        """The layer and its inputs, as PyTorch initialises one."""
        gates, hidden_gates, states = CELLS[cell]
        rng = np.random.default_rng(seed)
        bound = self.H**-0.5

        def normal(*shape):
            return rng.standard_normal(shape, dtype=np.float32)

        def uniform(*shape):
            return (rng.random(shape, dtype=np.float32) * 2 - 1) * np.float32(bound)

        weights = {
            "weight_ih_l0": uniform(gates * self.H, self.I),
            "bias_ih_l0": uniform(gates * self.H),
        }
        if hidden_gates:
            weights["weight_hh_l0"] = uniform(hidden_gates * self.H, self.H)
            weights["bias_hh_l0"] = uniform(hidden_gates * self.H)
        return weights | {
            "x": normal(self.T, self.B, self.I),
            "h0": normal(1, self.B, states * self.H),
            "dy": normal(self.T, self.B, self.H),
        }


SHAPES = [
    Shape("series", 64, 168, 16, 64),
    Shape("small", 32, 100, 64, 128),
    Shape("charlm", 64, 128, 128, 512),
    Shape("long", 16, 1000, 32, 256),
    Shape("large", 128, 64, 1024, 1024),
    Shape("step", 1, 1, 64, 256),
]


def write(shape, engine, folder):
    """The engine's case; returns its file."""
    case = shape.case(engine.cell)
    path = folder / f"{engine.cell}.safetensors"
    save_file(case, path)
    if engine.program in ONNX:
        from engines import onnx_model  # needs a package that the other engines do not

        path.with_suffix(".onnx").write_bytes(onnx_model.model(case, engine.cell))
    return path
