"""ONNX Runtime behind the engine protocol: a recurrent node in a session that is set up at load.

    python onnxruntime_rnn.py THREADS CELL

Only `infer`: a session has its weights beforehand, and a model that is given them with every call is nothing
that its users have.
"""

import sys

import onnx_model
import onnxruntime
from protocol import serve


def load(case):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[1])
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    model = onnx_model.model(case, sys.argv[2])
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Bound once, so that a call neither converts nor copies its inputs.
    binding = session.io_binding()
    for name, value in ({"x": case["x"]} | onnx_model.states(case)).items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
    steps, batch, hidden = case["dy"].shape
    y = onnxruntime.OrtValue.ortvalue_from_shape_and_type((steps, 1, batch, hidden), "float32")
    binding.bind_ortvalue_output("y", y)

    def infer():
        session.run_with_iobinding(binding)
        return {"output": lambda: y.numpy()[:, 0]}

    return {"infer": infer}


if __name__ == "__main__":
    serve(onnxruntime.__version__, ["infer"], load)
