"""The audit's head in a sealed file, outside the database: what was cut off after it is seen."""

from __future__ import annotations

import fcntl
import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from desk.audit import START, Mark, Noted, head_seal

_SHAPE = re.compile(r"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})(?: ([0-9a-f]{64}))?\n?")


class FileHead:
    """(seq, hash) of the audit's newest entry in ``path``, one line; written whole or not at all.

    ``key`` (None: only looking, and not at the seal) seals it, so that whoever writes files but
    has no key cannot set it back. It never goes back but by :meth:`replace`. Its directory must be
    there.
    """

    def __init__(self, path: Path, key: bytes | None) -> None:
        self._path, self._key = path, key

    @property
    def sealing(self) -> bool:
        """Whether a head can be kept here at all."""
        return self._key is not None

    def noted(self) -> Noted:
        """What was kept last, and what is wrong with it."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return Noted(flaw="missing")
        found = _SHAPE.fullmatch(text.decode("ascii", "replace"))
        if found is None:
            return Noted(flaw="damaged")
        mark = int(found[1]), found[2]
        if found[3] is None:
            return Noted(mark, "unsealed")
        genuine = self._key is None or hmac.compare_digest(head_seal(self._key, mark), found[3])
        return Noted(mark) if genuine else Noted(flaw="forged")

    def begin(self) -> bool:
        """Note that there is no entry yet, where nothing is noted at all; whether it was."""
        with self._alone():
            if self._path.exists():
                return False
            self._write((0, START))
            return True

    def keep(self, mark: Mark) -> bool:
        """Keep the head where it is later than what is kept; whether it was.

        A note that is missing or flawed is left so: that is what proves it.
        """
        with self._alone():
            noted = self.noted()
            if noted.flaw or noted.mark is None or mark[0] <= noted.mark[0]:
                return False
            self._write(mark)
            return True

    def replace(self, mark: Mark) -> None:
        """Keep this head whatever was kept before: somebody has said that it shall be so."""
        with self._alone():
            self._write(mark)

    def _write(self, mark: Mark) -> None:
        if self._key is None:
            raise ValueError("a head without the key that seals it")
        draft = self._path.with_name(f".{token_hex(8)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{mark[0]} {mark[1]} {head_seal(self._key, mark)}\n".encode())
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
