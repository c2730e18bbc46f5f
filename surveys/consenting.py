"""What somebody is told before they go on, and which version of the privacy text that stood for.

The version is the person's, not the chat's: who writes from a telephone and a browser is told once.
It is stored when they come, before anything is asked, so it does not tell who answered. That they
came it does tell, so the desk shows it of nobody whom a table lists (desk/consenting.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from surveys.people import Text
from surveys.phrasing import WORDS
from surveys.reply import Reply

if TYPE_CHECKING:
    from surveys.visit import Visit


@cache
def version() -> str:
    """Eight hex digits that stand for the privacy text in all its languages, nothing filled in."""
    return hashlib.blake2b(_written().encode(), digest_size=4, person=b"privacy").hexdigest()


def keep_text(tx: Any) -> None:
    """Keep the text of today's version, to be shown when it has long become another."""
    if tx.note(_name(version())) is None:
        tx.put_note(_name(version()), _written())


def text_of(tx: Any, of: str) -> Text | None:
    """Language -> the privacy text that version ``of`` was; None where there was none."""
    kept = tx.note(_name(of))
    if kept is None:
        return None
    texts: Mapping[str, str] = json.loads(kept)
    return texts


def told(visit: Visit, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """``replies``, preceded by what is kept and who reads it where this person was not told yet.

    Whoever has stopped is told when they return, and whoever was forgotten as somebody new.
    """
    person = visit.tx.person(visit.chat.person)
    if person is None or person.opted_out or person.consent == version() or not replies:
        return replies
    # where the roster has just changed them, it is said, and said again with the next reply
    visit.tx.change_people([(person, replace(person, consent=version()))])
    notice = visit.say("consent", version=version()).text
    return replace(replies[0], text=f"{notice}\n\n{replies[0].text}"), *replies[1:]


def privacy(visit: Visit) -> Reply:
    """The whole text, and the version of it that this person was told: the desk may not say."""
    reply = visit.say("privacy", k=visit.least(), web=visit.setting.web)
    of = visit.say("privacy.version", version=version()).text
    return replace(reply, text=f"{reply.text}\n\n{of}")


def _written() -> str:
    return json.dumps(dict(WORDS.all_of("privacy")), ensure_ascii=False, sort_keys=True)


def _name(of: str) -> str:
    return f"privacy:{of}"
