"""What the desk needs to have remembered. storage/ keeps it; everyone else sees only this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from concerns.store import ConcernTransaction
from desk.accounts import Account, Attempts, Session, Ticket, Token
from desk.audit import Entry
from evaluation.store import ScoreTransaction, TaskRow
from surveys.audience import Prospect
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.people import Address, Invite, Kind, Person, Relation, Subject, VisitLink
from surveys.store import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which audit entries are wanted; an empty field asks for nothing.

    ``action`` may be the beginning (``campaign``); ``since`` and ``before`` are ISO days or
    moments in UTC, the first within, the second not. ``text`` stands somewhere in what, name,
    before or after.
    """

    who: str = ""
    action: str = ""
    what: str = ""
    since: str = ""
    before: str = ""
    text: str = ""


class Decision(StrEnum):
    """What became of a request for approval."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Approval:
    """Something that takes effect when a second person agrees.

    ``action`` names an entry of ``desk.approvals.ACTIONS``; ``arguments`` are what it is done
    with; ``what`` is its object as in the audit.
    """

    id: str
    action: str
    what: str
    arguments: Mapping[str, str]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decision: Decision = Decision.OPEN
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file brought to the desk, kept until it is used or a day has passed."""

    id: str
    account: str
    name: str
    content: bytes = field(repr=False)
    made_at: datetime


class WorkState(StrEnum):
    """How long work stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Work:
    """Long work that somebody started, and what came of it. ``result`` is plain data."""

    id: str
    kind: str
    account: str
    made_at: datetime
    seen_at: datetime  # when its process last said that it lives
    state: WorkState = WorkState.RUNNING
    done: int = 0
    total: int = 0
    result: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer given under an idempotency key; ``status`` 0 while the first is under way."""

    key: str  # digest of token and key
    request: str  # digest of what was asked
    status: int
    body: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Hook:
    """Somebody's server that wants to hear of events. ``secret`` is sealed."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: bytes = field(repr=False)
    made_by: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One event owed to one hook. ``state``: due | sent | failed."""

    id: int
    hook: str
    event: str
    body: str
    due_at: datetime
    attempts: int = 0
    state: str = "due"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PeopleSought:
    """Which people are wanted; an empty field asks for nothing.

    ``text`` stands somewhere in id or name. ``within`` are the units that the reader may see, None
    for all and for people without a unit. ``order``: id, name or unit, with ``-`` from the end.
    ``tag`` is one that they bear, to the letter.
    """

    text: str = ""
    unit: str = ""
    kind: Kind | None = None
    opted_out: bool | None = None
    within: frozenset[str] | None = None
    order: str = "id"
    tag: str = ""


