"""A picture's size in pixels, read from its first bytes: PNG and JPEG."""

from __future__ import annotations

import struct

_NO_FRAME = {0xC4, 0xC8, 0xCC}  # Huffman tables, extension, arithmetic coding: not frames


def pixels(content: bytes) -> tuple[int, int] | None:
    """Width and height, or None where it is neither a PNG nor a JPEG with a frame."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return (width, height) if width and height else None
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        mark = content[at + 1]
        if 0xC0 <= mark <= 0xCF and mark not in _NO_FRAME:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return (width, height) if width and height else None
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None
