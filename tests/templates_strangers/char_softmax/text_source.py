import numpy as np


def make_text(name, length, seed):
    rng = np.random.default_rng(seed)
    table = np.full((12, 12), 0.02)
    for i in range(12):
        table[i, (i + (5 if name == "vowels" else 1)) % 12] += 0.5
        table[i, (i * 7 + 3) % 12] += 0.3
    table /= table.sum(axis=1, keepdims=True)
    text = np.zeros(length, dtype=int)
    uniform = rng.random(length)
    edges = table.cumsum(axis=1)
    for i in range(1, length):
        text[i] = min(11, np.searchsorted(edges[text[i - 1]], uniform[i]))
    return text
