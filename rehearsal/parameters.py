"""A call's parameters, however they came: query, urlencoded, multipart or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive, Scope

from rehearsal.refusals import Refusal, bad_request

BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart body."""

    name: str
    content_type: str
    content: bytes


class Parameters:
    """Named values; text unless the body was JSON. Absent, null and empty text are the same."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, Upload):
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False)
        return str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """The number, or ``default`` where it is absent or no number (as Telegram reads it)."""
        value = self.values.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def structure(self, name: str, trouble: str) -> Any:
        """Decoded JSON or None; raises a 400 with ``trouble`` where it cannot be decoded."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(trouble) from None

    def upload(self, name: str) -> Upload | None:
        """The file itself, or the part it points to with ``attach://part``."""
        value = self.values.get(name)
        if isinstance(value, Upload):
            return value
        if isinstance(value, str) and value.startswith("attach://"):
            part = self.values.get(value.removeprefix("attach://"))
            return part if isinstance(part, Upload) else None
        return None

    def recorded(self) -> dict[str, Any]:
        """For the log: files by name and size only."""
        return {
            name: f"file {value.name} ({len(value.content)} bytes)"
            if isinstance(value, Upload)
            else value
            for name, value in self.values.items()
        }


async def read_body(receive: Receive) -> bytes:
    """The whole body; refuses more than ``BODY_BYTES``."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES:
            raise Refusal(413, "Request Entity Too Large")
        parts.append(part)
    return b"".join(parts)


async def read_parameters(scope: Scope, receive: Receive) -> Parameters:
    """Merge query and body, the body winning. Raises a 400 for a body that cannot be read."""
    values: dict[str, Any] = {}
    if scope["query_string"]:
        values.update(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if scope["method"] == "GET":
        return Parameters(values)
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    values.update(await decode_body(kind, await read_body(receive)))
    return Parameters(values)


async def decode_body(kind: bytes, body: bytes) -> dict[str, Any]:
    """Values of a body of content type ``kind``; an unknown kind has none."""
    if kind.startswith(b"application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if kind.startswith(b"application/json"):
        return _decode_json(body)
    if kind.startswith(b"multipart/form-data"):
        return await _decode_multipart(kind, body)
    return {}


def _decode_json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        values = json.loads(body)
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(values, dict):
        raise bad_request("can't parse JSON object")
    return values


async def _decode_multipart(kind: bytes, body: bytes) -> dict[str, Any]:
    async def stream() -> Any:
        yield body

    headers = Headers(raw=[(b"content-type", kind)])
    values: dict[str, Any] = {}
    try:
        form = await MultiPartParser(headers, stream(), max_part_size=BODY_BYTES).parse()
    except (MultiPartException, KeyError):
        raise bad_request("can't parse multipart form data") from None
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            mime = part.content_type or "application/octet-stream"
            values[name] = Upload(part.filename or "file", mime, await part.read())
        else:
            values[name] = part
    await form.close()
    return values
