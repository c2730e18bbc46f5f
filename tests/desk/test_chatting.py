"""Administrators in their own chat: linked once, allowed what their roles allow, else nobody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from desk.accounts import Account
from desk.audit import Act, Entry, seal_key, verify
from desk.campaigns.commanding import SHOWN, WORDS
from desk.chatting import (
    CHANNELS,
    COMMANDS,
    LENGTH,
    SHUT,
    SIGNS,
    TERM,
    TRIES,
    ChatDesk,
    chat_code,
    unlink_chat,
)
from desk.nominating import NOMINATED
from desk.roles import SCOPED, TABLE, Grant, Role
from desk.store import Decision, Sought
from minyi.conversing import settle
from minyi.talk import HERE, Terminal, stage
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.forms.form import Form
from surveys.forms.xlsform import load_form
from surveys.people import Address, Kind, Person
from surveys.reply import Looked, Opened, Reply, Typed
from surveys.store import Assignment
from surveys.visit import Setting
from surveys.words import LANGUAGES
from web.console.telling import sentence

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
KEY = seal_key(bytes(range(32)))
CHAT = Address("telegram", "7001")
ASKED = Path(__file__).parents[1] / "transcripts" / "questionnaires" / "choosing.md"
DESK = ChatDesk(
    KEY,
    frozenset((Role.ADMINISTRATOR,)),
    ZONE,
    lambda item, language: sentence(item, language, ZONE),
    "https://minyi.example/desk",
    1000,
)


@dataclass
class Here:
    """A conversation that administrators may use, and what stands behind it."""

    store: SqlStore
    core: Conversation
    form: Form

    async def account(self, *roles: Role, login: str = "wang", **more: object) -> Account:
        grants = tuple(Grant(role, "demo" if role in SCOPED else "") for role in roles)
        made = replace(Account(f"a-{login}", login, login.title(), NOW, grants), **more)  # type: ignore[arg-type]
        await self.store.write(lambda tx: tx.put_account(made))
        return made

    async def code(self, account: Account, now: datetime = NOW) -> str:
        act = Act(account.id, account.name, "203.0.113.7", now, KEY)
        return await self.store.write(lambda tx: chat_code(tx, act, account, now))

    async def linked(
        self, *roles: Role, login: str = "wang", chat: Address = CHAT, **more: object
    ) -> Account:
        account = await self.account(*roles, login=login, **more)
        await self.say(f"/desk {await self.code(account)}", chat)
        return account

    async def say(self, text: str, chat: Address = CHAT, now: datetime = NOW) -> list[str]:
        return [reply.text for reply in await self.heard(text, chat, now)]

    async def heard(
        self, text: str, chat: Address = CHAT, now: datetime = NOW, *, amended: bool = False
    ) -> tuple[Reply, ...]:
        return await self.core.receive(chat, Typed(text, amended=amended), now, hint="en")

    async def meet(self, chat: Address = CHAT) -> None:
        """Come once, so that no later reply is preceded by what newcomers are told."""
        await self.core.receive(chat, Looked(), NOW, hint="en")

    async def audited(self, action: str = "") -> list[Entry]:
        found = await self.store.read(lambda tx: tx.audit(Sought(action=action), limit=500))
        return list(reversed(found))

    async def paused(self, campaign: str = "talk") -> bool:
        found = await self.store.read(lambda tx: tx.campaign(campaign))
        assert found is not None
        return found.paused


async def open_desk(store: SqlStore, folder: Path) -> Here:
    keyring = FileKeyring(folder)
    form = load_form(ASKED)
    await stage(store, keyring, form, {}, RaterGroup.RECIPIENT, NOW)
    core = await settle(store, keyring, Setting({"en": "Hedong"}), attendant=DESK)
    return Here(store, core, form)


@pytest.fixture
async def here(store: SqlStore, tmp_path: Path) -> Here:
    """On each kind of database: a campaign ``talk`` with an open wave."""
    return await open_desk(store, tmp_path)


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Here]:
    """The same in memory, for the many."""
    store = SqlStore("sqlite://")
    yield await open_desk(store, tmp_path)
    await store.close()


# linking


async def test_a_code_links_the_chat_once(here: Here) -> None:
    account = await here.account(Role.OFFICER)
    code = await here.code(account)
    [answer] = await here.say(f"/desk {code}")
    assert "This chat now belongs to your account, Wang (wang)." in answer
    kept = await here.store.read(lambda tx: tx.account(account.id))
    assert kept == replace(account, chat=CHAT)
    [again] = await here.say(f"/desk {code}")
    assert "That code is wrong, was used, or is older" in again
    other = Address("telegram", "7002")
    await here.say(f"/desk {code}", other)
    assert await here.store.read(lambda tx: tx.account_by_chat(other)) is None
    entries = await here.audited("account.chat")
    assert [entry.action for entry in entries] == ["account.chat_offered", "account.chat_linked"]
    assert entries[1].origin == "telegram"
    assert entries[1].who == account.id
    assert all(code.replace("-", "") not in str(entry).replace("-", "") for entry in entries)
    assert all(CHAT.handle not in f"{e.before}{e.after}{e.what}" for e in entries)
    assert await here.store.read(lambda tx: verify(tx.audit_chain(), KEY)) == []


async def test_a_code_is_short_without_look_alikes_and_stored_only_under_the_key(
    quick: Here,
) -> None:
    account = await quick.account(Role.OFFICER)
    codes = {await quick.code(account) for _ in range(20)}
    assert len(codes) == 20
    for code in codes:
        assert re.fullmatch(f"[{SIGNS}]{{4}}-[{SIGNS}]{{4}}", code)
    assert len(SIGNS) == 31
    assert not set(SIGNS) & set("01oOiIlL")
    assert LENGTH == 8


@pytest.mark.parametrize(
    "spelt",
    [str.upper, lambda code: code.replace("-", ""), lambda code: code.replace("-", " "),
     lambda code: f"  {code} ", lambda code: "".join(chr(ord(c) + 0xFEE0) for c in code)],
)  # fmt: skip
async def test_a_code_may_be_typed_as_people_type(quick: Here, spelt: Callable[[str], str]) -> None:
    account = await quick.account(Role.OFFICER)
    [answer] = await quick.say(f"/desk {spelt(await quick.code(account))}")
    assert "now belongs to your account" in answer


async def test_a_newer_code_takes_the_older_ones_place(quick: Here) -> None:
    account = await quick.account(Role.OFFICER)
    older, newer = await quick.code(account), await quick.code(account)
    await quick.say(f"/desk {older}")
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is None
    await quick.say(f"/desk {newer}")
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is not None


async def test_a_code_works_for_ten_minutes(quick: Here) -> None:
    account = await quick.account(Role.OFFICER)
    code = await quick.code(account)
    await quick.say(f"/desk {code}", now=NOW + TERM)
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is None
    await quick.say(f"/desk {code}", now=NOW + TERM - timedelta(seconds=1))
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is not None


async def test_after_five_wrong_codes_a_chat_is_not_listened_to_for_an_hour(here: Here) -> None:
    account = await here.account(Role.OFFICER)
    code = await here.code(account)
    for _ in range(TRIES):
        await here.say("/desk 2222-2222")
    await here.say(f"/desk {code}")
    assert await here.store.read(lambda tx: tx.account_by_chat(CHAT)) is None
    elsewhere = Address("telegram", "7002")
    await here.say(f"/desk {code}", elsewhere)
    assert await here.store.read(lambda tx: tx.account_by_chat(elsewhere)) is not None
    later = NOW + SHUT
    await here.say(f"/desk {await here.code(account, later)}", now=later)
    assert await here.store.read(lambda tx: tx.account_by_chat(CHAT)) is not None


async def test_four_wrong_codes_cost_nothing(quick: Here) -> None:
    account = await quick.account(Role.OFFICER)
    for _ in range(TRIES - 1):
        await quick.say("/desk 2222-2222")
    await quick.say(f"/desk {await quick.code(account)}")
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is not None


async def test_what_counts_tries_does_not_tell_whose_chat_it_was(quick: Here) -> None:
    await quick.say("/desk 2222-2222")
    rows = await quick.store.read(
        lambda tx: [row.key for row in tx._connection.exec_driver_sql("SELECT key FROM attempts")]
    )
    assert len(rows) == 1
    assert CHAT.handle not in rows[0]


async def test_a_chat_that_is_linked_anew_leaves_its_first_account(here: Here) -> None:
    first = await here.linked(Role.OFFICER, login="first")
    second = await here.linked(Role.AUDITOR, login="second")
    chats = await here.store.read(
        lambda tx: [tx.account(each.id).chat for each in (first, second)]  # type: ignore[union-attr]
    )
    assert chats == [None, CHAT]
    [gone] = await here.audited("account.chat_unlinked")
    assert (gone.who, gone.what) == (second.id, f"account:{first.id}")


async def test_an_unlinked_chat_can_do_nothing(here: Here) -> None:
    account = await here.linked(Role.OFFICER)
    code = await here.code(account)
    act = Act(account.id, account.name, "203.0.113.7", NOW, KEY)
    assert await here.store.write(lambda tx: unlink_chat(tx, act, account))
    assert not await here.store.write(lambda tx: unlink_chat(tx, act, account))
    await here.meet()
    assert await here.say("/campaigns") == await here.say("/nosuch")
    await here.say(f"/desk {code}")
    assert await here.store.read(lambda tx: tx.account_by_chat(CHAT)) is None, "nor can its code"
    assert [e.before for e in await here.audited("account.chat_unlinked")] == [
        '{"chat":"telegram"}'
    ]


async def test_a_disabled_account_is_nobody_in_the_chat(here: Here) -> None:
    account = await here.linked(Role.ADMINISTRATOR)
    code = await here.code(account)
    disabled = replace(account, chat=CHAT, disabled=True)
    await here.store.write(lambda tx: tx.put_account(disabled))
    await here.meet()
    for command in ("/desk", "/campaigns"):
        assert await here.say(command) == await here.say("/nosuch")
    await here.say("/pause talk")
    assert not await here.paused()
    other = Address("telegram", "7002")
    await here.say(f"/desk {code}", other)
    assert await here.store.read(lambda tx: tx.account_by_chat(other)) is None


async def test_a_ticket_of_another_kind_is_no_code(quick: Here) -> None:
    account = await quick.account(Role.OFFICER)
    code = await quick.code(account)

    def change(tx: SqlTransaction) -> None:
        tx._connection.exec_driver_sql("UPDATE tickets SET kind = 'welcome'")

    await quick.store.write(change)
    await quick.say(f"/desk {code}")
    assert await quick.store.read(lambda tx: tx.account_by_chat(CHAT)) is None


# every command, every role


def typed(name: str) -> str:
    return f"/{name} talk" if COMMANDS[name].named else f"/{name}"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", COMMANDS)
async def test_each_command_obeys_its_roles_and_no_other(
    quick: Here, role: Role, name: str
) -> None:
    await quick.linked(role)
    if name == "resume":
        campaign = await quick.store.read(lambda tx: tx.campaign("talk"))
        assert campaign is not None
        await quick.store.write(lambda tx: tx.put_campaign(replace(campaign, paused=True)))
    before, stood = len(await quick.audited()), await quick.paused()
    [answer] = await quick.say(typed(name))
    able = role in TABLE[COMMANDS[name].may]
    assert ("Your role does not allow" in answer) is not able
    changed = able and name in {"pause", "resume"}
    assert (await quick.paused() is not stood) is changed
    assert len(await quick.audited()) - before == changed


@pytest.mark.parametrize("name", COMMANDS)
async def test_an_account_without_a_role_may_nothing(quick: Here, name: str) -> None:
    await quick.linked()
    before = len(await quick.audited())
    [answer] = await quick.say(typed(name))
    assert answer == f"Your role does not allow /{name}. Nothing was changed."
    assert len(await quick.audited()) == before


@pytest.mark.parametrize(
    "command", ["/desk", "/campaigns", "/desk 2222-2222", "/desk@minyi_bot", "/Campaigns now"]
)
async def test_whoever_is_not_linked_is_answered_as_to_an_unknown_command(
    quick: Here, command: str
) -> None:
    await quick.linked(Role.ADMINISTRATOR)
    stranger = Address("telegram", "9009")
    await quick.meet(stranger)
    said = await quick.heard(command, stranger)
    assert said == await quick.heard("/nosuch", stranger)
    assert "talk" not in said[0].text


@pytest.mark.parametrize("command", ["/pause talk", "/resume talk"])
async def test_a_citizens_own_commands_stay_what_they_were(quick: Here, command: str) -> None:
    stranger = Address("telegram", "9009")
    await quick.core.receive(stranger, Opened("demo"), NOW, hint="en")
    bare = command.partition(" ")[0]
    said = await quick.heard(command, stranger)
    await quick.core.receive(stranger, Opened("demo"), NOW, hint="en")
    assert [reply.text for reply in said] == [r.text for r in await quick.heard(bare, stranger)]
    assert not await quick.paused()
    assert await quick.audited() == []


@pytest.mark.parametrize("channel", ["web", "trial", "whatsapp"])
async def test_other_channels_are_never_linked(quick: Here, channel: str) -> None:
    account = await quick.account(Role.ADMINISTRATOR)
    code = await quick.code(account)
    await quick.say(f"/desk {code}", Address(channel, "7001"))
    assert channel not in CHANNELS
    kept = await quick.store.read(lambda tx: tx.account(account.id))
    assert kept is not None
    assert kept.chat is None


async def test_a_command_that_was_typed_earlier_and_edited_now_is_not_obeyed(quick: Here) -> None:
    await quick.linked(Role.OFFICER)
    await quick.heard("/pause talk", amended=True)
    assert not await quick.paused()


# what the commands do


async def test_a_campaign_is_paused_and_resumed_from_the_chat(here: Here) -> None:
    account = await here.linked(Role.OFFICER)
    [answer] = await here.say("/pause talk")
    assert "is paused. No further wave opens. The one that is open stays so until" in answer
    assert await here.paused()
    assert "was paused already" in (await here.say("/pause talk"))[0]
    assert "open until 2026-11-24, then paused" in (await here.say("/campaigns"))[0]
    assert "is resumed" in (await here.say("/resume talk"))[0]
    assert not await here.paused()
    assert "was not paused" in (await here.say("/resume talk"))[0]
    entries = await here.audited("campaign.")
    assert [(e.action, e.what, e.who, e.origin) for e in entries] == [
        ("campaign.paused", "campaign:talk", account.id, "telegram"),
        ("campaign.resumed", "campaign:talk", account.id, "telegram"),
    ]


async def test_pausing_what_has_no_further_wave_is_answered_with_why_not(quick: Here) -> None:
    await quick.linked(Role.OFFICER)
    talk = await quick.store.read(lambda tx: tx.campaign("talk"))
    assert talk is not None
    ended = replace(talk, recurrence="FREQ=DAILY;COUNT=1")
    await quick.store.write(lambda tx: tx.put_campaign(ended))
    [answer] = await quick.say("/pause talk")
    assert "no further wave" in answer
    assert not await quick.paused()


async def test_an_open_wave_is_kept_open_longer_from_the_chat(here: Here) -> None:
    account = await here.linked(Role.OFFICER)
    [how] = await here.say("/extend talk")
    assert "/extend window 7" in how
    for odd, why in (
        ("talk many", "'many' will not do"),
        ("talk 31", "from 1 to 30"),
        ("nothing 7", "There is no campaign 'nothing'"),
    ):
        assert why in (await here.say(f"/extend {odd}"))[0]
    [answer] = await here.say("/extend talk 7")
    assert "is now open until 2026-12-01." in answer
    [entry] = await here.audited("wave.extended")
    assert (entry.who, entry.origin) == (account.id, "telegram")
    assert "2026-11-24" in entry.before
    assert "2026-12-01" in entry.after


async def test_closing_in_the_chat_takes_a_second_word(here: Here) -> None:
    await here.linked(Role.OFFICER)
    [asked] = await here.say("/close talk")
    assert "send /close talk yes" in asked
    assert not await here.paused()
    [done] = await here.say("/close talk yes")
    assert "is paused; 1 wave(s) closed" in done
    assert await here.paused()
    assert "No wave is open" in (await here.say("/extend talk 7"))[0]
    assert "There is no campaign" in (await here.say("/close window yes"))[0]


async def test_a_large_wave_is_extended_and_closed_by_two(here: Here) -> None:
    await here.linked(Role.OFFICER)

    def many(tx: SqlTransaction) -> None:
        wave = tx.waves()[0]
        people = [Person(f"p{n}", Kind.CITIZEN) for n in range(1001)]
        tx.put_people(people)
        tx.put_assignments(
            Assignment(wave.id, each.id, "demo", RaterGroup.RECIPIENT) for each in people
        )

    await here.store.write(many)
    for command in ("/extend talk 7", "/close talk yes"):
        [answer] = await here.say(command)
        assert "more than 1000 people, so a second person has been asked" in answer
    found = await here.store.read(lambda tx: tx.approvals())
    assert {each.action for each in found} == {"wave.extend", "campaign.close"}
    assert not await here.paused()


async def test_the_list_tells_what_became_of_everybody_in_tens(here: Here) -> None:
    await here.linked(Role.OFFICER)

    def forty(tx: SqlTransaction) -> None:
        wave = tx.waves()[0]
        people = [Person(f"p{n}", Kind.CITIZEN) for n in range(40)]
        tx.put_people(people)
        tx.put_assignments(
            Assignment(wave.id, each.id, "demo", RaterGroup.RECIPIENT) for each in people
        )

    await here.store.write(forty)
    [answer] = await here.say("/campaigns")
    assert "Now 40 people asked: could not be reached: at least 30" in answer


async def test_a_campaign_that_is_not_there_is_named(quick: Here) -> None:
    await quick.linked(Role.OFFICER)
    [answer] = await quick.say("/pause window")
    assert answer == "There is no campaign “window”. Send /campaigns to see their ids."


async def test_campaigns_are_listed_with_where_they_stand(quick: Here) -> None:
    await quick.linked(Role.AUDITOR, language="zh")

    def more(tx: SqlTransaction) -> None:
        for number in range(SHOWN + 2):
            tx.put_campaign(
                Campaign(f"c{number:02}", {"zh": f"第{number}项"}, quick.form.hash,
                         (RaterGroup.PEER,), date(2027, 1, 4), paused=number == 0)
            )  # fmt: skip

    await quick.store.write(more)
    [answer] = await quick.say("/campaigns")
    lines = answer.split("\n")
    assert lines[0].startswith("talk：")
    assert "正在进行，2026-11-24 结束" in lines[0]
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "还有 3 项，请在工作台查看。"
    assert any("等下一轮" in line for line in lines)


async def test_without_a_campaign_the_list_says_so(tmp_path: Path) -> None:
    store = SqlStore("sqlite://")
    core = await settle(store, FileKeyring(tmp_path), Setting({"en": "Hedong"}), attendant=DESK)
    here = Here(store, core, load_form(ASKED))
    await here.linked(Role.OFFICER)
    assert await here.say("/campaigns") == ["There is no campaign yet."]
    await store.close()


@pytest.mark.parametrize("role", Role)
async def test_the_desk_says_who_i_am_and_only_what_i_can_do(quick: Here, role: Role) -> None:
    await quick.linked(role)
    [answer] = await quick.say("/desk")
    assert answer.startswith("Here you are Wang (wang).")
    assert answer.endswith("The desk: https://minyi.example/desk")
    for name, command in COMMANDS.items():
        assert (f"\n/{name} " in answer) is (role in TABLE[command.may])


async def test_what_needs_attention_is_said_in_the_accounts_language(quick: Here) -> None:
    await quick.linked(Role.ADMINISTRATOR, login="wang", password="$argon2id$")
    await quick.account(Role.ADMINISTRATOR, login="second", password="$argon2id$")
    [answer] = await quick.say("/desk")
    assert "What needs attention:\n• " in answer
    assert "Accounts whose role demands a second factor and that have none yet: 2." in answer
    account = await quick.store.read(lambda tx: tx.account("a-wang"))
    assert account is not None
    await quick.store.write(lambda tx: tx.put_account(replace(account, language="zh")))
    [answer] = await quick.say("/desk")
    assert "有 2 个账号按规定需要第二道验证" in answer


async def test_the_question_that_a_command_interrupted_is_asked_again(quick: Here) -> None:
    await quick.linked(Role.OFFICER)
    opened = await quick.core.receive(CHAT, Opened("demo"), NOW, hint="en")
    assert opened[-1].question
    said = await quick.heard("/campaigns")
    assert len(said) == 2
    assert "talk: " in said[0].text
    assert said[1].question
    assert said[1].place == opened[-1].place


async def test_an_administrator_who_rates_still_pauses_the_own_interview(quick: Here) -> None:
    await quick.linked(Role.OFFICER)
    await quick.core.receive(CHAT, Opened("demo"), NOW, hint="en")
    said = await quick.heard("/pause")
    assert not said[-1].question
    assert not await quick.paused()


async def test_it_works_in_a_terminal_alike(quick: Here) -> None:
    account = await quick.account(Role.OFFICER)
    terminal = Terminal(quick.core, "en")
    code = await quick.code(account, datetime.now(UTC))
    [answer] = await terminal.hear(f"/desk {code}")
    assert "now belongs to your account" in answer
    assert await quick.store.read(lambda tx: tx.account_by_chat(HERE)) is not None
    [answer] = await terminal.hear("/pause talk")
    assert "is paused" in answer
    [entry] = await quick.audited("campaign.")
    assert entry.origin == "terminal"


async def test_without_an_attendant_nothing_is_answered_differently(tmp_path: Path) -> None:
    store = SqlStore("sqlite://")
    core = await settle(store, FileKeyring(tmp_path), Setting({"en": "Hedong"}))
    here = Here(store, core, load_form(ASKED))
    account = await here.account(Role.ADMINISTRATOR)
    await here.meet()
    said = await here.say(f"/desk {await here.code(account)}")
    assert said == await here.say("/nosuch")
    await store.close()


# words


def filled(sentence: str) -> list[str]:
    return [name for _, name, *_ in Formatter().parse(sentence) if name is not None]


def test_every_sentence_is_in_both_languages_and_used() -> None:
    desk = Path(__file__).parents[2] / "desk"
    files = (desk / "chatting.py", desk / "proposing.py", desk / "campaigns" / "commanding.py")
    code = "".join(file.read_text("utf-8") for file in files)
    spoken = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', code))
    spoken |= {f"can.{name}" for name in COMMANDS}
    spoken |= {f"nominate.is.{decision}" for decision in Decision}
    spoken |= {f"nominate.side.{side}" for side in NOMINATED}
    spoken |= {f"{word}.already" for word in ("paused", "resumed")}
    assert WORDS.keys() <= spoken
    for key in WORDS.keys():  # noqa: SIM118 - not a mapping
        texts = WORDS.all_of(key)
        assert set(texts) == set(LANGUAGES), key
        places = [set(filled(text)) for text in texts.values()]
        assert places[0] == places[1], key
