"""Attack: zeros that take a few hundred kilobytes in the archive and a great deal of memory outside."""
# expect: invalid

import zipfile

CHUNK = bytes(1 << 20)

with zipfile.ZipFile("outputs/predictions.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for split in ("search", "keep", "final"):
        with archive.open(f"{split}.npy", "w") as member:
            for _ in range(64):
                member.write(CHUNK)
