"""What the surveys need to have remembered. storage/ keeps it; everyone else sees only this.

A unit of work is a plain function ``work(tx)`` handed to :meth:`Store.write`. It runs in one
transaction, possibly grouped with others' and possibly more than once (a group that fails is taken
apart and run again one by one), so it must touch nothing but ``tx``. It never waits on a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from surveys.audience import Candidate
from surveys.campaigns import Campaign, Delivery, Outcome, Overdue, Wave
from surveys.cells import Cell, RaterGroup, Reasons, Spread, Tally, Turnout, Withheld
from surveys.dispositions import Counts
from surveys.dropoff import Row
from surveys.people import Address, Chat, Invite, Person, Relation, Subject, VisitLink
from surveys.workdays import Override

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SealedInterview:
    """An interview as it lies in the store: who, about whom, which turn - and a sealed state.

    ``state`` opens only with a key outside the database. ``turn`` starts at a random number, so
    that the row alone does not tell how many questions were answered.
    """

    id: str
    person: str
    purpose: str  # rating | concern
    form: str
    turn: int
    complete: bool
    state: bytes
    touched_at: datetime
    wave: str | None = None
    subject: str | None = None
    group: RaterGroup | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """In ``wave``, ``person`` is asked to rate ``subject`` as ``group``."""

    wave: str
    person: str
    subject: str
    group: RaterGroup


class Transaction(Protocol):
    """One unit of work. Reads see its own writes. ``put_*`` inserts or replaces by key."""

    # people, addresses, subjects, relations, deep links
    def person(self, person: str) -> Person | None: ...
    def put_people(self, people: Iterable[Person]) -> None: ...
    def change_people(self, pairs: Iterable[tuple[Person | None, Person]]) -> int:
        """Each pair is a row as it is (None: there is none) and as it shall be; how many were."""
        ...

    def people(self) -> Sequence[Person]: ...
    def chat(self, address: Address) -> Chat | None: ...
    def put_chat(self, chat: Chat) -> None: ...
    def add_chats(self, new: Iterable[Chat]) -> int:
        """Each where nobody talks from there yet; how many were."""
        ...

    def point_chat(self, chat: Chat) -> bool:
        """Typed words answer its ``interview`` now; False where it is another person's by now."""
        ...

    def set_reachable(self, address: Address, reachable: bool) -> None:
        """Note that the channel said this address is blocked, or open again."""
        ...

    def addresses(self, person: str) -> Sequence[Address]: ...
    def subject(self, subject: str) -> Subject | None: ...
    def subjects(self) -> Sequence[Subject]: ...
    def put_subjects(self, subjects: Iterable[Subject]) -> None: ...
    def relations(self) -> Sequence[Relation]: ...
    def put_relations(self, relations: Iterable[Relation]) -> None: ...
    def drop_relations(self, relations: Iterable[Relation]) -> None:
        """They end, whatever their group is now. A roll that was drawn keeps what it has."""
        ...

    def invite(self, token: str) -> Invite | None: ...
    def invites(self) -> Sequence[Invite]: ...
    def put_invites(self, invites: Iterable[Invite]) -> None: ...
    def spend_invite(self, token: str) -> bool:
        """Mark a single-use invite used; False where someone was faster."""
        ...

    # links of visits, see surveys/visiting.py
    def visit_link(self, digest: str) -> VisitLink | None: ...
    def spend_visit_link(self, digest: str) -> bool:
        """Mark it used; False where someone was faster."""
        ...

    def visit_places(self, wave: str) -> Sequence[tuple[str, str]]:
        """(whom the row names, subject) of every interview that a visit's link led to."""
        ...

    # questionnaires: immutable, by content hash; the source is XForm XML
    def form(self, form: str) -> bytes | None: ...
    def put_form(self, form: str, title: str, xform: bytes) -> None: ...
    def forms(self) -> Sequence[tuple[str, str]]:
        """(content hash, title), oldest first."""
        ...

    def put_form_media(self, form: str, name: str, mime: str, content: bytes) -> None:
        """Keep a label's picture, sound or film. ValueError where ``name`` has other content."""
        ...

    def form_media(self, form: str, name: str) -> tuple[str, bytes] | None:
        """(media type, content)."""
        ...

    # files handed over: that there is one, never whose
    def put_attachment(self, attachment: str, day: date) -> None: ...
    def keep_attachment(self, attachment: str) -> bool:
        """Never sweep it away; False where that has happened."""
        ...

    def drop_stale_attachments(self, before: date) -> Sequence[str]:
        """Delete the rows older than the day ``before`` that nobody kept; their ids."""
        ...

    def attachments(self) -> Sequence[str]:
        """Every id there is."""
        ...

    # days that are worked or not, whatever the public calendar says
    def day_overrides(self) -> Mapping[date, Override]: ...
    def put_day_override(self, override: Override) -> None: ...
    def drop_day_override(self, day: date) -> None: ...

    # campaigns and waves
    def campaign(self, campaign: str) -> Campaign | None: ...
    def campaigns(self) -> Sequence[Campaign]: ...
    def put_campaign(self, campaign: Campaign) -> None: ...
    def wave(self, wave: str) -> Wave | None: ...
    def waves(self) -> Sequence[Wave]: ...
    def put_wave(self, wave: Wave) -> None:
        """Insert, or change its times; the state and form of a wave that is there stay.

        A new wave without a form has its campaign's.
        """
        ...

    def open_wave(self, wave: str) -> bool:
        """planned -> open, with the campaign's form of now; False where somebody was faster."""
        ...

    def draw_assignments(self, wave: Wave, campaign: Campaign, now: datetime) -> int:
        """Put everybody whom ``campaign`` may ask at ``now`` on the wave's roll, chance aside.

        One INSERT..SELECT; repeating it adds only what is new. Returns the rows added.
        """
        ...

    def candidates(self, campaign: Campaign, now: datetime) -> Iterator[Candidate]:
        """Everybody whom ``campaign`` may ask at ``now``, and about whom: by person and subject.

        They are read as they are asked for: in this work only. May be asked: a rater of its
        groups of the audience's units (or below) with one of its tags, who has neither opted out
        nor left, and whom no other campaign asked within its days of rest.
        """
        ...

    def put_assignments(self, assignments: Iterable[Assignment]) -> None: ...
    def assignment(self, wave: str, person: str, subject: str) -> Assignment | None: ...
    def assesses_oneself(self, wave: str, person: str) -> bool:
        """Whether a self-assessment is among what ``person`` is asked, given or not."""
        ...

    def open_assignments(self, person: str, now: datetime) -> Sequence[Assignment]:
        """What ``person`` may still answer: open waves at ``now``, interview not complete.

        Of waves that have closed, what was begun, while the campaign's grace lasts.
        """
        ...

    def assignments_left(self, wave: str, person: str) -> int:
        """How many subjects ``person`` has not yet completed in ``wave``."""
        ...

    # deliveries: the ledger
    def draw_deliveries(self, wave: str, *stages: tuple[str, datetime]) -> int:
        """One delivery of each stage, due then, for all on the wave's roll who are on Telegram.

        One INSERT..SELECT; (wave, person, stage) is unique, and what is there stays.
        """
        ...

    def claim_deliveries(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Take up to ``limit`` due deliveries of open waves, oldest first, until ``until``.

        Skips people who have opted out or left, and for reminders those with nothing left to
        answer; such rows become ``moot``. ``late`` become those whose moment has passed, and
        reminders of what was sent less than REST ago or is still to be sent. A reminder to somebody
        who was answering within ANSWERING is put off by as much. Whoever has quiet hours now is due
        when they end. A claimed row whose term ran out is offered again if its sending had not
        begun; had it begun, the sender died between sending and noting, and it becomes ``unknown``:
        never blindly repeated.
        """
        ...

    def begin_delivery(self, delivery: int, now: datetime) -> bool:
        """Mark that the sending begins; False where the claim is no longer ours.

        Nor where the person has opted out, left, blocked us, or answered since it was claimed.
        """
        ...

    def note_delivery(
        self, delivery: int, outcome: Outcome, detail: str = "", at: datetime | None = None
    ) -> None:
        """Write what happened, and when; ``Outcome.DUE`` puts it back until then."""
        ...

    def sent_messages(self, wave: str, handle: str) -> Sequence[int]:
        """The ids of the messages that asked ``handle`` (a Telegram chat) to take part."""
        ...

    def delivery_counts(self, wave: str) -> Sequence[tuple[str, Outcome, int]]:
        """(stage, outcome, rows)."""
        ...

    def overdue(self, wave: str, now: datetime) -> Overdue:
        """What should have left by ``now`` and has not, and when something last did."""
        ...

    # interviews
    def interview(self, interview: str) -> SealedInterview | None: ...
    def interview_for(self, wave: str, person: str, subject: str) -> SealedInterview | None: ...
    def finished_interviews(self, person: str, waves: Sequence[str]) -> Sequence[SealedInterview]:
        """Those that ``person`` finished in ``waves``, the last one first."""
        ...

    def open_interview(self, interview: SealedInterview) -> None:
        """Insert; where (wave, person, subject) already has one, do nothing."""
        ...

    def keep(self, interview: SealedInterview, after: int) -> bool:
        """Save over the row whose turn is still ``after``; False where someone was faster."""
        ...

    def interview_counts(self, wave: str) -> tuple[int, int]:
        """(started, complete) interviews of a wave."""
        ...

    # the ballot box
    def put_ballot(self, wave: str, rid: bytes, box: bytes) -> None:
        """Put or overwrite the sealed ballot under ``rid``."""
        ...

    def ballots(self, wave: str) -> Iterator[tuple[bytes, bytes]]: ...
    def ballot_count(self, wave: str) -> int: ...
    def roll(self, wave: str) -> Sequence[Assignment]:
        """Everybody who is asked in a wave, about whom and from which side."""
        ...

    def sides(self, wave: str) -> Sequence[tuple[str, RaterGroup, int]]:
        """The roll in figures: (subject, rater group, people asked)."""
        ...

    def people_asked(self, wave: str) -> int:
        """How many different people are on the roll."""
        ...

    def drop_roll(self, wave: str) -> None:
        """Forget whom a wave would have asked: it does not open now."""
        ...

    def dispositions(self, wave: str) -> Counts:
        """What became of everybody on the roll of a wave that is not tallied; adds up to them."""
        ...

    def put_dispositions(self, wave: str, counts: Counts) -> None:
        """Keep them beyond the tally, which deletes what they were counted from."""
        ...

    def recorded_dispositions(self, wave: str) -> Counts:
        """Those kept; nothing where the wave is not tallied."""
        ...

    def close_box(self, wave: str) -> None:
        """Delete the wave's interviews, waiting for whoever is just finishing one.

        From here on nobody can put a ballot in: that needs the interview's row.
        """
        ...

    def record_tally(self, wave: str, period: str, tally: Tally) -> int:
        """Write what may leave, mark the wave tallied, and delete its ballots, interviews, roll.

        Returns the ballots deleted: more than were counted means that one arrived meanwhile, and
        the unit of work must be undone.
        """
        ...

    def cells(self, period: str, group: RaterGroup | None = None) -> Sequence[Cell]:
        """Of all rater groups, or of ``group`` alone."""
        ...

    def reasons(self, period: str) -> Sequence[Reasons]: ...
    def turnout(self, period: str, wave: str = "") -> Sequence[Turnout]:
        """Of all the period's waves, or of ``wave`` alone."""
        ...

    def spreads(self, period: str) -> Sequence[Spread]: ...
    def withheld(self, period: str) -> Sequence[Withheld]: ...
    def remarks(self, period: str) -> Sequence[tuple[str, str]]:
        """(subject, remark), in random order."""
        ...

    # how a questionnaire fares: counts, never whose
    def put_draft(self, wave: str, process: str, box: bytes) -> None:
        """Put or overwrite what ``process`` has counted so far, sealed."""
        ...

    def drafts(self, wave: str) -> Sequence[tuple[str, bytes]]:
        """(process, sealed counts)."""
        ...

    def drop_stale_drafts(self) -> None:
        """Delete what arrived too late for its wave's tally."""
        ...

    def unfinished(self, wave: str) -> Iterator[SealedInterview]:
        """The wave's interviews in progress, read as they are asked for."""
        ...

    def put_paradata(self, period: str, rows: Iterable[Row]) -> None: ...
    def paradata(self, period: str) -> Sequence[Row]: ...

    # forgetting a person, see surveys/forgetting.py
    def hold_voice(self, person: str) -> None:
        """Wait for whoever holds it; then, until this ends, whoever else wants it waits.

        Nothing is written: a lock on their row would leave this transaction's number in it, which
        the rows of a visit carry, too.
        """
        ...

    def hold_person(self, person: str) -> bool:
        """Their voice as well; and from here on nobody counts a wave or links a chat to them.

        False: nobody of that id.
        """
        ...

    def person_waves(self, person: str) -> Sequence[str]:
        """The waves in which anything is theirs: a place on the roll, an interview, a message."""
        ...

    def asked_about(self, wave: str, person: str) -> Sequence[str]:
        """The subjects that ``person`` is asked about in ``wave``."""
        ...

    def interviews_of(self, wave: str, person: str) -> Sequence[SealedInterview]:
        """Their interviews in ``wave``, waiting for whoever is just answering in one."""
        ...

    def loose_interviews(self, purpose: str) -> Sequence[SealedInterview]:
        """Everybody's that belong to no wave."""
        ...

    def drop_interviews(self, ids: Iterable[str]) -> None: ...
    def move_ballot(self, wave: str, rid: bytes, into: bytes) -> None:
        """Where there is one under ``rid``."""
        ...

    def drop_ballot(self, wave: str, rid: bytes) -> None: ...
    def rename_in_wave(self, wave: str, person: str, nobody: str) -> None:
        """Their places, interviews and messages are ``nobody``'s; messages without an address.

        What had not begun to be sent is moot.
        """
        ...

    def move_place(self, wave: str, subject: str, person: str, into: str) -> None:
        """Their one place about ``subject``, and its interview, are ``into``'s."""
        ...

    def drop_chats(self, person: str) -> None:
        """Every address of theirs."""
        ...

    def drop_person(self, person: str) -> None:
        """The person, whom they may rate, and the links made for them."""
        ...

    def drop_mentions(self, words: Sequence[str], *, files: bool) -> None:
        """Nobody called one of ``words`` is nominated; nominations of others stay.

        Deletes what is kept for a day or two of an import: what a check found, what became of it;
        with ``files`` also all tables brought.
        """
        ...

    # one row each: small facts that processes share
    def note(self, name: str) -> str | None: ...
    def put_note(self, name: str, value: str) -> None: ...
    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Hold or renew ``name`` until ``until``; False while another holder's term runs."""
        ...

    def drop_lease(self, name: str, holder: str) -> None: ...
    def bury(self, update_id: int, reason: str, box: bytes) -> None:
        """Keep a dead letter: an update that no retry could handle, sealed, with its reason."""
        ...

    def dead_letters(self) -> Sequence[tuple[int, str, bytes]]: ...


class Store(Protocol):
    """Runs units of work. After ``write`` returns, the work is on disk."""

    async def write(self, work: Callable[[Transaction], T]) -> T: ...
    async def read(self, work: Callable[[Transaction], T]) -> T: ...
    async def scrub(self, *, people: bool = False) -> None:
        """Leave no deleted row in journals or free pages (WAL truncated, table rewritten).

        ``people``: also of the tables that somebody was forgotten in.
        """
        ...

    async def close(self) -> None: ...
