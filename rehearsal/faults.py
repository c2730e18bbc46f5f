"""Things that go wrong on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rehearsal.refusals import Refusal, StageMistake

_TEXTS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to matching calls.

    ``method`` is a Bot API name, ``download`` for a file's bytes, or ``*``. With ``code``
    (400..599) the call is not performed and that error is answered, after ``delay`` seconds; with
    ``code`` 0 it is performed and its answer comes ``delay`` seconds late. ``drop_response``
    performs the call and then, after ``delay``, answers nothing and cuts the connection (or, with a
    ``code``, answers that error): the ambiguous outcome a sender must not repeat blindly. ``times``
    0 means for ever. ``chat_id`` narrows the fault to one person.
    """

    method: str = "*"
    code: int = 0
    times: int = 1
    retry_after: int = 0
    delay: float = 0.0
    drop_response: bool = False
    chat_id: int | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.code and not 400 <= self.code <= 599:
            raise StageMistake(f"fault code {self.code}: 0 or 400..599")
        if self.code == 429 and self.retry_after < 1:
            raise StageMistake("fault code 429 needs retry_after of at least 1 second")
        if self.times < 0 or self.delay < 0 or self.retry_after < 0:
            raise StageMistake("fault times, delay and retry_after cannot be negative")
        if not (self.code or self.delay or self.drop_response):
            raise StageMistake("a fault needs a code, a delay or drop_response")

    def refusal(self) -> Refusal:
        text = self.description or _TEXTS.get(self.code, "Internal Server Error")
        if self.code == 429 and not self.description:
            text = f"Too Many Requests: retry after {self.retry_after}"
        return Refusal(self.code, text, self.retry_after)

    @classmethod
    def read(cls, raw: object) -> Fault:
        """From decoded JSON; raises ``StageMistake`` naming what is wrong."""
        if not isinstance(raw, dict):
            raise StageMistake("a fault is a JSON object")
        unknown = set(raw) - set(cls.__dataclass_fields__)
        if unknown:
            raise StageMistake(f"a fault has no field {', '.join(sorted(unknown))}")
        try:
            return cls(**raw)
        except TypeError as wrong:
            raise StageMistake(f"fault: {wrong}") from None


@dataclass(slots=True)
class Faults:
    """The faults still to come, in the order they were set; the first that matches is used."""

    waiting: list[Fault] = field(default_factory=list)
    used: int = 0

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault for this call, counted down; ``method`` in lower case."""
        for index, fault in enumerate(self.waiting):
            if fault.method != "*" and fault.method.lower() != method:
                continue
            if fault.chat_id is not None and fault.chat_id != chat_id:
                continue
            self.used += 1
            if fault.times == 1:
                del self.waiting[index]
            elif fault.times:
                self.waiting[index] = replace(fault, times=fault.times - 1)
            return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        names = Fault.__dataclass_fields__
        return [{name: getattr(fault, name) for name in names} for fault in self.waiting]
