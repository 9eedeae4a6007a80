"""What a PDF holds beside its pages: metadata, annotations, attachments, scripts, alternative texts, hidden layers, links."""

from __future__ import annotations

import logging
from typing import Any

from .limits import answer, limit

MEMORY = 1200 << 20
SECONDS = 40
PAGES = 300
EXTRAS = 2_000
TEXT = 20_000  # characters of one text
LINKS = 5_000
NODES = 20_000  # of the structure tree
SHOWN = 400  # characters of an attachment that are told


class Extras:
    """Rows (kind, name, text, page) and links (address, page)."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, int]] = []
        self.links: list[tuple[str, int]] = []

    def add(self, kind: str, name: Any, text: Any, page: int = 0) -> None:
        """Keep a text that says something."""
        said = told(text)
        if said.strip() and len(self.rows) < EXTRAS:
            self.rows.append((kind, str(name)[:200], said[:TEXT], page))


def told(value: Any) -> str:
    """A PDF's string, or the beginning of a stream, as text."""
    if value is None:
        return ""
    value = value.get_object() if hasattr(value, "get_object") else value
    if hasattr(value, "get_data"):
        value = value.get_data()[: 4 * TEXT]
    if isinstance(value, bytes):
        if value[:2] in (b"\xfe\xff", b"\xff\xfe"):
            return value.decode("utf-16", "replace")
        return value.decode("utf-8", "replace")
    return str(value)


def got(thing: Any, *names: str) -> Any:
    """What stands in nested dictionaries under these names, or None."""
    for name in names:
        thing = thing.get_object() if hasattr(thing, "get_object") else thing
        if not hasattr(thing, "get"):
            return None
        thing = thing.get(name)
    return thing.get_object() if hasattr(thing, "get_object") else thing


def look(path: str) -> dict[str, Any]:
    """Everything beside the pages. A part that is broken is left out."""
    from pypdf import PdfReader

    logging.disable(logging.CRITICAL)
    reader = PdfReader(path, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return {"problem": "it is encrypted"}
    found = Extras()
    failed = []
    for part in (metadata, layers, names, structure, forms, bookmarks, notes):
        try:
            part(reader, found)
        except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
            failed.append(f"{part.__name__} ({type(error).__name__})")
    return {"extras": found.rows, "links": found.links, "failed": failed}


def metadata(reader: Any, found: Extras) -> None:
    """The information dictionary and the XMP packet."""
    for name, value in dict(reader.metadata or {}).items():
        found.add("metadata", str(name).lstrip("/"), value)
    found.add("metadata", "XMP", got(reader.root_object, "/Metadata"))


def layers(reader: Any, found: Extras) -> None:
    """Optional-content groups that are off when the file is opened."""
    held = got(reader.root_object, "/OCProperties")
    if not held:
        return
    default = got(held, "/D") or {}
    off = {getattr(r, "idnum", None) for r in got(default, "/OFF") or []}
    on = {getattr(r, "idnum", None) for r in got(default, "/ON") or []}
    base = str(got(default, "/BaseState") or "/ON")
    for group in list(got(held, "/OCGs") or [])[:500]:
        number = getattr(group, "idnum", None)
        if number in off or (base == "/OFF" and number not in on):
            found.add("layer", "off", got(group, "/Name"))


def names(reader: Any, found: Extras) -> None:
    """Attachments and scripts of the whole document."""
    for name, files in list(reader.attachments.items())[:100]:
        for data in files[:3]:
            found.add("attachment", name, bytes(data)[:SHOWN] or b"(empty)")
    tree = got(reader.root_object, "/Names", "/JavaScript", "/Names") or []
    for entry in list(tree)[:200]:
        if script := got(entry, "/JS"):
            found.add("script", "document", script)
    for kind in ("/OpenAction", "/AA"):
        action = got(reader.root_object, kind)
        if script := got(action, "/JS"):
            found.add("script", kind.lstrip("/"), script)


def structure(reader: Any, found: Extras) -> None:
    """Alternative and actual texts of the structure tree."""
    pending = [got(reader.root_object, "/StructTreeRoot")]
    seen = 0
    while pending and seen < NODES:
        node = pending.pop()
        seen += 1
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            pending += list(node)[:NODES]
        elif hasattr(node, "get"):
            for name in ("/Alt", "/ActualText", "/E"):
                found.add("alt-text", name.lstrip("/"), node.get(name))
            kids = node.get("/K")
            if kids is not None:
                pending.append(kids)


def forms(reader: Any, found: Extras) -> None:
    """Fields of a form: their values and tool tips."""
    for field in list(got(reader.root_object, "/AcroForm", "/Fields") or [])[:500]:
        for name in ("/V", "/TU", "/DV"):
            found.add("form", name.lstrip("/"), got(field, name))


def bookmarks(reader: Any, found: Extras) -> None:
    """Titles of the outline."""
    node = got(reader.root_object, "/Outlines", "/First")
    pending, seen = [node], 0
    while pending and seen < 2_000:
        node = pending.pop()
        seen += 1
        if node is None:
            continue
        found.add("bookmark", "title", got(node, "/Title"))
        pending += [got(node, "/Next"), got(node, "/First")]


def notes(reader: Any, found: Extras) -> None:
    """Notes, links, attached files and scripts of the pages."""
    for number, page in enumerate(reader.pages[:PAGES], start=1):
        for entry in list(got(page, "/Annots") or [])[:2_000]:
            kind = str(got(entry, "/Subtype") or "").lstrip("/")
            address = got(entry, "/A", "/URI")
            if address is not None and len(found.links) < LINKS:
                found.links.append((told(address)[:2_000], number))
            for name in ("/Contents", "/RC", "/T", "/Subj", "/TU", "/V"):
                found.add("annotation", f"{kind} {name.lstrip('/')}", got(entry, name), number)
            if script := got(entry, "/A", "/JS"):
                found.add("script", kind, script, number)
            if kind == "FileAttachment":
                data = got(entry, "/FS", "/EF", "/F")
                name = told(got(entry, "/FS", "/UF") or got(entry, "/FS", "/F"))
                found.add("attachment", name, told(data)[:SHOWN] or "(empty)", number)


def main(path: str) -> None:
    """Tell what a file holds beside its pages."""
    limit(MEMORY, SECONDS)
    answer(lambda: look(path))
