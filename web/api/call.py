"""One call of the API: whose token, what it may, what was sent, and how a change is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from desk.accounts import Account, Token
from desk.audit import Act
from desk.connections.idempotency import Answer, Errand, ReusedError
from desk.leaving import told_today
from desk.roles import May, reach
from desk.store import DeskTransaction
from web.api.problems import ProblemError
from web.console.console import Console

T = TypeVar("T")
JSON = "application/json"


class ReplayError(Exception):
    """Ends a unit of work that was done before, with what was answered then."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """``may`` is what the token opens now; ``body`` what was sent; ``errand`` its repeat key."""

    console: Console
    token: Token
    account: Account
    may: frozenset[May]
    now: datetime
    origin: str
    kind: str = ""  # the body's media type
    body: bytes = field(default=b"", repr=False)
    errand: Errand | None = None

    def act(self) -> Act:
        """This call as the audit knows it."""
        who, origin = self.account, f"token {self.token.id} at {self.origin}"
        return Act(who.id, who.name, origin, self.now, self.console.audit_key)

    def reach(self, tx: DeskTransaction, permission: May) -> frozenset[str] | None:
        """The subjects that the account may see by ``permission``; None: all."""
        return reach(self.account.grants, permission, tx.subjects())

    async def read(self, work: Callable[[DeskTransaction], T]) -> T:
        return await self.console.store.read(work)

    async def leaves(
        self, action: str, what: str, work: Callable[[DeskTransaction, Act], None]
    ) -> None:
        """Record by ``work`` that something leaves the house, before it does.

        Once a day for each token, address and thing: programs ask again and again.
        """
        act = self.act()
        if not await self.read(lambda tx: told_today(tx, act, action, what)):
            await self.console.store.write(lambda tx: work(tx, act))

    async def change(
        self,
        work: Callable[[DeskTransaction], BaseModel | tuple[BaseModel, int] | None],
        status: int = 200,
    ) -> Response:
        """Do ``work`` and answer with what it returns, once for each idempotency key.

        ``work`` may return a status of its own beside its model. Whatever it raises undoes it
        and is not remembered: the repeat is judged anew.
        """

        def whole(tx: DeskTransaction) -> Answer:
            if self.errand is not None and (before := self._before(tx)):
                raise ReplayError(before)
            told = work(tx)
            model, good = told if isinstance(told, tuple) else (told, status)
            answer = Answer(good, "" if model is None else model.model_dump_json())
            if self.errand is not None:
                self.errand.keep(tx, answer)
            return answer

        try:
            answer = await self.console.store.write(whole)
        except ReplayError as replay:
            return _response(replay.answer, {"Idempotency-Replayed": "true"})
        return _response(answer, {})

    def _before(self, tx: DeskTransaction) -> Answer | None:
        assert self.errand is not None
        try:
            return self.errand.before(tx)
        except ReusedError:
            raise ProblemError("key_reused") from None


def _response(answer: Answer, headers: dict[str, str]) -> Response:
    media = JSON if answer.body else None
    return Response(answer.body, answer.status, headers, media)


def call_of(request: Request) -> Call:
    """What the gate found out about this request."""
    call: Call = request.state.call
    return call


Caller = Annotated[Call, Depends(call_of)]
