"""A recurrent layer in JAX behind the engine protocol: one product for the inputs of all steps, then `lax.scan`.

    python jax_rnn.py THREADS CELL

PyTorch's equations, with weights as a JAX program keeps them: [in, out].
"""

import os
import sys

# XLA takes as many threads as the process may use processors, and has no setting for it that holds.
allowed = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, allowed[: int(sys.argv[1])])
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax.nn import relu, sigmoid  # noqa: E402
from protocol import serve  # noqa: E402


def gru(state, gates_x, hidden):
    (h,) = state
    xr, xz, xn = jnp.split(gates_x, 3, axis=-1)
    hr, hz, hn = jnp.split(h @ hidden["weight_hh_l0"] + hidden["bias_hh_l0"], 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    return (n + z * (h - n),)


def lstm(state, gates_x, hidden):
    h, c = state
    i, f, g, o = jnp.split(
        gates_x + h @ hidden["weight_hh_l0"] + hidden["bias_hh_l0"], 4, axis=-1
    )
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def rnn(activation):
    def step(state, gates_x, hidden):
        (h,) = state
        return (activation(gates_x + h @ hidden["weight_hh_l0"] + hidden["bias_hh_l0"]),)

    return step


CELLS = {"gru": gru, "lstm": lstm, "rnn": rnn(jnp.tanh), "rnn-relu": rnn(relu)}
STEP = CELLS[sys.argv[2]]


def layer(parameters, x, states):
    """Outputs [T, B, H] of x [T, B, I] from states that are each [B, H]."""
    gates_x = x @ parameters["weight_ih_l0"] + parameters["bias_ih_l0"]

    def step(state, gates_x):
        state = STEP(state, gates_x, parameters)
        return state, state[0]

    # Unrolled by 4 or 8 it is no faster in training beyond noise, but 1.5 times slower at `small` by 8.
    return jax.lax.scan(step, states, gates_x)[1]


@jax.jit
def forward(parameters, x, states):
    return layer(parameters, x, states)


@jax.jit
def train(parameters, x, states, dy):
    y, backward = jax.vjp(lambda p, x: layer(p, x, states), parameters, x)
    return y, *backward(dy)


@jax.jit
def product(a, b):
    return a @ b


def load(case):
    case = {k: jnp.asarray(v.T if k.startswith("weight") else v) for k, v in case.items()}
    x, h0, dy = case.pop("x"), case.pop("h0")[0], case.pop("dy")
    states = tuple(jnp.split(h0, h0.shape[1] // dy.shape[2], axis=1))
    case, x, dy, states = jax.block_until_ready((case, x, dy, states))

    def run():
        return {"output": jax.block_until_ready(forward(case, x, states))}

    def step():
        y, parameters, dx = jax.block_until_ready(train(case, x, states, dy))
        # `.T` in PyTorch's layout, once the call is over.
        grads = {f"grad.{k}": lambda v=v: v.T for k, v in parameters.items()}
        return {"output": y, "grad.x": dx} | grads

    a, b = jax.random.uniform(jax.random.key(0), (2, 2048, 2048))

    def roof():
        return {"product": jax.block_until_ready(product(a, b))}

    # Nothing to prepare for inference.
    return {"forward": run, "infer": run, "train": step, "roof": roof}


if __name__ == "__main__":
    serve(jax.__version__, ["forward", "infer", "train", "roof"], load)
