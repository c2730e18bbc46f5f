"""People, the addresses they talk from, and who may rate whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from surveys.cells import RaterGroup

Text = Mapping[str, str]
"""One sentence in every language it has: language code -> text."""


class Kind(StrEnum):
    """Which side of the counter a person stands on."""

    CITIZEN = "citizen"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation happens: a channel and the handle the channel knows it by.

    Telegram: the private chat's id. Browser: the hash of a session cookie. Terminal: any word.
    """

    channel: str
    handle: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be asked. A citizen who came by QR code has no name, and needs none.

    ``opted_out`` is their own word, ``left`` the roster's: neither is asked. ``zone`` is an IANA
    name where it is known.
    """

    id: str
    kind: Kind
    name: str = ""
    unit: str | None = None
    language: str | None = None
    opted_out: bool = False
    left: bool = False
    zone: str | None = None
    tags: tuple[str, ...] = ()  # in order, each once
    consent: str = ""  # version of the privacy text they were told; '': of none

    @property
    def listed(self) -> bool:
        """Whether a table that somebody brought may hold them; a poster's guest is in none."""
        return bool(self.name or self.unit or self.tags or self.kind is Kind.STAFF)


@dataclass(frozen=True, slots=True)
class Chat:
    """One address in conversation: who it is, in which language, and the interview in progress."""

    address: Address
    person: str
    language: str
    interview: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A unit or an official that is rated. ``parent`` is where cells too small are pooled."""

    id: str
    name: Text
    kind: str = "unit"  # unit | official
    parent: str | None = None
    rating_class: str = "unit"  # only subjects of one class are compared


@dataclass(frozen=True, slots=True)
class Relation:
    """``rater`` (a person) sees ``subject`` from the side of ``group``."""

    rater: str
    subject: str
    group: RaterGroup


@dataclass(frozen=True, slots=True)
class Invite:
    """What a deep link means. ``token`` is the payload of ``/start`` and of ``/c/…``.

    ``unit``     a window's QR code; whoever scans it is a recipient of that subject's service
    ``staff``    binds the address to the named person, once
    ``campaign`` joins the open wave of a campaign
    """

    token: str
    kind: str  # unit | staff | campaign
    target: str  # subject, person or campaign id
    used: bool = False
    expires_at: datetime | None = None  # None: it does not

    def expired(self, now: datetime) -> bool:
        """Whether its time is over at ``now``."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class VisitLink:
    """What is kept of a link that was made for one visit: never its token, nor who opened it.

    ``digest`` is a keyed hash of the token, ``subject`` the unit that served.
    """

    digest: str
    subject: str
    expires_at: datetime
    used: bool = False

    def expired(self, now: datetime) -> bool:
        """Whether its time is over at ``now``."""
        return now >= self.expires_at
