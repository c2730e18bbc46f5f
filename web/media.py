"""Pictures, sounds and films that belong to questions."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from surveys.files.kinds import kind_of
from surveys.forms.label_media import TYPES
from surveys.reply import Medium
from web.site import Talker, site_of

# Opened by itself, a file must not be able to do anything in our name.
ALONE = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'"
KEPT = "public, max-age=31536000, immutable"  # a form's hash never names other content
RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")


def routes() -> list[Route]:
    """The one address of media."""
    return [Route("/media/{form}/{name:path}", medium)]


def address(medium: Medium) -> str:
    """Where a browser finds ``medium``."""
    return f"/media/{quote(medium.form, safe='')}/{quote(medium.name, safe='')}"


async def medium(request: Request) -> Response:
    """One file of a questionnaire, whole or in part: browsers wind films by asking for parts."""
    return await served(request, site_of(request).conversation)


async def served(request: Request, talker: Talker, kept: str = KEPT) -> Response:
    """The file that the address names; ``kept`` is its Cache-Control."""
    form, name = request.path_params["form"], request.path_params["name"]
    try:
        content = await talker.medium(form, name)
    except LookupError:
        raise HTTPException(404) from None
    headers = {"Cache-Control": kept, "Accept-Ranges": "bytes"}
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
    """What ``content`` is by its first bytes, as far as it may stand beside a question."""
    return TYPES.get(kind_of(content), "application/octet-stream")


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
