"""A tiny conversation and a tiny store, for tests of layout and of the browser's own duties."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from surveys.people import Address, Invite, Subject
from surveys.reply import Button, Handed, Heard, Located, Looked, Opened, Reply, Tapped, Typed
from surveys.store import Transaction

NOW = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)
T = TypeVar("T")

GRADES = {
    "zh": ("非常满意 😀", "满意", "基本满意", "不满意", "非常不满意"),
    "en": (
        "Very satisfied 😀",
        "Satisfied",
        "Fairly satisfied",
        "Dissatisfied",
        "Very dissatisfied",
    ),
}
SAYS = {
    "zh": (
        "您对【不动产登记窗口】这次的服务满意吗？",
        "为什么呢？可以打字说说。\n不想说就按「跳过」。",
        "谢谢您！已经收好了。",
    ),
    "en": (
        "How satisfied are you with the service at the land registry window?",
        "Why? You can type a few words.\nOr press Skip.",
        "Thank you! It is safely kept.",
    ),
}


@dataclass
class Scripted:
    """Two questions and a farewell, per address; each move is counted."""

    heard: list[tuple[Address, Heard, str]] = field(default_factory=list)
    turn: dict[Address, int] = field(default_factory=dict)
    language: dict[Address, str] = field(default_factory=dict)
    delay: float = 0.0
    fail: bool = False
    media: dict[tuple[str, str], bytes] = field(default_factory=dict)
    brought: list[bytes | str] = field(default_factory=list)

    async def medium(self, form: str, name: str) -> bytes:
        return self.media[form, name]

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = "zh"
    ) -> tuple[Reply, ...]:
        assert now == NOW
        self.heard.append((address, heard, hint))
        turn = self.turn.setdefault(address, 0)
        language = self.language.setdefault(address, "zh" if hint.startswith("zh") else "en")
        await asyncio.sleep(self.delay)
        if self.fail:
            raise RuntimeError("the database is gone")
        match heard:
            case Typed("/privacy"):
                return (
                    Reply(
                        "只有汇总。" if language == "zh" else "Totals only.", (), False, language
                    ),
                )
            case Typed("/language"):
                self.language[address] = "en" if language == "zh" else "zh"
            case Tapped(data) if data.startswith(f"{turn}:"):
                self.turn[address] = turn + 1
            case Tapped():
                return (self.ask(address),)
            case Typed() if turn == 1:
                self.turn[address] = 2
            case Typed(text):
                return (Reply(f"没听懂「{text}」。", (), False, language), self.ask(address))
            case Handed(fetch=fetch, size=size):
                self.brought.append(await fetch(size))
                try:
                    await fetch(size - 1)
                except ValueError as problem:
                    self.brought.append(str(problem))
            case Opened() | Looked() | Located():
                pass
        return (self.ask(address),)

    def ask(self, address: Address) -> Reply:
        """Where it stands."""
        language, turn = self.language[address], self.turn[address]
        text = SAYS[language][min(turn, 2)]
        grades = [Button(label, f"0:{at}") for at, label in enumerate(GRADES[language], 1)]
        rows: tuple[tuple[Button, ...], ...] = ()
        if turn == 0:
            rows = ((grades[0], grades[1]), (grades[2],), (grades[3], grades[4]))
        elif turn == 1:
            back, skip = ("上一题", "跳过") if language == "zh" else ("Back", "Skip")
            rows = ((Button(back, "back"), Button(skip, "1:skip")),)
        return Reply(text, rows, turn < 2, language)


@dataclass
class Shelf:
    """Just enough of a transaction for the pages that look something up."""

    invites: Mapping[str, Invite] = field(default_factory=dict)
    named: Mapping[str, Subject] = field(default_factory=dict)
    published: Mapping[str, bytes] = field(default_factory=dict)
    why: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, bytes] = field(default_factory=dict)

    def invite(self, token: str) -> Invite | None:
        return self.invites.get(token)

    def subject(self, subject: str) -> Subject | None:
        return self.named.get(subject)

    def subjects(self) -> list[Subject]:
        return list(self.named.values())

    def publication(self, period: str) -> bytes | None:
        return self.published.get(period)

    def publications(self) -> list[str]:
        return sorted(self.published, reverse=True)

    def reasons(self, period: str) -> Any:
        return self.why.get(period, ())

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return work(cast(Transaction, self))

    def forms(self) -> list[tuple[str, str]]:
        return [(form, "") for form in self.sources]

    def form(self, form: str) -> bytes | None:
        return self.sources.get(form)
