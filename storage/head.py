"""The audit's head in a file, outside the database: what was cut off after it can be shown."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

_SHAPE = re.compile(r"([1-9][0-9]{0,18}) ([0-9a-f]{64})\n?")


class FileHead:
    """(seq, hash) of the audit's newest entry in ``path``, one line; written whole or not at all.

    It never goes back but by :meth:`replace`. Its directory must be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def kept(self) -> tuple[int, str] | None:
        """What was kept last; None for nothing yet. ValueError where the file is damaged."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        found = _SHAPE.fullmatch(text.decode("ascii", "replace"))
        if found is None:
            raise ValueError(f"{self._path} is damaged. Move it away: a new one is begun")
        return int(found[1]), found[2]

    def keep(self, seq: int, digest: str) -> bool:
        """Keep the head where it is later than what is kept; whether it was."""
        with self._alone():
            kept = self.kept()
            if kept is not None and seq <= kept[0]:
                return False
            self._write(seq, digest)
            return True

    def replace(self, seq: int, digest: str) -> None:
        """Keep this head whatever was kept before: somebody has said that it shall be so."""
        with self._alone():
            self._write(seq, digest)

    def _write(self, seq: int, digest: str) -> None:
        draft = self._path.with_name(f".{token_hex(8)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{seq} {digest}\n".encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process keeps a head in the same directory meanwhile."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)
