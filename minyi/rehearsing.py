"""Rehearsals in a process of their own, which yields to everything that is done for real."""

from __future__ import annotations

import asyncio
import json
import pickle
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from desk.campaigns.rehearsing import LASTS, Report, Run, Script, TooLongError
from desk.works import Moved
from minyi.settings import Settings
from surveys.people import Text
from web.console.checking import process

MODULE = "minyi.performing"
LONGEST = 2**23  # bytes of the line that holds the report


@dataclass(frozen=True, slots=True)
class Manner:
    """How this office speaks and sends; rates are messages a second."""

    organisation: Text
    rate: float
    paid_rate: float


class RehearsalError(RuntimeError):
    """It could not be played; the text says where it failed, and no word of what was in it."""


def rehearser(settings: Settings) -> Run:
    """Who plays scripts as the office of ``settings`` would; see ``desk.campaigns.rehearsing``."""
    paid = settings.telegram_paid_rate or settings.telegram_rate
    manner = Manner(settings.organisation, settings.telegram_rate, paid)

    async def run(script: Script, moved: Moved) -> Report:
        return await _played(script, manner, moved)

    return run


async def _played(script: Script, manner: Manner, moved: Moved) -> Report:
    """However this ends, the process and its folder are gone afterwards."""
    with TemporaryDirectory(prefix="minyi-rehearsal-") as folder:
        command, environment = process(MODULE, folder)
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, limit=LONGEST
        )
        try:
            async with asyncio.timeout(LASTS.total_seconds()):
                return await _heard(child, pickle.dumps((script, manner)), moved)
        except TimeoutError:
            raise TooLongError from None
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
            await child.wait()


async def _heard(child: Process, given: bytes, moved: Moved) -> Report:
    """Hand it what it needs, follow how far it is, and take its report."""
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # what it prints says why
        child.stdin.write(given)
        await child.stdin.drain()
        child.stdin.close()
    async for line in child.stdout:
        told = json.loads(line)
        if "report" in told:
            report: Report = told["report"]
            return report
        if "failed" in told:
            raise RehearsalError(f"The rehearsal failed: {told['failed']}.")
        moved("rehearsing", told["day"], told["days"])
    status = await child.wait()  # negative: the system ended it, mostly for want of memory
    raise RehearsalError(f"The rehearsal ended before its time, with status {status}.")
