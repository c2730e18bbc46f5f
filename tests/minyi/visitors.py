"""Minyi as a process of its own, and people who answer it in browsers, over real sockets."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from random import Random
from typing import Any

import httpx

from minyi import steps
from minyi.house import House, open_house
from minyi.replay import LABELS, questionnaire, title
from minyi.settings import Settings
from storage import migrate
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.people import Invite, Subject
from tests.minyi.test_crash import INDICATORS, free_port

WINDOWS = ("s0", "s1")
CAMPAIGN = "load"
_FORM = re.compile(r"<form[^>]*action=\"([^\"]+)\"[^>]*>(.*?)</form>", re.S)
_FIELD = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')
_BUTTON = re.compile(r'<button[^>]*name="data"[^>]*value="([^"]+)"[^>]*>(.*?)</button>', re.S)


@dataclass
class Served:
    """``minyi serve`` in a process of its own."""

    settings: Settings
    environment: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {key: value for key, value in os.environ.items() if "MINYI" not in key}
        environment |= {
            "MINYI_DATA_DIR": str(self.settings.data_dir),
            "MINYI_DATABASE_URL": self.settings.database_url,
            "MINYI_PORT": str(self.settings.port),
            "MINYI_PUBLIC_URL": self.url,
            **self.environment,
        }
        command = [sys.executable, "-c", "from minyi.cli import main; main()", "serve"]
        self.process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            cwd=self.settings.data_dir,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with httpx.AsyncClient() as client:
            for _ in range(1200):
                if self.process.returncode is not None:
                    said, _ = await self.process.communicate()
                    raise AssertionError(f"it ended: {said.decode()}")
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError("it did not come up")

    async def end(self, how: signal.Signals) -> tuple[int, str]:
        """Its status and all that it said, on either stream."""
        assert self.process is not None
        self.process.send_signal(how)
        said, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


def settings_in(folder: Path, database_url: str = "") -> Settings:
    """A house in ``folder`` on a free port."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {"data_dir": folder, "database_url": database_url, "port": free_port(), "language": "en"}
    return Settings.model_validate(told)


async def furnished(settings: Settings) -> None:
    """A migrated house with two windows and a wave that is open."""
    await asyncio.to_thread(migrate, settings.database)
    form = questionnaire(INDICATORS)
    campaign = Campaign(
        id=CAMPAIGN,
        title={"": "Load"},
        form=form.hash,
        groups=(RaterGroup.RECIPIENT,),
        starts=datetime.now(UTC).date(),
        recurrence="FREQ=DAILY;COUNT=1",
        zone="UTC",
        opens_hour=0,
        window=timedelta(days=2),
        reminders=(),
    )

    def work(tx: Any) -> None:
        tx.put_subjects(Subject(name, {"": title(name)}) for name in WINDOWS)
        tx.put_form(form.hash, form.title, form.source)
        tx.put_campaign(campaign)
        tx.put_invites(Invite(f"window-{name}", "unit", name) for name in WINDOWS)

    async with open_house(settings) as house:
        await house.store.write(work)
        await steps.plan(house, house.clock())


@dataclass
class Crowd:
    """People who come to a window one after the other, each with a browser of their own.

    ``done`` has the grades of everybody whose last answer was acknowledged, in that order.
    """

    url: str
    chance: Random
    done: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    begun: int = 0

    async def reaches(self, count: int) -> None:
        """Wait until so many are done."""
        async with asyncio.timeout(60):
            while len(self.done) < count:  # noqa: ASYNC110 - the list is plain on purpose
                await asyncio.sleep(0.02)

    async def come(self, lanes: int, until: Callable[[], bool]) -> None:
        """Answer, so many at once, until told; whoever is cut off is not counted as done."""
        await asyncio.gather(*(self._lane(until) for _ in range(lanes)))

    async def _lane(self, until: Callable[[], bool]) -> None:
        while not until():
            self.begun += 1
            window = WINDOWS[self.begun % 2]
            try:
                grades = await self._answer(window)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            self.done.append((window, grades))

    async def _answer(self, window: str) -> tuple[int, ...]:
        grades: list[int] = []
        async with httpx.AsyncClient(
            base_url=self.url, headers={"Accept-Language": "en"}, follow_redirects=True
        ) as client:
            shown = await client.get(f"/c/window-{window}")
            while len(grades) < len(INDICATORS):
                grade = self.chance.randint(1, 5)
                shown = await press(client, shown, LABELS[5 - grade])
                grades.append(grade)
            return tuple(grades)


async def press(client: httpx.AsyncClient, shown: httpx.Response, label: str) -> httpx.Response:
    """Press the button that says ``label``; the page that comes of it."""
    assert shown.status_code == 200, f"{shown.status_code} for {shown.request.url}"
    for action, inside in _FORM.findall(shown.text):
        for value, words in _BUTTON.findall(inside):
            if label in unescape(re.sub(r"<[^>]+>", "", words)):
                fields = {name: unescape(content) for name, content in _FIELD.findall(inside)}
                answer = await client.post(action, data={**fields, "data": unescape(value)})
                assert answer.status_code == 200, answer.text
                return answer
    raise AssertionError(f"no button {label!r} in {shown.text}")


async def tallied(settings: Settings) -> dict[tuple[str, str], tuple[int, ...]]:
    """Close the wave and count it: (window, indicator) -> histogram, one to five."""
    async with open_house(settings) as house:
        await _closed(house)
        report = await steps.tally(house, house.clock())
        assert report.waves == 1
        assert report.spoiled == 0
        periods = {wave.period for wave in await house.store.read(lambda tx: tx.waves())}
        cells = await house.store.read(lambda tx: tx.cells(periods.pop()))
    return {(cell.subject, cell.indicator): cell.counts for cell in cells}


async def _closed(house: House) -> None:
    def work(tx: Any) -> None:
        for wave in tx.waves():
            tx.put_wave(replace(wave, closes_at=house.clock()))

    await house.store.write(work)


def histograms(done: list[tuple[str, tuple[int, ...]]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """The same of what was answered."""
    found = {(w, i): [0] * 5 for w in WINDOWS for i in INDICATORS}
    for window, grades in done:
        for indicator, grade in zip(INDICATORS, grades, strict=True):
            found[window, indicator][grade - 1] += 1
    return {key: tuple(counts) for key, counts in found.items()}
