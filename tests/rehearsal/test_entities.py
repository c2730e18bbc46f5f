"""Marked-up text is understood, or refused with Telegram's words."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.entities import parse
from rehearsal.pictures import pixels
from rehearsal.refusals import Refusal


def entity(kind: str, offset: int, length: int, **more: str) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("mode", "text", "plain", "found"),
    [
        (
            "HTML",
            "😀 <b>a<i>b</i></b> &lt;",
            "😀 ab <",
            [entity("bold", 3, 2), entity("italic", 4, 1)],
        ),
        (
            "HTML",
            '<a href="http://a.b/?x=1&amp;y=2">go</a>',
            "go",
            [entity("text_link", 0, 2, url="http://a.b/?x=1&y=2")],
        ),
        ("Markdown", "*满意* \\_ `x`", "满意 _ x", [entity("bold", 0, 2), entity("code", 5, 1)]),
        ("Markdown", "[go](http://a.b)", "go", [entity("text_link", 0, 2, url="http://a.b")]),
        ("MarkdownV2", "*a _b_* \\.", "a b .", [entity("bold", 0, 3), entity("italic", 2, 1)]),
        ("MarkdownV2", "__u__ ||s|| `a.b`", "u s a.b", None),
        ("MarkdownV2", "[go](http://a.b)", "go", [entity("text_link", 0, 2, url="http://a.b")]),
    ],
)
def test_marks_become_entities(mode: str, text: str, plain: str, found: Any) -> None:
    words, entities = parse(text, mode)
    assert words == plain
    if found is not None:
        assert entities == found


@pytest.mark.parametrize(
    ("mode", "text", "why"),
    [
        ("Markdown", "满 snake_case", "end of the entity starting at byte offset 9"),
        ("HTML", "a < b", 'Unsupported start tag "" at byte offset 2'),
        ("HTML", "<b>x", 'end tag corresponding to start tag "b"'),
        ("HTML", "<b>x</i>", 'expected "</b>", found "</i>"'),
        ("HTML", "x</b>", "Unexpected end tag at byte offset 1"),
        ("MarkdownV2", "1.5", "Character '.' is reserved"),
        ("MarkdownV2", "*x", "end of Bold entity at byte offset 0"),
        ("Word", "x", "unsupported parse_mode"),
    ],
)
def test_stray_marks_are_refused(mode: str, text: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(text, mode)
    assert refused.value.code == 400
    assert why in refused.value.description


def test_the_size_of_png_and_jpeg_is_read_and_other_bytes_have_none() -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x20\x00\x40\x03"
    assert pixels(jpeg) == (64, 32)
    assert pixels(b"GIF89a") is None
    assert pixels(b"\xff\xd8\x00") is None
