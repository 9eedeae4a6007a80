"""Attack: zeros that take a few hundred kilobytes in the archive and a great deal of memory outside."""
# expect: invalid

import zipfile

CHUNK = bytes(1 << 20)

with zipfile.ZipFile("outputs/predictions.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in ("steps", "search", "keep", "final"):
        with archive.open(f"{name}.npy", "w") as member:
            for _ in range(48):
                member.write(CHUNK)
