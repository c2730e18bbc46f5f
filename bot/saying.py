"""A reply laid out for Telegram: the second of the two things that a channel may do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from aiogram.methods import AnswerCallbackQuery

from bot.hearing import Contact
from bot.pages import Page, pages
from bot.screens import Screen
from surveys.reply import Medium, Reply, Thanks


@dataclass(frozen=True, slots=True)
class Show:
    """Send a picture, a sound or a film."""

    medium: Medium


@dataclass(frozen=True, slots=True)
class Say:
    """Send a page, or put it in the place of message ``onto``."""

    page: Page
    question: bool = False
    onto: int | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """Take the buttons off everything older than what was just said, ``tapped`` included."""

    place: str
    tapped: int | None = None


@dataclass(frozen=True, slots=True)
class Thank:
    """Put thanks in the place of the messages that asked for what is answered now."""

    thanks: Thanks


Step = Show | Say | Clear | Thank


@dataclass(slots=True)
class Owed:
    """What is still to be said about one committed update; shrinks as it is said.

    ``live`` and ``bare`` are the messages said so far, with buttons and without; ``asked`` is the
    one with the question in it.
    """

    chat: int = 0
    acknowledgement: AnswerCallbackQuery | None = None
    steps: deque[Step] = field(default_factory=deque)
    live: list[int] = field(default_factory=list)
    bare: list[int] = field(default_factory=list)
    asked: int = 0

    def said(self, message: int, step: Say) -> None:
        """Note that ``step`` stands in ``message``."""
        (self.live if step.page.rows else self.bare).append(message)
        if step.question:
            self.asked = message


def lay_out(contact: Contact, replies: tuple[Reply, ...], screen: Screen) -> Owed:
    """Say ``replies`` where ``contact`` was made.

    On a press the tapped message becomes the first page, which also takes the question and its
    answer off the screen. Where the newest buttons are further down, or something has to be shown
    above the words, everything is said below, where the person looks. Afterwards nothing older
    carries buttons.
    """
    owed = Owed(contact.chat)
    if contact.callback is not None:
        owed.acknowledgement = AnswerCallbackQuery(callback_query_id=contact.callback)
    for reply in replies:
        owed.steps.extend(_steps(reply, screen))
    if not owed.steps:
        return owed
    tapped, first = contact.message, owed.steps[0]
    if tapped is not None and isinstance(first, Say) and not screen.is_past(tapped):
        owed.steps[0] = Say(first.page, first.question, onto=tapped)
    owed.steps.append(Clear(replies[-1].place, tapped))
    owed.steps.extend(Thank(reply.thanks) for reply in replies if reply.thanks is not None)
    return owed


def _steps(reply: Reply, screen: Screen) -> list[Step]:
    """What belongs above the words is shown once for as long as the question stands."""
    again = bool(reply.place) and reply.place == screen.place
    shown: list[Step] = [] if again else [Show(medium) for medium in reply.media]
    cut = pages(reply)
    last = len(cut) - 1
    return [
        *shown,
        *(Say(page, reply.question and index == last) for index, page in enumerate(cut)),
    ]
