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
import secrets
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = {"sqlite": "minyi.db", "postgresql": "minyi.dump"}
SEALED = "waves.sealed"
_LONGEST_MANIFEST = 256 * 2**20  # an archive of a million attachments has 120 MB of it
_BLOCK = 2**20
_NAMES = re.compile(
    r"minyi\.db|minyi\.dump|waves\.sealed|attachments/[0-9a-f]{32}"
    r"|keys/(?!waves/)(?:[\w%~-][\w%.~-]*/)?[\w%~-][\w%.~-]*",
    re.ASCII,
)
_HASH = re.compile(r"[0-9a-f]{64}")


class ArchiveError(Exception):
    """An archive cannot be made, or is not to be trusted; the text says what is wrong with it."""


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
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ArchiveError("its manifest cannot be read") from None
    if form != FORMAT:
        raise ArchiveError(f"it has format {form!r}; this Minyi knows {FORMAT}. Use a newer Minyi.")
    try:
        made = Manifest(
            program=str(told["program"]),
            revision=str(told["revision"]),
            made_at=str(told["made_at"]),
            database=str(told["database"]),
            counts={str(name): int(rows) for name, rows in told["counts"].items()},
            waves=tuple(map(str, told["waves"])),
            unkeyed=tuple(map(str, told["unkeyed"])),
            files={str(name): Packed(**packed) for name, packed in told["files"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ArchiveError("its manifest is incomplete") from None
    for name, packed in made.files.items():
        _known(name)
        if not (isinstance(packed.size, int) and _HASH.fullmatch(str(packed.sha256))):
            raise ArchiveError(f"its manifest says nothing sensible of {name}")
    if DATABASES.get(made.database, "") not in made.files:
        raise ArchiveError("its manifest names no database")
    return made


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
    with _opened(archive) as tar:
        members = iter(tar)
        manifest = _first(tar, members)
        seen = set()
        for member in members:
            _put(tar, member, manifest, into)
            seen.add(member.name)
    if missing := [name for name in manifest.files if name not in seen]:
        raise ArchiveError(f"{missing[0]} is missing; it was cut off")
    return manifest


def peek(archive: Path) -> Manifest:
    """The manifest alone; nothing is known yet of what follows it."""
    with _opened(archive) as tar:
        return _first(tar, iter(tar))


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveError(f"it is no archive of Minyi, or was cut off ({error})") from None


def _first(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> Manifest:
    member = next(members, None)
    if member is None or member.name != MANIFEST or not member.isreg():
        raise ArchiveError("it does not begin with a manifest, so it is no archive of Minyi")
    if member.size > _LONGEST_MANIFEST:
        raise ArchiveError("its manifest is too large")
    content = tar.extractfile(member)
    return read_manifest(content.read() if content else b"")


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, manifest: Manifest, into: Path) -> None:
    if not member.isreg():
        raise ArchiveError(f"{member.name} is a link or a device, not a file")
    _known(member.name)
    packed = manifest.files.get(member.name)
    if packed is None:
        raise ArchiveError(f"{member.name} is not in its manifest")
    target = into / member.name
    if target.exists():
        raise ArchiveError(f"{member.name} is in it twice")
    if member.size != packed.size:
        raise ArchiveError(f"{member.name} has {member.size} bytes instead of {packed.size}")
    for folder in reversed(target.relative_to(into).parents[:-1]):
        (into / folder).mkdir(mode=0o700, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise ArchiveError(f"{member.name} is not a file")
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        found = _copied(source, out)
    if found != packed:
        cut = f"is cut off after {found.size} bytes" if found.size < packed.size else "was changed"
        raise ArchiveError(f"{member.name} {cut}")
    os.utime(target, (member.mtime, member.mtime) if member.mtime else None)


def _copied(source: IO[bytes], out: IO[bytes]) -> Packed:
    size, digest = 0, hashlib.sha256()
    while block := source.read(_BLOCK):
        out.write(block)
        digest.update(block)
        size += len(block)
    out.flush()
    os.fsync(out.fileno())
    return Packed(size, digest.hexdigest())


def _known(name: str) -> None:
    if name.startswith("/") or ".." in name.split("/"):
        raise ArchiveError(f"{name} would lie outside the directory")
    if not _NAMES.fullmatch(name):
        raise ArchiveError(f"{name} has no place in a backup")


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A private directory on the disk of ``path``, gone in the end unless it was renamed."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / f".{path.name}.{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(folder: Path) -> None:
    """Force a directory's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
