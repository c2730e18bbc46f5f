"""Marked-up text to plain text and entities, with Telegram's refusals.

Parse modes: HTML, Markdown (legacy), MarkdownV2. Offsets in entities are UTF-16 code units, those
in refusals are bytes, as in Telegram.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from rehearsal.limits import units
from rehearsal.refusals import bad_request

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z-]*)?([^<>]*)>?")
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""")
_LEGACY = {"*": "bold", "_": "italic", "`": "code"}
_V2 = {
    "||": "spoiler",
    "__": "underline",
    "*": "bold",
    "_": "italic",
    "~": "strikethrough",
    "```": "pre",
    "`": "code",
}
_V2_RESERVED = "[]()>#+-=|{}.!"


@dataclass(slots=True)
class _Marked:
    """Plain text so far, its entities, and the marks still open with where they opened."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    found: list[dict[str, Any]] = field(default_factory=list)
    open: list[tuple[str, int, int, str]] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += units(text)

    def start(self, mark: str, byte: int, url: str = "") -> None:
        self.open.append((mark, self.length, byte, url))

    def end(self, kind: str, url: str = "") -> None:
        _, offset, _, opened_url = self.open.pop()
        if self.length > offset:
            entity: dict[str, Any] = {
                "type": kind,
                "offset": offset,
                "length": self.length - offset,
            }
            if kind == "text_link":
                entity["url"] = url or opened_url
            self.found.append(entity)

    def result(self) -> tuple[str, list[dict[str, Any]]]:
        return "".join(self.parts), sorted(
            self.found, key=lambda entity: (entity["offset"], -entity["length"])
        )


def _cannot(what: str) -> Exception:
    return bad_request(f"can't parse entities: {what}")


def _byte(text: str, index: int) -> int:
    return len(text[:index].encode())


def parse(text: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    """Plain text and entities in order of offset; raises a 400 where Telegram would."""
    match mode.lower():
        case "":
            return text, []
        case "html":
            return _html(text)
        case "markdown":
            return _legacy(text)
        case "markdownv2":
            return _version_2(text)
    raise bad_request("unsupported parse_mode")


def _html(text: str) -> tuple[str, list[dict[str, Any]]]:
    marked = _Marked()
    at = 0
    for tag in _TAG.finditer(text):
        marked.add(html.unescape(text[at : tag.start()]))
        at = tag.end()
        closing, name, rest = tag.group(1), (tag.group(2) or "").lower(), tag.group(3)
        byte = _byte(text, tag.start())
        if not closing:
            if name not in _TAGS or not tag.group(0).endswith(">"):
                raise _cannot(f'Unsupported start tag "{name}" at byte offset {byte}')
            href = _HREF.search(rest)
            marked.start(name, byte, html.unescape(href.group(1)) if href else "")
            continue
        if not marked.open:
            raise _cannot(f"Unexpected end tag at byte offset {byte}")
        opened = marked.open[-1][0]
        if name not in {"", opened}:
            raise _cannot(
                f'Unmatched end tag at byte offset {byte}, expected "</{opened}>", '
                f'found "</{name}>"'
            )
        marked.end(_TAGS[opened])
    if marked.open:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{marked.open[-1][0]}"')
    marked.add(html.unescape(text[at:]))
    return marked.result()


def _legacy(text: str) -> tuple[str, list[dict[str, Any]]]:
    marked = _Marked()
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in {"_", "*", "`", "["}:
            marked.add(text[at + 1])
            at += 2
        elif char in "_*`[":
            at = _legacy_entity(text, at, marked)
        else:
            marked.add(char)
            at += 1
    return marked.result()


def _legacy_entity(text: str, at: int, marked: _Marked) -> int:
    char = text[at]
    fence = "```" if text.startswith("```", at) else "]" if char == "[" else char
    start = at + (3 if fence == "```" else 1)
    end = text.find(fence, start)
    if end < 0:
        raise _cannot(f"Can't find end of the entity starting at byte offset {_byte(text, at)}")
    marked.start(char, at)
    marked.add(text[start:end])
    after = end + len(fence)
    if char != "[":
        marked.end("pre" if fence == "```" else _LEGACY[char])
        return after
    close = text.find(")", after)
    if text[after : after + 1] == "(" and close > 0:
        marked.end("text_link", text[after + 1 : close])
        return close + 1
    marked.open.pop()
    return after


def _version_2(text: str) -> tuple[str, list[dict[str, Any]]]:
    marked = _Marked()
    at = 0
    while at < len(text):
        char = text[at]
        inside = marked.open[-1][0] if marked.open else ""
        if char == "\\" and at + 1 < len(text) and ord(text[at + 1]) < 127:
            marked.add(text[at + 1])
            at += 2
            continue
        mark = next(
            (m for m in ("```", "||", "__", "*", "_", "~", "`") if text.startswith(m, at)), ""
        )
        if inside in {"`", "```"} and mark != inside:
            marked.add(char)
            at += 1
        elif mark:
            at = _toggle(text, at, mark, marked)
        elif char == "[":
            marked.start("[", _byte(text, at))
            at += 1
        elif char == "]" and inside == "[":
            at = _link_end(text, at, marked)
        elif char in _V2_RESERVED:
            raise _cannot(
                f"Character '{char}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            marked.add(char)
            at += 1
    if marked.open:
        mark, _, byte, _ = marked.open[-1]
        kind = _V2.get(mark, "textUrl").capitalize()
        raise _cannot(f"Can't find end of {kind} entity at byte offset {byte}")
    return marked.result()


def _toggle(text: str, at: int, mark: str, marked: _Marked) -> int:
    if marked.open and marked.open[-1][0] == mark:
        marked.end(_V2[mark])
    else:
        marked.start(mark, _byte(text, at))
    return at + len(mark)


def _link_end(text: str, at: int, marked: _Marked) -> int:
    close = text.find(")", at)
    if text[at + 1 : at + 2] != "(" or close < 0:
        marked.open.pop()
        return at + 1
    marked.end("text_link", text[at + 2 : close])
    return close + 1
