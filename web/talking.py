"""One talk in a browser: from a posted form to what is shown, wherever the talk is held."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from surveys.people import Address
from surveys.reply import Heard, Looked, Medium, Reply
from surveys.words import LANGUAGES
from web.asked import Asked, again, in_place
from web.composer import composer_for
from web.handover import Handover, Turn
from web.hearing import LONGEST, Saying, saying, submission
from web.keyboard import keyboard
from web.posted import Posted
from web.site import Talker, page


@dataclass(frozen=True)
class Booth:
    """Where a talk is held, and in whose name.

    The page is at ``path``, its forms go to ``path``/say and carry ``proof``. ``address`` says
    where a browser finds a label's file. ``hint`` is the language to begin in, ``shown`` the one
    that is spoken where the talk says none.
    """

    request: Request
    talker: Talker
    who: Address
    proof: str
    path: str
    address: Callable[[Medium], str]
    now: datetime
    hint: str
    shown: str

    async def hear(self, heard: Heard) -> tuple[Reply, ...]:
        """What is said to ``heard``."""
        return await self.talker.receive(self.who, heard, self.now, hint=self.hint)

    async def enter(self, heard: Heard) -> Response:
        """Hear one thing and go on to the page that shows what is said to it."""
        form = new_form()

        async def answer() -> Turn:
            return Turn("", await self.hear(heard))

        await self._handover.once(self.who, form, answer)
        return self._onward(form)

    async def turn(self) -> Turn:
        """The replies just given, else where the talk stands."""
        after = self.request.query_params.get("after", "")
        turn = self._handover.fetch(self.who, after) if after else None
        return turn if turn is not None else Turn("", await self.hear(Looked()))

    async def answer(self, form: Posted) -> Response:
        """Something was typed, pressed or handed over: the new messages, or the way to them."""
        done = saying(form, form.fields.get("shown", ""))
        number = submission(form) or new_form()
        about = Asked.read(form.fields.get("about", ""))

        async def answer() -> Turn:
            replies = await self.hear(done.heard)
            if done.pressed and again(about, replies):  # a tick is seen in its box
                return Turn("", replies, done.pressed)
            return Turn(done.said, replies)

        first = await self._handover.once(self.who, number, answer)
        if "hx-request" not in self.request.headers:
            return self._onward(number)
        turn = self._handover.fetch(self.who, number) if first else None
        if turn is None:
            turn = Turn("", await self.hear(Looked()))
        language = self.spoken(turn)
        if language != form.fields.get("shown", language):
            # The frame around the talk must change its language too.
            self._handover.put_back(self.who, number, turn)
            return Response(headers={"HX-Redirect": f"{self.path}?after={number}"})
        return self._swap(turn, done, about)

    def _swap(self, turn: Turn, done: Saying, about: Asked | None) -> Response:
        """The new messages alone, for htmx to append or to put in the question's place."""
        values = self.values(turn)
        asked: Asked | None = values["asked"]
        headers: dict[str, str] = {}
        if about is not None and asked is not None and about.place == asked.place:
            alone = not turn.said and len(turn.replies) == 1 and bool(turn.replies[0].rows)
            asked, headers = in_place(about, asked, alone=alone)
        elif values["ended"] and done.command:
            # An aside such as /privacy leaves the question, and its buttons, open.
            asked, headers = about, {"X-Keep-Buttons": "yes"}
            values["ended"] = False
        values |= {"asked": asked, "fresh": not (headers and done.pressed)}
        return page(self.request, "turn.html", values, language=self.spoken(turn), headers=headers)

    def spoken(self, turn: Turn) -> str:
        """The language of the talk, so that the frame around it speaks the same."""
        language = turn.replies[-1].language if turn.replies else ""
        return language if language in LANGUAGES else self.shown

    def values(self, turn: Turn) -> dict[str, Any]:
        """What the talk's templates are filled with."""
        once = new_form()
        return {
            "path": self.path,
            "turn": turn,
            "proof": self.proof,
            "once": once,
            "asked": Asked.of(turn.replies, once),
            "ended": not any(reply.rows or reply.question for reply in turn.replies),
            "composer": composer_for(turn.replies[-1].wants if turn.replies else None),
            "keyboard": keyboard,
            "address": self.address,
            "longest": LONGEST,
        }

    def _onward(self, form: str) -> Response:
        return RedirectResponse(f"{self.path}?after={form}", 303)

    @property
    def _handover(self) -> Handover:
        handover: Handover = self.request.app.state.handover
        return handover


def new_form() -> str:
    """A random number for one form."""
    return secrets.token_urlsafe(12)
