"""Work beside the place it is for: a directory that becomes what was wanted, or is gone.

Whoever works in one holds a lock on it. One that nobody holds was left by a process that was
killed; it may hold a copy of everything, so the next one to come says so and deletes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"\..+\.[0-9a-f]{12}\.unfinished", re.DOTALL)
_LONGEST = 40  # characters of the name it is for; file systems end at 255 bytes


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A private directory on the disk of ``path``, gone in the end unless it was renamed."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    outer = path.parent / f".{path.name[:_LONGEST]}.{secrets.token_hex(6)}.unfinished"
    with _alone(path.parent):  # nobody sweeps between its making and its locking
        outer.mkdir(mode=0o700)
        held = os.open(outer, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        inner = outer / "inside"
        inner.mkdir(mode=0o700)
        yield inner
    finally:
        shutil.rmtree(outer, ignore_errors=True)
        os.close(held)


def swept(path: Path) -> tuple[Path, ...]:
    """What killed processes left beside ``path``; it is deleted."""
    parent = path.absolute().parent
    if not parent.is_dir():
        return ()
    with _alone(parent):
        return tuple(left for left in sorted(parent.iterdir()) if _swept(left))


def _swept(left: Path) -> bool:
    if not _NAME.fullmatch(left.name) or left.is_symlink() or not left.is_dir():
        return False
    if left.stat().st_uid != os.geteuid():
        return False
    handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with suppress(BlockingIOError):  # somebody is at work in it
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
            return True
        return False
    finally:
        os.close(handle)


def flush(folder: Path) -> None:
    """Force a directory's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
