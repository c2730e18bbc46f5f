"""A backup as one file: a plain tar whose first member says what follows, with a hash of each.

``manifest.json``, then ``minyi.db`` or ``minyi.dump``, ``keys/…``, ``waves.sealed`` where the keys
of open waves are in it, ``attachments/…``. Nothing is believed of an archive that is read: every
name, kind, size and hash is looked at before anything of it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from minyi.members import ArchiveError, Member, members, shown

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = {"sqlite": "minyi.db", "postgresql": "minyi.dump"}
SEALED = "waves.sealed"
_LONGEST_MANIFEST = 64 * 2**20  # of 400,000 attachments; reading it takes some 400 MB of memory
_LATEST = 2**33  # seconds since 1970, in 2242: as far as a plain header reaches
_MOST = 2**63
_BLOCK = 2**20
_NAMES = re.compile(
    r"minyi\.db|minyi\.dump|waves\.sealed|attachments/[0-9a-f]{32}"
    r"|keys/(?!waves/)(?:[\w%~-][\w%.~-]{0,239}/)?[\w%~-][\w%.~-]{0,239}",
    re.ASCII,
)
_HASH = re.compile(r"[0-9a-f]{64}")


def said(error: Exception) -> str:
    """What an error says, with one full stop at the end."""
    return f"{str(error).rstrip('.')}."


@dataclass(frozen=True, slots=True)
class Packed:
    """One file in the archive: its bytes and their SHA-256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    ``waves`` are those not tallied at the moment of the copy; ``unkeyed`` of them have no keys in
    the archive. ``counts`` are rows by table. ``database`` is sqlite or postgresql.
    """

    program: str
    revision: str
    made_at: str
    database: str
    counts: Mapping[str, int]
    waves: tuple[str, ...] = ()
    unkeyed: tuple[str, ...] = ()
    files: Mapping[str, Packed] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The manifest as it lies in the archive."""
        told = {"format": FORMAT, **asdict(self)}
        return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()


