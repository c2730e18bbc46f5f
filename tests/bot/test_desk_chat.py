"""An administrator acts in Telegram: over real HTTP, with the real core behind it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from desk.accounts import Account
from desk.audit import Act, seal_key
from desk.chatting import ChatDesk, chat_code
from desk.roles import Grant, Role
from desk.store import Sought
from minyi.conversing import settle
from minyi.talk import stage as stage_wave
from rehearsal.telegram import Stage
from storage import FileKeyring
from storage.store import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.forms.xlsform import load_form
from surveys.people import Address, Kind, Person, Relation, Subject
from surveys.visit import Setting
from tests.bot.stage import Clock, people, polling, seen, until
from web.console.telling import sentence

Live = tuple[Stage, str]
ZONE = ZoneInfo("Asia/Shanghai")
KEY = seal_key(b"k" * 32)
ASKED = Path(__file__).parents[1] / "transcripts" / "questionnaires" / "choosing.md"


async def test_a_chat_is_linked_and_a_campaign_paused_by_it(
    live: Live, store: SqlStore, clock: Clock, tmp_path: Path
) -> None:
    stage, url = live
    people(stage, 7, 8)
    core = await _core(store, clock.now(), tmp_path)
    code = await _officer(store, clock.now())
    async with polling(url, core, store, clock):
        for person in (7, 8):
            stage.say(person, "/start")
            await until(lambda person=person: len(seen(stage, person)) == 1)  # type: ignore[misc]
        stage.say(7, f"/desk@rehearsal_bot {code.upper()}")
        await until(lambda: "now belongs to your account, Li" in seen(stage, 7)[-1])
        stage.say(7, "/pause talk")
        await until(lambda: "is paused. No further wave opens." in seen(stage, 7)[-1])
        stage.say(8, f"/desk {code}")
        stage.say(8, "/resume talk")
        stage.say(8, "/campaigns")
        await until(lambda: len(seen(stage, 8)) == 4)
        await until(lambda: not stage.updates.all())
    campaign = await store.read(lambda tx: tx.campaign("talk"))
    assert campaign is not None
    assert campaign.paused
    entries = await store.read(lambda tx: tx.audit(Sought(action="campaign.")))
    assert [(entry.who, entry.origin) for entry in entries] == [("a1", "telegram")]
    assert all("talk" not in text for text in seen(stage, 8))
    linked = await store.read(lambda tx: tx.account_by_chat(Address("telegram", "7")))
    assert linked is not None
    assert await store.read(lambda tx: tx.dead_letters()) == []


async def test_an_official_takes_back_what_they_proposed(
    live: Live, store: SqlStore, clock: Clock, tmp_path: Path
) -> None:
    stage, url = live
    people(stage, 7)
    core = await _core(store, clock.now(), tmp_path)

    def official(tx: SqlTransaction) -> None:
        tx.put_subjects([Subject("chief", {"en": "Chief"}, "official")])
        tx.put_people([Person("p2", Kind.STAFF, "Li")])
        chat = tx.chat(Address("telegram", "7"))
        assert chat is not None
        tx.put_relations([Relation(chat.person, "chief", RaterGroup.SELF)])

    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: len(seen(stage, 7)) == 1)
        await store.write(official)
        stage.say(7, "/nominate peer p2")
        await until(lambda: "Asked for: Li" in seen(stage, 7)[-1])
        stage.say(7, "/nominate")
        await until(lambda: "is waiting for a decision" in seen(stage, 7)[-1])
        stage.press(7, label="Take it back")
        await until(lambda: "✓ Taken back." in seen(stage, 7)[-1])
    assert await store.read(lambda tx: tx.approvals(open_only=True)) == []
    assert await store.read(lambda tx: tx.dead_letters()) == []


async def _core(store: SqlStore, now: datetime, folder: Path) -> Conversation:
    keyring = FileKeyring(folder)
    await stage_wave(store, keyring, load_form(ASKED), {}, RaterGroup.RECIPIENT, now)
    desk = ChatDesk(
        KEY, frozenset(), ZONE, lambda item, lang: sentence(item, lang, ZONE), "/desk", 9
    )
    return await settle(store, keyring, Setting({"en": "Hedong"}), attendant=desk)


async def _officer(store: SqlStore, now: datetime) -> str:
    account = Account("a1", "li", "Li", now, (Grant(Role.OFFICER),))
    act = Act("a1", "Li", "203.0.113.7", now, KEY)
    await store.write(lambda tx: tx.put_account(account))
    return await store.write(lambda tx: chat_code(tx, act, account, now))
