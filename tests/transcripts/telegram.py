"""The bot on a pretend Telegram: the chat as it stands on somebody's telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from bot.assembly import Inbound
from minyi.house import wall_clock
from rehearsal.limits import Limits
from rehearsal.messages import Message, User, dump
from rehearsal.server import serving
from rehearsal.stored import Place
from rehearsal.telegram import Stage
from tests.transcripts.house import Talking
from tests.transcripts.reading import Shown
from tests.transcripts.script import Act, Changed, Gave, Pressed, Shared, Sticker, Wrote

TOKEN = "4242:rehearsal-token"
UNHURRIED = Limits(overall=0, per_chat=0, poll_repeat=0)
PEOPLE = count(1001)
KINDS = {"image": "photo", "audio": "voice", "file": "document"}  # as Telegram calls them
MIMES = {"image": "image/jpeg", "audio": "audio/ogg", "file": "application/pdf"}


@asynccontextmanager
async def telegram(here: Talking) -> AsyncIterator[Stage]:
    """A Bot API server with our bot polling it, over real HTTP."""
    stage = Stage(TOKEN, lambda: wall_clock().timestamp(), UNHURRIED)
    stop = asyncio.Event()
    async with serving(stage) as served:
        inbound = Inbound(
            TOKEN, served.url, here.conversation, here.store, lambda raw: raw, wall_clock
        )
        await inbound.introduce()
        polling = asyncio.create_task(inbound.polling().run(stop))
        try:
            yield stage
        finally:
            stop.set()
            await polling
            await inbound.close()


class Phone:
    """One new account on ``stage``, its app in ``language``."""

    cannot: tuple[type[Act], ...] = ()

    def __init__(self, stage: Stage, language: str) -> None:
        self._stage = stage
        self._user = User(next(PEOPLE), "Wang Fang", language)
        self._chat = stage.add_user(self._user)
        self._drawn: dict[str, tuple[int, str]] = {}
        self._seen = 0

    async def do(self, act: Act, *, twice: bool = False) -> Sequence[Shown]:
        """Press, type or send a sticker; then read what came or changed, top to bottom."""
        pressed = 0
        match act:
            case Wrote(text):
                self._stage.say(self._user.id, text)
            case Pressed(label):
                pressed, data = self._drawn[label]
                self._stage.press(self._user.id, data=data, message_id=pressed, stale=True)
            case Sticker():
                self._send_sticker()
            case Gave(kind, file):
                kind, mime = KINDS[kind], MIMES[kind]
                self._stage.hand(self._user.id, kind, act.content, name=file.name, mime=mime)
            case Shared(latitude, longitude):
                self._stage.locate(self._user.id, Place(latitude, longitude))
            case Changed(text):
                self._stage.edit(self._user.id, text)
        async with asyncio.timeout(20):
            while len(self._stage.updates):  # noqa: ASYNC110 (confirmed on the other side of HTTP)
                await asyncio.sleep(0.002)
        assert not self._chat.notices, "a notice is never where something is said"
        return [self._look(message) for message in self._fresh(pressed)]

    def _fresh(self, pressed: int) -> list[Message]:
        """Whatever came to the eye since; the pressed message, unchanged, where nothing did."""
        bots = [message for message in self._chat.messages.values() if message.from_bot]
        fresh = [m for m in bots if m.shown > self._seen]
        if not any(message.keyboard or message.message_id == pressed for message in fresh):
            fresh = [m for m in bots if m.message_id == pressed] + fresh
        self._seen = max((m.shown for m in bots), default=0)
        return fresh

    def _look(self, message: Message) -> Shown:
        keyboard = message.keyboard
        if keyboard is None:
            return Shown(message.text)
        for row in keyboard.rows:
            for button in row:
                assert button.data is not None
                self._drawn[button.text] = (message.message_id, button.data)
        return Shown(message.text, tuple(tuple(row) for row in keyboard.labels()))

    def _send_sticker(self) -> None:
        message = self._stage.new_message(self._chat, from_bot=False, text="")
        sticker = {
            "file_id": "s1",
            "file_unique_id": "s1",
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
        }
        head = message.json(self._chat.user_json, self._chat.chat_json).removesuffix("}")
        payload = f'{head},"sticker":{dump(sticker)}}}'
        self._stage.updates.put("message", payload, f"m{self._user.id}", 3600.0)
