"""Conducting one interview inside a unit of work: load, advance (pure), keep, finish."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from surveys.ballots import STATE, STATE_BLOCK, seal, unseal
from surveys.cells import RaterGroup
from surveys.errands import Errand
from surveys.forms.form import HANDED, Form, Kind, Question, Repeat, walk
from surveys.forms.xform import read_xform
from surveys.interview import Interview, Step, advance, dump, restore, takes, view
from surveys.inviting import thanks
from surveys.moves import Added, Amended, Chose, Move, Refused, Showed
from surveys.paradata import Noticed, at_end, at_refusal
from surveys.people import Chat
from surveys.phrasing import (
    SCREEN,
    WORDS,
    Press,
    question_rows,
    question_text,
    review_rows,
    review_text,
    short,
)
from surveys.rating import Rating, finished
from surveys.reply import Button, Medium, Reply, Thanks
from surveys.saying import Ask, Farewell, Review
from surveys.store import Assignment, SealedInterview
from surveys.turns import OvertakenError
from surveys.typed.trouble import Trouble
from surveys.typed.understand import TEXT_LIMIT
from surveys.words import pick

TURNS = 1 << 40  # turns start anywhere below: a row alone must not tell how far somebody got
SEEDS = 1 << 31
MANY = 5  # questions from which on the way to stop stands below each
JUMP = 1 << 20  # and finish with a jump: dissatisfied people answer more questions


class FormShelf:
    """Questionnaires by content hash, parsed once a process."""

    def __init__(self) -> None:
        self._forms: dict[str, Form] = {}

    def get(self, tx: Any, form: str) -> Form:
        """The questionnaire; LookupError where the store does not have it."""
        found = self._forms.get(form)
        if found is None:
            source = tx.form(form)
            if source is None:
                raise LookupError(f"the store has no questionnaire {form}")
            found = self._forms[form] = read_xform(source, form)
        return found


@dataclass(frozen=True, slots=True)
class Sitting:
    """One turn with one chat: everything an interview needs at hand."""

    tx: Any
    chat: Chat
    now: datetime
    errands: Mapping[str, Errand]
    shelf: FormShelf
    event: int = 0  # the channel's number of what was typed or given; 0 for a press
    zone: tzinfo = UTC  # in which days are reckoned
    noticed: list[Noticed] = field(default_factory=list)  # to be counted once this is on disk

    def begin(
        self, assignment: Assignment, form: str, said: str = "", *, purpose: str = "rating"
    ) -> Reply:
        """Start the interview of ``assignment``, or go on with the one begun before."""
        a = assignment
        row = self.tx.interview_for(a.wave, a.person, a.subject)
        if row is None:
            blank = self._blank(purpose, form)
            row = self._open(
                replace(blank, person=a.person, wave=a.wave, subject=a.subject, group=a.group)
            )
        return self.show(row, said)

    def begin_alone(self, purpose: str, form: str) -> Reply:
        """Start an interview that belongs to no wave."""
        blank = self._blank(purpose, form)
        owner = self.errands[purpose].owner(self.chat.person, blank)
        return self.show(self._open(replace(blank, person=owner)))

    def show(self, row: SealedInterview, said: str = "", page: int = 0) -> Reply:
        """Where the interview stands. ``said`` goes before it; ``page`` of its choices is drawn."""
        return self.move(row, Showed(), said, page)

    def move(self, row: SealedInterview, move: Move, said: str = "", page: int = 0) -> Reply:
        """One move in an interview; the answer is kept before anything else is written."""
        errand = self.errands[row.purpose]
        key = errand.state_key(self.tx, row, self.now)
        if key is None:
            self.leave(row)
            return Reply(WORDS.say("finished.closed", self.language), language=self.language)
        form = self.shelf.get(self.tx, row.form)
        interview = self._opened(row, key)
        move = self._once(interview, move)
        step = advance(form, interview, move, self.local)
        if isinstance(step.say, Farewell):  # also where a form has nothing to ask this person
            return self._finish(row, form, step, step.say)
        if step.accepted:
            taken = replace(step.interview, heard=self.event or interview.heard)
            state = self._sealed(form, taken, key)
            after = replace(row, turn=step.interview.turn, state=state)
            if not self._keep(after, row.turn):
                return self._overtaken(row)
            row = after
            if isinstance(move, Added | Amended):
                said = WORDS.say("added" if isinstance(move, Added) else "amended", self.language)
            elif step.noted:
                said = WORDS.say("noted", self.language, words=step.noted)
            gathers = isinstance(step.say, Ask) and step.say.draft
            if isinstance(move, Chose) and gathers:  # the page on which it was pressed
                page = move.index // SCREEN
        elif row.wave is not None and isinstance(step.say, Ask) and step.say.trouble:
            self.noticed.extend(at_refusal(row.wave, step.say.question, step.say.trouble))
        if self.chat.interview != row.id:
            self.point_at(row.id)
        if isinstance(step.say, Review):
            return self._review(row, step.interview, step.say, said)
        return self._ask(row, form, step.interview, step.say, said, page)

    def wants(self, row: SealedInterview, given: Kind) -> Kind | None:
        """The kind of the open question, where something of kind ``given`` answers it now."""
        key = self.errands[row.purpose].state_key(self.tx, row, self.now)
        if key is None:
            return None
        interview = self._opened(row, key)
        place = view(self.shelf.get(self.tx, row.form), interview, self.local).place
        if place is None or 0 < self.event <= interview.heard:
            return None
        return place.question.kind if takes(place.question.kind, given) else None

    def restart(self, row: SealedInterview) -> Reply:
        """Answer a completed interview again; until it is finished the earlier ballot counts."""
        key = self.errands[row.purpose].state_key(self.tx, row, self.now)
        if key is not None and row.complete:
            fresh = replace(self._fresh(row), again=True)
            state = self._sealed(self.shelf.get(self.tx, row.form), fresh, key)
            after = replace(row, turn=row.turn + 1, complete=False, state=state)
            said = WORDS.say("restarted", self.language)
            return self.show(after, said) if self._keep(after, row.turn) else self._overtaken(row)
        return self.show(row)

    @property
    def local(self) -> datetime:
        """Now, as the survey's own clocks and calendars have it."""
        return self.now.astimezone(self.zone)

    @property
    def language(self) -> str:
        """The chat's language."""
        return self.chat.language

    def left(self) -> list[Assignment]:
        """What the person may still answer, in the order in which they are asked."""
        left = self.tx.open_assignments(self.chat.person, self.now)
        rating = self.errands.get("rating")
        return rating.in_turn(left) if isinstance(rating, Rating) else list(left)

    def point_at(self, interview: str | None) -> None:
        """Make ``interview`` the one that typed words answer."""
        if not self.tx.point_chat(replace(self.chat, interview=interview)):
            raise OvertakenError

    def leave(self, row: SealedInterview) -> None:
        """Typed words no longer answer ``row``; an old button must not end another interview."""
        if self.chat.interview == row.id:
            self.point_at(None)

    def _opened(self, row: SealedInterview, key: bytes) -> Interview:
        state = unseal(row.state, key, STATE)
        return replace(restore(state, row.turn), language=self.language)

    def _once(self, interview: Interview, move: Move) -> Move:
        """``move``, unless what it comes from was taken before or belongs to another question."""
        if isinstance(move, Amended):
            late = self.event != interview.heard
            return Refused(Trouble("amended_late")) if late else move
        return Showed() if 0 < self.event <= interview.heard else move

    def _ask(
        self,
        row: SealedInterview,
        form: Form,
        interview: Interview,
        ask: Ask,
        said: str,
        page: int,
    ) -> Reply:
        parts = [said]
        if not interview.answers and not ask.trouble:
            parts.append(self.errands[row.purpose].preface(self.tx, row, self.language))
        parts.append(question_text(ask, interview))
        pause = row.wave is None or not 0 < ask.total < MANY  # a visible way to stop
        rows = question_rows(ask, interview, row.id, page, pause=pause)
        return Reply(
            "\n\n".join(part for part in parts if part),
            rows,
            question=True,
            language=self.language,
            wants=ask.question.kind,
            place=short(f"{row.id} {ask.path}"),
            media=tuple(
                Medium(kind, form.hash, pick(names, self.language))
                for kind, names in ask.question.media.items()
            ),
        )

    def _review(
        self, row: SealedInterview, interview: Interview, review: Review, said: str
    ) -> Reply:
        text = review_text(review, interview)
        return Reply(
            f"{said}\n\n{text}" if said else text,
            review_rows(review, interview, row.id),
            question=True,
            language=self.language,
            place=short(f"{row.id} review"),
        )

    def _finish(self, row: SealedInterview, form: Form, step: Step, say: Farewell) -> Reply:
        """Keep first: who loses that race writes nothing. Then the errand; the answers are gone."""
        turn = row.turn + 1 + secrets.randbelow(JUMP)
        done = replace(row, turn=turn, complete=True, state=b"")
        if not self._keep(done, row.turn):
            return self._overtaken(row)
        seen = view(form, step.interview, self.local)
        if row.wave is not None and not step.interview.again:
            self.noticed.extend(at_end(row.wave, seen))
        found = seen.scene.values()
        errand = self.errands[row.purpose]
        address, language = self.chat.address, self.language
        end = errand.finish(self.tx, row, form, found, seen.answers, address, self.now, language)
        if row.wave is not None and (following := self._following(row)):
            key = "finished.next_self" if row.group is RaterGroup.SELF else "finished.next"
            return self.begin(following, row.form, WORDS.say(key, self.language))
        self.leave(row)
        text = "\n\n".join((*say.notes, end.text))
        return replace(end, text=text, rows=end.rows + self._others(row), thanks=self._thanks(row))

    def _others(self, row: SealedInterview) -> tuple[tuple[Button, ...], ...]:
        """The way to what else they have given in the wave."""
        if row.wave is None or row.person != self.chat.person:
            return ()
        if len(self.tx.finished_interviews(row.person, [row.wave])) < 2:
            return ()
        label = WORDS.say("button.change_other", self.language)
        return ((Button(label, Press("m", "change").data()),),)

    def _thanks(self, row: SealedInterview) -> Thanks | None:
        """What may stand where the person was asked, now that a wave owes them no question."""
        if row.wave is None or row.person != self.chat.person:
            return None
        campaign = self.tx.campaign(self.tx.wave(row.wave).campaign)
        return Thanks(row.wave, thanks(campaign, self.language))

    def _following(self, row: SealedInterview) -> Assignment | None:
        """What else the wave asks of them; after a row that names nobody it would name them."""
        if row.person != self.chat.person:
            return None
        return next((a for a in self.left() if a.wave == row.wave), None)

    def _overtaken(self, row: SealedInterview) -> Reply:
        """Someone was faster (a double tap, another process): show what is true now."""
        current = self.tx.interview(row.id)
        if current is not None and not current.complete:
            return self.show(current)
        self.leave(row)
        key = "finished.closed" if current is None else finished(row.group)  # the tally took it
        return Reply(WORDS.say(key, self.language), language=self.language)

    def _keep(self, row: SealedInterview, after: int) -> bool:
        return bool(self.tx.keep(replace(row, touched_at=self._touched(row)), after))

    def _touched(self, row: SealedInterview) -> datetime:
        """Now; of a row that names nobody the day, not a moment that logs know."""
        if row.person == self.chat.person or not (row.complete or row.wave):
            return self.now
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def _open(self, blank: SealedInterview) -> SealedInterview:
        key = self.errands[blank.purpose].state_key(self.tx, blank, self.now)
        if key is None:
            return blank  # closed; whoever moves in it is told so
        form = self.shelf.get(self.tx, blank.form)
        state = self._sealed(form, self._fresh(blank), key)
        blank = replace(blank, state=state, touched_at=self._touched(blank))
        self.tx.open_interview(blank)
        if blank.wave is None:
            return blank
        row = self.tx.interview_for(blank.wave, blank.person, blank.subject)
        assert isinstance(row, SealedInterview)
        return row

    def _blank(self, purpose: str, form: str) -> SealedInterview:
        return SealedInterview(
            id=secrets.token_urlsafe(9),
            person="",
            purpose=purpose,
            form=form,
            turn=secrets.randbelow(TURNS),
            complete=False,
            state=b"",
            touched_at=self.now,
        )

    def _fresh(self, row: SealedInterview) -> Interview:
        context = self.errands[row.purpose].context(self.tx, row)
        return Interview(
            row.turn,
            self.language,
            context=context,
            heard=self.event,
            began=self.local.isoformat(timespec="seconds"),
            seed=secrets.randbelow(SEEDS),
        )

    @staticmethod
    def _sealed(form: Form, interview: Interview, key: bytes) -> bytes:
        return seal(dump(interview), key, STATE, state_size(form, interview))


