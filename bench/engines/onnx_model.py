"""A case of the driver as an ONNX model: one recurrent node, its weights constants of the model.

Inputs `x [T, B, I]` and `h0 [1, B, H]` (LSTM: `c0` too), output `y [T, 1, B, H]`, all of fixed shape.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

# The node, its attributes, and where PyTorch's gates go in ONNX's order.
CELLS = {
    "gru": ("GRU", {"linear_before_reset": 1}, [1, 0, 2]),
    "gru-v3": ("GRU", {"linear_before_reset": 0}, [1, 0, 2]),
    "lstm": ("LSTM", {}, [0, 3, 1, 2]),
    "rnn": ("RNN", {"activations": ["Tanh"]}, [0]),
    "rnn-relu": ("RNN", {"activations": ["Relu"]}, [0]),
}


def states(case):
    """The initial states by the names of the model's inputs."""
    hidden = case["dy"].shape[2]
    parts = np.split(case["h0"], case["h0"].shape[2] // hidden, axis=2)
    return {name: np.ascontiguousarray(part) for name, part in zip(["h0", "c0"], parts)}


def model(case, cell):
    """The model's bytes."""
    op, attributes, order = CELLS[cell]
    (steps, batch, _), hidden = case["x"].shape, case["dy"].shape[2]

    def gates(name):
        """[1, G * H, ...], in ONNX's order."""
        tensor = case[name]
        return tensor.reshape(len(order), hidden, *tensor.shape[1:])[order].reshape(1, *tensor.shape)

    weights = {
        "W": gates("weight_ih_l0"),
        "R": gates("weight_hh_l0"),
        "B": np.concatenate([gates("bias_ih_l0"), gates("bias_hh_l0")], axis=1),
    }
    inputs = {"x": case["x"]} | states(case)
    node = helper.make_node(
        op, ["x", "W", "R", "B", "", *states(case)], ["y"], hidden_size=hidden, **attributes
    )
    graph = helper.make_graph(
        [node],
        "layer",
        [info(name, value.shape) for name, value in inputs.items()],
        [info("y", (steps, 1, batch, hidden))],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    # Versions that every engine here reads.
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def info(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
