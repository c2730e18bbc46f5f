"""Zip archives (.xlsx, .docx, .zip) looked over before anything in them is unpacked or parsed."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from surveys.words import Words

UNPACKED = 60_000_000
"""Bytes that everything inside may have together, unless a caller knows better."""
PARTS = 2000
RATIO, SMALL = 300, 1_000_000
"""How often smaller packing may make a part of more than SMALL bytes; deflate reaches 1032."""

_CHUNK = 1 << 20
_DECLARED = re.compile(rb"""<\?xml[^>]{0,80}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_KNOWN = frozenset((b"utf-8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"))
_DTD = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))


class RefusedError(ValueError):
    """A file that is not opened. ``code`` is a key of problems.toml under ``archive.``."""

    def __init__(self, code: str, **arguments: object) -> None:
        self.code, self.arguments = code, arguments
        super().__init__(self.said("en"))

    def said(self, language: str) -> str:
        """What is wrong and how to mend it."""
        words = Words.of("surveys", "problems")
        return words.say(f"archive.{self.code}", language, **self.arguments)


def safe_zip(content: bytes | Path, unpacked: int = UNPACKED, parts: int = PARTS) -> None:
    """Refuse what would fill memory or disk, lead out of a folder, or declare XML entities.

    ``content`` is the archive or its file. Its directory is judged first, so nothing of a bomb is
    unpacked; then every part is read once, piece by piece. Raises :class:`RefusedError`.
    """
    try:
        with zipfile.ZipFile(
            content if isinstance(content, Path) else io.BytesIO(content)
        ) as zipped:
            _judge_directory(zipped.infolist(), unpacked, parts)
            for info in zipped.infolist():
                with zipped.open(info) as part:
                    no_entities(iter(lambda: part.read(_CHUNK), b""), info.filename)
    except RefusedError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise RefusedError("damaged") from error


def _judge_directory(infos: list[zipfile.ZipInfo], unpacked: int, parts: int) -> None:
    if len(infos) > parts:
        raise RefusedError("parts", most=parts)
    for info in infos:
        if info.flag_bits & 1:
            raise RefusedError("locked")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RefusedError("packing", name=info.filename[:80])
        steps = re.split(r"[/\\]", info.filename)
        if ".." in steps or not steps[0] or ":" in steps[0] or "\0" in info.filename:
            raise RefusedError("path", name=info.filename[:80])
        if info.file_size > max(SMALL, RATIO * info.compress_size):
            raise RefusedError("bomb", name=info.filename[:80])
    if sum(info.file_size for info in infos) > unpacked:
        raise RefusedError("unpacked", most=unpacked // 1_000_000)


def no_entities(pieces: Iterator[bytes], name: str) -> None:
    """Refuse XML that declares a document type: that is where entities are made.

    ``pieces`` are the file ``name`` from its beginning. Neither a spreadsheet nor an XForm has one.
    """
    before = b""
    for number, piece in enumerate(pieces):
        if not number:
            declared = _DECLARED.match(piece.lstrip(b"\xef\xbb\xbf \t\r\n")[:200])
            if declared and declared[1].lower() not in _KNOWN:
                raise RefusedError("encoding", name=name[:80], encoding=declared[1].decode())
        seen = before + piece
        if any(needle in seen for needle in _DTD):
            raise RefusedError("entities", name=name[:80])
        before = piece[-20:]
