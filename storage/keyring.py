"""Keys in files, outside the database and its backups.

One file a key, readable by its owner alone. A file appears whole or not at all: it is written and
flushed under a random name and then linked to its own, which fails where another process was
faster; then that one's key counts.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex
from urllib.parse import quote

from nacl.public import PrivateKey

from surveys.keys import WaveKeys

_KEY = 32
_LONGEST_NAME = 200  # bytes; file systems end at 255


class FileKeyring:
    """Implements ``surveys.keys.Keyring`` in ``directory`` (made, 0700, where it is missing).

    ``app.key`` (32 bytes), ``waves/<wave>.key`` (row id key and tally secret, 64 bytes) and
    ``readers/<name>.key`` (X25519 secret, 32 bytes). Read once and remembered, except that a
    wave's keys are forgotten as soon as their file is gone, whoever destroyed it.
    """

    def __init__(self, directory: Path) -> None:
        self._waves = directory / "waves"
        self._readers = directory / "readers"
        self._app = directory / "app.key"
        self._remembered: dict[Path, bytes] = {}
        for folder in (directory, self._waves, self._readers):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def app_key(self) -> bytes:
        return self._kept(self._app, _KEY)

    def new_wave(self, wave: str) -> bytes:
        path = _path(self._waves, wave)
        _make(path, token_bytes(_KEY) + bytes(PrivateKey.generate()))
        keys = self.wave_keys(wave)
        if keys is None:
            raise FileNotFoundError(f"the keys of wave {wave!r} were destroyed while being made")
        return bytes(PrivateKey(keys.tally_secret).public_key)

    def wave_keys(self, wave: str) -> WaveKeys | None:
        path = _path(self._waves, wave)
        secrets = self._remembered.get(path)
        if secrets is not None and not path.exists():  # another process destroyed them
            del self._remembered[path]
            return None
        if secrets is None:
            secrets = _read(path, 2 * _KEY)
            if secrets is None:
                return None
            self._remembered[path] = secrets
        return WaveKeys(rid_key=secrets[:_KEY], tally_secret=secrets[_KEY:])

    def has_app(self) -> bool:
        """Whether there is an application's key; none is made."""
        return _read(self._app, _KEY) is not None

    def has_reader(self, name: str) -> bool:
        """Whether the reader has a key; none is made."""
        return _read(_path(self._readers, name), _KEY) is not None

    def has_wave(self, wave: str) -> bool:
        """Whether the wave's keys are there, and have not been destroyed."""
        return _read(_path(self._waves, wave), 2 * _KEY) is not None

    def keep_wave(self, wave: str, keys: WaveKeys) -> None:
        """Put a wave's keys back, as a backup had them; those that are here already stay."""
        _make(_path(self._waves, wave), keys.rid_key + keys.tally_secret)

    def destroy_wave(self, wave: str) -> None:
        """Overwrite, flush, unlink, flush the folder.

        A journalling or copying file system, a flash disk or a backup may keep an older copy of
        the block: keep this directory on plain storage and out of backups.
        """
        path = _path(self._waves, wave)
        self._remembered.pop(path, None)
        with suppress(FileNotFoundError):
            with path.open("r+b") as file:
                file.write(bytes(2 * _KEY))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _flush(path.parent)

    def reader_public(self, name: str) -> bytes:
        return bytes(PrivateKey(self.reader_secret(name)).public_key)

    def reader_secret(self, name: str) -> bytes:
        return self._kept(_path(self._readers, name), _KEY)

    def _kept(self, path: Path, length: int) -> bytes:
        if path not in self._remembered:
            if not path.exists():
                _make(path, token_bytes(length))  # X25519 takes any 32 random bytes
            secret = _read(path, length)
            if secret is None:
                raise ValueError(
                    f"the key file {path} is damaged; restore it from where you keep it"
                )
            self._remembered[path] = secret
        return self._remembered[path]


@cache
def _path(folder: Path, name: str) -> Path:
    """A file for any name; of one too long for a file system (Chinese takes much) a digest."""
    if not name:
        raise ValueError("'' cannot name a key")
    file = quote(name, safe="")
    if len(file) > _LONGEST_NAME:
        file = sha256(name.encode()).hexdigest()
    return folder / f"{file}.key"


def _make(path: Path, secret: bytes) -> None:
    """Put ``secret`` at ``path`` unless a key is already there."""
    draft = path.with_name(f".{token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    _flush(path.parent)


def _read(path: Path, length: int) -> bytes | None:
    """The key at ``path``; None where there is none, or only the zeros of a destroyed one."""
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(secret) != length:
        raise ValueError(f"the key file {path} has {len(secret)} bytes instead of {length}")
    return secret if any(secret) else None


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
