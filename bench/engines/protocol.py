"""The engine protocol for peers written in Python; the README describes it.

An engine is a `load` function: it takes the tensors of a case as NumPy arrays and returns one
callable per mode. A call returns what it computed by name, finished (nothing lazy) and convertible
by `numpy.asarray`.
"""

import json
import os
import sys
import time

import numpy as np
from safetensors.numpy import load_file, save_file


def serve(version, modes, load):
    """Answers the driver until it closes stdin. `modes` are the modes that `load` returns."""
    # Only the protocol may write to stdout; whatever a library prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def reply(message):
        print(json.dumps(message), file=replies)

    reply({"version": version, "modes": modes})
    calls = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "load":
            calls = load(load_file(request["file"]))
            reply({})
        elif request["op"] == "answer":
            answer = calls[request["mode"]]()
            answer = {k: np.ascontiguousarray(v) for k, v in answer.items()}
            save_file(answer, request["file"])
            reply({})
        elif request["op"] == "time":
            reply({"seconds": seconds(calls[request["mode"]], request["calls"])})
        else:
            raise ValueError(f"unknown request {request}")


def seconds(call, times):
    """The duration of each of `times` calls."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return durations
