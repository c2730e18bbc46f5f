"""ODK's own engine (``@getodk/xforms-engine``, the one in ODK Web Forms), behind a pipe.

``package.json`` pins it. It is installed into a cache folder at the first run; Node 20 and its
``npm`` must be there. ``driver.mjs`` says what goes over the pipe.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from benchmarks.node import installed

_HERE = Path(__file__).parent
_RANGE = "repeat-range"


class EngineError(RuntimeError):
    """The engine refuses a form or a value, in its own words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine knows of one node. A value that it could not tell begins with '! '."""

    path: str
    type: str
    relevant: bool
    required: bool
    readonly: bool
    value: str | None
    count: int | None
    open: bool
    valid: bool
    message: str
    label: str
    hint: str
    choices: tuple[tuple[str, str], ...] | str | None


class Engine:
    """One long-lived process in the time zone ``zone`` (IANA); one form's instance at a time.

    ``mended``: with the functions in which it departs from XPath 1.0 and JavaRosa changed.
    """

    def __init__(self, zone: str, *, mended: bool = False) -> None:
        self.zone = ZoneInfo(zone)
        folder = installed(_HERE, "minyi-agreement", ["driver.mjs", "mended.mjs"])
        self._process = subprocess.Popen(
            ["node", "driver.mjs", *(["--mended"] if mended else [])],
            cwd=folder,
            env={**os.environ, "TZ": zone},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def load(self, xform: bytes, now: datetime, language: str) -> dict[str, Seen]:
        """A new instance of a form; every node by concrete path."""
        moment = round(now.timestamp() * 1000)
        return self._ask(do="load", xform=xform.decode(), now=moment, language=language)

    def set(self, path: str, value: str) -> dict[str, Seen]:
        """Give the node at ``path`` a value."""
        return self._ask(do="set", path=path, value=value)

    def attempt(self, path: str, value: str) -> Seen:
        """What the engine says of the node at ``path`` if it had ``value``."""
        return self._ask(do="try", path=path, value=value)[path]

    def count(self, path: str, count: int) -> dict[str, Seen]:
        """That many occurrences of the open repeat at ``path``."""
        return self._ask(do="count", path=path, value=count)

    def _ask(self, **request: object) -> dict[str, Seen]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise EngineError("the engine has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return {node["path"]: _seen(node) for node in answer["nodes"]}


def _seen(node: dict[str, Any]) -> Seen:
    choices = node["choices"]
    if isinstance(choices, list):
        choices = tuple((name, _trimmed(label)) for name, label in choices)
    return Seen(
        path=node["path"],
        type=_RANGE if node["type"].startswith(_RANGE) else node["type"],
        relevant=node["relevant"],
        required=node["required"],
        readonly=node["readonly"],
        value=node["value"],
        count=node["count"],
        open=node["open"],
        valid=node["valid"],
        message=_trimmed(node["constraintMessage"]),
        label=_trimmed(node["label"]),
        hint=_trimmed(node["hint"]),
        choices=choices,
    )


def _trimmed(label: str | None) -> str:
    return (label or "").strip()
