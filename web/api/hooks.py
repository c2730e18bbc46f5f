"""Webhooks: who is told of what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.connections import hooks as owed
from desk.connections.hooks import Desired, HookRefusedError
from desk.roles import May
from desk.store import DeskTransaction, Hook, Notice
from web.api.call import Caller
from web.api.operations import Operation
from web.api.paging import Page, Paged
from web.api.problems import Fault, ProblemError
from web.api.texts import Truth

T = TypeVar("T")
HookId = Annotated[str, Path(description="A hook's id.", pattern=r"^[!-~]{1,64}$")]
Event = Literal[
    "wave.opened", "wave.tallied", "results.published", "campaign.paused", "approval.asked"
]


class HookModel(BaseModel):
    """A server that is told of events."""

    model_config = ConfigDict(title="Hook")

    id: str = Field(description="Its id.")
    url: str = Field(description="Where the events are posted.")
    events: list[Event] = Field(description="What it is told of.")
    disabled: bool = Field(description="True: nothing is sent, and nothing new is owed.")


class HookWithSecret(HookModel):
    """A hook with its secret, which is shown this once."""

    model_config = ConfigDict(title="HookWithSecret")

    secret: str = Field(description="Signs what is sent (Standard Webhooks). Never shown again.")


class HookWish(BaseModel):
    """A hook to be made."""

    model_config = ConfigDict(title="HookWish", extra="forbid")

    url: str = Field(
        description="An https address on the open internet, on port 80, 443 or 8443.",
        min_length=1,
        max_length=500,
        examples=["https://receiver.example/minyi"],
    )
    events: list[Event] = Field(description="What it is told of.", min_length=1, max_length=5)


class HookChange(BaseModel):
    """What of a hook is to be changed; what is left out stays."""

    model_config = ConfigDict(title="HookChange", extra="forbid")

    url: str = Field("", description="Another address.", max_length=500)
    events: list[Event] = Field([], description="Other events; none: as before.", max_length=5)
    disabled: Truth | None = Field(None, description="Whether to send nothing.")


class NoticeModel(BaseModel):
    """One event owed to a hook, and what came of it."""

    model_config = ConfigDict(title="Notice")

    id: int = Field(description="Its number.")
    event: str = Field(description="What happened.")
    state: str = Field(
        description="How it stands.", json_schema_extra={"enum": ["due", "sent", "failed"]}
    )
    attempts: int = Field(description="How often it was tried.")
    due_at: datetime = Field(description="When it is tried next, or was tried last.")
    detail: str = Field(description="Why the last attempt failed; empty where it did not.")


async def hooks(call: Caller, page: Paged) -> Page[HookModel]:
    """All webhooks."""
    found = await call.read(lambda tx: tx.hooks())
    shown, onward = page.cut(found, lambda hook: (hook.id,))
    return Page(items=[_model(hook) for hook in shown], next=onward)


async def hook(call: Caller, hook: HookId) -> HookModel:
    """One webhook."""
    return _model(_there(await call.read(lambda tx: tx.hook(hook))))


async def make_hook(call: Caller, wish: HookWish) -> Response:
    """Add a webhook; the answer has the secret that signs what it will be sent."""
    desired = Desired(wish.url, wish.events, call.console.private_hooks)

    def work(tx: DeskTransaction) -> HookWithSecret:
        made, secret = _judged(lambda: owed.make(tx, call.act(), desired, call.console.app_key))
        return HookWithSecret(**_model(made).model_dump(), secret=secret)

    return await call.change(work, 201)


async def change_hook(call: Caller, hook: HookId, wish: HookChange) -> Response:
    """Change where a webhook goes, what it hears, or whether it works."""

    def work(tx: DeskTransaction) -> HookModel:
        old = _there(tx.hook(hook))
        private = call.console.private_hooks
        desired = Desired(wish.url or old.url, wish.events or old.events, private)
        disabled = old.disabled if wish.disabled is None else wish.disabled
        return _model(
            _there(_judged(lambda: owed.change(tx, call.act(), hook, desired, disabled=disabled)))
        )

    return await call.change(work)


async def renew_hook_secret(call: Caller, hook: HookId) -> Response:
    """Give a webhook another secret; from now on the old one signs nothing."""

    def work(tx: DeskTransaction) -> HookWithSecret:
        renewed = owed.renew_secret(tx, call.act(), hook, call.console.app_key)
        if renewed is None:
            raise ProblemError("missing")
        return HookWithSecret(**_model(renewed[0]).model_dump(), secret=renewed[1])

    return await call.change(work)


async def drop_hook(call: Caller, hook: HookId) -> Response:
    """Remove a webhook with all that is still owed to it."""

    def work(tx: DeskTransaction) -> None:
        if not owed.drop(tx, call.act(), hook):
            raise ProblemError("missing")

    return await call.change(work, 204)


async def notices(call: Caller, hook: HookId, page: Paged) -> Page[NoticeModel]:
    """The newest 200 events owed to a webhook, and what came of them, the newest first."""

    def work(tx: DeskTransaction) -> list[Notice]:
        _there(tx.hook(hook))
        return list(tx.notices(hook, 200))

    shown, onward = page.cut(await call.read(work), lambda notice: (-notice.id,))
    items = [
        NoticeModel(id=n.id, event=n.event, state=n.state, attempts=n.attempts, due_at=n.due_at,
                    detail=n.detail) for n in shown
    ]  # fmt: skip
    return Page(items=items, next=onward)


def _model(hook: Hook) -> HookModel:
    return HookModel.model_validate(
        {"id": hook.id, "url": hook.url, "events": hook.events, "disabled": hook.disabled}
    )


def _there(hook: Hook | None) -> Hook:
    if hook is None:
        raise ProblemError("missing")
    return hook


def _judged(make: Callable[[], T]) -> T:
    try:
        return make()
    except HookRefusedError as error:
        faults = [Fault(said, pointer=f"#/{name}") for name, said in error.wrong.items()]
        raise ProblemError("refused", faults=faults) from None


OPERATIONS = (
    Operation("GET", "/hooks", hooks, May.HOOKS_READ, Page[HookModel]),
    Operation("POST", "/hooks", make_hook, May.HOOKS_WRITE, HookWithSecret, 201),
    Operation("GET", "/hooks/{hook}", hook, May.HOOKS_READ, HookModel),
    Operation("PATCH", "/hooks/{hook}", change_hook, May.HOOKS_WRITE, HookModel),
    Operation("DELETE", "/hooks/{hook}", drop_hook, May.HOOKS_WRITE, None, 204),
    Operation("POST", "/hooks/{hook}/secret", renew_hook_secret, May.HOOKS_WRITE, HookWithSecret),
    Operation("GET", "/hooks/{hook}/notices", notices, May.HOOKS_READ, Page[NoticeModel]),
)
