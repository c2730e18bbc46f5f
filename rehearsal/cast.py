"""All simulated people of one rehearsal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rehearsal.people import Deeds, Person, Sleep, State
from rehearsal.personas import Persona
from rehearsal.reader import Reader
from rehearsal.telegram import Stage


class Cast:
    """Adds people, lets them begin, counts what they did. ``sleep`` is the rehearsal's clock."""

    def __init__(self, stage: Stage, sleep: Sleep, reader: Reader | None = None) -> None:
        self._stage = stage
        self._sleep = sleep
        self._reader = reader
        self._waiting: list[Person] = []
        self._tasks: dict[asyncio.Task[None], Person] = {}
        self.people: list[Person] = []

    def add(self, personas: Iterable[Persona]) -> int:
        """Put people on stage without letting them act yet; returns how many."""
        new = [Person(p, self._stage, self._sleep, reader=self._reader) for p in personas]
        self.people += new
        self._waiting += new
        return len(new)

    def begin(self) -> int:
        """Let everyone act who has not begun; returns how many."""
        waiting, self._waiting = self._waiting, []
        for person in waiting:
            task = asyncio.get_running_loop().create_task(person.play())
            self._tasks[task] = person
        return len(waiting)

    def progress(self) -> dict[str, Any]:
        """JSON-ready: people, counts by state, summed deeds, and how any of them failed."""
        states = Counter(person.state for person in self.people)
        names = Deeds.__dataclass_fields__
        deeds = {n: sum(getattr(person.deeds, n) for person in self.people) for n in names}
        failures = [
            f"person {person.persona.id}: {task.exception()!r}"
            for task, person in self._tasks.items()
            if task.done() and not task.cancelled() and task.exception() is not None
        ]
        return {
            "people": len(self.people),
            "not_begun": len(self._waiting),
            "states": {state.value: states.get(state, 0) for state in State},
            "deeds": deeds,
            "failures": failures,
        }

    async def close(self) -> None:
        """Everyone goes home."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
