"""Sequential MNIST for `gruvy train classify`: `python testdata/mnist_to_npz.py FOLDER OUT [--permute]`.

FOLDER holds the four files of MNIST (`train-images-idx3-ubyte.gz`, …). Writes `OUT/train.npz` and `OUT/test.npz`: `x [N, 784, 1]`,
a pixel a step, and `y [N]`. With --permute the pixels come in one random order, the same for all images. Needs NumPy.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

p = argparse.ArgumentParser(description="Writes sequential MNIST as .npz.")
p.add_argument("folder", type=Path)
p.add_argument("out", type=Path)
p.add_argument("--permute", action="store_true")
args = p.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
order = np.random.default_rng(92916).permutation(784) if args.permute else np.arange(784)
for part, name in (("train", "train"), ("test", "t10k")):
    images = gzip.open(args.folder / f"{name}-images-idx3-ubyte.gz").read()
    labels = gzip.open(args.folder / f"{name}-labels-idx1-ubyte.gz").read()
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784)[:, order, None]
    np.savez_compressed(args.out / f"{part}.npz", x=x, y=np.frombuffer(labels, np.uint8, offset=8))
