"""The body of a POST: its fields and its file, read within bounds of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from surveys.files.attachments import LIMITS

LARGEST, FIELDS = 200_000, 500  # bytes and fields of one form without its file
LARGEST_FILE = max(LIMITS.values())  # bytes; the core knows how much of each kind
FILES = 2  # file fields of one form: the camera and the album
PATIENCE, UPLOAD_PATIENCE = 30.0, 300.0  # seconds for a whole body, without and with a file
DRAINED = 4 * LARGEST_FILE  # bytes read and thrown away, so that the refusal can be read
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Posted:
    """What one form says. ``file`` is open only while it is being answered."""

    fields: Mapping[str, str]
    file: UploadFile | None = None


@asynccontextmanager
async def posted(request: Request, *, files: bool = False) -> AsyncIterator[Posted]:
    """The form in ``request``; its file goes away on leaving.

    HTTPException 413 for a form that no page of ours can have sent (detail ``large`` where a file
    is too large), 408 for one that does not arrive in time. Without ``files`` a multipart body is
    such a form, and none of it is read.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        yield Posted(await _in_time(PATIENCE, request, _fields))
        return
    if not files:
        raise HTTPException(413)
    form = await _in_time(UPLOAD_PATIENCE, request, _parts)
    try:
        brought = [part for _, part in form if isinstance(part, UploadFile) and part.filename]
        fields = {name: _kept(part) for name, part in form if isinstance(part, str)}
        yield Posted(fields, brought[0] if brought else None)
    finally:
        for _, part in form:
            if isinstance(part, UploadFile):
                await part.close()


async def _in_time(seconds: float, request: Request, read: Callable[[Request], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await read(request)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408) from None


async def _fields(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413)
    try:
        pairs = parse_qsl(body.decode(errors="replace"), True, max_num_fields=FIELDS)
    except ValueError:
        raise HTTPException(413) from None
    return {name: _kept(value) for name, value in pairs}


def _kept(value: str) -> str:
    """``value`` without NUL, which nobody types and PostgreSQL refuses."""
    return value.replace("\0", "")


async def _parts(request: Request) -> list[tuple[str, UploadFile | str]]:
    """Small files stay in memory, larger ones lie in a nameless temporary file."""
    measured = Request(request.scope, _measured(request.receive, LARGEST_FILE + LARGEST))
    try:
        form = await measured.form(max_files=FILES, max_fields=FIELDS, max_part_size=LARGEST)
    except HTTPException as problem:
        # Starlette says 400 of what it cannot read; on our pages that number is about cookies.
        raise problem if problem.status_code == 413 else HTTPException(413) from None
    return form.multi_items()


def _measured(receive: Receive, most: int) -> Receive:
    """``receive`` for bodies of at most ``most`` bytes; HTTPException 413 where there are more."""
    came = 0

    async def measuring() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            while message.get("more_body") and came < most + DRAINED:
                message = await receive()
                came += len(message.get("body", b""))
            raise HTTPException(413, "large")
        return message

    return measuring
