"""An engine as the drivers see it; README.md beside it has the protocol."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = "gruvy"
REGULAR = ["dropout", "input_dropout", "recurrent_dropout", "candidate_dropout", "zoneout", "weight_dropout",
           "layer_norm", "recompute"]
# The program in peers/ has these.
RUST = ["burn", "rten", "tract"]
CARGO_RUN = ["cargo", "run", "--release", "--quiet"]


class Engine:
    """A child process that answers one JSON line with one JSON line.

    Named PROGRAM, PROGRAM:CELL (default gru) or, ours alone, PROGRAM:CELL+REGULARISER.
    """

    def __init__(self, name, threads):
        self.name = name
        rest, _, self.regular = name.partition("+")
        self.program, _, cell = rest.partition(":")
        self.cell = cell or "gru"
        if self.program == OURS:
            command = [*CARGO_RUN, "--package", "gruvy-bench", "--"]
        elif self.program in RUST:
            manifest = str(HERE / "peers" / "Cargo.toml")
            command = [*CARGO_RUN, "--manifest-path", manifest, "--", self.program]
        else:
            command = [sys.executable, str(HERE / "engines" / f"{self.program}.py")]
        self.child = subprocess.Popen(
            [*command, str(threads), self.cell, *self.regular.split()],
            cwd=HERE, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        hello = self.receive()
        self.version, self.modes = hello["version"], hello["modes"]

    def receive(self):
        line = self.child.stdout.readline()
        if not line:
            sys.exit(f"engine {self.name} stopped with exit code {self.child.wait()}")
        return json.loads(line)

    def ask(self, **request):
        print(json.dumps(request), file=self.child.stdin)
        return self.receive()

    def close(self):
        self.child.stdin.close()
        self.child.wait()

    def seconds(self, mode, calls):
        return self.ask(op="time", mode=mode, calls=calls)["seconds"]
