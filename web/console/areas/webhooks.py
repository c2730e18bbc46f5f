"""Webhooks: which servers are told of what, what became of it, and turning one on or off."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.connections import hooks
from desk.connections.hooks import EVENTS, Desired, HookRefusedError
from desk.roles import May
from desk.store import DeskTransaction, Hook, Notice
from surveys.people import Text
from web.console.context import Context
from web.console.doors import Door
from web.console.proving import sure

HERE = "/desk/connections/hooks"
SHOWN = 50  # notices on a hook's page
Wrong = Mapping[str, Text]


async def listed(at: Context) -> Response:
    """Every webhook, and whether what it is owed arrives."""

    def work(tx: DeskTransaction) -> list[tuple[Hook, int]]:
        return [
            (hook, sum(n.state == "failed" for n in tx.notices(hook.id, SHOWN)))
            for hook in tx.hooks()
        ]

    return at.page("connections/hooks.html", found=await at.read(work), event=_event(at))


async def new(at: Context) -> Response:
    """The form that adds one."""
    return _new(at, {})


def _new(at: Context, wrong: Wrong) -> Response:
    status = 422 if wrong else 200
    return at.page("connections/hook_new.html", status=status, wrong=wrong, events=EVENTS,
                   event=_event(at), chosen=_chosen(at), url=at.fields.get("url", ""))  # fmt: skip


async def make(at: Context) -> Response:
    """Add one and show its secret, once."""
    act, desired = at.act(), _desired(at)
    try:
        hook, secret = await at.write(lambda tx: hooks.make(tx, act, desired, at.console.app_key))
    except HookRefusedError as error:
        return _new(at, error.wrong)
    return at.page("connections/hook_secret.html", hook=hook, secret=secret)


async def one(at: Context) -> Response:
    """One webhook and the newest things that it was owed."""
    return await _one(at, {})


async def _one(at: Context, wrong: Wrong) -> Response:
    def work(tx: DeskTransaction) -> tuple[Hook | None, list[Notice]]:
        name = at.request.path_params["hook"]
        return tx.hook(name), list(tx.notices(name, SHOWN))

    hook, notices = await at.read(work)
    if hook is None:
        raise HTTPException(404)
    return at.page(
        "connections/hook.html",
        status=422 if wrong else 200,
        hook=hook,
        notices=notices,
        why=lambda notice: hooks.why(notice.detail, at.language),
        wrong=wrong,
        events=EVENTS,
        event=_event(at),
        chosen=_chosen(at) if wrong else hook.events,
        url=at.fields.get("url", "") if wrong else hook.url,
    )


async def change(at: Context) -> Response:
    """Change where it goes, what it hears, and whether it works."""
    act, desired, name = at.act(), _desired(at), at.request.path_params["hook"]
    disabled = "on" not in at.fields
    try:
        done = await at.write(lambda tx: hooks.change(tx, act, name, desired, disabled=disabled))
    except HookRefusedError as error:
        return await _one(at, error.wrong)
    if done is None:
        raise HTTPException(404)
    return at.go(f"{HERE}/{done.id}", "hooks.changed")


async def renew(at: Context) -> Response:
    """Give it another secret and show it, once."""
    act, name = at.act(), at.request.path_params["hook"]
    done = await at.write(lambda tx: hooks.renew_secret(tx, act, name, at.console.app_key))
    if done is None:
        raise HTTPException(404)
    return at.page("connections/hook_secret.html", hook=done[0], secret=done[1])


async def drop(at: Context) -> Response:
    """Remove it with all that is owed to it."""
    act, name = at.act(), at.request.path_params["hook"]
    if not await at.write(lambda tx: hooks.drop(tx, act, name)):
        raise HTTPException(404)
    return at.go(HERE, "hooks.dropped")


async def again(at: Context) -> Response:
    """Try a notice once more that failed."""
    act, name = at.act(), at.request.path_params["hook"]
    notice: int = at.request.path_params["notice"]
    if not await at.write(lambda tx: hooks.send_again(tx, act, name, notice)):
        raise HTTPException(404)
    return at.go(f"{HERE}/{name}", "hooks.again.said")


def _desired(at: Context) -> Desired:
    return Desired(at.fields.get("url", "").strip(), _chosen(at), at.console.private_hooks)


def _chosen(at: Context) -> tuple[str, ...]:
    return tuple(event for event in EVENTS if f"event:{event}" in at.fields)


def _event(at: Context) -> Callable[[str], str]:
    return lambda event: hooks.WORDS.say(f"event.{event}", at.language)


DOORS = (
    Door("/connections/hooks", listed, May.HOOKS_READ),
    Door("/connections/hooks/new", new, May.HOOKS_WRITE),
    Door("/connections/hooks/new", sure(make), May.HOOKS_WRITE, "POST"),
    Door("/connections/hooks/{hook}", one, May.HOOKS_READ),
    Door("/connections/hooks/{hook}", sure(change), May.HOOKS_WRITE, "POST"),
    Door("/connections/hooks/{hook}/secret", sure(renew), May.HOOKS_WRITE, "POST"),
    Door("/connections/hooks/{hook}/drop", drop, May.HOOKS_WRITE, "POST"),
    Door("/connections/hooks/{hook}/notices/{notice:int}/again", again, May.HOOKS_WRITE, "POST"),
)
