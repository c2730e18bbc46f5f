"""Updates over HTTP: our webhook, durable, beside aiogram's own with nothing behind it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.databases import Fresh, databases
from benchmarks.load import Load, Visit, browsing, drive, served, tapping, typing
from benchmarks.scale import Scale, Side, by_turns
from benchmarks.table import Line
from benchmarks.telegram import BotApi, bot_api
from benchmarks.turns import WHY
from benchmarks.world import ballots, found
from storage import SqlStore

CONNECTIONS = 32
WARMING = 32
"""People who come first and are not counted: they find what is loaded and compiled at first use."""
People = Callable[[int, int], Iterator[Visit]]
"""(how many, number of the first) -> their visits."""


@dataclass
class Bench:
    """Runs one server after another under the same people; remembers their processor time."""

    api: BotApi
    people: int
    cpu: dict[str, list[float]] = field(default_factory=dict)

    async def ours(self, name: str, fresh: Fresh, people: People) -> float:
        """Our site on a fresh database; every ballot must have arrived."""
        url = fresh()
        with tempfile.TemporaryDirectory() as keys:
            store = SqlStore(url)
            await found(store, Path(keys))
            options = ("--database", url, "--keys", keys, "--api", self.api.url)
            load = await self._load(name, people, "minyi", *options)
            assert await ballots(store) == self.people + WARMING
            await store.close()
        return load.rate

    async def theirs(self, kind: str, people: People, *options: str) -> float:
        """One of the baselines."""
        return (await self._load(kind, people, kind, "--api", self.api.url, *options)).rate

    async def _load(self, name: str, people: People, *server: str) -> Load:
        async with served(*server) as process:
            await drive(process, people(WARMING, 1), CONNECTIONS)
            load = await drive(process, people(self.people, WARMING + 1), CONNECTIONS)
        self.cpu.setdefault(name, []).append(load.cpu)
        return load

    def note(self, ours: str, theirs: str) -> tuple[str, ...]:
        """Processor time of the two servers."""
        one, other = median(self.cpu[ours]), median(self.cpu[theirs])
        return (f"processor time of the server {one:.2f} ms a turn, baseline {other:.2f} ms.",)


async def measure(scale: Scale) -> list[Line]:
    """Typed and tapped answers through Telegram's webhook."""
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        async with bot_api() as api:
            people = scale.of(300, least=2)
            typing_lines = await _typed(scale, Bench(api, people), kinds)
            return typing_lines + await _tapped(scale, Bench(api, people), kinds)


async def _figures(scale: Scale, sides: dict[str, Side]) -> dict[str, list[float]]:
    figures = await by_turns(scale.repetitions, list(sides.values()))
    return dict(zip(sides, figures, strict=True))


def _on(bench: Bench, kinds: dict[str, Fresh], people: People) -> dict[str, Side]:
    def side(name: str, fresh: Fresh) -> Side:
        return lambda: bench.ours(name, fresh, people)

    return {name: side(name, fresh) for name, fresh in kinds.items()}


async def _typed(scale: Scale, bench: Bench, kinds: dict[str, Fresh]) -> list[Line]:
    sides = _on(bench, kinds, typing)
    sides["echo"] = lambda: bench.theirs("echo", typing)
    sides["echo-by-call"] = lambda: bench.theirs("echo-by-call", typing)
    if "PostgreSQL" in kinds:

        async def orm() -> float:
            url = kinds["PostgreSQL"]().replace("postgresql://", "postgresql+psycopg://")
            return await bench.theirs("conventional", typing, "--database", url)

        sides["conventional"] = orm
    figures = await _figures(scale, sides)
    lines = []
    for name in kinds:
        what = f"typed answer by webhook, {name}"
        for theirs, words, least in (
            ("echo", "aiogram echo bot, reply in the response", 1.3),
            ("echo-by-call", "aiogram echo bot, reply by a call", None),
            ("conventional", "conventional bot (PostgreSQL)", 8.0),
        ):
            if theirs in figures:
                notes = bench.note(name, theirs)
                lines.append(Line(what, "/s", figures[name], words, figures[theirs], least,
                                  notes=notes, why=WHY[name]))  # fmt: skip
    return lines


async def _tapped(scale: Scale, bench: Bench, kinds: dict[str, Fresh]) -> list[Line]:
    people = partial(tapping, bench.api)
    sides = _on(bench, kinds, people)
    sides["echo"] = lambda: bench.theirs("echo", people)
    figures = await _figures(scale, sides)
    words = "aiogram echo bot that edits the tapped message"
    return [
        Line(f"tapped answer by webhook, {name}", "/s", figures[name], words, figures["echo"], 1.3,
             notes=bench.note(name, "echo"), why=WHY[name])
        for name in kinds
    ]  # fmt: skip


async def measure_chat(scale: Scale) -> list[Line]:
    """Answers in the browser, beside the same server with nothing behind it."""
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        bench = Bench(BotApi(), scale.of(300, least=2))
        sides = _on(bench, kinds, browsing)
        sides["scripted"] = lambda: bench.theirs("scripted", browsing)
        figures = await _figures(scale, sides)
    words = "the same pages around a scripted reply: no questionnaire, no database"
    return [
        Line(f"answer in the browser, {name}", "/s", figures[name], words, figures["scripted"],
             0.5, notes=bench.note(name, "scripted"), why=WHY[name])
        for name in kinds
    ]  # fmt: skip
