"""Saying what is owed, over the network: nothing twice, and no wall of old buttons."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.methods import (
    EditMessageReplyMarkup,
    EditMessageText,
    SendAudio,
    SendDocument,
    SendMessage,
    SendPhoto,
    SendVideo,
)
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

from bot.pages import Page
from bot.saying import Clear, Owed, Say, Show, Thank
from bot.screens import Screen, Screens
from bot.trouble import Trouble, trouble
from surveys.conversation import Conversation
from surveys.reply import Medium, Thanks
from surveys.store import Store

_FILES = 1000
_LEFT = 4
"""So many messages whose buttons could not be taken off are tried again the next time."""

_log = logging.getLogger("minyi.bot")


@dataclass(frozen=True, slots=True)
class _Sent:
    """A file that Telegram has: as what it was sent, and its id."""

    kind: str
    file_id: str


class Speaker:
    """Says through ``bot``, with the media of ``conversation``; notes in ``screens`` what stands
    there."""

    def __init__(
        self, bot: Bot, conversation: Conversation, screens: Screens, store: Store
    ) -> None:
        self._bot = bot
        self._conversation = conversation
        self._screens = screens
        self._store = store
        self._sent: OrderedDict[Medium, _Sent] = OrderedDict()

    async def say(self, owed: Owed) -> None:
        """Say what is owed. What was said leaves ``owed``, so a second try repeats nothing.

        Raises what the table calls LATER; what Telegram refuses for good is logged and let go.
        """
        await asyncio.gather(self._acknowledge(owed), self._speak(owed))

    async def _acknowledge(self, owed: Owed) -> None:
        """Stop the spinner. Cosmetic: too late, or not at all, harms nobody."""
        acknowledgement, owed.acknowledgement = owed.acknowledgement, None
        if acknowledgement is None:
            return
        try:
            await self._bot(acknowledgement)
        except AiogramError as error:
            _log.info("a press was not acknowledged: %s", type(error).__name__)

    async def _speak(self, owed: Owed) -> None:
        while owed.steps:
            step = owed.steps[0]
            try:
                match step:
                    case Show(medium):
                        await self._show(owed.chat, medium)
                    case Say():
                        owed.said(await self._put(owed.chat, step), step)
                    case Clear():
                        await self._clear(owed, step)
                    case Thank(thanks):
                        await self._thank(owed, thanks)
            except AiogramError as error:
                if trouble(error) is Trouble.LATER:
                    raise
                _log.warning("%s refused: %s", type(step).__name__.lower(), type(error).__name__)
            owed.steps.popleft()

    async def _put(self, chat: int, step: Say) -> int:
        """The id of the message in which ``step`` stands now."""
        text, keyboard = step.page.text, _keyboard(step.page)
        if step.onto is not None:
            edit = EditMessageText(
                chat_id=chat, message_id=step.onto, text=text, reply_markup=keyboard
            )
            try:
                await self._bot(edit)
            except TelegramBadRequest as error:
                if "message is not modified" not in error.message:
                    return await self._below(chat, text, keyboard)
            return step.onto
        return await self._below(chat, text, keyboard)

    async def _below(self, chat: int, text: str, keyboard: InlineKeyboardMarkup | None) -> int:
        sent = await self._bot(SendMessage(chat_id=chat, text=text, reply_markup=keyboard))
        return sent.message_id

    async def _clear(self, owed: Owed, step: Clear) -> None:
        before = self._screens.of(owed.chat)
        old = {*before.live, *([step.tapped] if step.tapped else [])}
        left = []
        for message in sorted(old.difference(owed.live, owed.bare), reverse=True):
            if not await self._bared(owed.chat, message):
                left.append(message)
        live = (*reversed(left[:_LEFT]), *owed.live)
        self._screens.keep(owed.chat, Screen(live, owed.asked, step.place))

    async def _thank(self, owed: Owed, thanks: Thanks) -> None:
        """What asked for these answers asks no more. A courtesy: where it fails, nothing is lost,
        and whatever was said just now stays.
        """
        try:
            chat = str(owed.chat)
            asked = await self._store.read(lambda tx: tx.sent_messages(thanks.wave, chat))
        except Exception as error:  # the answer is on the disk, and that is what counts
            _log.warning("nobody was thanked: %s", type(error).__name__)
            return
        for message in asked:
            if message in owed.live or message in owed.bare:
                continue
            try:
                await self._bot(
                    EditMessageText(chat_id=owed.chat, message_id=message, text=thanks.text)
                )
            except AiogramError as error:  # deleted, too old, thanked before
                _log.info("an old message stays as it is: %s", type(error).__name__)

    async def _bared(self, chat: int, message: int) -> bool:
        """Take the buttons off ``message``; False where it may work another time."""
        try:
            await self._bot(EditMessageReplyMarkup(chat_id=chat, message_id=message))
        except AiogramError as error:
            return trouble(error) is not Trouble.LATER
        return True

    async def _show(self, chat: int, medium: Medium) -> None:
        """Show ``medium``, which goes over the line once and by its id from then on."""
        known = self._sent.get(medium)
        if known is not None:
            try:
                await self._bot(_showing(chat, known.kind, known.file_id))
            except TelegramBadRequest:  # an id does not live for ever
                del self._sent[medium]
            else:
                return
        try:
            content = await self._conversation.medium(medium.form, medium.name)
        except LookupError:
            _log.warning("a form lacks its file %s", medium.name)
            return
        await self._upload(chat, medium, content)

    async def _upload(self, chat: int, medium: Medium, content: bytes) -> None:
        file = BufferedInputFile(content, medium.name)
        try:
            message = await self._bot(_showing(chat, medium.kind, file))
        except TelegramBadRequest:  # no picture to Telegram (SVG, very large) is still a file
            message = await self._bot(_showing(chat, "file", file))
        if (sent := _kept(message)) is not None:
            self._sent[medium] = sent
            if len(self._sent) > _FILES:
                self._sent.popitem(last=False)


def _showing(
    chat: int, kind: str, file: BufferedInputFile | str
) -> SendPhoto | SendAudio | SendVideo | SendDocument:
    """The call that shows ``file``; the words that follow ring, so it does not."""
    match kind:
        case "image":
            return SendPhoto(chat_id=chat, photo=file, disable_notification=True)
        case "audio":
            return SendAudio(chat_id=chat, audio=file, disable_notification=True)
        case "video":
            return SendVideo(chat_id=chat, video=file, disable_notification=True)
    return SendDocument(chat_id=chat, document=file, disable_notification=True)


def _kept(message: Message) -> _Sent | None:
    if message.photo:
        return _Sent("image", message.photo[-1].file_id)
    if message.audio is not None:
        return _Sent("audio", message.audio.file_id)
    if message.video is not None:
        return _Sent("video", message.video.file_id)
    # a film without sound comes back as an animation, which has a document too
    return _Sent("file", message.document.file_id) if message.document is not None else None


def _keyboard(page: Page) -> InlineKeyboardMarkup | None:
    if not page.rows:  # an edit without markup takes the old buttons away
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=button.label, callback_data=button.data) for button in row]
            for row in page.rows
        ]
    )
