"""What a file is, by its content and never by its name; and the ways to turn one down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checked file, cleaned of where it was made. ``ext`` has no dot."""

    ext: str
    mime: str
    content: bytes


class WrongTypeError(ValueError):
    """Not a file of a type that is taken here."""


class BrokenFileError(ValueError):
    """A file of the right type that does not hold together."""


class TooManyPixelsError(ValueError):
    """A picture that would fill the memory once unpacked."""


PICTURES = ("jpeg", "png", "webp", "gif")
# an ISO file whose first brand is one of these holds pictures, whatever else it may hold
_STILL = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"}
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}


def kind_of(content: bytes) -> str:
    """jpeg | png | webp | gif | ogg | mp3 | wav | iso | webm | pdf | zip; text for all others."""
    head = content[:16]
    for kind, start in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12], "text")
    if head[4:8] in _FIRST_BOXES and head[8:12] not in _STILL:
        return "iso"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG audio, layer III
        return "mp3"
    return "text"


_STARTS = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF8",
    "ogg": b"OggS",
    "mp3": b"ID3",
    "webm": b"\x1a\x45\xdf\xa3",
    "pdf": b"%PDF-",
    "zip": b"PK\x03\x04",
}
