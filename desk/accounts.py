"""Accounts at the desk, their sessions, and the one-time things that lead to either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from desk.roles import Grant
from surveys.people import Address


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. ``login`` is lower case and unique.

    ``password`` is argon2's encoded hash, '' until one is chosen; ``totp`` the second factor's
    secret sealed with a key outside the database, b'' where there is none; ``totp_step`` the last
    time step accepted, so that a code is good once; ``recovery`` digests of codes not yet used.
    ``external`` is (issuer, subject) of OpenID Connect; ``chat`` the linked Telegram chat.
    """

    id: str
    login: str
    name: str
    made_at: datetime
    grants: tuple[Grant, ...] = ()
    language: str = ""  # zh | en | '': as the browser asks
    password: str = field(default="", repr=False)
    totp: bytes = field(default=b"", repr=False)
    totp_step: int = 0
    recovery: tuple[str, ...] = field(default=(), repr=False)
    external: tuple[str, str] | None = None
    chat: Address | None = None
    disabled: bool = False


class Stage(StrEnum):
    """How far a session has come."""

    PASSWORD = "password"  # noqa: S105 - the password was right; the second factor is due
    ENROL = "enrol"  # the role asks for a second factor, and there is none yet
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that signed in. Its cookie is stored nowhere: ``digest`` is SHA-256 of it."""

    digest: str
    account: str
    stage: Stage
    made_at: datetime
    seen_at: datetime
    origin: str  # the address it signed in from
    agent: str  # what the browser calls itself, cut to 200 characters


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something that works once: a link, a code. ``digest`` is SHA-256 of what was handed out.

    ``kind``: welcome (choose a password), chat (link a Telegram chat), oidc (a sign-in under way),
    proof (a session that was confirmed, by its own digest).
    """

    digest: str
    kind: str
    account: str
    expires_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts under one ``key`` (an account from unknown devices, an address, a device)."""

    key: str
    count: int
    last_at: datetime
    until: datetime | None = None  # refused until then


@dataclass(frozen=True, slots=True)
class Token:
    """An API token. ``digest`` is SHA-256 of it; ``scopes`` are names of May."""

    digest: str
    id: str  # short, shown in lists and in the audit
    account: str
    name: str
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    used_on: str = ""  # the last day it was used, 2026-11-22
