"""The composition root: every room put together from the settings, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from desk.audit import Act, seal_key
from evaluation.method import Method
from evaluation.method_file import shipped
from minyi.attending import chat_desk
from minyi.auditing import begin, keep_at_last
from minyi.conversing import settle
from minyi.invitations import Invitations
from minyi.opening import keyring, opened, vault
from minyi.settings import TELEGRAM, Settings
from storage import FileKeyring, SqlStore
from surveys.conduct import FormShelf
from surveys.conversation import Conversation
from surveys.files.attachments import Vault
from surveys.people import Address
from surveys.visit import Setting

if TYPE_CHECKING:
    from bot.assembly import Inbound
    from bot.sending import Sender
    from web.metrics import Meter


def wall_clock() -> datetime:
    """The present."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes and how fast messages leave; a rehearsal has its own.

    ``rate`` is messages a second at most, None without limit; ``paid_rate`` of those paid for;
    ``lanes`` how many are under way at once.
    """

    clock: Callable[[], datetime] = wall_clock
    rate: float | None = 20.0
    paid_rate: float | None = 20.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    lanes: int = 8


@dataclass
class House:
    """What every command works with."""

    settings: Settings
    store: SqlStore
    keyring: FileKeyring
    conversation: Conversation
    invitations: Invitations
    method: Method
    pace: Pace = field(default_factory=Pace)
    name: str = field(default_factory=lambda: uuid4().hex)  # who holds a lease
    vault: Vault | None = None  # without one nobody can hand over a file
    shelf: FormShelf = field(default_factory=FormShelf)
    sources: Mapping[str, str] = field(default_factory=dict)  # where each setting came from
    settings_file: Path | None = None
    meter: Meter | None = None  # figures for whoever watches the machine
    counted_at: datetime | None = None  # when this process's counts were last put away
    looked_at: datetime | None = None  # when it last looked for what needs an administrator
    alarmed_at: datetime | None = None  # when it last said that the audit's end is gone
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)  # called at the end
    _sender: Sender | None = None

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present, in this house's time."""
        return self.pace.clock

    def act(self) -> Act:
        """What the clock makes happen, as the audit knows it."""
        return Act("minyi", "minyi", "clock", self.clock(), seal_key(self.keyring.app_key()))

    @property
    def api_url(self) -> str | None:
        """Another Bot API server than Telegram's, or None."""
        url = self.settings.telegram_api_url
        return None if url == TELEGRAM else url

    def sender(self) -> Sender | None:
        """Who delivers; None without a bot token. Made at first use: its library is large."""
        if self._sender is None and self.settings.token is not None:
            from bot.sending import Sender

            self._sender = Sender(
                self.settings.token,
                self.api_url,
                self.store,
                self.invitations.compose,
                self.pace.clock,
                rate=self.pace.rate,
                paid_rate=self.pace.paid_rate,
                lanes=self.pace.lanes,
                sleep=self.pace.sleep,
            )
        return self._sender

    def send_no_more(self) -> None:
        """Messages under way end; the rest of the batch goes back to the ledger."""
        if self._sender is not None:
            self._sender.stop()

    def inbound(self, token: str) -> Inbound:
        """Who listens to Telegram."""
        from bot.assembly import Inbound
        from surveys.ballots import seal

        key = self.keyring.app_key()

        async def blocked(address: Address, is_blocked: bool) -> None:
            await self.store.write(lambda tx: tx.set_reachable(address, not is_blocked))

        return Inbound(
            token,
            self.api_url,
            self.conversation,
            self.store,
            lambda raw: seal(raw, key, b"dead-letter"),
            self.pace.clock,
            blocked=blocked,
        )

    async def close(self) -> None:
        """Let go of the lease and the connections that were opened."""
        for close in self.closing:
            await close()
        if self._sender is not None:
            await self._sender.close()


def setting_of(settings: Settings) -> Setting:
    """What the conversation says of the house."""
    return Setting(
        settings.organisation,
        f"{settings.public_url}/c",
        settings.k,
        settings.language,
        settings.timezone,
    )


@asynccontextmanager
async def open_house(settings: Settings, pace: Pace | None = None) -> AsyncIterator[House]:
    """Open store and keyring and wire the rooms; close them at the end.

    Raises NotReadyError where there is no database yet.
    """
    keys, files = keyring(settings), vault(settings)
    if pace is None:
        paid = settings.telegram_paid_rate or settings.telegram_rate
        pace = Pace(rate=settings.telegram_rate, paid_rate=paid)
    async with opened(settings) as store:
        keys.app_key()  # made where it is missing: it seals what is noted next
        await begin(store, settings)
        house = House(
            settings,
            store,
            keys,
            await settle(
                store, keys, setting_of(settings), files, attendant=chat_desk(settings, keys)
            ),
            Invitations(settings.organisation, store, pace.clock),
            shipped("quarterly"),
            pace,
            vault=files,
        )
        house.closing.append(partial(keep_at_last, house))
        try:
            yield house
        finally:
            await house.close()
