"""The inbound half put together: an unmodified aiogram Bot and a Dispatcher of four handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import GetMe, SetMyCommands
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats

from bot.files import Files
from bot.handling import Handling
from bot.hearing import Hearing
from bot.receiving import Polling, Sleep
from bot.screens import Screens
from bot.speaking import Speaker
from bot.trouble import Trouble, pause, trouble
from bot.webhook import Webhook
from surveys.conversation import Conversation
from surveys.people import Address, Text
from surveys.store import Store

COMMANDS: tuple[tuple[str, Text], ...] = (
    ("start", {"zh": "开始或继续", "en": "Start or go on"}),
    ("help", {"zh": "这个机器人能做什么", "en": "What this bot can do"}),
    ("language", {"zh": "更换语言", "en": "Change the language"}),
    ("concern", {"zh": "反映一个问题", "en": "Raise a concern"}),
    ("privacy", {"zh": "谁能看到什么", "en": "Who sees what"}),
    ("stop", {"zh": "不再收到邀请", "en": "Receive no more invitations"}),
    ("move", {"zh": "换个设备", "en": "Use another device"}),
    ("forget", {"zh": "忘记我", "en": "Forget me"}),
)
"""What Telegram lists behind the menu button, in the languages of the product."""


class Inbound:
    """Everything that listens to Telegram under one ``token``.

    ``api_url`` is another Bot API server's root (``http://127.0.0.1:8081``); None is Telegram.
    ``seal`` closes dead letters. ``blocked`` hears of people who block or unblock the bot.
    """

    def __init__(
        self,
        token: str,
        api_url: str | None,
        conversation: Conversation,
        store: Store,
        seal: Callable[[bytes], bytes],
        clock: Callable[[], datetime],
        *,
        blocked: Callable[[Address, bool], Awaitable[None]] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        api = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
        self.bot = Bot(token, session=AiohttpSession(api=api, timeout=30.0))
        dispatcher = Dispatcher(disable_fsm=True)  # the place in an interview is computed
        Hearing(Files(self.bot)).register(dispatcher)
        screens = Screens()
        self.handling = Handling(
            self.bot,
            dispatcher,
            conversation,
            store,
            seal,
            clock,
            screens,
            Speaker(self.bot, conversation, screens, store),
            blocked=blocked,
        )
        self._sleep = sleep

    async def introduce(self, patience: float = 60.0) -> str:
        """Set the menu in every language and learn the bot's username, for links.

        Keeps trying for ``patience`` seconds while Telegram is away; then raises aiogram's error.
        """
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            try:
                return await self._introduce()
            except AiogramError as error:
                seconds = pause(error, attempt)
                waited += seconds
                if trouble(error) is not Trouble.LATER or waited > patience:
                    raise
            await self._sleep(seconds)

    async def _introduce(self) -> str:
        for language in (None, "zh", "en"):  # None: every client language without its own menu
            menu = [
                BotCommand(command=command, description=text[language or "zh"])
                for command, text in COMMANDS
            ]
            scope = BotCommandScopeAllPrivateChats()
            await self.bot(SetMyCommands(commands=menu, scope=scope, language_code=language))
        return (await self.bot(GetMe())).username or ""

    def polling(self, *, wait: int = 20, grace: float = 10.0) -> Polling:
        """A long poll of ``wait`` seconds; run one, whatever the number of processes."""
        return Polling(self.handling, wait=wait, grace=grace, sleep=self._sleep)

    def webhook(self, secret: str) -> Webhook:
        """An endpoint that believes only requests with ``secret`` (1-256 of [A-Za-z0-9_-])."""
        return Webhook(self.handling, secret)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.bot.session.close()
