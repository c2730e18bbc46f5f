"""Deliveries to people who did not just write: python-telegram-bot, one sender, a ledger of rows.

Nothing is sent twice: a row says that its sending began before it begins, and what became of it
right after.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from bot.pages import Page, pages
from bot.verdict import Verdict, judge
from bot.wire import AiohttpRequest, PausedError, extbot
from surveys.campaigns import Delivery, Outcome
from surveys.reply import Reply
from surveys.store import Store, Transaction

LEASE = "telegram-sending"
PAUSE_NOTE = "telegram-sending-paused-until"
LONGEST = 900.0
"""Seconds between two looks whether Telegram has come back, at most."""
_NOTING = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between tries to write down an outcome: it is known only here."""

T = TypeVar("T")
Compose = Callable[[Delivery], Awaitable[Reply]]
_log = logging.getLogger("minyi.bot")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run did. ``resume_at``: nothing is sent before; ``busy``: another sender works."""

    sent: int = 0
    later: int = 0
    unknown: int = 0
    gone: int = 0
    lost: int = 0
    resume_at: datetime | None = None
    busy: bool = False

    @property
    def handled(self) -> int:
        """Deliveries this run took up; 0 means that there is nothing to do now."""
        return self.sent + self.later + self.unknown + self.gone + self.lost


class Sender:
    """Empties the delivery ledger. Any number of processes may run one; the lease lets one work.

    ``compose`` words a delivery. ``rate`` is messages a second (None: no limit), ``paid_rate`` of
    those that are paid for; ``lanes`` how many are under way at once, which bounds what a crash can
    leave unknown; ``batch`` rows are claimed together for ``term``, and the lease is held for as
    long after each sign of life.

    Where an answer fails to come, nobody knows what arrived. So as not to ask many people in vain,
    it then waits, twice as long each time, asks Telegram who it is before the next message, and
    sends that one alone: an outage of hours leaves a handful unknown, and the others due.
    """

    def __init__(
        self,
        token: str,
        api_url: str | None,
        store: Store,
        compose: Compose,
        clock: Callable[[], datetime],
        *,
        rate: float | None = 20.0,
        paid_rate: float | None = None,
        lanes: int = 8,
        batch: int = 100,
        term: timedelta = timedelta(minutes=10),
        per_chat: timedelta = timedelta(seconds=1),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._request = AiohttpRequest(self._is_paused, connections=max(lanes, 8))
        self._bot = extbot(token, api_url, self._request)
        self._store = store
        self._compose = compose
        self._clock = clock
        self._lanes = lanes
        self._batch = batch
        self._term = term
        self._per_chat = per_chat
        self._sleep = sleep
        self._holder = uuid4().hex
        self._stopped = False
        self._running = asyncio.Lock()
        self._resume_at: datetime | None = None
        self._free_at: dict[str, datetime] = {}
        self._apart = {False: _apart(rate), True: _apart(paid_rate)}  # paid for or not
        self._next_at: dict[bool, datetime] = {}  # when the next of each may leave
        self._renew_at: datetime | None = None
        self._shaken = 0  # ambiguous failures since a message last had an answer
        self._silent = False  # whether nothing at all was heard from Telegram since the last one

    async def run_once(self, now: datetime) -> Round:
        """Claim what is due at ``now`` and send it. Raises where the store is gone.

        Cancelled, it still waits for what is under way: its outcome is known only here.
        """
        async with self._running:
            if self._stopped:
                return Round()
            if verdict := await self._opened():
                return Round(resume_at=now + timedelta(seconds=verdict.wait))
            if self._silent and not self._is_paused():
                await self._ask()
            if self._silent:
                return Round(resume_at=self._resume_at)
            claimed = await self._store.write(lambda tx: self._claim(tx, now))
            if isinstance(claimed, Round):
                return claimed
            self._resume_at = None
            return self._count(await self._to_the_end(asyncio.ensure_future(self._all(claimed))))

    async def notify(self, handle: str, reply: Reply) -> Verdict:
        """Send ``reply`` to a chat outside any campaign, once. Never raises Telegram's errors."""
        if verdict := await self._opened():
            return verdict
        now = self._clock()
        resume_at = await self._store.read(lambda tx: _paused(tx, now))
        if resume_at is not None:
            return Verdict(Outcome.DUE, "paused", (resume_at - now).total_seconds(), everyone=True)
        await self._await_turn(handle)
        verdict = await self._send(handle, reply)
        if verdict.everyone:
            until = self._clock() + timedelta(seconds=verdict.wait)
            await self._persist(lambda tx: _pause(tx, until))
        return verdict

    def stop(self) -> None:
        """Send nothing more: what is under way ends, the rest of the batch goes back."""
        self._stopped = True

    async def close(self) -> None:
        """Stop, wait for a run under way, give the lease back and let go of the connections."""
        self.stop()
        async with self._running:
            pass
        try:
            await self._store.write(lambda tx: tx.drop_lease(LEASE, self._holder))
        finally:
            await self._bot.shutdown()
            await self._request.shutdown()  # a bot that never reached Telegram leaves it open

    async def _opened(self) -> Verdict | None:
        """Initialize once; the verdict where Telegram cannot be reached yet."""
        try:
            await self._bot.initialize()  # does nothing when it is done already
        except TelegramError as error:
            verdict = judge(error)
            _log.warning("Telegram cannot be reached: %s", verdict.detail)
            return Verdict(Outcome.DUE, verdict.detail, verdict.wait or 60.0, everyone=True)
        return None

    async def _ask(self) -> None:
        """Whether Telegram answers again; where it does not, wait longer than before."""
        try:
            await self._bot.get_me()
        except TelegramError as error:
            self._shaken += 1
            wait = max(judge(error).wait, self._patience)
            self._stop_until(self._clock() + timedelta(seconds=wait))
        else:
            self._silent = False

    @property
    def _patience(self) -> float:
        """Seconds to wait after that many failures in a row."""
        return float(min(5.0 * 2 ** min(self._shaken - 1, 10), LONGEST))

    def _claim(self, tx: Transaction, now: datetime) -> Sequence[Delivery] | Round:
        """What to send now; a round without any where it is not our turn, or nobody's."""
        until = now + self._term
        if not tx.take_lease(LEASE, self._holder, now, until):
            return Round(busy=True)
        if resume_at := _paused(tx, now):
            return Round(resume_at=resume_at)
        self._renew_at = now + self._term / 2
        return tx.claim_deliveries(now, until, 1 if self._shaken else self._batch)

    def _is_paused(self) -> bool:
        return self._stopped or (self._resume_at is not None and self._clock() < self._resume_at)

    async def _to_the_end(self, work: asyncio.Future[T]) -> T:
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stopped, self._stopped = self._stopped, True
            await asyncio.wait({work})
            self._stopped = stopped
            raise

    async def _all(self, claimed: Sequence[Delivery]) -> list[Outcome | None]:
        waiting = deque(claimed)
        lanes = [self._lane(waiting) for _ in range(min(self._lanes, len(waiting)))]
        # A lane that fails must not cut short another one's sending: that would lose its outcome.
        ends = await asyncio.gather(*lanes, return_exceptions=True)
        now = self._clock()
        self._free_at = {chat: at for chat, at in self._free_at.items() if at > now}
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return [outcome for end in ends if isinstance(end, list) for outcome in end]

    async def _lane(self, waiting: deque[Delivery]) -> list[Outcome | None]:
        outcomes = []
        while waiting:
            delivery = waiting.popleft()
            outcomes.append(await self._deliver(delivery))
        return outcomes

    async def _deliver(self, delivery: Delivery) -> Outcome | None:
        """Begin, send, note: three steps, the network between two transactions. None: not ours."""
        try:
            reply = await self._compose(delivery)
        except Exception as error:  # a mistake in the wording must not stop the others
            _log.exception("delivery %d cannot be worded", delivery.id)
            detail = f"wording: {type(error).__name__}"
            await self._note(delivery, Verdict(Outcome.DUE, detail, wait=3600))
            return Outcome.DUE
        await self._await_turn(delivery.handle, paid=delivery.paid)
        if self._is_paused():
            await self._note(delivery, judge(PausedError("before it began")))
            return Outcome.DUE
        now = self._clock()
        if delivery.until is not None and now >= delivery.until:
            # its quiet hours began meanwhile, or its wave has closed: the next claim knows
            await self._note(delivery, Verdict(Outcome.DUE, "too late in the day"))
            return Outcome.DUE
        if not await self._store.write(lambda tx: self._begin(tx, delivery, now)):
            return None
        verdict = self._heard(await self._send(delivery.handle, reply, paid=delivery.paid))
        if verdict.everyone:
            self._stop_until(self._clock() + timedelta(seconds=verdict.wait))
        await self._note(delivery, verdict)
        return verdict.outcome

    def _begin(self, tx: Transaction, delivery: Delivery, now: datetime) -> bool:
        """Whether it may be sent: the lease is still ours, and the row."""
        if self._renew_at is not None and now >= self._renew_at:
            if not tx.take_lease(LEASE, self._holder, now, now + self._term):
                return False
            self._renew_at = now + self._term / 2
        return tx.begin_delivery(delivery.id, now)

    def _heard(self, verdict: Verdict) -> Verdict:
        """Count failures without an answer; whoever answers ends them."""
        if verdict.outcome is Outcome.UNKNOWN and verdict.everyone:
            self._shaken, self._silent = self._shaken + 1, True
            return replace(verdict, wait=max(verdict.wait, self._patience))
        if verdict.outcome is not Outcome.DUE:
            self._shaken = 0
        return verdict

    async def _send(self, handle: str, reply: Reply, *, paid: bool = False) -> Verdict:
        arrived = ""
        try:
            for page in pages(reply):
                message = await self._bot.send_message(
                    int(handle),
                    page.text,
                    reply_markup=_keyboard(page),
                    allow_paid_broadcast=paid or None,
                )
                arrived = arrived or str(message.message_id)
        except TelegramError as error:
            verdict = judge(error)
            if arrived:  # a part of it is there: to begin again would repeat that
                return Verdict(Outcome.UNKNOWN, "in part", verdict.wait, verdict.everyone)
            return verdict
        return Verdict(Outcome.SENT, arrived)

    async def _note(self, delivery: Delivery, verdict: Verdict) -> None:
        at = self._clock()
        if verdict.outcome is Outcome.DUE:
            at += timedelta(seconds=verdict.wait)
            at = max(at, self._resume_at or at)
        pause_until = self._resume_at

        def work(tx: Transaction) -> None:
            tx.note_delivery(delivery.id, verdict.outcome, verdict.detail, at)
            if pause_until is not None:
                _pause(tx, pause_until)

        await self._persist(work)

    async def _persist(self, work: Callable[[Transaction], T]) -> T:
        """Write what only this process knows; try for long before giving up."""
        for seconds in _NOTING:
            try:
                return await self._store.write(work)
            except Exception as error:
                _log.warning("an outcome is not written yet: %s", type(error).__name__)
            await self._sleep(seconds)
        return await self._store.write(work)

    async def _await_turn(self, handle: str, *, paid: bool = False) -> None:
        """Evenly spaced, and at most one a second to one chat; each caller reserves its place.

        It is waited for before the row says begun: whoever is killed while waiting has sent
        nothing, and nothing is left unknown. (python-telegram-bot's own limiter waits after it.)
        """
        now = self._clock()
        turn = max(now, self._next_at.get(paid, now))
        self._next_at[paid] = turn + self._apart[paid]
        at = max(turn, self._free_at.get(handle, turn))
        self._free_at[handle] = at + self._per_chat
        if at > now:
            await self._sleep((at - now).total_seconds())

    def _stop_until(self, at: datetime) -> None:
        self._resume_at = max(at, self._resume_at or at)

    def _count(self, found: Sequence[Outcome | None]) -> Round:
        return Round(
            sent=found.count(Outcome.SENT),
            later=found.count(Outcome.DUE),
            unknown=found.count(Outcome.UNKNOWN),
            gone=found.count(Outcome.GONE),
            lost=found.count(None),
            resume_at=self._resume_at if self._is_paused() else None,
        )


def _apart(rate: float | None) -> timedelta:
    """How far from each other messages leave at ``rate`` a second."""
    return timedelta(seconds=1 / rate) if rate else timedelta()


def _paused(tx: Transaction, now: datetime) -> datetime | None:
    """Until when nothing may be sent, where that is still ahead; a restart honours it too."""
    note = tx.note(PAUSE_NOTE)
    until = datetime.fromisoformat(note) if note else now
    return until if until > now else None


def _pause(tx: Transaction, until: datetime) -> None:
    note = tx.note(PAUSE_NOTE)
    if not note or datetime.fromisoformat(note) < until:
        tx.put_note(PAUSE_NOTE, until.isoformat())


def _keyboard(page: Page) -> InlineKeyboardMarkup | None:
    if not page.rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(b.label, callback_data=b.data) for b in row] for row in page.rows]
    )
