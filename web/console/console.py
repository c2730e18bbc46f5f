"""What every page of the desk shares: the store, the clock, the keys, and what was set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from desk.audit import seal_key
from desk.roles import Role
from desk.store import DeskStore
from surveys.forms.form import Form
from web.site import Talker


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the settings page shows it. A secret's ``value`` says only that it is set."""

    name: str  # MINYI_PUBLIC_URL
    value: str
    source: str  # environment | a file | default
    meaning: str


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``state``: good | note | mend; then ``mend`` says how."""

    state: str
    name: str
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class OpenId:
    """The organisation's own sign-in. ``name`` is what its button says."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "OpenID"


class Trials(Protocol):
    """Questionnaires tried in a chat that nobody counts. One trial for each account."""

    async def begin(self, account: str, form: Form, media: Callable[[str], bytes | None]) -> Talker:
        """A conversation about ``form`` alone, kept in memory until the next one begins."""
        ...

    def under_way(self, account: str) -> Talker | None: ...


@dataclass(frozen=True)
class Console:
    """The desk's own part of a site.

    ``second_factor`` are the roles that must have one. A campaign that asks more than
    ``approval_above`` people needs a second person. ``k``, ``zone`` and ``language`` are defaults
    for what is made here. ``examine`` looks at everything as ``minyi doctor`` does.
    """

    store: DeskStore
    clock: Callable[[], datetime]
    app_key: bytes = field(repr=False)
    zone: ZoneInfo
    k: int = 5
    language: str = "zh"
    second_factor: frozenset[Role] = frozenset((Role.ADMINISTRATOR, Role.CUSTODIAN))
    approval_above: int = 1000
    settings: Sequence[Setting] = ()
    examine: Callable[[], Awaitable[Sequence[Check]]] | None = None
    trials: Trials | None = None
    openid: OpenId | None = None
    private_hooks: bool = False  # whether webhooks may reach private networks

    @property
    def audit_key(self) -> bytes:
        """What seals the audit."""
        return seal_key(self.app_key)
