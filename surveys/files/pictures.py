"""Pictures made anew from their pixels, so that nothing but the pixels is left.

Where and with what a photo was taken (EXIF with its GPS, XMP, IPTC, comments, thumbnails, a second
picture behind the first) is not copied, and neither is anything hidden behind the picture's end.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from surveys.files.kinds import Accepted, BrokenFileError, TooManyPixelsError, WrongTypeError

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 4096
"""Pixels of the longer side at most; a larger picture is made smaller."""
PIXELS = 50_000_000
"""A JPEG with more is refused: unpacking needs up to 3 bytes for each."""
PLAIN_PIXELS = 25_000_000
"""The same for PNG, WebP and GIF, which cannot be unpacked at a smaller scale."""

PNG_SIZE = 10_000_000
"""A larger PNG (bytes) is made a JPEG, on white."""

_JPEG = ("JPEG", "MPO")  # MPO: a JPEG with further pictures behind the first


def picture(content: bytes) -> Accepted:
    """The picture as JPEG, or as PNG where it was one or is transparent; upright.

    Raises BrokenFileError, TooManyPixelsError, and WrongTypeError for a moving one.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "GIF")) as found:
            _check(found)
            if found.format in _JPEG:
                found.draft(None, (SIDE, SIDE))
            found.thumbnail((SIDE, SIDE))
            ImageOps.exif_transpose(found, in_place=True)
            return _encoded(found, found.format == "PNG")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixelsError(str(error)) from error
    except (WrongTypeError, TooManyPixelsError):
        raise
    except Exception as error:  # a broken picture makes its reader raise nearly anything
        raise BrokenFileError(type(error).__name__) from error


def _check(found: Image) -> None:
    if found.width * found.height > (PIXELS if found.format in _JPEG else PLAIN_PIXELS):
        raise TooManyPixelsError(f"{found.width} x {found.height}")
    if found.format not in _JPEG and getattr(found, "n_frames", 1) > 1:
        raise WrongTypeError("a moving picture")


def _encoded(picture: Image, png: bool) -> Accepted:
    from PIL import Image

    transparent = picture.has_transparency_data
    mode = "RGBA" if transparent else "L" if picture.mode in {"1", "L"} else "RGB"
    bare = Image.new(mode, picture.size)  # no info, no profile, no text
    bare.paste(picture.convert(mode) if picture.mode != mode else picture)
    file = io.BytesIO()
    if png or transparent:
        bare.save(file, "PNG")
        if file.tell() <= PNG_SIZE:
            return Accepted("png", "image/png", file.getvalue())
        file = io.BytesIO()
        if transparent:
            white = Image.new("RGB", bare.size, "white")
            white.paste(bare, mask=bare)
            bare = white
    bare.save(file, "JPEG", quality=90)
    return Accepted("jpg", "image/jpeg", file.getvalue())


def bare_jpeg(content: bytes) -> bytes:
    """A JPEG without its APP1 to APP13, APP15 and comment segments; its pixels untouched."""
    kept, at = bytearray(content[:2]), 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big") + 2
        if marker == 0xDA:  # the pixels begin; behind their end may lie anything
            end = content.rfind(b"\xff\xd9")
            return bytes(kept + content[at : end + 2 if end > at else len(content)])
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker not in {*range(0xE1, 0xEE), 0xEF, 0xFE}:
            kept += content[at : at + size]
        at += size
    raise BrokenFileError("no pixels")


_PNG = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}


def bare_png(content: bytes) -> bytes:
    """A PNG with only the chunks that make its pixels."""
    kept, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big") + 12
        name = content[at + 4 : at + 8]
        if name in _PNG:
            kept += content[at : at + size]
        if name == b"IEND":
            return bytes(kept)
        at += size
    raise BrokenFileError("no end")
