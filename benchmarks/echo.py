"""The usual aiogram bot: handlers behind a magic filter, nothing remembered."""

from __future__ import annotations

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from benchmarks.telegram import TOKEN

KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text=word, callback_data=f"a:{at}")]
                     for at, word in enumerate(("很好", "好", "还可以", "不好", "很不好"))]
)  # fmt: skip


async def on_words(message: Message) -> SendMessage:
    """Say it back, in the response to the webhook: no call to Telegram."""
    return message.answer(message.text or "", reply_markup=KEYBOARD)


async def on_words_by_call(message: Message) -> None:
    """Say it back by a call, as aiogram's own example does."""
    await message.answer(message.text or "", reply_markup=KEYBOARD)


async def on_tap(query: CallbackQuery) -> AnswerCallbackQuery:
    """Change the tapped message by a call, and stop the spinner in the response."""
    if isinstance(query.message, Message):
        await query.message.edit_text(query.data or "", reply_markup=KEYBOARD)
    return query.answer()


def echo(*, by_call: bool = False) -> Dispatcher:
    """``by_call``: reply by a call to the Bot API rather than in the webhook's response."""
    dispatcher = Dispatcher()
    dispatcher.message.register(on_words_by_call if by_call else on_words, F.text)
    dispatcher.callback_query.register(on_tap, F.data)
    return dispatcher


def bot(api_url: str | None) -> Bot:
    """An aiogram bot at ``api_url``."""
    api = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
    return Bot(TOKEN, session=AiohttpSession(api=api))