class DeskTransaction(Transaction, ScoreTransaction, ConcernTransaction, Protocol):
    """One unit of work at the desk: everything the other rooms have, and the desk's own."""

    # whom a campaign would ask, were a wave drawn now
    def count_raters(
        self, campaign: Campaign, now: datetime, *, unlisted: bool = False
    ) -> tuple[int, int, int]:
        """Whom ``candidates`` names: people, assignments, and people whom Telegram reaches.

        ``unlisted``: only those whom no table lists.
        """
        ...

    def rater_sides(
        self, campaign: Campaign, now: datetime, *, unlisted: bool = False
    ) -> Sequence[tuple[str, RaterGroup, int]]:
        """The same as (subject, group, raters)."""
        ...

    def count_shared(
        self, one: Campaign, two: Campaign, now: datetime, *, unlisted: bool = False
    ) -> int:
        """How many people both may ask."""
        ...

    def prospects(self, campaign: Campaign, now: datetime) -> Iterator[Prospect]:
        """Like ``candidates``, with those who may not be asked, and why; streamed likewise."""
        ...

    # the roster changed in the one way that was looked at before: each pair is a row as it is
    # (None: there is none) and as it shall be; one that stands otherwise by now is left alone
    def change_subjects(self, pairs: Iterable[tuple[Subject | None, Subject]]) -> int:
        """How many were changed."""
        ...

    def change_relations(self, pairs: Iterable[tuple[Relation | None, Relation]]) -> int:
        """How many were changed."""
        ...

    def change_tasks(self, pairs: Iterable[tuple[TaskRow | None, TaskRow]]) -> int:
        """How many were changed."""
        ...

    # the roster, a page at a time
    def seek_people(
        self, sought: PeopleSought, offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[Person], int]:
        """``limit`` of the people who fit, from the ``offset``-th on; and how many fit in all.

        Of those whom a table lists: others come by themselves, and nobody is told who.
        """
        ...

    def people_by_unit(self) -> Mapping[str, int]:
        """How many people name which unit as theirs; '' for none."""
        ...

    def people_by_tag(self) -> Mapping[str, int]:
        """How many people bear which tag."""
        ...

    def relations_from(self, person: str) -> Sequence[Relation]:
        """Whom ``person`` may rate, by subject."""
        ...

    def raters_of(self, subject: str) -> Mapping[RaterGroup, int]:
        """How many may rate ``subject``, by side; opted out or not."""
        ...

    def raters_as(self, subject: str, group: RaterGroup) -> Sequence[str]:
        """The ids of those who may rate ``subject`` from that side; opted out or not."""
        ...

    def handles(self, channel: str) -> Mapping[str, str]:
        """Whose each address of ``channel`` is."""
        ...

    def invites_to(self, kind: str, targets: Sequence[str]) -> Sequence[Invite]:
        """Links of ``kind`` to any of ``targets``, by target."""
        ...

    def drop_invites(self, tokens: Iterable[str]) -> None:
        """Forget links: from now on they lead nowhere."""
        ...

    def put_visit_link(self, link: VisitLink) -> None: ...

    # accounts
    def account(self, account: str) -> Account | None: ...
    def account_by_login(self, login: str) -> Account | None: ...
    def account_by_external(self, issuer: str, subject: str) -> Account | None: ...
    def account_by_chat(self, chat: Address) -> Account | None: ...
    def accounts(self) -> Sequence[Account]:
        """Every account, by login."""
        ...

    def put_account(self, account: Account) -> None: ...

    # sessions
    def session(self, digest: str) -> Session | None: ...
    def sessions(self, account: str) -> Sequence[Session]:
        """Newest first."""
        ...

    def put_session(self, session: Session) -> None: ...
    def drop_session(self, digest: str) -> None: ...
    def drop_sessions(self, account: str, but: str = "") -> int:
        """End all of the account's, but the one with digest ``but``; how many."""
        ...

    def drop_stale(self, now: datetime, before: datetime) -> None:
        """Delete tickets expired at ``now``; sessions, attempts, uploads, answers to idempotency
        keys older than ``before``; long work silent since then; notices to webhooks that
        were sent or given up, and links of visits that expired, a month before.
        """
        ...

    # what works once, and what failed
    def put_ticket(self, ticket: Ticket) -> None: ...
    def ticket(self, digest: str, kind: str, now: datetime) -> Ticket | None:
        """The ticket, unless it has expired at ``now``."""
        ...

    def spend_ticket(self, digest: str, kind: str, now: datetime) -> Ticket | None:
        """Delete and return it; None where there is none, it expired, or someone was faster."""
        ...

    def drop_tickets(self, account: str, kind: str) -> None: ...
    def attempts(self, key: str) -> Attempts | None: ...
    def put_attempts(self, attempts: Attempts) -> None: ...
    def drop_attempts(self, key: str) -> None: ...

    # the audit
    def audit_head(self) -> tuple[int, str]:
        """(seq, hash) of the newest entry, (0, START) for none.

        In a unit of work that writes, nobody else can append until it ends.
        """
        ...

    def put_audit(self, entry: Entry) -> None:
        """Append, and move the head. An entry can be neither changed nor deleted."""
        ...

    def audit(self, sought: Sought, before: int = 0, limit: int = 100) -> Sequence[Entry]:
        """The newest ``limit`` entries that fit, newest first; ``before`` > 0: of a lower seq."""
        ...

    def audit_chain(self, after: int = -(2**63)) -> Iterator[Entry]:
        """Every entry of a higher seq than ``after``, by seq, read as they are asked for."""
        ...

    # approval by a second person
    def approval(self, approval: str) -> Approval | None: ...
    def approvals(self, *, open_only: bool = False) -> Sequence[Approval]:
        """Newest first."""
        ...

    def put_approval(self, approval: Approval) -> None: ...
    def decide_approval(self, approval: Approval) -> bool:
        """Write the decision over an open request; False where it is no longer open."""
        ...

    # tokens and idempotency keys
    def token(self, digest: str) -> Token | None: ...
    def tokens(self, account: str = "") -> Sequence[Token]:
        """Those of ``account``; '' for everybody's."""
        ...

    def put_token(self, token: Token) -> None: ...
    def drop_token(self, token: str) -> bool:
        """Revoke by id; False where there is none."""
        ...

    def remember(self, answer: Remembered) -> Remembered | None:
        """Take the key where it is free and return None; else what stands under it."""
        ...

    def put_remembered(self, answer: Remembered) -> None: ...
    def forget(self, key: str) -> None: ...

    # files brought, and long work
    def put_upload(self, upload: Upload) -> None: ...
    def upload(self, upload: str) -> Upload | None: ...
    def drop_upload(self, upload: str) -> None: ...
    def put_work(self, work: Work) -> None: ...
    def move_work(self, work: Work) -> bool:
        """Write how far it is; False where it has ended, or was begun anew (``made_at``)."""
        ...

    def work(self, work: str) -> Work | None: ...
    def works(self, limit: int = 50) -> Sequence[Work]:
        """Newest first."""
        ...

    # outgoing webhooks
    def hook(self, hook: str) -> Hook | None: ...
    def hooks(self) -> Sequence[Hook]: ...
    def put_hook(self, hook: Hook) -> None: ...
    def drop_hook(self, hook: str) -> bool: ...
    def put_notices(self, notices: Iterable[Notice]) -> None:
        """Owe them; ``id`` is given by the store and ignored here."""
        ...

    def claim_notices(self, now: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Take up to ``limit`` due ones until ``until``; a claim that ran out is offered again."""
        ...

    def note_notice(self, notice: int, state: str, detail: str, due_at: datetime | None) -> None:
        """Write what came of an attempt and count it; ``due`` with ``due_at`` tries again then."""
        ...

    def notices(self, hook: str, limit: int = 50) -> Sequence[Notice]:
        """The newest ones of a hook."""
        ...

    # rows, for the desk's own figures
    def count_rows(self) -> Mapping[str, int]:
        """``people`` (of whom ``unlisted``), ``relations`` (of which ``unlisted_relations`` are
        theirs), subjects, questionnaires and campaigns. :func:`desk.roster.counts` says what may
        be told.
        """
        ...


class DeskStore(Protocol):
    """Runs the desk's units of work, as ``surveys.store.Store`` does."""

    async def write(self, work: Callable[[DeskTransaction], T]) -> T: ...
    async def read(self, work: Callable[[DeskTransaction], T]) -> T: ...
