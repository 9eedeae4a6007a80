"""The text of files that strangers wrote, whatever they wrote them with. Pure."""

from __future__ import annotations

import codecs


def decoded(data: bytes) -> str:
    """UTF-8, with or without a mark; UTF-16 with one; else each line is UTF-8 or Western European, because lists grow by what is
    pasted into them. Never raises."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(map(_line, data.removeprefix(codecs.BOM_UTF8).split(b"\n")))


def _line(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
