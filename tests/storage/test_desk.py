"""What the desk has remembered: it comes back, works once, and lets nobody be second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy.exc import IntegrityError

from desk.accounts import Account, Attempts, Session, Stage, Ticket, Token
from desk.roles import Grant, Role
from desk.store import Approval, Decision, Hook, Notice, Remembered, Upload, Work, WorkState
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.people import Address, Kind, Person
from tests.storage.rows import found_roll

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ACCOUNT = Account(
    id="a1",
    login="wang@example.org",
    name="王芳",
    made_at=NOW,
    grants=(Grant(Role.OFFICER), Grant(Role.SUPERVISOR, "s1")),
    language="zh",
    password="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    totp=b"\x00sealed",
    totp_step=58_812_345,
    recovery=("d1", "d2"),
    external=("https://issuer.example", "sub-7"),
    chat=Address("telegram", "77"),
    disabled=True,
)
PLAIN = Account("a2", "li", "李明", NOW)
SESSION = Session("s" * 64, "a1", Stage.FULL, NOW, NOW + MINUTE, "203.0.113.7", "Firefox")
TICKET = Ticket("t" * 64, "welcome", "a1", NOW + MINUTE, {"why": "新帐号"})
APPROVAL = Approval("r1", "keys.unseal", "campaign:c", {"who": "li"}, "a1", NOW, NOW + DAY)
TOKEN = Token("k" * 64, "k1", "a1", "dashboard", ("campaigns.read",), NOW, NOW + DAY)
ANSWER = Remembered("key", "digest of what was asked", 0, "", NOW)
HOOK = Hook("h1", "https://example.org/in", ("wave.opened",), b"\x00sealed", "a1")
NOTICE = Notice(0, "h1", "wave.opened", '{"wave":"w"}', NOW)


def put_both(tx: SqlTransaction) -> None:
    tx.put_account(ACCOUNT)
    tx.put_account(PLAIN)


@pytest.fixture
async def three(database_url: str) -> AsyncIterator[list[SqlStore]]:
    """Three processes' stores on one database."""
    stores = [SqlStore(database_url) for _ in range(3)]
    yield stores
    await asyncio.gather(*(store.close() for store in stores))


async def at_once(stores: list[SqlStore], work: Callable[[SqlTransaction], T]) -> list[T]:
    """The answers of twelve who do ``work`` at the same time."""
    return await asyncio.gather(*(stores[number % 3].write(work) for number in range(12)))


async def test_an_account_comes_back_as_it_was_put(store: SqlStore) -> None:
    await store.write(put_both)
    assert await store.read(lambda tx: tx.account("a1")) == ACCOUNT
    assert await store.read(lambda tx: tx.account("a2")) == PLAIN
    assert await store.read(lambda tx: tx.account("a3")) is None
    assert await store.read(lambda tx: tx.accounts()) == [PLAIN, ACCOUNT]
    changed = replace(ACCOUNT, grants=(), external=None, chat=None, disabled=False)
    await store.write(lambda tx: tx.put_account(changed))
    assert await store.read(lambda tx: tx.account("a1")) == changed


async def test_an_account_is_found_by_login_issuer_and_chat(store: SqlStore) -> None:
    await store.write(put_both)

    def find(tx: SqlTransaction) -> list[Account | None]:
        return [
            tx.account_by_login("wang@example.org"),
            tx.account_by_login("WANG@example.org"),
            tx.account_by_external("https://issuer.example", "sub-7"),
            tx.account_by_external("https://other.example", "sub-7"),
            tx.account_by_chat(Address("telegram", "77")),
            tx.account_by_chat(Address("browser", "77")),
        ]

    assert await store.read(find) == [ACCOUNT, None, ACCOUNT, None, ACCOUNT, None]


@pytest.mark.parametrize(
    "twin",
    [
        replace(PLAIN, login=ACCOUNT.login),
        replace(PLAIN, external=ACCOUNT.external),
        replace(PLAIN, chat=ACCOUNT.chat),
    ],
)
async def test_a_login_an_outside_identity_and_a_chat_have_one_account(
    store: SqlStore, twin: Account
) -> None:
    await store.write(put_both)
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.put_account(twin))
    assert await store.read(lambda tx: tx.account("a2")) == PLAIN


