"""What people hand over: found in a message, fetched within bounds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp
from aiogram import Bot
from aiogram.enums import ChatAction, ContentType
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramNotFound,
)
from aiogram.methods import GetFile, SendChatAction
from aiogram.types import Message

from surveys.forms.form import Kind

LARGEST = 20 * 1024 * 1024
"""Bytes that Telegram lets a bot download (Bot API, getFile)."""
TRIES = 20
"""How often one file's bytes may fail to come while Telegram itself answers."""
_REMEMBERED = 1000
_SECONDS = 120
_KINDS = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file in a message. ``size`` in bytes, 0 where it is not said; ``name`` '' for none."""

    kind: Kind
    file_id: str
    size: int = 0
    name: str = ""


def parcel(message: Message) -> Parcel | None:
    """The file that ``message`` carries, if any: of a photo the largest size.

    A document is what its MIME type says: a picture sent uncompressed is a picture.
    """
    match message.content_type:
        case ContentType.PHOTO if message.photo:
            photo = max(message.photo, key=lambda size: size.width * size.height)
            return Parcel(Kind.IMAGE, photo.file_id, photo.file_size or 0)
        case ContentType.VOICE if found := message.voice:
            return Parcel(Kind.AUDIO, found.file_id, found.file_size or 0)
        case ContentType.VIDEO_NOTE if note := message.video_note:
            return Parcel(Kind.VIDEO, note.file_id, note.file_size or 0)
    named = message.animation or message.document or message.audio or message.video
    if named is None:
        return None
    otherwise = _otherwise(message)
    kind = _KINDS.get((named.mime_type or "").partition("/")[0], otherwise)
    return Parcel(kind, named.file_id, named.file_size or 0, named.file_name or "")


def _otherwise(message: Message) -> Kind:
    """The kind of a file whose MIME type does not tell."""
    if message.audio is not None:
        return Kind.AUDIO
    return Kind.FILE if message.animation is None and message.document is not None else Kind.VIDEO


class Files:
    """Fetches through ``bot``'s own session."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._failed: OrderedDict[str, int] = OrderedDict()

    async def fetch(self, chat: int, handed: Parcel, limit: int) -> bytes:
        """At most ``limit`` bytes.

        Raises ValueError where there are more, or where Telegram will never give them; aiogram's
        errors where it is away: then the update comes again.
        """
        if handed.size > min(limit, LARGEST):
            raise ValueError(f"{handed.size} bytes; at most {limit}")
        path, _ = await asyncio.gather(self._path(handed, limit), self._busy(chat))
        try:
            content = await self._read(path, limit)
        except TelegramNetworkError as error:
            self._failed[handed.file_id] = tries = self._failed.get(handed.file_id, 0) + 1
            if len(self._failed) > _REMEMBERED:
                self._failed.popitem(last=False)
            if tries < TRIES:
                raise
            # One file that never comes must not keep everything behind it waiting.
            raise ValueError(f"the file did not come in {tries} tries") from error
        self._failed.pop(handed.file_id, None)
        return content

    async def _path(self, handed: Parcel, limit: int) -> str:
        try:
            file = await self._bot(GetFile(file_id=handed.file_id))
        except (TelegramBadRequest, TelegramNotFound, TelegramEntityTooLarge) as error:
            raise ValueError("Telegram does not give this file") from error
        if not file.file_path or (file.file_size or 0) > limit:
            raise ValueError(f"{file.file_size} bytes; at most {limit}")
        return file.file_path

    async def _busy(self, chat: int) -> None:
        """Show that something is being done. Cosmetic: its failure harms nobody."""
        try:
            await self._bot(SendChatAction(chat_id=chat, action=ChatAction.TYPING))
        except AiogramError:
            return

    async def _read(self, path: str, limit: int) -> bytes:
        session, content = self._bot.session, bytearray()
        url = session.api.file_url(self._bot.token, path)
        try:
            async with aclosing(session.stream_content(url, timeout=_SECONDS)) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > limit:
                        raise ValueError(f"more than {limit} bytes")
        except aiohttp.ClientResponseError as error:
            if 400 <= error.status < 500 and error.status != 429:
                raise ValueError("Telegram no longer has this file") from error
            raise _away(error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _away(error) from error
        return bytes(content)


def _away(error: Exception) -> TelegramNetworkError:
    return TelegramNetworkError(GetFile(file_id=""), f"download: {type(error).__name__}")
