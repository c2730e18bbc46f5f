"""Sealed files in a directory beside the database.

Several processes, on one machine or (with PostgreSQL) on many, may share the directory: names are
random, a file appears whole or not at all, and is never changed.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import token_hex

_ID = re.compile(r"[0-9a-f]{32}")
_DRAFT = re.compile(r"\.[0-9a-f]{16}")
_DAY = 86_400 * 10**9  # nanoseconds


class FileVault:
    """Implements ``attachments.Vault`` in ``directory`` (made, 0700, where it is missing).

    Everything runs off the event loop. A file's times are cut to the day (UTC): a moment would
    join it to a log line.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)

    async def put(self, attachment: str, box: bytes) -> None:
        """Write under another name, flush, rename, flush the directory."""
        await asyncio.to_thread(self._put, self._path(attachment), box)

    async def get(self, attachment: str) -> bytes:
        """The box; LookupError where there is none."""
        try:
            return await asyncio.to_thread(self._path(attachment).read_bytes)
        except FileNotFoundError:
            raise LookupError(f"there is no file {attachment}") from None

    async def drop(self, attachment: str) -> None:
        """Delete. It was sealed, so nothing is overwritten: its key is what makes it readable."""
        await asyncio.to_thread(self._path(attachment).unlink, missing_ok=True)

    async def older_than(self, day: date) -> Sequence[str]:
        """The ids of files put before ``day``; what a killed process left half-written goes."""
        return await asyncio.to_thread(self._older_than, day)

    def _path(self, attachment: str) -> Path:
        if not _ID.fullmatch(attachment):
            raise ValueError("an attachment's id is 32 hexadecimal digits")
        return self._directory / attachment

    def _put(self, path: Path, box: bytes) -> None:
        draft = path.with_name(f".{token_hex(8)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(box)
                file.flush()
                day = os.fstat(file.fileno()).st_mtime_ns // _DAY * _DAY
                os.utime(file.fileno(), ns=(day, day))
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        folder = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _older_than(self, day: date) -> list[str]:
        before = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        found = []
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps as well
                if path.stat().st_mtime >= before:
                    continue
                if _ID.fullmatch(path.name):
                    found.append(path.name)
                elif _DRAFT.fullmatch(path.name):
                    path.unlink()
        return found