def state_size(form: Form, interview: Interview) -> int:
    """Bytes that every state of this interview fits in: its length must not tell what was said.

    Only the dissatisfied are asked for words, and a code point of those takes up to 4 bytes.
    """
    bare = replace(interview, answers={}, draft=(), heard=0, heard_at="")
    size = len(dump(bare)) + 32 + _answers_size(form)
    return -(-size // STATE_BLOCK) * STATE_BLOCK


def _answers_size(form: Form) -> int:
    """Bytes of the longest answers. Remembered by content hash: equal hashes are equal forms.

    Every repeat counts once: a state with more occurrences takes a multiple of this.
    """
    size = _ANSWERS_SIZES.get(form.hash)
    if size is None:
        paths = (len(question.path.encode()) for question in form.questions)
        longest = max(paths, default=0) + 16
        repeats = sum(longest for node in walk(form.body) if isinstance(node, Repeat))
        size = longest + repeats + sum(map(_answer_size, form.questions))
        _ANSWERS_SIZES[form.hash] = size
    return size


_ANSWERS_SIZES: dict[str, int] = {}


def _answer_size(question: Question) -> int:
    if not question.asks:
        return 0
    names = sum(len(choice.name.encode()) + 4 for choice in question.choices)
    words = 4 * TEXT_LIMIT if question.kind is Kind.TEXT else 64
    token = 128 if question.kind in HANDED else 0
    return len(question.path.encode()) + 8 + words + token + 2 * names
