"""Small PDFs written by hand, so that a test knows every byte of them."""

from __future__ import annotations

from pathlib import Path

BOX = b"/MediaBox [0 0 595 842]"
PAGE = b"<< /Type /Page /Parent 2 0 R %s /Contents 4 0 R /Resources << /Font << /F 5 0 R >> %s >> %s >>"


def lines(*texts: str, at: int = 780, size: int = 10) -> bytes:
    """Text drawn in black, one line below the other."""
    rows = [f"BT /F {size} Tf 72 {at - 14 * n} Td ({text}) Tj ET" for n, text in enumerate(texts)]
    return "\n".join(rows).encode("latin-1", "replace")


def make_pdf(
    path: Path,
    stream: bytes,
    *,
    resources: bytes = b"",
    page: bytes = b"",
    catalog: bytes = b"",
    stream_extra: bytes = b"",
    objects: tuple[bytes, ...] = (),
    info: bytes = b"",
    box: bytes = BOX,
    tree: bytes = b"",
) -> Path:
    """One page. `objects` become numbers 6, 7, ... and may be referred to from the other parts; `tree` goes to the page tree."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 %s >>" % tree,
        PAGE % (box, resources, page),
        b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(stream), stream_extra, stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *objects,
    ]
    if info:
        bodies.append(b"<< %s >>" % info)
    data = b"%PDF-1.6\n"
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    more = b"/Info %d 0 R" % len(bodies) if info else b""
    data += b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, more, start)
    path.write_bytes(data)
    return path
