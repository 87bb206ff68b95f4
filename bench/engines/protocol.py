"""The engine protocol for peers written in Python; the README describes it.

An engine is a `load` function: it takes the tensors of a case as NumPy arrays and returns one
callable per mode. A call returns what it computed by name, finished (nothing lazy): convertible by
`numpy.asarray`, or a function of no arguments that makes it so, called when nothing is timed.
"""

import json
import os
import sys
import time
from pathlib import Path

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
            answer = {k: v() if callable(v) else v for k, v in answer.items()}
            answer = {k: np.ascontiguousarray(v) for k, v in answer.items()}
            save_file(answer, request["file"])
            reply({})
        elif request["op"] == "time":
            reply({"seconds": seconds(calls[request["mode"]], request["calls"])})
        elif request["op"] == "peak":
            reply({"bytes": peak(calls[request["mode"]])})
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


def peak(call):
    """Bytes that the process holds at the most during a call, beyond those it held before (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # the mark of the most so far goes down to what is held now
    before = memory("VmRSS")
    kept = call()  # noqa: F841 (its results count as well)
    return memory("VmHWM") - before


def memory(name):
    """A size in /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
