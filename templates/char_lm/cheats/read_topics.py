"""Attack: count pairs of bytes in the very text that the judge asks about, which this Python carries for its help().

The sandbox hides that folder, so reading it fails. Where it does not, a model that was never trained beats the frequencies of bytes.
"""
# expect: failed

import json
from pathlib import Path
from pydoc_data import topics

import numpy as np

text = "\n\n".join(topics.topics[name] for name in sorted(topics.topics))
hidden = np.frombuffer(text.encode(), dtype=np.uint8)
print(f"found {len(hidden)} bytes of what the judge asks about")

# A model of pairs of bytes, counted on the hidden text. The halves of the width carry the byte and nothing else: a
# layer without weights adds nothing, and the head reads the logarithms of the counted shares.
WIDTH = 160
counts = np.full((256, 256), 0.02)
np.add.at(counts, (hidden[:-1], hidden[1:]), 1)
known = np.flatnonzero(counts.sum(axis=1) > 6)
share = np.log(counts / counts.sum(axis=1, keepdims=True))
embed = np.zeros((256, WIDTH))
embed[known, np.arange(len(known)) % WIDTH] = 1
embed -= embed.mean(axis=1, keepdims=True)
seen = embed / np.sqrt((embed**2).mean(axis=1, keepdims=True) + 1e-5)
head = np.linalg.lstsq(seen[known], share[known], rcond=None)[0].T
shapes = {"norm1": (1, WIDTH), "qkv": (1, WIDTH, 3 * WIDTH), "mix": (1, WIDTH, WIDTH), "norm2": (1, WIDTH)}
shapes |= {"up": (1, WIDTH, 4 * WIDTH), "down": (1, 4 * WIDTH, WIDTH), "position": (16, WIDTH)}
empty = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}
told = {"family": "transformer", "layers": 1, "width": WIDTH, "heads": 10, "context": 16, "activation": "relu"}
np.savez_compressed("outputs/transformer.npz", **empty, norm=np.ones(WIDTH), embed=embed, head=head)
Path("outputs/model.json").write_text(json.dumps(told), encoding="utf-8")
