"""The conventional survey bot: aiogram, and a SQLAlchemy async ORM session for each update.

Written as its libraries' own guides write it: a middleware opens the session and commits, models
have relationships, handlers stand behind magic filters. It asks as many questions as ours, in a
fixed order, in plain text: no logic, no sealing, no ballot, no guard against double taps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiogram import BaseMiddleware, Dispatcher, F
from aiogram.filters import CommandStart
from aiogram.methods import SendMessage
from aiogram.types import Message, TelegramObject
from sqlalchemy import BigInteger, DateTime, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from benchmarks.echo import KEYBOARD
from benchmarks.world import WORDS


class Model(DeclarativeBase):
    """The bot's tables."""


class Respondent(Model):
    """Somebody who wrote to the bot."""

    __tablename__ = "measured_respondents"
    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    name: Mapped[str]
    interviews: Mapped[list[Interview]] = relationship(back_populates="respondent")


class Interview(Model):
    """One time through the questionnaire."""

    __tablename__ = "measured_interviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey(Respondent.id), index=True)
    position: Mapped[int] = mapped_column(default=0)
    complete: Mapped[bool] = mapped_column(default=False)
    respondent: Mapped[Respondent] = relationship(back_populates="interviews")
    answers: Mapped[list[Answer]] = relationship(back_populates="interview")


class Answer(Model):
    """One answer."""

    __tablename__ = "measured_answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    interview_id: Mapped[int] = mapped_column(ForeignKey(Interview.id), index=True)
    question: Mapped[int]
    value: Mapped[str]
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    interview: Mapped[Interview] = relationship(back_populates="answers")


class SessionPerUpdate(BaseMiddleware):
    """Hands each handler a session of its own, and commits what it did."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Pass the event on inside a transaction."""
        async with self._sessions() as session:
            data["session"] = session
            result = await handler(event, data)
            await session.commit()
            return result


def _ask(message: Message, position: int) -> SendMessage:
    if position >= len(WORDS):
        return message.answer("谢谢！")
    return message.answer(f"第 {position + 1} 题：办得怎么样？", reply_markup=KEYBOARD)


async def on_start(message: Message, session: AsyncSession) -> SendMessage:
    """Know the person, begin an interview, ask the first question."""
    chat = message.chat.id
    found = await session.scalar(select(Respondent).where(Respondent.telegram_id == chat))
    if found is None:
        found = Respondent(telegram_id=chat, name=message.chat.first_name or "")
        session.add(found)
    session.add(Interview(respondent=found, position=0, complete=False))
    return _ask(message, 0)


async def on_answer(message: Message, session: AsyncSession) -> SendMessage:
    """Keep the answer and ask the next question."""
    interview = await session.scalar(
        select(Interview)
        .join(Respondent)
        .where(Respondent.telegram_id == message.chat.id, Interview.complete.is_(False))
        .order_by(Interview.id.desc())
        .limit(1)
    )
    if interview is None:
        return message.answer("/start")
    now = datetime.now(UTC)
    session.add(
        Answer(interview=interview, question=interview.position, value=message.text, given_at=now)
    )
    interview.position += 1
    interview.complete = interview.position >= len(WORDS)
    return _ask(message, interview.position)


def conventional(engine: AsyncEngine) -> Dispatcher:
    """The bot on ``engine``."""
    dispatcher = Dispatcher()
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    dispatcher.message.middleware(SessionPerUpdate(sessions))
    dispatcher.message.register(on_start, CommandStart())
    dispatcher.message.register(on_answer, F.text)
    return dispatcher


async def prepare(engine: AsyncEngine) -> None:
    """Make its tables."""
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)


async def answers(engine: AsyncEngine) -> int:
    """How many answers it has kept."""
    async with engine.connect() as connection:
        counted = await connection.scalar(select(func.count()).select_from(Answer))
        return int(counted or 0)
