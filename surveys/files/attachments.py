"""Files that people hand over: checked, cleaned, sealed, and kept outside the database.

A file is sealed with a key of its own, drawn for it alone, and lies in a :class:`Vault` under a
random name. Name and key together are its token, and the token travels only inside sealed answers:
whoever has the database, the vault and the keys beside them can read no file until the answers that
hold its token are opened.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from surveys.ballots import seal, unseal
from surveys.files.documents import office, pdf, text
from surveys.files.iso_films import iso_film
from surveys.files.kinds import (
    PICTURES,
    Accepted,
    BrokenFileError,
    TooManyPixelsError,
    WrongTypeError,
    kind_of,
)
from surveys.files.pictures import picture
from surveys.files.sounds import mp3, ogg, wav
from surveys.files.webm import webm
from surveys.forms.form import Kind
from surveys.store import Store
from surveys.typed.trouble import Trouble

MB = 1_000_000
LIMITS = {Kind.IMAGE: 10 * MB, Kind.AUDIO: 10 * MB, Kind.VIDEO: 20 * MB, Kind.FILE: 10 * MB}
"""Bytes a file of each kind may have. A Telegram bot can fetch 20 MB at most."""
KEEP = timedelta(days=30)
"""How long a file stays that nobody kept: of an interview left unfinished, or replaced."""
TOKEN_SIZE = 96
"""Bytes that any token fits in."""

_ATTACHMENT = b"attachment"
_NOWHERE = "0" * 32
_BLOCK = 65536  # sealed files are padded to a multiple of this
_TOKEN = re.compile(r"([0-9a-f]{32})\.([\w-]{43})\.([a-z0-9]{1,5})\.([0-9]{1,8})", re.ASCII)
_CLEANING = ThreadPoolExecutor(1, thread_name_prefix="minyi-files")  # unpacked files are large


class Vault(Protocol):
    """Where sealed files lie. Ids are 32 hexadecimal digits."""

    async def put(self, attachment: str, box: bytes) -> None:
        """Keep ``box``; when this returns it is on disk, whole."""
        ...

    async def get(self, attachment: str) -> bytes:
        """LookupError where there is none."""
        ...

    async def drop(self, attachment: str) -> None:
        """Delete; nothing happens where there is none."""
        ...

    async def older_than(self, day: date) -> Sequence[str]:
        """The ids of what was put before ``day``."""
        ...


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a token says. ``size`` is in bytes, of the cleaned file."""

    id: str
    key: bytes = field(repr=False)
    ext: str
    size: int

    @property
    def token(self) -> str:
        """ASCII without spaces, at most TOKEN_SIZE bytes."""
        key = urlsafe_b64encode(self.key).decode().rstrip("=")
        return f"{self.id}.{key}.{self.ext}.{self.size}"


def read(token: str) -> Attachment:
    """The inverse of ``Attachment.token``; ValueError for anything else."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ValueError("this is no attachment's token")
    name, key, ext, size = found.groups()
    return Attachment(name, urlsafe_b64decode(f"{key}="), ext, int(size))


def accepted(kind: Kind, content: bytes) -> Accepted | Trouble:
    """The file as it may be kept, or what is wrong with it. ``kind`` is one of LIMITS.

    Its type is told by its content; where it was made is removed (see the modules called here).
    """
    if len(content) > LIMITS[kind]:
        return Trouble("file_too_large", {"limit": LIMITS[kind] // MB})
    if not content:
        return Trouble("file_empty")
    try:
        return _cleaned(kind, content)
    except WrongTypeError:
        return _WRONG_TYPE[kind]
    except BrokenFileError:
        return Trouble("file_broken")
    except TooManyPixelsError:
        return Trouble("file_pixels")


_WRONG_TYPE = {
    Kind.IMAGE: Trouble("file_no_picture"),
    Kind.AUDIO: Trouble("file_no_sound"),
    Kind.VIDEO: Trouble("file_no_film"),
    Kind.FILE: Trouble("file_no_document"),
}


_SIMPLE: dict[str, tuple[Kind, Callable[[bytes], Accepted]]] = {
    **dict.fromkeys(PICTURES, (Kind.IMAGE, picture)),
    "ogg": (Kind.AUDIO, ogg),
    "mp3": (Kind.AUDIO, mp3),
    "wav": (Kind.AUDIO, wav),
    "pdf": (Kind.FILE, pdf),
    "zip": (Kind.FILE, office),
    "text": (Kind.FILE, text),
}
_FILMED: dict[str, Callable[[bytes], tuple[Accepted, bool]]] = {"iso": iso_film, "webm": webm}


def _cleaned(kind: Kind, content: bytes) -> Accepted:
    """Where a file of any sort is asked for, a picture, a recording or a film will do."""
    found = kind_of(content)
    if found in _FILMED:
        clean, film = _FILMED[found](content)
        if kind in {Kind.VIDEO if film else Kind.AUDIO, Kind.FILE}:
            return clean
        raise WrongTypeError(found)
    sort, cleaner = _SIMPLE[found]
    if kind not in {sort, Kind.FILE}:
        raise WrongTypeError(found)
    return cleaner(content)


async def take(
    vault: Vault | None, kind: Kind, content: bytes, store: Store, today: date
) -> str | Trouble:
    """Check, clean, seal and keep a file; its token. Without a ``vault`` it is only checked.

    The row is written first: killed between the two, there is a row without a file, which the
    sweep removes, and never a file that nothing knows of.
    """
    loop = asyncio.get_running_loop()
    clean = await loop.run_in_executor(_CLEANING, accepted, kind, content)
    if isinstance(clean, Trouble):
        return clean
    key = secrets.token_bytes(32)
    if vault is None:
        return Attachment(_NOWHERE, key, clean.ext, len(clean.content)).token
    made = Attachment(secrets.token_hex(16), key, clean.ext, len(clean.content))
    box = await loop.run_in_executor(_CLEANING, seal, clean.content, key, _ATTACHMENT, _BLOCK)
    await store.write(lambda tx: tx.put_attachment(made.id, today))
    await vault.put(made.id, box)
    return made.token


async def opened(vault: Vault, token: str) -> bytes:
    """The cleaned file. LookupError where it is gone, SpoiledError where it was changed."""
    attachment = read(token)
    return unseal(await vault.get(attachment.id), attachment.key, _ATTACHMENT)


async def sweep(vault: Vault, store: Store, today: date) -> int:
    """Delete the files that nobody kept within KEEP, and files without a row; how many went.

    A file without a row is left alone as long: the database may be a step behind.
    """
    before = today - KEEP
    stale = await store.write(lambda tx: tx.drop_stale_attachments(before))
    known = set(await store.read(lambda tx: tx.attachments()))
    orphans = [name for name in await vault.older_than(before) if name not in known]
    gone = {*stale, *orphans}
    for name in gone:
        await vault.drop(name)
    return len(gone)
