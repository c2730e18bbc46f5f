"""SurveyJS (``survey-core`` on Node): the same two questions, played one interview after another.

``package.json`` pins it; it is installed into a cache folder at the first run. ``surveyjs.mjs``
plays, and says what goes over the pipe.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.node import installed

_HERE = Path(__file__).parent


def named() -> str:
    """``survey-core 3.1.1``, as it is pinned."""
    pinned: dict[str, str] = json.loads((_HERE / "package.json").read_text())["dependencies"]
    return " ".join(f"{name} {version}" for name, version in pinned.items())


class SurveyJS:
    """One long-lived Node process. ``load`` is how it loads a saved state: ``new`` | ``reused``."""

    def __init__(self, load: str) -> None:
        self._process = subprocess.Popen(
            ["node", "surveyjs.mjs", load],
            cwd=installed(_HERE, "minyi-benchmarks", ["surveyjs.mjs"]),
            env={**os.environ, "NODE_ENV": "production"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
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

    def play(self, seconds: float) -> float:
        """Interviews a second, played for ``seconds``, at least one."""
        played = self._ask(do="play", seconds=seconds)
        return float(played["interviews"] / played["seconds"])

    def talk(self, answers: Sequence[tuple[str, str | int]]) -> dict[str, Any]:
        """One interview: what was ``said``, answers ``refused``, ``data``, ``completed``."""
        return self._ask(do="talk", answers=answers)

    def _ask(self, **request: object) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError("SurveyJS has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
