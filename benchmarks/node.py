"""What Node drives in a benchmark: pinned packages, installed into a cache folder once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path


class NoNodeError(RuntimeError):
    """It cannot be had here. The message says what is missing."""


def installed(home: Path, name: str, scripts: Iterable[str]) -> Path:
    """A folder with the packages that ``package.json`` in ``home`` pins, and its ``scripts``.

    Raises NoNodeError where node or npm is missing, or npm cannot install.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NoNodeError(f"{program} is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / name
    cache.mkdir(parents=True, exist_ok=True)
    pinned, done = (home / "package.json").read_text(), cache / "installed.json"
    if not done.exists() or done.read_text() != pinned:
        (cache / "package.json").write_text(pinned)
        shutil.rmtree(cache / "node_modules", ignore_errors=True)
        command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit"]
        made = subprocess.run(command, cwd=cache, capture_output=True, text=True, check=False)
        if made.returncode:
            raise NoNodeError(f"npm could not install {name}")
        done.write_text(pinned)
    for script in scripts:
        shutil.copy(home / script, cache / script)
    return cache
