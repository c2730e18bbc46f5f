"""What means something wherever a chat stands: help, privacy, language, concern, stop, pause."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surveys import consenting, forgetting, moving
from surveys.people import Person
from surveys.phrasing import WORDS, Press
from surveys.reply import Button, Reply
from surveys.turns import alone
from surveys.typed.understand import fold
from surveys.words import LANGUAGES

if TYPE_CHECKING:
    from surveys.visit import Visit

_COMMANDS = ("back", "skip", "done", "pause", "resume", "stop", "help", "privacy", "concern",
             "forget", "move")  # fmt: skip
_SPOKEN = {
    word: name
    for name in (*_COMMANDS, "language")
    for text in WORDS.all_of(f"typed.{name}").values()
    for word in text.split("|")
}


def command(words: str) -> str | None:
    """The command that typed words are, in either language, with or without a slash."""
    bare = words.strip()
    if bare.startswith("/"):
        named = re.match(r"/(\w+)", bare)
        return named[1].lower() if named else "help"
    return _SPOKEN.get(fold(words))


def commanded(visit: Visit, name: str) -> Reply | None:
    """A command that means something wherever the chat stands; None where it does not."""
    match name:
        case "help":
            return visit.say("help")
        case "privacy":
            return consenting.privacy(visit)
        case "language":
            return visit.say("language.ask", *languages(visit))
        case "concern":
            return concern(visit)
        case "stop":
            return stop(visit)
        case "pause":
            return pause(visit)
        case "resume":
            return resume(visit)
        case "change":
            return visit.given()
        case "forget":
            return forgetting.ask(visit)
        case "move":
            return moving.offer(visit)
    return None


def concern(visit: Visit) -> Reply:
    if visit.concern_form is None:
        return visit.say("idle")
    return visit.sitting.begin_alone("concern", visit.concern_form)


def amend(tx: Any, person: Person, change: Callable[[Person], Person]) -> None:
    """Change ``person``, whatever the roster does to them meanwhile; nobody, once forgotten."""
    known: Person | None = person
    while known is not None and not tx.change_people([(known, change(known))]):
        known = tx.person(person.id)


def leaving(visit: Visit) -> Reply:
    """Typed in mid-interview, "stop" may mean only now."""
    pause = visit.button("button.pause", Press("m", "pause"))
    never = visit.button("button.stop", Press("m", "stop"))
    return visit.say("stop.ask", (pause,), (never,))


def stop(visit: Visit) -> Reply:
    person = visit.tx.person(visit.chat.person)
    amend(visit.tx, person, lambda known: replace(known, opted_out=True, consent=""))
    visit.sitting.point_at(None)
    return visit.say("stopped", (visit.button("button.rejoin", Press("j", "0")),))


def pause(visit: Visit) -> Reply | None:
    row = visit.current()
    if row is None:
        return None
    visit.sitting.point_at(None)
    return visit.say("paused", (visit.button("button.continue", Press("c", row.id)),))


def resume(visit: Visit) -> Reply | None:
    """Go on with the interview, or with the first wave that still has something open."""
    if visit.current() is not None:
        return visit.stands()
    left = visit.sitting.left()
    return visit.go(left[0].wave) if left else None


def speak(visit: Visit, language: str) -> Reply:
    chat = replace(alone(visit.tx, visit.chat), language=language)
    visit.tx.put_chat(chat)
    person = visit.tx.person(chat.person)
    amend(visit.tx, person, lambda known: replace(known, language=language))
    visit.sitting = replace(visit.sitting, chat=chat)
    standing = visit.stands()
    return replace(standing, text=f"{visit.say('language.chosen').text}\n\n{standing.text}")


def tongues(visit: Visit) -> Mapping[str, str]:
    """Code -> name of the languages to be had here: ours, and those of the open question."""
    row = visit.current()
    form = None if row is None else visit.sitting.shelf.get(visit.tx, row.form)
    return {**({} if form is None else form.tongues), "zh": "中文", "en": "English"}


def languages(visit: Visit) -> tuple[tuple[Button, ...], ...]:
    """A button for each, ours first."""
    names = sorted(tongues(visit).items(), key=lambda named: named[0] not in LANGUAGES)
    buttons = [Button(name, Press("l", code).data()) for code, name in names if _coded(code)]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def _coded(language: str) -> bool:
    """Whether a language has a code: some questionnaires name none, and one is "default"."""
    return re.fullmatch(r"[a-z]{2,3}(-[a-z]+)?", language) is not None
