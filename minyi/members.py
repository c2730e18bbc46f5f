"""The members of a tar, read strictly: plain files under plain headers, one after the other.

Python's tarfile does whatever an archive asks of it: holes of any size, headers that fill the
memory, moments beyond every calendar. Of an archive that may be hostile we read only what
:func:`minyi.archiving.pack` writes.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from typing import IO

_BLOCK = 512
_LONGEST_HEADER = 4096  # of a name or size that the plain header has no room for
_RECORD = re.compile(rb"[1-9][0-9]{0,3} (path|size)=([^\n\0]{1,1000})\n")
_LONGEST_SHOWN = 120


class ArchiveError(Exception):
    """An archive cannot be made, or is not to be trusted; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, its bytes, the moment (seconds since 1970) that its header gives."""

    name: str
    size: int
    moment: int
    is_file: bool


def members(file: IO[bytes]) -> Iterator[Member]:
    """Each member of the tar in ``file``, which then stands at the member's first byte.

    ArchiveError at the first header that cannot be read, or says more than the file holds.
    """
    end, at, told = file.seek(0, SEEK_END), 0, dict[bytes, bytes]()
    while True:
        file.seek(at)
        header = _header(file.read(_BLOCK))
        if header is None:
            return
        more = header.type == tarfile.XHDTYPE  # it tells of the member after it
        size = header.size if more or b"size" not in told else _number(told[b"size"])
        at += _BLOCK
        if not 0 <= size <= end - at:
            raise ArchiveError(f"{shown(header.name)} is cut off")
        if more:
            told = _records(file, size)
        else:
            name = told[b"path"].decode("utf-8", "replace") if b"path" in told else header.name
            told = {}
            yield Member(name, size, int(header.mtime), header.type in {tarfile.REGTYPE, b"\0"})
        at += -(-size // _BLOCK) * _BLOCK


def shown(name: str) -> str:
    """A name as it may stand in a message: short, and nothing in it that a terminal obeys."""
    plain = name.encode("unicode_escape").decode()
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"


def _header(block: bytes) -> tarfile.TarInfo | None:
    """One header alone; None at the end of the archive."""
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return None
    except (tarfile.TarError, ValueError, OverflowError):
        raise ArchiveError("it is no archive of Minyi, or was cut off") from None


def _records(file: IO[bytes], size: int) -> dict[bytes, bytes]:
    if size > _LONGEST_HEADER:
        raise ArchiveError("a header in it is too large")
    content, found = file.read(size), dict[bytes, bytes]()
    while content:
        record = _RECORD.match(content)
        if record is None or len(record[0]) != int(content.split(b" ", 1)[0]):
            raise ArchiveError("a header in it says what no backup says")
        found[record[1]] = record[2]
        content = content[record.end() :]
    return found


def _number(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,18}", digits):
        raise ArchiveError("a header in it gives no sensible size")
    return int(digits)
