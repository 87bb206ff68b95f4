"""The recurrences written out in PyTorch, step by step, for autograd to differentiate.

Where PyTorch has the cell itself, generate.py holds this against it. The equations are those of
`crates/gruvy-kernels/src/dims.rs`, the masks those of `noise.rs` beside it.
"""

import torch
import torch.nn.functional as F

# Gates of the input weights and of the hidden weights, and vectors of a state (LSTM: h, then c).
SIZES = {
    "gru": (3, 3, 1), "gru-v3": (3, 3, 1), "lstm": (4, 4, 2), "rnn": (1, 1, 1),
    "rnn-relu": (1, 1, 1), "mingru": (2, 0, 1),
}  # fmt: skip

# Which mask a draw belongs to.
STATE, ZONEOUT, ZONEOUT_CELL = 1, 2, 3


def draw(seed, stream, places):
    """Numbers in [0, 1), multiples of 2^-24, for places (a list) under a seed and a stream."""
    v = (seed + stream * 0x9E3779B97F4A7C15) % 2**64
    v = (v ^ v >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    v = (v ^ v >> 27) * 0x94D049BB133111EB % 2**64
    key = v ^ v >> 31

    def uniform(place):
        v = (place + key) % 2**32
        v = (v ^ v >> 16) * 0x7FEB352D % 2**32 ^ key >> 32
        v = (v ^ v >> 15) * 0x846CA68B % 2**32
        return ((v ^ v >> 16) >> 8) / 2**24

    return torch.tensor([uniform(place) for place in places], dtype=torch.float64)


def recurrent_mask(case):
    """[B, H], the same at all steps: what the hidden weights' view of the state is multiplied with."""
    rate = case.recurrent_dropout
    if case.noise_seed is None or rate == 0:
        return 1.0
    u = draw(case.noise_seed, STATE, range(case.batch * case.hidden_size))
    return ((u >= rate) / (1 - rate)).reshape(case.batch, case.hidden_size)


def kept(case, stream, t):
    """[B, H]: the share of the old state that zoneout keeps at step t of the buffer."""
    if case.noise_seed is None:
        return case.zoneout
    n = case.batch * case.hidden_size
    u = draw(case.noise_seed, stream, range(t * n, (t + 1) * n))
    return (u < case.zoneout).double().reshape(case.batch, case.hidden_size)


def gate_argument(case, p, part, gate, v):
    """`W_g v + b_g` for part ih or hh, normalised if the case says so: [B, H]."""
    rows = slice(gate * case.hidden_size, (gate + 1) * case.hidden_size)
    out = v @ p[f"weight_{part}"][rows].T
    if f"gain_{part}" in p:
        out = F.layer_norm(out, out.shape[1:], weight=p[f"gain_{part}"][rows], eps=1e-5)
    return out + p[f"bias_{part}"][rows] if f"bias_{part}" in p else out


def g(v):
    """The minGRU's activation."""
    return torch.where(v >= 0, v + 0.5, torch.sigmoid(v))


def candidate(case, p, x, seen, h, c):
    """The next state before zoneout, h and c. The hidden weights see `seen`."""
    inputs = lambda gate: gate_argument(case, p, "ih", gate, x)
    hidden = lambda gate, v=seen: gate_argument(case, p, "hh", gate, v)
    both = lambda gate: inputs(gate) + hidden(gate)
    match case.cell:
        case "gru" | "gru-v3":
            r, z = torch.sigmoid(both(0)), torch.sigmoid(both(1))
            gated = r * hidden(2) if case.cell == "gru" else hidden(2, r * seen)
            n = torch.tanh(inputs(2) + gated)
            return (1 - z) * n + z * h, c
        case "lstm":
            i, f, o = (torch.sigmoid(both(gate)) for gate in (0, 1, 3))
            c = f * c + i * torch.tanh(both(2))
            return o * torch.tanh(c), c
        case "rnn":
            return torch.tanh(both(0)), c
        case "rnn-relu":
            return torch.relu(both(0)), c
        case "mingru":
            z = torch.sigmoid(inputs(0))
            return (1 - z) * h + z * g(inputs(1)), c


def one_direction(case, p, x, lengths, state, reverse):
    """One layer and direction. x [T, B, I], state [B, K H] -> y [T, B, H], last state."""
    h, c = state[:, : case.hidden_size], state[:, case.hidden_size :]
    mask = recurrent_mask(case)
    ys = [None] * x.shape[0]
    for t in reversed(range(x.shape[0])) if reverse else range(x.shape[0]):
        new_h, new_c = candidate(case, p, x[t], h * mask, h, c)
        if case.zoneout:
            k = kept(case, ZONEOUT, t)
            new_h = k * h + (1 - k) * new_h
            if case.cell == "lstm":
                k = kept(case, ZONEOUT_CELL, t)
                new_c = k * c + (1 - k) * new_c
        valid = (lengths > t).unsqueeze(1)
        h, c = torch.where(valid, new_h, h), torch.where(valid, new_c, c)
        ys[t] = torch.where(valid, h, torch.zeros_like(h))
    return torch.stack(ys), torch.cat([h, c], dim=1)


def log_g(v):
    """`log g(v)` (2410.01201, appendix B)."""
    return torch.where(v >= 0, (F.relu(v) + 0.5).log(), -F.softplus(-v))


def parallel_scan_log(log_coefficients, log_values):
    """`v[t+1] + a[t] h[t-1]` from the logarithms of a [T, B, H] and v [T+1, B, H], v[0] being h[-1]
    (Heinsen, 2311.06281; 2410.01201, appendix B)."""
    a_star = F.pad(log_coefficients.cumsum(dim=0), (0, 0, 0, 0, 1, 0))
    return (a_star + torch.logcumsumexp(log_values - a_star, dim=0)).exp()[1:]


def mingru_in_log_space(case, p, x, lengths, h, reverse):
    """`one_direction` of a plain minGRU as the paper trains it. Every h [B, H] must be positive."""
    steps = torch.arange(x.shape[0]).unsqueeze(1)
    valid = (steps < lengths).unsqueeze(2)
    # Its own inverse: each row's valid steps backwards, the others where they are.
    order = torch.where(steps < lengths, lengths - 1 - steps, steps) if reverse else steps
    order = order.expand(x.shape[:2]).unsqueeze(2)
    x = x.gather(0, order.expand_as(x))
    z, n = (gate_argument(case, p, "ih", gate, x.flatten(0, 1)) for gate in (0, 1))
    z, n = (v.unflatten(0, x.shape[:2]) for v in (z, n))
    log_values = torch.cat([h.log().unsqueeze(0), -F.softplus(-z) + log_g(n)])
    y = parallel_scan_log(-F.softplus(z), log_values)
    last = y.gather(0, (lengths - 1).reshape(1, -1, 1).expand(1, -1, y.shape[2])).squeeze(0)
    y = y.gather(0, order.expand_as(y))
    return torch.where(valid, y, torch.zeros_like(y)), last


def stack(case, params, x, lengths, h0, direction=one_direction):
    """Layers and directions with torch.nn's parameter names. h0 [L D, B, K H]."""
    suffixes = ["", "_reverse"] if case.bidirectional else [""]
    states = []
    for layer in range(case.num_layers):
        ys = []
        for suffix in suffixes:
            end = f"_l{layer}{suffix}"
            own = {k.removesuffix(end): v for k, v in params.items() if k.endswith(end)}
            y, state = direction(case, own, x, lengths, h0[len(states)], suffix == "_reverse")
            ys.append(y)
            states.append(state)
        x = torch.cat(ys, dim=2)
    return x, torch.stack(states)
