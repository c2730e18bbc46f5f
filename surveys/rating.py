"""The errand of a survey: a finished interview becomes a sealed ballot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from surveys.ballots import Ballot, ballot_id, ballot_size, seal_ballot
from surveys.campaigns import WaveState, ends_at
from surveys.cells import GRADES, NAMED, RaterGroup
from surveys.forgetting import from_waves
from surveys.forms.form import Form, Kind
from surveys.keys import Keyring
from surveys.people import Address, Text
from surveys.phrasing import WORDS, Press
from surveys.reply import Button, Reply
from surveys.sequence import in_turn
from surveys.store import Assignment, SealedInterview
from surveys.words import pick

_GRADES = frozenset(str(grade) for grade in range(1, GRADES + 1))


class Rating:
    """Implements :class:`surveys.errands.Errand` for the interviews of a wave."""

    keeps_files = False

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def owner(self, person: str, row: SealedInterview) -> str:
        """The person: the roll names them anyway, and says nothing about the answers."""
        return person

    def state_key(self, tx: Any, row: SealedInterview, now: datetime) -> bytes | None:
        """The wave's own key, so that destroying it at the tally closes every left-over state.

        Once the wave has closed, only an interview that was begun and not finished goes on, for as
        long as its campaign's grace: nothing begins, and nothing that was finished is changed.
        """
        wave = tx.wave(row.wave)
        if wave is None or wave.state is not WaveState.OPEN:
            return None
        if not now < wave.closes_at:
            begun = bool(row.state)
            if not begun or not now < ends_at(wave, tx.campaign(wave.campaign)):
                return None
        keys = self._keyring.wave_keys(wave.id)
        return None if keys is None else keys.rid_key

    def in_turn(self, left: Sequence[Assignment]) -> list[Assignment]:
        """What one person may still answer, in the order in which they are asked."""
        return in_turn(left, self._order_key)

    def _order_key(self, wave: str) -> bytes:
        keys = self._keyring.wave_keys(wave)
        return b"" if keys is None else keys.rid_key

    def context(self, tx: Any, row: SealedInterview) -> Mapping[str, Text]:
        """``subject`` (its name) and ``group`` (SUP, PEER, SUB, SVC, SELF)."""
        subject = tx.subject(row.subject)
        return {"subject": subject.name, "group": {"": str(row.group)}}

    def preface(self, tx: Any, row: SealedInterview, language: str) -> str:
        """The subject, how many are left, and who may read."""
        name = pick(tx.subject(row.subject).name, language)
        left = tx.assignments_left(row.wave, row.person) - 1
        key = "about.left" if left > 0 else "about.subject"
        about = WORDS.say(key, language, subject=name, left=left)
        if row.group in NAMED:
            key = "privacy.self" if row.group is RaterGroup.SELF else "privacy.superior"
            return f"{about}\n{WORDS.say(key, language)}"
        campaign = tx.campaign(tx.wave(row.wave).campaign)
        return f"{about}\n{WORDS.say('privacy.short', language, k=campaign.k)}"

    def finish(
        self,
        tx: Any,
        row: SealedInterview,
        form: Form,
        values: Mapping[str, str],
        answers: Mapping[str, str],
        address: Address,
        now: datetime,
        language: str,
    ) -> Reply:
        """Seal the ballot into the wave's box. An empty ballot is put too: it says 'answered'."""
        assert row.wave is not None
        assert row.subject is not None
        assert row.group is not None
        keys = self._keyring.wave_keys(row.wave)
        if keys is None:
            return Reply(WORDS.say("finished.closed", language), language=language)
        rid = ballot_id(keys.rid_key, row.wave, row.person, row.subject)
        ballot = ballot_of(form, answers, row.subject, row.group)
        box = seal_ballot(ballot, tx.wave(row.wave).tally_key, ballot_size(form))
        tx.put_ballot(row.wave, rid, box)
        change = Button(WORDS.say("button.change", language), Press("r", row.id).data())
        return Reply(WORDS.say(finished(row.group), language), ((change,),), language=language)

    def forget(self, tx: Any, person: str, addresses: Sequence[Address], *, own: bool) -> None:
        """Ballots of rounds not counted go where it is their own word, and move where it is not."""
        from_waves(tx, self._keyring, person, own=own)

    def recall(self, tx: Any, address: Address, token: str, language: str) -> Reply | None:
        """A ballot cannot be recalled by anyone."""
        return None


def finished(group: RaterGroup | None) -> str:
    """The sentence that thanks: a self-assessment is sealed, and not secret."""
    return "finished.self" if group is RaterGroup.SELF else "finished"


def ballot_of(form: Form, answers: Mapping[str, str], subject: str, group: RaterGroup) -> Ballot:
    """The whitelist: ratings 1..5 of indicators, reasons and remarks marked as such. No more.

    Only what the person said: nothing that the form computed or came with is anybody's opinion.
    A rating question's choices are named by their grade, 5 best; any other name (``na``, 不了解)
    is no rating.
    """
    ratings: dict[str, int] = {}
    reasons: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    for question in form.questions:
        value = answers.get(question.path, "")
        several = question.kind is Kind.SELECT_MULTIPLE
        offered = {choice.name for choice in question.choices}
        if question.indicator and value in _GRADES:
            ratings[question.indicator] = int(value)
        elif question.reason and value:
            named = value.split() if several else [value]
            reasons[question.name] = tuple(name for name in named if name in offered)
        elif question.remark and value:
            remarks.append(value)
    return Ballot(subject, group, ratings, reasons, "\n".join(remarks))