async def test_sessions_come_newest_first_and_end(store: SqlStore) -> None:
    later = replace(SESSION, digest="l" * 64, made_at=NOW + MINUTE, stage=Stage.ENROL)
    other = replace(SESSION, digest="o" * 64, account="a2")

    def begin(tx: SqlTransaction) -> None:
        put_both(tx)
        for session in (SESSION, later, other):
            tx.put_session(session)

    await store.write(begin)
    assert await store.read(lambda tx: tx.session(SESSION.digest)) == SESSION
    assert await store.read(lambda tx: tx.sessions("a1")) == [later, SESSION]
    assert await store.write(lambda tx: tx.drop_sessions("a1", but=later.digest)) == 1
    assert await store.read(lambda tx: tx.session(SESSION.digest)) is None
    assert await store.read(lambda tx: tx.session(later.digest)) == later
    await store.write(lambda tx: tx.drop_session(later.digest))
    assert await store.write(lambda tx: tx.drop_sessions("a1")) == 0
    assert await store.read(lambda tx: tx.sessions("a2")) == [other]


async def test_a_session_needs_an_account(store: SqlStore) -> None:
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.put_session(SESSION))


async def test_a_ticket_works_once_for_its_kind_until_it_expires(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_ticket(TICKET))

    def look(kind: str, at: datetime) -> Callable[[SqlTransaction], Ticket | None]:
        return lambda tx: tx.ticket(TICKET.digest, kind, at)

    def spend(kind: str, at: datetime) -> Callable[[SqlTransaction], Ticket | None]:
        return lambda tx: tx.spend_ticket(TICKET.digest, kind, at)

    assert await store.read(look("welcome", NOW)) == TICKET
    assert await store.read(look("chat", NOW)) is None
    assert await store.read(look("welcome", NOW + MINUTE)) is None
    assert await store.write(spend("chat", NOW)) is None
    assert await store.write(spend("welcome", NOW + MINUTE)) is None
    assert await store.write(spend("welcome", NOW + MINUTE - timedelta(seconds=1))) == TICKET
    assert await store.write(spend("welcome", NOW)) is None


async def test_of_many_who_spend_one_ticket_one_gets_it(three: list[SqlStore]) -> None:
    await three[0].write(lambda tx: tx.put_ticket(TICKET))
    got = await at_once(three, lambda tx: tx.spend_ticket(TICKET.digest, "welcome", NOW))
    assert sorted(got, key=lambda ticket: ticket is None)[:2] == [TICKET, None]
    assert got.count(None) == 11


