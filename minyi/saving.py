"""Files that were handed over, written out for whoever may read them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from surveys.files.attachments import Vault, opened


async def save(vault: Vault, found: Sequence[tuple[str, str]], folder: Path) -> None:
    """Write each (file name, token) into ``folder`` (made, 0700, where it is missing).

    Raises FileExistsError where a name is taken, LookupError where a file is gone, SpoiledError
    where it was changed; then nothing is left behind.
    """
    write([(folder / name, await opened(vault, token)) for name, token in found])


def write(contents: Sequence[tuple[Path, bytes]]) -> None:
    """All of them or none; nothing is overwritten."""
    written: list[Path] = []
    try:
        for path, content in contents:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            written.append(path)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
    except OSError:
        for path in written:
            path.unlink()
        raise
