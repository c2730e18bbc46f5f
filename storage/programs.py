"""PostgreSQL's own programs, pg_dump and pg_restore: run without a shell, and what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import make_url


class CopyError(Exception):
    """A database cannot be copied or put back; the text says why."""


def has_program(name: str) -> bool:
    """Whether ``pg_dump`` or ``pg_restore`` can be run here."""
    return shutil.which(name) is not None


def program(name: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on ``url``; its password stands in no list of processes."""
    with tempfile.TemporaryDirectory(prefix="minyi-pg-") as folder:
        file = Path(folder) / "service"
        file.touch(0o600)
        file.write_text(service(url), "utf-8")
        command = [name, "--dbname=service=minyi", "--no-password", *options]
        run(command, {"PGSERVICEFILE": str(file)})


def service(url: str) -> str:
    """``url`` as an entry of libpq's service file."""
    parsed = make_url(url)
    words: dict[str, Any] = {
        "host": parsed.host,
        "port": parsed.port,
        "user": parsed.username,
        "password": parsed.password,
        "dbname": parsed.database,
        **parsed.query,
    }
    lines = [f"{name}={value}" for name, value in words.items() if value not in {None, ""}]
    return "\n".join(["[minyi]", *lines, ""])


def run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """What ``command`` wrote; CopyError with the first line of its complaint where it fails."""
    try:
        ran = subprocess.run(  # noqa: S603 - a list, no shell
            command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CopyError(f"{command[0]} is not installed here") from None
    if ran.returncode:
        said = [line for line in ran.stderr.strip().splitlines() if line]
        raise CopyError(said[0] if said else f"{command[0]} ended with status {ran.returncode}")
    return ran.stdout
