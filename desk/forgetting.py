"""Forgetting a person who asked for it in writing, or who is owed it by law.

It differs from what they can do themselves in one thing: a ballot they finished in a round that is
not counted yet stays in the box, under a place without a name. An officer could otherwise take the
ratings of critics out of a round while it runs.
"""

from __future__ import annotations

from concerns.intake import Intake
from desk.audit import Act, record, someone
from desk.chatting import unlink_chat
from desk.relating import vacate
from desk.saying import Saying, SpokenError, shown
from desk.store import DeskTransaction
from surveys import forgetting
from surveys.forgetting import KeysAwayError
from surveys.keys import Keyring
from surveys.rating import Rating
from surveys.visiting import Visiting


class ForgetError(SpokenError):
    """Nobody was forgotten; the text says why and what to do."""


def forget(tx: DeskTransaction, act: Act, person: str, keyring: Keyring) -> bool:
    """Forget ``person``; False where there is nobody of that id.

    The audit has that somebody was forgotten, and by whom. ForgetError where a wave's keys, which
    keep a finished ballot countable, are not here.
    """
    tx.audit_head()
    for address in tx.addresses(person):
        account = tx.account_by_chat(address)
        if account is not None:
            unlink_chat(tx, act, account)
    vacate(tx, act, person)
    errands = (Rating(keyring), Visiting(keyring), Intake(keyring))
    try:
        done = forgetting.forget(tx, person, errands, own=False)
    except KeysAwayError as error:
        raise ForgetError(Saying("roster.keys_away", {"wave": shown(error.wave)})) from None
    if done:
        record(tx, act, "person.forgotten", someone(act, person))
    return done
