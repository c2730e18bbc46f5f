"""Conducting one interview inside a unit of work: load, advance (pure), keep, finish."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from surveys.ballots import STATE_BLOCK, seal, unseal
from surveys.errands import Errand
from surveys.form import Form, Kind, Question
from surveys.interview import (
    Ask,
    Farewell,
    Interview,
    Move,
    Showed,
    Step,
    advance,
    dump,
    restore,
    values,
)
from surveys.people import Chat
from surveys.phrasing import WORDS, Press, question_rows, question_text
from surveys.reply import Button, Reply
from surveys.store import Assignment, SealedInterview
from surveys.understand import TEXT_LIMIT
from surveys.xform import read_xform

STATE = b"interview"
TURNS = 1 << 40  # turns start anywhere below: a row alone must not tell how far somebody got
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
    event: int = 0  # the channel's number of what was typed; 0 for a press

    def begin(self, assignment: Assignment, form: str, said: str = "") -> Reply:
        """Start the interview of ``assignment``, or go on with the one begun before."""
        a = assignment
        row = self.tx.interview_for(a.wave, a.person, a.subject)
        if row is None:
            blank = self._blank("rating", form)
            blank = replace(blank, wave=a.wave, subject=a.subject, group=a.group)
            row = self._open(blank)
        return self.show(row, said)

    def begin_alone(self, purpose: str, form: str) -> Reply:
        """Start an interview that belongs to no wave."""
        return self.show(self._open(self._blank(purpose, form)))

    def show(self, row: SealedInterview, said: str = "") -> Reply:
        """Where the interview stands. ``said`` goes before it."""
        return self.move(row, Showed(), said)

    def move(self, row: SealedInterview, move: Move, said: str = "") -> Reply:
        """One move in an interview; the answer is kept before anything else is written."""
        errand = self.errands[row.purpose]
        key = errand.state_key(self.tx, row, self.now)
        if key is None:
            self.leave(row)
            return Reply(WORDS.say("finished.closed", self.language), language=self.language)
        form = self.shelf.get(self.tx, row.form)
        interview = replace(
            restore(unseal(row.state, key, STATE), row.turn), language=self.language
        )
        if 0 < self.event <= interview.heard:  # delivered again: it was taken before
            move = Showed()
        step = advance(form, interview, move, self.now)
        if isinstance(step.say, Farewell):  # also where a form has nothing to ask this person
            return self._finish(row, form, step, step.say)
        if step.accepted:
            taken = replace(step.interview, heard=self.event or interview.heard)
            state = self._sealed(form, taken, key)
            after = replace(row, turn=step.interview.turn, state=state)
            if not self._keep(after, row.turn):
                return self._overtaken(row)
            row = after
        if self.chat.interview != row.id:
            self.point_at(row.id)
        return self._ask(row, errand, step.interview, step.say, said)

    def restart(self, row: SealedInterview) -> Reply:
        """Answer a completed interview again; until it is finished the earlier ballot counts."""
        key = self.errands[row.purpose].state_key(self.tx, row, self.now)
        if key is not None and row.complete:
            state = self._sealed(self.shelf.get(self.tx, row.form), self._fresh(row), key)
            after = replace(row, turn=row.turn + 1, complete=False, state=state)
            return self.show(after) if self._keep(after, row.turn) else self._overtaken(row)
        return self.show(row)

    @property
    def language(self) -> str:
        """The chat's language."""
        return self.chat.language

    def point_at(self, interview: str | None) -> None:
        """Make ``interview`` the one that typed words answer."""
        self.tx.put_chat(replace(self.chat, interview=interview))

    def leave(self, row: SealedInterview) -> None:
        """Typed words no longer answer ``row``; an old button must not end another interview."""
        if self.chat.interview == row.id:
            self.point_at(None)

    def _ask(
        self, row: SealedInterview, errand: Errand, interview: Interview, ask: Ask, said: str
    ) -> Reply:
        parts = [said]
        if not interview.answers and not interview.draft and not ask.trouble:
            parts.append(errand.preface(self.tx, row, self.language))
        parts.append(question_text(ask, interview))
        text = "\n\n".join(part for part in parts if part)
        rows = question_rows(ask, interview, row.id)
        if row.wave is None:  # nobody asked for this one: a visible way out
            pause = Button(WORDS.say("button.pause", self.language), Press("m", "pause").data())
            rows = (*rows, (pause,))
        return Reply(text, rows, question=True, language=self.language)

    def _finish(self, row: SealedInterview, form: Form, step: Step, say: Farewell) -> Reply:
        """Keep first: who loses that race writes nothing. Then the errand; the answers are gone."""
        turn = row.turn + 1 + secrets.randbelow(JUMP)
        done = replace(row, turn=turn, complete=True, state=b"")
        if not self._keep(done, row.turn):
            return self._overtaken(row)
        found = values(form, step.interview, self.now)
        errand = self.errands[row.purpose]
        end = errand.finish(self.tx, row, form, found, self.chat.address, self.now, self.language)
        if row.wave is not None and (following := self._following(row.wave)):
            return self.begin(following, row.form, WORDS.say("finished.next", self.language))
        self.leave(row)
        return replace(end, text="\n\n".join((*say.notes, end.text)))

    def _following(self, wave: str) -> Assignment | None:
        left = self.tx.open_assignments(self.chat.person, self.now)
        return next((a for a in left if a.wave == wave), None)

    def _overtaken(self, row: SealedInterview) -> Reply:
        """Someone was faster (a double tap, another process): show what is true now."""
        current = self.tx.interview(row.id)
        if current is not None and not current.complete:
            return self.show(current)
        self.leave(row)
        key = "finished.closed" if current is None else "finished"  # no row: the tally took it
        return Reply(WORDS.say(key, self.language), language=self.language)

    def _keep(self, row: SealedInterview, after: int) -> bool:
        now = self.now
        if row.complete and row.wave is None:  # a concern has a day, not a moment that logs know
            now = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return bool(self.tx.keep(replace(row, touched_at=now), after))

    def _open(self, blank: SealedInterview) -> SealedInterview:
        key = self.errands[blank.purpose].state_key(self.tx, blank, self.now)
        if key is None:
            return blank  # closed; whoever moves in it is told so
        form = self.shelf.get(self.tx, blank.form)
        blank = replace(blank, state=self._sealed(form, self._fresh(blank), key))
        self.tx.open_interview(blank)
        if blank.wave is None:
            return blank
        row = self.tx.interview_for(blank.wave, blank.person, blank.subject)
        assert isinstance(row, SealedInterview)
        return row

    def _blank(self, purpose: str, form: str) -> SealedInterview:
        name = secrets.token_urlsafe(9)
        return SealedInterview(
            id=name,
            person=self.errands[purpose].owner(self.chat.person, name),
            purpose=purpose,
            form=form,
            turn=secrets.randbelow(TURNS),
            complete=False,
            state=b"",
            touched_at=self.now,
        )

    def _fresh(self, row: SealedInterview) -> Interview:
        context = self.errands[row.purpose].context(self.tx, row)
        return Interview(row.turn, self.language, context=context, heard=self.event)

    @staticmethod
    def _sealed(form: Form, interview: Interview, key: bytes) -> bytes:
        return seal(dump(interview), key, STATE, state_size(form, interview))


def state_size(form: Form, interview: Interview) -> int:
    """Bytes that every state of this interview fits in: its length must not tell what was said.

    Only the dissatisfied are asked for words, and a code point of those takes up to 4 bytes.
    """
    bare = replace(interview, answers={}, draft=(), heard=0)
    size = len(dump(bare)) + 32 + _answers_size(form)
    return -(-size // STATE_BLOCK) * STATE_BLOCK


def _answers_size(form: Form) -> int:
    """Bytes of the longest answers. Remembered by content hash: equal hashes are equal forms."""
    size = _ANSWERS_SIZES.get(form.hash)
    if size is None:
        size = _ANSWERS_SIZES[form.hash] = sum(map(_answer_size, form.questions))
    return size


_ANSWERS_SIZES: dict[str, int] = {}


def _answer_size(question: Question) -> int:
    if not question.asks:
        return 0
    names = sum(len(choice.name.encode()) + 4 for choice in question.choices)
    words = 4 * TEXT_LIMIT if question.kind is Kind.TEXT else 16
    return len(question.path.encode()) + 8 + words + 2 * names
