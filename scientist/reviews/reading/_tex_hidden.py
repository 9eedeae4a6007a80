"""Text of a TeX project that no reader of its PDF sees: white, shrunk, pushed off the page, commented out, after the end.

What would be printed and cannot be seen is cut out of the text; comments and the like were never in it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scientist.reviews.reading._document import Extra, SourceFile
from scientist.reviews.reading._tex_macros import group

LEAST = 3  # words: a white label of one or two stands on something dark
MOST = 2_000  # hidden things of one project

_COLOUR = re.compile(r"\\(textcolor|color)\s*(\[[^\]]{0,20}\])?\s*\{([^{}]{0,60})\}\s*")
_DEFINED = re.compile(r"\\definecolor\s*\{([^{}]{1,60})\}\s*\{([^{}]{1,20})\}\s*\{([^{}]{1,60})\}")
_DARK = re.compile(r"cellcolor|rowcolor|colorbox|fill\s*=|\\node|tcolorbox|tikz|\\draw|pgf|background", re.IGNORECASE)
_PUSHED = re.compile(
    r"\\(?P<name>texttransparent\s*\{\s*0(?:\.0\d*)?\s*\}|phantom|hphantom|vphantom|raisebox\s*\{\s*-?\d{3,}[^{}]*\}|"
    r"fontsize\s*\{\s*[0-1](?:\.\d+)?(?:pt)?\s*\}\s*\{[^{}]*\}\s*\\selectfont)\s*(?=\{)"
)
_OVER = re.compile(r"\\(?:rlap|llap|clap|makebox\s*\[\s*0(?:pt|cm|mm|em)?\s*\](?:\s*\[[lrcs]\])?)\s*(?=\{)")
_FAR = re.compile(
    r"\\(?:hspace|vspace|kern|hskip|vskip)\*?\s*\{?\s*-?(?:\d{3,}(?:\.\d+)?\s*(?:pt|mm|em)|\d{2,}(?:\.\d+)?\s*(?:cm|in)|\d+\\(?:paperwidth|textwidth))\s*\}?"
)
_SMALL = re.compile(
    r"\\(?:tiny(?![A-Za-z])|fontsize\s*\{\s*[0-3](?:\.\d+)?(?:pt)?\s*\}\s*\{[^{}]*\}(?:\s*\\selectfont)?|scalebox\s*\{\s*0?\.[01]\d*\s*\})"
)
_DRAWN = re.compile(r"\\begin\{(tikzpicture|pgfpicture|comment)\}(.{0,20000}?)\\end\{\1\}", re.DOTALL)
_ALT = re.compile(r"\b(?:alt|actualtext)\s*=\s*(?=\{)", re.IGNORECASE)
_OFF = re.compile(r"\\iffalse\b(.{0,20000}?)\\fi\b", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%+(.*)")
_INFO = re.compile(r"\\(?:pdfinfo|hypersetup|special|pdfliteral|pdfcatalog)\s*(?=\{)")
_NOTE = re.compile(
    r"\\(?:pdftooltip|pdfcomment|pdfmarkupcomment|BeginAccSupp|textattachfile|attachfile|embedfile|tooltip|alttext|label|index)\s*(?:\[[^\]]*\])?\s*(?=\{)"
)
_LAYER = re.compile(
    r"\\begin\{ocg\}\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}\s*\{[^{}]*\}\s*\{\s*(?:0|false|off)\s*\}(.{0,20000}?)\\end\{ocg\}",
    re.DOTALL,
)


def cut(body: str, head: str) -> tuple[str, list[Extra]]:
    """The body without what nobody would see, and what that was. `head`: the preamble, which may name colours."""
    spans = sorted(_spans(body, head), key=lambda span: (span[0], -span[1]))
    kept: list[str] = []
    found: list[Extra] = []
    at = 0
    for start, end, name in spans[:MOST]:
        if start < at:
            continue
        text = body[start:end]
        if len(re.findall(r"[^\W\d_]{2,}", text)) < LEAST:
            continue
        found.append(Extra(kind="hidden", name=name, text=text[:4000]))
        kept.append(body[at:start])
        at = end
    return "".join([*kept, body[at:]]), found


def _spans(body: str, head: str) -> Iterator[tuple[int, int, str]]:
    named = {m[1].strip() for m in _DEFINED.finditer(head + body) if _white(f"[{m[2]}]", m[3])}
    for match in _COLOUR.finditer(body):
        if not (_white(match[2] or "", match[3]) or match[3].strip() in named):
            continue
        if _DARK.search(body[max(0, match.start() - 160) : match.start()]):
            continue  # a label on something dark
        if match[1] == "color":
            yield match.end(), _scope(body, match.end()), "white"
            continue
        _, end = group(body, match.end()) if body[match.end() : match.end() + 1] == "{" else ("", -1)
        if end > 0:
            yield match.end() + 1, end - 1, "white"
    for match in _PUSHED.finditer(body):
        _, end = group(body, match.end())
        if end > 0:
            name = re.match(r"[a-z]+", match["name"])
            yield match.end() + 1, end - 1, name.group() if name else "pushed"
    for match in _FAR.finditer(body):
        yield match.end(), min(_scope(body, match.end()), _line_end(body, match.end())), "off-page"
    for match in _LAYER.finditer(body):
        yield match.start(1), match.end(1), "layer"


def _white(model: str, value: str) -> bool:
    """Whether a colour is white, or so nearly that nobody sees it on paper."""
    model, value = model.strip("[] "), value.strip()
    if not model:
        mixed = re.fullmatch(r"(\w+)!(\d{1,3})(?:!white)?", value)
        if mixed:
            return int(mixed[2]) <= 4 if mixed[1].lower() != "white" else int(mixed[2]) >= 96
        return value.lower() == "white"
    if model == "HTML":
        return bool(re.fullmatch(r"(?:[fF][0-9a-fA-F]){3}", value))
    parts = re.findall(r"\d*\.?\d+", value)
    if model not in ("rgb", "RGB", "gray", "Gray") or not parts:
        return False
    most = {"rgb": 1.0, "gray": 1.0, "RGB": 255.0, "Gray": 15.0}[model]
    return all(float(part) >= 0.94 * most for part in parts)


def _scope(body: str, at: int) -> int:
    """Where the group ends in which something was switched."""
    depth = 0
    for match in re.compile(r"\\.|[{}]|\\color\s*\{black\}|\\normalcolor", re.DOTALL).finditer(body, at, at + 20_000):
        if match.group() in ("{", "}"):
            depth += 1 if match.group() == "{" else -1
            if depth < 0:
                return match.start()
    return _line_end(body, at)


def _line_end(body: str, at: int) -> int:
    end = body.find("\n\n", at)
    return len(body) if end < 0 else end


def unprinted(files: Sequence[SourceFile]) -> list[Extra]:
    """What the files hold that is never printed, or printed very small: comments, switched-off text, text after the end,
    metadata, notes. Whether it matters is for the scan to say."""
    found: list[Extra] = []
    for file in files:
        text = file.text
        if not file.name.endswith(".tex"):
            continue
        after = text.find("\\end{document}")
        if after >= 0 and text[after + 14 :].strip():
            found.append(
                Extra(kind="hidden", name=f"after the end of {file.name}", text=text[after + 14 :].strip()[:4000])
            )
        block: list[str] = []
        start = 0
        for number, line in enumerate(text.split("\n"), start=1):
            comment = _COMMENT.search(line)
            if comment and (said := comment[1].strip()):
                start = start if block else number
                block.append(said)
            elif block:
                found.append(Extra(kind="comment", name=f"{file.name}:{start}", text=" ".join(block)[:4000]))
                block = []
        if block:
            found.append(Extra(kind="comment", name=f"{file.name}:{start}", text=" ".join(block)[:4000]))
        for match in _OFF.finditer(text):
            found.append(Extra(kind="comment", name=f"\\iffalse in {file.name}", text=match[1].strip()[:4000]))
        for match in _DRAWN.finditer(text):
            kind = "comment" if match[1] == "comment" else "small"
            found.append(Extra(kind=kind, name=f"{match[1]} in {file.name}", text=match[2].strip()[:4000]))
        for pattern, kind in ((_INFO, "metadata"), (_NOTE, "annotation"), (_ALT, "alt-text")):
            for match in pattern.finditer(text):
                said, end = group(text, match.end(), 8_000)
                more, _ = group(text, end, 8_000) if end > 0 and text[end : end + 1] == "{" else ("", -1)
                if said:
                    found.append(
                        Extra(
                            kind=kind,
                            name=f"{match.group().strip()} in {file.name}"[:100],
                            text=f"{said} {more}"[:4000],
                        )
                    )
        for match in _OVER.finditer(text):
            said, _ = group(text, match.end(), 8_000)
            found.append(Extra(kind="small", name=f"box without width in {file.name}", text=said[:4000]))
        for match in _SMALL.finditer(text):
            end = min(_scope(text, match.end()), match.end() + 2_000)
            found.append(Extra(kind="small", name=f"very small in {file.name}", text=text[match.end() : end][:2000]))
        if len(found) > MOST:
            break
    return found[:MOST]
