"""Attack: zeros that take a few hundred kilobytes in the archive and a great deal of memory outside."""
# expect: invalid

import json
import zipfile
from pathlib import Path

TOLD = {"family": "transformer", "layers": 1, "width": 32, "heads": 2, "context": 16, "activation": "relu"}
SHAPES = {
    "embed": (256, 32), "position": (16, 32), "norm1": (1, 32), "qkv": (1, 32, 96), "mix": (1, 32, 32),
    "norm2": (1, 32), "up": (1, 32, 128), "down": (1, 128, 32), "norm": (32,), "head": (256, 32),
}  # fmt: skip

CHUNK = bytes(1 << 20)

with zipfile.ZipFile("outputs/transformer.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in SHAPES:
        with archive.open(f"{name}.npy", "w") as member:
            for _ in range(48):
                member.write(CHUNK)
Path("outputs/model.json").write_text(json.dumps(TOLD), encoding="utf-8")