def read_manifest(content: bytes) -> Manifest:
    """The manifest in ``content``; ArchiveError where it is not of a kind that we know."""
    try:
        told: dict[str, Any] = json.loads(content)
        form = told.pop("format")
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ArchiveError("its manifest cannot be read") from None
    if form != FORMAT:
        what = f"format {form}" if isinstance(form, int) and abs(form) < _MOST else "another format"
        raise ArchiveError(f"it has {what}; this Minyi knows {FORMAT}. Use a newer Minyi.")
    try:
        made = Manifest(
            program=_word(told["program"]),
            revision=_word(told["revision"]),
            made_at=_word(told["made_at"]),
            database=_word(told["database"]),
            counts={_word(name): _number(rows) for name, rows in told["counts"].items()},
            waves=_words(told["waves"]),
            unkeyed=_words(told["unkeyed"]),
            files={_known(name): _packed(name, of) for name, of in told["files"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ArchiveError("its manifest is incomplete") from None
    if DATABASES.get(made.database, "") not in made.files:
        raise ArchiveError("its manifest names no database")
    return made


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("no words that can be shown")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return tuple(map(_word, value))


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise TypeError("no number of anything")
    return value


def _packed(name: str, told: Mapping[str, Any]) -> Packed:
    try:
        found = Packed(**told)
        if _HASH.fullmatch(found.sha256):
            return replace(found, size=_number(found.size))
    except TypeError:
        pass
    raise ArchiveError(f"its manifest says nothing sensible of {name}")


def measured(path: Path) -> Packed:
    """Size and hash of a file."""
    with path.open("rb") as file:
        return Packed(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def pack(to: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write the archive to ``to`` (made, 0600) and flush it. ``sources``: where each file lies.

    FileNotFoundError where one has gone meanwhile, ArchiveError where one has changed.
    """
    with os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            content = manifest.to_json()
            _add(tar, MANIFEST, len(content), _Bytes(content), 0)
            for name, packed in manifest.files.items():
                with sources[name].open("rb") as file:
                    kept = name.startswith("attachments/")  # whose day tells when they may go
                    moment = int(sources[name].stat().st_mtime) if kept else 0
                    moment = min(max(0, moment), _LATEST - 1)
                    _add(tar, name, packed.size, file, moment)
        out.flush()
        os.fsync(out.fileno())


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._rest = content

    def read(self, size: int) -> bytes:
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _add(tar: tarfile.TarFile, name: str, size: int, content: Any, moment: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, moment
    try:
        tar.addfile(member, content)
    except OSError as error:
        if error.errno is not None:
            raise
        raise ArchiveError(f"{name} changed while it was read") from None  # tarfile: too short


def unpack(archive: Path, into: Path) -> Manifest:
    """Put every file of ``archive`` below ``into``, an empty directory, and hold it to its hash.

    Raises ArchiveError, naming what is wrong, at the first thing that is; ``into`` is then to be
    thrown away.
    """
    with _opened(archive) as file:
        parts = members(file)
        manifest = _first(file, parts)
        seen = set()
        for member in parts:
            _put(file, member, manifest, into)
            seen.add(member.name)
    if missing := [name for name in manifest.files if name not in seen]:
        raise ArchiveError(f"{missing[0]} is missing; it was cut off")
    return manifest


def peek(archive: Path) -> Manifest:
    """The manifest alone; nothing is known yet of what follows it."""
    with _opened(archive) as file:
        return _first(file, members(file))


def _opened(archive: Path) -> IO[bytes]:
    if archive.exists() and not archive.is_file():
        raise ArchiveError("it is not a file")
    return archive.open("rb")


def _first(file: IO[bytes], parts: Iterator[Member]) -> Manifest:
    member = next(parts, None)
    if member is None or member.name != MANIFEST or not member.is_file:
        raise ArchiveError("it does not begin with a manifest, so it is no archive of Minyi")
    if member.size > _LONGEST_MANIFEST:
        raise ArchiveError("its manifest is too large")
    return read_manifest(file.read(member.size))


def _put(file: IO[bytes], member: Member, manifest: Manifest, into: Path) -> None:
    if not member.is_file:
        raise ArchiveError(f"{shown(member.name)} is a link or a device, not a file")
    name = _known(member.name)
    packed = manifest.files.get(name)
    if packed is None:
        raise ArchiveError(f"{name} is not in its manifest")
    if member.size != packed.size:
        raise ArchiveError(f"{name} has {member.size} bytes instead of {packed.size}")
    if not 0 <= member.moment < _LATEST:
        raise ArchiveError(f"{name} has a day that cannot be")
    target = into / name
    try:
        for folder in reversed(target.relative_to(into).parents[:-1]):
            (into / folder).mkdir(mode=0o700, exist_ok=True)
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except (FileExistsError, NotADirectoryError):
        raise ArchiveError(f"{name} is in it twice") from None
    with os.fdopen(handle, "wb") as out:
        found = _copied(file, packed.size, out)
    if found != packed:
        cut = f"is cut off after {found.size} bytes" if found.size < packed.size else "was changed"
        raise ArchiveError(f"{name} {cut}")
    os.utime(target, (member.moment, member.moment) if member.moment else None)


def _copied(source: IO[bytes], size: int, out: IO[bytes]) -> Packed:
    rest, digest = size, hashlib.sha256()
    while block := source.read(min(rest, _BLOCK)):
        out.write(block)
        digest.update(block)
        rest -= len(block)
    out.flush()
    os.fsync(out.fileno())
    return Packed(size - rest, digest.hexdigest())


def _known(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise ArchiveError(f"{shown(name)} would lie outside the directory")
    if not _NAMES.fullmatch(name):
        raise ArchiveError(f"{shown(name)} has no place in a backup")
    return name
