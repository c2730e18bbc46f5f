"""What every page of the desk shares: the store, the clock, the keys, and what was set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from desk.audit import Noted, seal_key
from desk.campaigns.rehearsing import Run
from desk.roles import Role
from desk.store import DeskStore
from desk.works import Works
from surveys.forms.form import Form
from surveys.keys import Keyring
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
class KeyFact:
    """That there is a key, never the key. ``kind``: application | reader | wave.

    ``name`` is the reader's or the wave's; ``wave`` the state of a key's wave. A key that is not
    ``present`` was destroyed or never made.
    """

    kind: str
    name: str
    present: bool
    wave: str = ""


@dataclass(frozen=True, slots=True)
class OpenId:
    """The organisation's own sign-in. ``name`` is what its button says."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "OpenID"


class Trial(Talker, Protocol):
    """One questionnaire being tried: a talker that knows what it asks.

    Whoever comes with ``Opened(payload)`` is asked ``form``. ``origin`` is the page it began on.
    """

    form: Form
    payload: str
    origin: str


class Trials(Protocol):
    """Questionnaires tried in a chat that nobody counts. One trial for each account."""

    async def begin(
        self,
        account: str,
        form: Form,
        media: Callable[[str], tuple[str, bytes] | None],
        now: datetime,
        origin: str,
    ) -> Trial:
        """A conversation about ``form`` alone, kept in memory until the next one begins.

        ``media`` gives the (media type, content) of its labels' files.
        """
        ...

    def under_way(self, account: str, now: datetime) -> Trial | None:
        """The account's trial, unless nobody has said anything in it for an hour."""
        ...


@dataclass(frozen=True)
class Console:
    """The desk's own part of a site.

    ``second_factor`` are the roles that must have one. A campaign that asks more than
    ``approval_above`` people needs a second person. ``k``, ``zone`` and ``language`` are defaults
    for what is made here. ``examine`` looks at everything as ``minyi doctor`` does. ``keys`` tells
    which keys there are; ``kept_head`` the audit's head as it was noted outside the database.
    ``rehearse`` plays a campaign with simulated people. ``keyring`` is needed to forget a person
    whose ballot is not counted yet; without it nobody can be forgotten here.
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
    keys: Callable[[], Awaitable[Sequence[KeyFact]]] | None = None
    keyring: Keyring | None = field(default=None, repr=False)
    kept_head: Callable[[], Noted] | None = None
    rehearse: Run | None = None
    private_hooks: bool = False  # whether webhooks may reach private networks
    works: Works = field(default_factory=Works, compare=False)  # long work under way here

    @property
    def audit_key(self) -> bytes:
        """What seals the audit."""
        return seal_key(self.app_key)
