"""A visit to an office: whoever was served rates it, by a link that names nobody.

Nothing that is kept joins the person to the office: the place on the roll, the interview and the
ballot stand under a hash of wave, person and office with the wave's own key, which its tally
destroys. So a person has one voice about an office in a wave, whatever visits they made. The link
itself is kept as a keyed hash, so a copy of the database opens none, and does not say which link
led to which interview either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from surveys.ballots import ballot_id
from surveys.forgetting import from_waves
from surveys.people import Address
from surveys.rating import Rating
from surveys.store import SealedInterview

PURPOSE = "visit"


class Visiting(Rating):
    """The errand of a rating after a visit. It differs in whom the rows name: nobody."""

    def owner(self, person: str, row: SealedInterview) -> str:
        """Their place about its subject, so that only who was served goes on with it."""
        return self.place(person, row.wave or "", row.subject or "")

    def place(self, person: str, wave: str, subject: str) -> str:
        """What stands for ``person`` about ``subject``; '' where the wave's keys are not here."""
        keys = self._keyring.wave_keys(wave)
        return "" if keys is None else _place(keys.rid_key, person, wave, subject)

    def digest(self, token: str) -> str:
        """What a link with ``token`` is kept under."""
        return digest_of(self._keyring.app_key(), token)

    def asks(self, wave: str) -> bool:
        """Whether an interview of ``wave`` can be begun: its keys are here."""
        return self._keyring.wave_keys(wave) is not None

    def forget(self, tx: Any, person: str, addresses: Sequence[Address], *, own: bool) -> None:
        """As of other ratings; theirs are found by trying."""
        for place, _, _ in self._theirs(tx, person):
            from_waves(tx, self._keyring, place, own=own)

    def hand_on(self, tx: Any, person: str, heir: str) -> Sequence[str]:
        """What ``person`` said, by name too, is ``heir``'s: found, changed, forgotten as theirs.

        Where the heir has a place about the subject that were a second voice, so it stays behind,
        to be forgotten; the subjects of those that were begun come back.
        """
        left = []
        for place, wave, subject in [*self._named(tx, person), *self._theirs(tx, person)]:
            hidden = self.place(heir, wave, subject)
            if not any(tx.assignment(wave, each, subject) for each in (heir, hidden)):
                into = heir if place == person else hidden
                self._move(tx, place, into, wave, subject)
            elif tx.interview_for(wave, place, subject) is not None:
                left.append(subject)
        return left

    def _move(self, tx: Any, place: str, into: str, wave: str, subject: str) -> None:
        keys = self._keyring.wave_keys(wave)
        assert keys is not None  # else it had not been found
        for row in tx.interviews_of(wave, place):
            if row.subject == subject:  # its turn moves: see from_waves
                tx.keep(replace(row, turn=row.turn + 1), row.turn)
        old = ballot_id(keys.rid_key, wave, place, subject)
        tx.move_ballot(wave, old, ballot_id(keys.rid_key, wave, into, subject))
        tx.move_place(wave, subject, place, into)

    def _named(self, tx: Any, person: str) -> Iterator[tuple[str, str, str]]:
        """The same of the places under their own id: a poster's, above all."""
        for wave in tx.person_waves(person):
            if self.asks(wave):
                for subject in tx.asked_about(wave, person):
                    yield person, wave, subject

    def _theirs(self, tx: Any, person: str) -> Iterator[tuple[str, str, str]]:
        """(place, wave, subject); none of a wave whose keys are away, which nobody can count."""
        for wave in tx.waves():
            keys = self._keyring.wave_keys(wave.id)
            if keys is None:
                continue
            for place, subject in tx.visit_places(wave.id):
                if place == _place(keys.rid_key, person, wave.id, subject):
                    yield place, wave.id, subject


def digest_of(key: bytes, token: str) -> str:
    """What a link with ``token`` is kept under; ``key`` is the application's own (32 bytes)."""
    return _keyed(key, token, b"visit-link")


def _place(rid_key: bytes, person: str, wave: str, subject: str) -> str:
    return _keyed(rid_key, "\x1f".join((wave, person, subject)), b"visit-place")


def _keyed(key: bytes, words: str, purpose: bytes) -> str:
    made = hashlib.blake2b(words.encode(), key=key, digest_size=16, person=purpose)
    return made.hexdigest()
