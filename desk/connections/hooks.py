"""Outgoing webhooks: who wants to hear of what, what is owed to whom, and how it is signed.

Signing follows Standard Webhooks (standardwebhooks.com), so receivers can use its libraries. What
is owed is written in the transaction of the change itself: an event is announced if and only if it
happened. What is sent carries ids and times, never people or answers.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from desk import audit
from desk.audit import Act
from desk.connections.destinations import host_of, url_trouble
from desk.store import DeskTransaction, Hook, Notice
from surveys.ballots import seal, unseal
from surveys.words import Words

EVENTS = ("wave.opened", "wave.tallied", "results.published", "campaign.paused", "approval.asked")
WORDS = Words.of("desk", "hooks")
MOST_HOOKS = 20
SECRET_PREFIX = "whsec_"  # noqa: S105 - what Standard Webhooks puts before a secret
_PURPOSE = b"outgoing-hook"

FIRST_DELAY, LONGEST_DELAY = 10.0, 6 * 3600.0  # seconds, growing threefold
ATTEMPTS = 11  # the last about a day after the first
JITTER = 0.2  # of a delay, so that many do not come back at one moment


class HookRefusedError(ValueError):
    """A hook cannot be so. ``wrong``: field -> a key of hooks.toml under wrong."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        self.wrong = {name: WORDS.all_of(f"wrong.{key}") for name, key in wrong.items()}
        super().__init__("\n".join(f"{name}: {said['en']}" for name, said in self.wrong.items()))


def why(detail: str, language: str) -> str:
    """What a notice's ``detail`` means; '' for none."""
    code, _, status = detail.partition(" ")
    return WORDS.say(f"why.{code}", language, status=status) if code else ""


@dataclass(frozen=True, slots=True)
class Desired:
    """A hook as somebody wants it. ``private``: whether private networks may be reached."""

    url: str
    events: Collection[str]
    private: bool

    def check(self) -> None:
        """HookRefusedError with every field that is wrong."""
        wrong = {}
        if trouble := url_trouble(self.url, private=self.private):
            wrong["url"] = trouble
        if not self.events or not set(self.events) <= set(EVENTS):
            wrong["events"] = "events"
        if wrong:
            raise HookRefusedError(wrong)

    @property
    def in_order(self) -> tuple[str, ...]:
        return tuple(event for event in EVENTS if event in self.events)


def make(tx: DeskTransaction, act: Act, desired: Desired, key: bytes) -> tuple[Hook, str]:
    """Make a hook and return it with its secret, shown now and never again.

    ``key`` is the application's, which seals the secret. HookRefusedError where it cannot be.
    """
    desired.check()
    if len(tx.hooks()) >= MOST_HOOKS:
        raise HookRefusedError({"url": "many"})
    secret, box = _new_secret(key)
    hook = Hook(secrets.token_hex(4), desired.url, desired.in_order, box, act.who)
    tx.put_hook(hook)
    audit.record(tx, act, "hook.made", f"hook:{hook.id}", None, _facts(hook))
    return hook, secret


def change(
    tx: DeskTransaction, act: Act, hook: str, desired: Desired, *, disabled: bool
) -> Hook | None:
    """Change where it goes, what it hears and whether it works; None where there is none."""
    old = tx.hook(hook)
    if old is None:
        return None
    desired.check()
    new = replace(old, url=desired.url, events=desired.in_order, disabled=disabled)
    if new != old:
        tx.put_hook(new)
        audit.record(tx, act, "hook.changed", f"hook:{hook}", _facts(old), _facts(new))
    return new


def renew_secret(tx: DeskTransaction, act: Act, hook: str, key: bytes) -> tuple[Hook, str] | None:
    """Give it another secret; the old one signs nothing from now on. None where there is none."""
    old = tx.hook(hook)
    if old is None:
        return None
    secret, box = _new_secret(key)
    new = replace(old, secret=box)
    tx.put_hook(new)
    audit.record(tx, act, "hook.renewed", f"hook:{hook}")
    return new, secret


def disable(tx: DeskTransaction, act: Act, hook: str) -> None:
    """Send nothing more there: its server said that it is gone for good."""
    old = tx.hook(hook)
    if old is not None and not old.disabled:
        new = replace(old, disabled=True)
        tx.put_hook(new)
        audit.record(tx, act, "hook.changed", f"hook:{hook}", _facts(old), _facts(new))


def drop(tx: DeskTransaction, act: Act, hook: str) -> bool:
    """Remove it with everything still owed to it; False where there is none."""
    old = tx.hook(hook)
    if old is None:
        return False
    tx.drop_hook(hook)
    audit.record(tx, act, "hook.dropped", f"hook:{hook}", _facts(old))
    return True


def announce(tx: DeskTransaction, event: str, facts: Mapping[str, str], now: datetime) -> int:
    """Owe ``event`` (of EVENTS) to every hook that wants it; how many. ``facts`` are ids only."""
    if event not in EVENTS:
        raise ValueError(f"{event} is no event")
    wanting = [hook for hook in tx.hooks() if event in hook.events and not hook.disabled]
    if not wanting:
        return 0
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    told = {"id": f"evt_{secrets.token_hex(12)}", "type": event, "timestamp": at, "data": facts}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    tx.put_notices([Notice(0, hook.id, event, body, now) for hook in wanting])
    return len(wanting)


def send_again(tx: DeskTransaction, act: Act, hook: str, notice: int) -> bool:
    """Try a notice that failed once more; False where the hook has none that failed."""
    failed = [n for n in tx.notices(hook) if n.id == notice and n.state == "failed"]
    owner = tx.hook(hook)
    if not failed or owner is None or owner.disabled:
        return False
    tx.note_notice(notice, "due", "", act.at)
    audit.record(tx, act, "hook.resent", f"hook:{hook}", None, {"event": failed[0].event})
    return True


def next_attempt(attempts: int, now: datetime, chance: Random) -> datetime | None:
    """When to try again after ``attempts`` failed ones; None: it has been tried long enough."""
    if attempts >= ATTEMPTS:
        return None
    delay = min(FIRST_DELAY * 3 ** (attempts - 1), LONGEST_DELAY)
    return now + timedelta(seconds=delay * chance.uniform(1 - JITTER, 1 + JITTER))


def secret_of(hook: Hook, key: bytes) -> str:
    """The secret that signs what is sent to ``hook``."""
    return unseal(hook.secret, key, _PURPOSE).decode()


def signed(secret: str, message: str, at: datetime, body: str) -> dict[str, str]:
    """The three headers of Standard Webhooks for ``body``, sent as ``message`` at ``at``."""
    seconds = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    mac = hmac.digest(key, f"{message}.{seconds}.{body}".encode(), "sha256")
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _new_secret(key: bytes) -> tuple[str, bytes]:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return secret, seal(secret.encode(), key, _PURPOSE)


def _facts(hook: Hook) -> audit.Facts:
    """Only the host: a path may hold somebody's secret."""
    return {"host": host_of(hook.url), "events": list(hook.events), "disabled": hook.disabled}
