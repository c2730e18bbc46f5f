"""Pictures, sounds and films that belong to questions."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from surveys.reply import Medium
from web.site import site_of

# Opened by itself, a drawing (SVG) must not be able to do anything in our name.
ALONE = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
KEPT = "public, max-age=31536000, immutable"  # a form's hash never names other content
RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")
UNKNOWN = "application/octet-stream"
BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
BRANDS = {
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}


def routes() -> list[Route]:
    """The one address of media."""
    return [Route("/media/{form}/{name:path}", medium)]


def address(medium: Medium) -> str:
    """Where a browser finds ``medium``."""
    return f"/media/{quote(medium.form, safe='')}/{quote(medium.name, safe='')}"


async def medium(request: Request) -> Response:
    """One file of a questionnaire, whole or in part: browsers wind films by asking for parts."""
    form, name = request.path_params["form"], request.path_params["name"]
    try:
        content = await site_of(request).conversation.medium(form, name)
    except LookupError:
        raise HTTPException(404) from None
    headers = {"Cache-Control": KEPT, "Accept-Ranges": "bytes"}
    headers["Content-Security-Policy"] = ALONE
    kind = content_type(content)
    part = _part(request.headers.get("range", ""), len(content))
    if part is None:
        return Response(content, media_type=kind, headers=headers)
    if not part:
        refused = {"Content-Range": f"bytes */{len(content)}"}
        return Response(status_code=416, headers=refused)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, headers, kind)


def content_type(content: bytes) -> str:
    """What ``content`` is by its first bytes."""
    for beginning, kind in BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF":
        return RIFF.get(content[8:12], UNKNOWN)
    if content[4:8] == b"ftyp":
        return BRANDS.get(content[8:12], "video/mp4")
    if b"<svg" in content[:1000] and content.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<"):
        return "image/svg+xml"
    frame = content[:2]
    if len(frame) == 2 and frame[0] == 0xFF and frame[1] & 0xE0 == 0xE0:
        # MPEG audio without a tag; layer 0 is AAC in ADTS frames
        return "audio/mpeg" if frame[1] & 0x06 else "audio/aac"
    return UNKNOWN


def _part(asked: str, size: int) -> range | None:
    """The bytes that a Range header asks for (RFC 9110, 14.2): None for all, empty for none."""
    found = RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:  # the last so many
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else size, size))
