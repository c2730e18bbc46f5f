"""Forgetting a person, by their own word or at the desk.

What was counted holds nobody. In a round that is not counted yet the roll must keep its length, or
it would tell who had answered, and so many ballots as people asked are all that a tally takes. So
the person's place there goes on under a random name that belongs to nobody, another in each wave.

Only the person's own word takes their uncounted ballots out of the box: whoever could do that for
others would choose whose rating counts. At the desk a finished ballot moves with its place, which
takes the wave's keys; a self-assessment goes, for its place would still name whoever made it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surveys.ballots import STATE, SpoiledError, ballot_id, unseal
from surveys.cells import RaterGroup
from surveys.errands import Errand
from surveys.interview import restore
from surveys.keys import Keyring, WaveKeys
from surveys.people import Address
from surveys.phrasing import Press
from surveys.reply import Reply
from surveys.store import SealedInterview
from surveys.turns import OvertakenError

if TYPE_CHECKING:
    from surveys.visit import Visit

OWED = "scrub"
"""The note that journals and free pages still hold somebody who was forgotten."""


class KeysAwayError(LookupError):
    """A ballot cannot be moved without the keys of its ``wave``; they are not here."""

    def __init__(self, wave: str) -> None:
        super().__init__(f"the keys of wave {wave} are not here")
        self.wave = wave


def forget(tx: Any, person: str, errands: Iterable[Errand], *, own: bool) -> bool:
    """Forget ``person``; False where there is nobody of that id.

    ``own``: it is their own word, so what they gave in rounds not counted yet goes too. Raises
    KeysAwayError where it is not and such a ballot cannot be kept.
    """
    if not tx.hold_person(person):
        return False
    known, addresses = tx.person(person), tx.addresses(person)
    tx.drop_chats(person)  # first: who is just answering from one of them is waited for
    for errand in errands:
        errand.forget(tx, person, addresses, own=own)
    tx.drop_person(person)
    words = [known.id, known.name, *(a.handle for a in addresses)]
    tx.drop_mentions([word for word in words if word], files=known.listed)
    tx.put_note(OWED, "yes")
    return True


def from_waves(tx: Any, keyring: Keyring, person: str, *, own: bool) -> None:
    """Leave each wave's roll, interviews, messages and ballots without ``person``."""
    for wave in tx.person_waves(person):
        nobody = secrets.token_hex(16)  # as a visitor's place, see surveys/visiting.py
        keys = keyring.wave_keys(wave)
        rows: Sequence[SealedInterview] = tx.interviews_of(wave, person)
        if rows and keys is None and not own:
            raise KeysAwayError(wave)
        alone = frozenset(row.subject for row in rows if row.group is RaterGroup.SELF)
        others = (row for row in rows if keys and row.subject not in alone)
        kept = [] if own else [row for row in others if keys and _gave(row, keys)]
        left = {row.id for row in rows} - {row.id for row in kept}
        tx.drop_interviews(sorted(left))
        for row in kept:  # its turn moves, so that nobody finishes it under the old name
            tx.keep(replace(row, turn=row.turn + 1, complete=True, state=b""), row.turn)
        if keys is not None:
            _empty(tx, keys, wave, person, "" if own else nobody, alone)
        tx.rename_in_wave(wave, person, nobody)


def _empty(
    tx: Any, keys: WaveKeys, wave: str, person: str, into: str, alone: Collection[str | None]
) -> None:
    """Move every ballot of ``person`` to the place of ``into``; '' takes it out of the box.

    So it does about the subjects ``alone``: what they said of themselves is nobody else's.
    """
    for subject in tx.asked_about(wave, person):
        rid = ballot_id(keys.rid_key, wave, person, subject)
        if into and subject not in alone:
            tx.move_ballot(wave, rid, ballot_id(keys.rid_key, wave, into, subject))
        else:
            tx.drop_ballot(wave, rid)


def _gave(row: SealedInterview, keys: WaveKeys) -> bool:
    """Whether a ballot lies in the box: finished, or finished once and being changed."""
    if row.complete:
        return True
    try:
        return restore(unseal(row.state, keys.rid_key, STATE), row.turn).again
    except (SpoiledError, ValueError, TypeError):
        return False


# ---- in the chat


def ask(visit: Visit) -> Reply:
    """What would go and what would stay, asked once. The button is good for this person alone."""
    yes = visit.button("button.forget", Press("f", _mark(visit.chat.person)))
    no = visit.button("button.keep_me", Press("f", "keep"))
    return visit.say("forget.ask", (yes,), (no,))


def decided(visit: Visit, said: str) -> Reply:
    """A button of that question: forgotten, or all as it was."""
    if said == _mark(visit.chat.person):
        return _forgotten(visit)
    standing = visit.stands()
    if said != "keep":
        return standing
    return replace(standing, text=f"{visit.say('forget.kept').text}\n\n{standing.text}")


def _forgotten(visit: Visit) -> Reply:
    tx, person = visit.tx, visit.chat.person
    addresses: Sequence[Address] = tx.addresses(person)
    if visit.attendant is not None:  # first: it still finds who they are
        visit.attendant.forgotten(tx, addresses, visit.sitting.now)
    if not forget(tx, person, visit.sitting.errands.values(), own=True):
        raise OvertakenError
    return visit.say("forget.done", (visit.button("button.anew", Press("j", "0")),))


def _mark(person: str) -> str:
    return hashlib.blake2b(person.encode(), digest_size=8, person=b"forget").hexdigest()
