"""The stage as a child process, directed over its HTTP door."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

import aiohttp

TOKEN = "700000000:rehearsal-token-of-the-pretend-telegram"  # noqa: S105 - opens nothing


class Backstage:
    """Use as ``async with``: starts the stage, and ends it with us."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.url = ""

    async def __aenter__(self) -> Backstage:
        command = [sys.executable, "-m", "rehearsal.stage", "--token", TOKEN, *self._options]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the rehearsal stage did not start; see the error above")
        self.url = str(json.loads(line)["url"])
        self._client = aiohttp.ClientSession(self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    async def tell(self, act: str, body: Any = None) -> Any:
        """POST to ``/stage/<act>``; raises RuntimeError with the stage's own words."""
        async with self._client.post(f"/stage/{act}", json=body) as answer:
            return await _read(answer)

    async def ask(self, what: str) -> Any:
        """GET ``/stage/<what>``."""
        async with self._client.get(f"/stage/{what}") as answer:
            return await _read(answer)

    async def enter(self, personas: Sequence[dict[str, Any]]) -> None:
        """Put people on stage and let them begin."""
        await self.tell("people", list(personas))
        await self.tell("begin")


async def _read(answer: aiohttp.ClientResponse) -> Any:
    if answer.status != 200:
        raise RuntimeError(f"the stage says {answer.status}: {await answer.text()}")
    return await answer.json()