async def test_tickets_of_one_kind_are_dropped_together(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> list[bool]:
        tickets = [TICKET, replace(TICKET, digest="2", kind="chat"),
                   replace(TICKET, digest="3", account="a2")]  # fmt: skip
        for ticket in tickets:
            tx.put_ticket(ticket)
        tx.drop_tickets("a1", "welcome")
        return [tx.ticket(each.digest, each.kind, NOW) == each for each in tickets]

    assert await store.write(work) == [False, True, True]


async def test_attempts_are_counted_and_forgiven(store: SqlStore) -> None:
    first = Attempts("login:li", 1, NOW)
    shut = Attempts("login:li", 5, NOW + MINUTE, NOW + 5 * MINUTE)
    assert await store.read(lambda tx: tx.attempts("login:li")) is None
    for attempts in (first, shut):
        await store.write(lambda tx, made=attempts: tx.put_attempts(made))  # type: ignore[misc]
        assert await store.read(lambda tx: tx.attempts("login:li")) == attempts
    await store.write(lambda tx: tx.drop_attempts("login:li"))
    assert await store.read(lambda tx: tx.attempts("login:li")) is None


async def test_what_is_stale_goes_and_what_is_not_stays(store: SqlStore) -> None:
    old, new = NOW - DAY - MINUTE, NOW - DAY + MINUTE

    def fill(tx: SqlTransaction) -> None:
        put_both(tx)
        tx.put_ticket(replace(TICKET, digest="gone", expires_at=NOW))
        tx.put_ticket(TICKET)
        for name, at in (("old", old), ("new", new)):
            tx.put_session(replace(SESSION, digest=name, made_at=at))
            tx.put_attempts(Attempts(name, 1, at))
            tx.put_upload(Upload(name, "a1", "名册.xlsx", b"PK", at))
            tx.put_remembered(replace(ANSWER, key=name, made_at=at))
        tx.put_attempts(Attempts("shut", 9, old, NOW + MINUTE))
        tx.drop_stale(NOW, NOW - DAY)

    def left(tx: SqlTransaction) -> tuple[list[bool], ...]:
        names = ("old", "new")
        return (
            [tx.ticket(digest, "welcome", NOW - DAY) is not None for digest in
             ("gone", TICKET.digest)],
            [tx.session(name) is not None for name in names],
            [tx.attempts(name) is not None for name in (*names, "shut")],
            [tx.upload(name) is not None for name in names],
            [tx.remember(replace(ANSWER, key=name)) is not None for name in names],
        )  # fmt: skip

    await store.write(fill)
    pair = [False, True]
    assert await store.write(left) == (pair, pair, [False, True, True], pair, pair)


async def test_approvals_come_newest_first_and_are_decided_once(store: SqlStore) -> None:
    later = replace(APPROVAL, id="r2", asked_at=NOW + MINUTE)
    decided = replace(APPROVAL, decision=Decision.APPROVED, decided_by="a2",
                      decided_at=NOW + MINUTE, note="看过了")  # fmt: skip

    def ask(tx: SqlTransaction) -> None:
        tx.put_approval(APPROVAL)
        tx.put_approval(later)

    await store.write(ask)
    assert await store.read(lambda tx: tx.approvals()) == [later, APPROVAL]
    assert await store.write(lambda tx: tx.decide_approval(decided))
    refused = replace(decided, decision=Decision.REFUSED)
    assert not await store.write(lambda tx: tx.decide_approval(refused))
    assert not await store.write(lambda tx: tx.decide_approval(replace(decided, id="r3")))
    assert await store.read(lambda tx: tx.approval("r1")) == decided
    assert await store.read(lambda tx: tx.approval("r3")) is None
    assert await store.read(lambda tx: tx.approvals(open_only=True)) == [later]


async def test_of_many_who_decide_one_request_one_does(three: list[SqlStore]) -> None:
    await three[0].write(lambda tx: tx.put_approval(APPROVAL))
    decided = replace(APPROVAL, decision=Decision.APPROVED, decided_by="a2", decided_at=NOW)
    did = await at_once(three, lambda tx: tx.decide_approval(decided))
    assert sorted(did) == [False] * 11 + [True]


async def test_tokens_are_listed_found_and_revoked(store: SqlStore) -> None:
    other = replace(TOKEN, digest="o", id="k2", account="a2", made_at=NOW + MINUTE)

    def make(tx: SqlTransaction) -> None:
        put_both(tx)
        tx.put_token(TOKEN)
        tx.put_token(other)

    await store.write(make)
    assert await store.read(lambda tx: tx.token(TOKEN.digest)) == TOKEN
    assert await store.read(lambda tx: tx.tokens()) == [other, TOKEN]
    assert await store.read(lambda tx: tx.tokens("a1")) == [TOKEN]
    used = replace(TOKEN, used_on="2026-11-22")
    await store.write(lambda tx: tx.put_token(used))
    assert await store.read(lambda tx: tx.tokens("a1")) == [used]
    dropped = [await store.write(lambda tx: tx.drop_token("k1")) for _ in range(2)]
    assert dropped == [True, False]
    assert await store.read(lambda tx: tx.token(TOKEN.digest)) is None


async def test_an_idempotency_key_is_taken_once(store: SqlStore) -> None:
    answered = replace(ANSWER, status=201, body='{"id":"c"}')
    assert await store.write(lambda tx: tx.remember(ANSWER)) is None
    assert await store.write(lambda tx: tx.remember(replace(ANSWER, request="other"))) == ANSWER
    await store.write(lambda tx: tx.put_remembered(answered))
    assert await store.write(lambda tx: tx.remember(ANSWER)) == answered
    await store.write(lambda tx: tx.forget("key"))
    assert await store.write(lambda tx: tx.remember(ANSWER)) is None


async def test_of_many_with_one_idempotency_key_one_is_the_first(three: list[SqlStore]) -> None:
    got = await at_once(three, lambda tx: tx.remember(ANSWER))
    assert got.count(None) == 1
    assert got.count(ANSWER) == 11


async def test_uploads_and_work_come_back(store: SqlStore) -> None:
    upload = Upload("u1", "a1", "名册.xlsx", bytes(range(256)), NOW)
    work = Work("w1", "import", "a1", NOW, NOW)
    done = replace(work, state=WorkState.DONE, done=7, total=7, result={"people": 7, "旧": ["甲"]})
    later = replace(work, id="w2", made_at=NOW + MINUTE)

    def put(tx: SqlTransaction) -> None:
        tx.put_upload(upload)
        tx.put_work(work)
        tx.put_work(done)
        tx.put_work(later)

    await store.write(put)
    assert await store.read(lambda tx: tx.upload("u1")) == upload
    await store.write(lambda tx: tx.drop_upload("u1"))
    assert await store.read(lambda tx: tx.upload("u1")) is None
    assert await store.read(lambda tx: tx.work("w1")) == done
    assert await store.read(lambda tx: tx.work("w3")) is None
    assert await store.read(lambda tx: tx.works()) == [later, done]
    assert await store.read(lambda tx: tx.works(limit=1)) == [later]


async def test_hooks_come_back_and_go_with_what_they_are_owed(store: SqlStore) -> None:
    def put(tx: SqlTransaction) -> None:
        tx.put_hook(replace(HOOK, id="h2", disabled=True))
        tx.put_hook(HOOK)
        tx.put_notices([NOTICE, replace(NOTICE, hook="h2")])

    await store.write(put)
    assert await store.read(lambda tx: tx.hook("h1")) == HOOK
    assert await store.read(lambda tx: [hook.id for hook in tx.hooks()]) == ["h1", "h2"]
    dropped = [await store.write(lambda tx: tx.drop_hook("h1")) for _ in range(2)]
    assert dropped == [True, False]
    assert await store.read(lambda tx: tx.hook("h1")) is None
    assert await store.read(lambda tx: tx.notices("h1")) == []
    assert len(await store.read(lambda tx: tx.notices("h2"))) == 1


async def test_a_notice_is_claimed_noted_and_tried_again(store: SqlStore) -> None:
    def claim(at: datetime) -> Callable[[SqlTransaction], list[int]]:
        return lambda tx: [each.id for each in tx.claim_notices(at, at + MINUTE, 10)]

    owed = [NOTICE, replace(NOTICE, due_at=NOW - MINUTE), replace(NOTICE, due_at=NOW + DAY)]
    await store.write(lambda tx: tx.put_notices(owed))
    third, second, first = await store.read(lambda tx: tx.notices("h1"))
    assert await store.read(lambda tx: tx.notices("h1", limit=1)) == [third]
    assert await store.write(claim(NOW)) == [second.id, first.id], "the longest due comes first"
    assert await store.write(claim(NOW)) == [], "somebody has them"
    assert await store.write(claim(NOW + MINUTE)) == [second.id, first.id], "the claim ran out"

    def note(tx: SqlTransaction) -> None:
        tx.note_notice(first.id, "sent", "200", None)
        tx.note_notice(second.id, "due", "timed out", NOW + 5 * MINUTE)

    await store.write(note)
    assert await store.write(claim(NOW + 4 * MINUTE)) == []
    assert await store.write(claim(NOW + 5 * MINUTE)) == [second.id]
    assert await store.read(lambda tx: tx.notices("h1")) == [
        third,
        replace(second, attempts=1, detail="timed out", due_at=NOW + 5 * MINUTE),
        replace(first, attempts=1, state="sent", detail="200"),
    ]


async def test_many_who_claim_at_once_share_the_notices(three: list[SqlStore]) -> None:
    await three[0].write(lambda tx: tx.put_notices([NOTICE] * 24))
    got = await at_once(three, lambda tx: tx.claim_notices(NOW, NOW + MINUTE, 2))
    ids = [notice.id for claimed in got for notice in claimed]
    assert len(ids) == len(set(ids)) == 24


async def test_the_desk_counts_what_there_is(store: SqlStore) -> None:
    def count(tx: SqlTransaction) -> tuple[dict[str, int], dict[str, int]]:
        empty = dict(tx.count_rows())
        found_roll(tx, 3)
        tx.put_people([Person("c1", Kind.CITIZEN)])
        return empty, dict(tx.count_rows())

    empty, full = await store.write(count)
    assert set(empty.values()) == {0}
    assert full == {
        "people": 4,
        "unlisted": 1,
        "subjects": 2,
        "relations": 3,
        "unlisted_relations": 0,
        "questionnaires": 1,
        "campaigns": 1,
    }
