"""Writes `answers.json` and `logistic.json`: `python generate.py`. README.md beside it says what they hold."""

import json
import platform
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
VERSIONS = {"python": platform.python_version(), "numpy": np.__version__, "sklearn": sklearn.__version__}

# Float32 probabilities sum to 1 but for their rounding.
warnings.filterwarnings("ignore", message="The y_prob values do not sum to one")


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def single(name, seed, items, shares, noise):
    """One label an item, as often as `shares` say."""
    rng = np.random.default_rng(seed)
    k = len(shares)
    truth = rng.choice(k, size=items, p=shares)
    logits = noise * rng.normal(size=(items, k)) + 1.2 * np.eye(k)[truth] + 0.5 * np.log(np.array(shares) + 1e-9)
    # Few distinct values, so that scores tie.
    p = softmax(np.round(logits, 1)).astype(np.float32)
    predicted = p.argmax(axis=1)
    found = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(truth, predicted, average="weighted", zero_division=0),
        "log_loss": metrics.log_loss(truth, p.astype(np.float64), labels=range(k)),
    }
    if k == 2:
        found["roc_auc"] = metrics.roc_auc_score(truth, p[:, 1])
    return case(name, [[int(t)] for t in truth], p, found, truth, predicted, k, False) | {
        "confusion": metrics.confusion_matrix(truth, predicted, labels=range(k)).tolist()
    }


def several(name, seed, items, k):
    rng = np.random.default_rng(seed)
    truth = (rng.random((items, k)) < np.linspace(0.1, 0.6, k)).astype(int)
    p = 1 / (1 + np.exp(-np.round(1.5 * rng.normal(size=(items, k)) + 2.0 * truth - 1.0, 1)))
    p = p.astype(np.float32)
    predicted = (p >= 0.5).astype(int)
    found = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(truth, predicted, average="weighted", zero_division=0),
        "micro_f1": metrics.f1_score(truth, predicted, average="micro", zero_division=0),
        "roc_auc": metrics.roc_auc_score(truth, p, average="macro"),
        "log_loss": np.mean([metrics.log_loss(truth[:, i], p[:, i].astype(np.float64)) for i in range(k)]),
    }
    return case(name, [np.flatnonzero(t).tolist() for t in truth], p, found, truth, predicted, k, True)


def case(name, sets, p, found, truth, predicted, k, multi_label):
    rows = metrics.precision_recall_fscore_support(truth, predicted, labels=range(k), zero_division=0)
    return {
        "name": name,
        "labels": [f"label {i}" for i in range(k)],
        "multi_label": multi_label,
        "truth": sets,
        "probabilities": [float(f"{v:.9g}") for v in p.ravel()],
        "metrics": {key: float(value) for key, value in found.items()},
        "classes": [
            {"precision": float(a), "recall": float(b), "f1": float(c), "support": int(d)} for a, b, c, d in zip(*rows)
        ],
    }


def logistic(name, seed, items, features, k, c, multi_label=False, weights=None):
    """Sparse counts whose classes follow from a few of the features."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.random((items, features)) * 3, 2) * (rng.random((items, features)) < 0.35)
    logits = x @ rng.normal(size=(features, k)) + rng.normal(size=(items, k))
    settings = {"C": c, "tol": 1e-10, "max_iter": 10_000}
    if multi_label:
        truth = logits > 0.5
        fits = [LogisticRegression(**settings).fit(x, truth[:, i]) for i in range(k)]
        p = np.stack([fit.predict_proba(x)[:, 1] for fit in fits], axis=1)
        sets = [np.flatnonzero(t).tolist() for t in truth]
    else:
        truth = logits.argmax(axis=1)
        by_class = dict(enumerate(weights)) if weights else None
        p = LogisticRegression(class_weight=by_class, **settings).fit(x, truth).predict_proba(x)
        sets = [[int(t)] for t in truth]
    return {
        "name": name,
        "classes": k,
        "multi_label": multi_label,
        "features": features,
        "rows": [[[int(i), float(row[i])] for i in np.flatnonzero(row)] for row in x],
        "truth": sets,
        "class_weights": weights,
        "c": c,
        "probabilities": [float(f"{v:.9g}") for v in p.ravel()],
    }


def write(name, cases):
    (HERE / name).write_text(json.dumps({"versions": VERSIONS, "cases": cases}, separators=(",", ":")) + "\n")


write(
    "answers.json",
    [
        single("two classes", 1, 120, [0.6, 0.4], 1.0),
        single("four classes, one of them rare and one absent", 2, 150, [0.7, 0.25, 0.05, 0.0], 0.8),
        single("four classes", 3, 100, [0.4, 0.3, 0.2, 0.1], 1.2),
        several("several labels", 4, 90, 5),
    ],
)
write(
    "logistic.json",
    [
        logistic("two classes", 5, 60, 8, 2, 0.7),
        logistic("four classes", 6, 80, 10, 4, 1.0),
        logistic("weights", 7, 60, 6, 3, 2.0, weights=[1.0, 2.5, 0.5]),
        logistic("several labels", 8, 60, 6, 3, 0.5, multi_label=True),
    ],
)
