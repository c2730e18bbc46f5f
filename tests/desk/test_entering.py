"""Signing in, with two processes at once where it matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from desk.accounts import Account, Stage
from desk.audit import Act, seal_key, verify
from desk.entry import factors, own, passwords, throttle, welcoming
from desk.entry.entering import Knock, No, Seated, Visit, Wait, answer, arrive, knock, leave, second
from desk.entry.sessions import digest_of, lapsed, seated
from desk.entry.staffing import disable
from desk.entry.wrongs import AccountError
from desk.roles import Grant, Role
from desk.store import Sought
from storage import SqlStore

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SECRET = pyotp.random_base32()
PASSWORD = "我们今天去河边看小船🚣吧好吗"
VISIT = Visit("203.0.113.7", "Tester/1.0", NOW, KEY, frozenset((Role.ADMINISTRATOR,)))
ANNA = Account("a-anna", "anna", "Anna", NOW, (Grant(Role.OFFICER),))
OPERATOR = Act("operator:test", "operator:test", "terminal", NOW, seal_key(KEY))


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[SqlStore]]:
    """Two processes on one database."""
    opened = [SqlStore(database_url), SqlStore(database_url)]
    yield opened
    for store in opened:
        await store.close()


async def put(store: SqlStore, account: Account = ANNA, *, factor: bool = False) -> Account:
    account = replace(account, password=passwords.hashed(PASSWORD))
    if factor:
        account = replace(account, totp=factors.sealed(account.id, SECRET, KEY))
    await store.write(lambda tx: tx.put_account(account))
    return account


async def enter(
    store: SqlStore, password: str = PASSWORD, visit: Visit = VISIT, login: str = "anna"
) -> Seated | No | Wait:
    tried = await store.write(lambda tx: knock(tx, visit, login))
    if isinstance(tried, Wait):
        return tried
    right = passwords.matches(tried.encoded, password)
    return await store.write(lambda tx: answer(tx, visit, tried, right))


async def half(store: SqlStore) -> Visit:
    """A visit that carries a half session."""
    found = await enter(store)
    assert isinstance(found, Seated)
    assert found.session.stage is Stage.PASSWORD
    return replace(VISIT, cookie=found.cookie)


async def audited(store: SqlStore) -> list[Any]:
    found = await store.read(lambda tx: tx.audit(Sought(), limit=1000))
    return list(reversed(found))


def code(at: datetime = NOW) -> str:
    return pyotp.TOTP(SECRET).at(at)


async def test_one_comes_in_with_a_password_and_goes_again(store: SqlStore) -> None:
    await put(store)
    found = await enter(store, login="  ＡＮＮＡ ")
    assert isinstance(found, Seated)
    assert found.session.stage is Stage.FULL
    assert found.device
    assert await store.read(lambda tx: seated(tx, found.cookie, NOW)) is not None
    await store.write(lambda tx: leave(tx, VISIT.act(found.account), found.session))
    assert await store.read(lambda tx: seated(tx, found.cookie, NOW)) is None
    assert [entry.action for entry in await audited(store)] == [
        "account.signed_in",
        "account.signed_out",
    ]


async def test_the_session_that_was_there_before_is_over(store: SqlStore) -> None:
    await put(store)
    first = await enter(store)
    assert isinstance(first, Seated)
    again = await enter(store, visit=replace(VISIT, cookie=first.cookie))
    assert isinstance(again, Seated)
    assert again.cookie != first.cookie
    assert await store.read(lambda tx: tx.session(digest_of(first.cookie))) is None


async def test_a_role_that_demands_a_second_factor_leads_to_its_enrolment(store: SqlStore) -> None:
    account = await put(store, replace(ANNA, grants=(Grant(Role.ADMINISTRATOR),)))
    found = await enter(store)
    assert isinstance(found, Seated)
    assert found.session.stage is Stage.ENROL
    assert not found.device
    assert await audited(store) == []
    visit = replace(VISIT, cookie=found.cookie)
    offered = factors.offered(KEY, found.session.digest)
    with pytest.raises(AccountError):
        await store.write(lambda tx: own.set_factor(tx, visit, found.session, "000000"))
    assert (await store.read(lambda tx: tx.account(account.id))).totp == b""  # type: ignore[union-attr]
    now, codes = await store.write(
        lambda tx: own.set_factor(tx, visit, found.session, pyotp.TOTP(offered).at(NOW))
    )
    assert now.session.stage is Stage.FULL
    assert now.device
    assert now.cookie != found.cookie
    assert len(codes) == 10
    assert await store.read(lambda tx: tx.session(found.session.digest)) is None
    assert factors.secret_of(now.account, KEY) == offered
    assert [entry.action for entry in await audited(store)] == [
        "account.factor_set",
        "account.signed_in",
    ]
    assert not list(verify(await audited(store), seal_key(KEY)))


async def test_the_enrolment_of_two_windows_happens_once(stores: list[SqlStore]) -> None:
    """Whoever is second must not replace the factor that the first has set up."""
    account = await put(stores[0], replace(ANNA, grants=(Grant(Role.ADMINISTRATOR),)))
    windows = [await enter(store) for store in stores]

    async def enrol(store: SqlStore, window: Any) -> object:
        offered = factors.offered(KEY, window.session.digest)
        visit = replace(VISIT, cookie=window.cookie)
        typed = pyotp.TOTP(offered).at(NOW)
        try:
            return await store.write(lambda tx: own.set_factor(tx, visit, window.session, typed))
        except AccountError as error:
            return error.code

    ended = await asyncio.gather(*(enrol(*pair) for pair in zip(stores, windows, strict=True)))
    assert sum(isinstance(each, tuple) for each in ended) == 1
    assert {"meanwhile", "signed_out"} & set(map(str, ended))
    stored = await stores[0].read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert len(stored.recovery) == 10


async def test_a_replayed_code_is_refused_to_everybody_at_once(stores: list[SqlStore]) -> None:
    await put(stores[0], factor=True)
    visits = [await half(store) for store in stores for _ in range(3)]
    found = await asyncio.gather(
        *(
            stores[n % 2].write(partial(second, visit=visit, code=code()))
            for n, visit in enumerate(visits)
        )
    )
    assert sum(isinstance(each, Seated) for each in found) == 1
    assert sum(each is No.WRONG for each in found) >= 4


async def test_a_recovery_code_stands_in_once(stores: list[SqlStore]) -> None:
    account = await put(stores[0], factor=True)
    codes, kept = factors.new_codes(account.id, KEY)
    await stores[0].write(lambda tx: tx.put_account(replace(account, recovery=kept)))
    visits = [await half(store) for store in stores]
    found = await asyncio.gather(
        *(
            store.write(partial(second, visit=visit, code=codes[0]))
            for store, visit in zip(stores, visits, strict=True)
        )
    )
    assert sum(isinstance(each, Seated) for each in found) == 1
    [entry] = await audited(stores[0])
    assert entry.after == '{"by":"recovery"}'
    stored = await stores[0].read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert stored.recovery == kept[1:]


async def test_five_wrong_codes_end_the_half_session_and_more_have_to_wait(store: SqlStore) -> None:
    await put(store, factor=True)
    visit = await half(store)
    for _ in range(4):
        assert await store.write(lambda tx: second(tx, visit, "000000")) is No.WRONG
    assert await store.write(lambda tx: second(tx, visit, "000000")) is No.ENDED
    assert await store.write(lambda tx: second(tx, visit, code())) is No.ENDED
    again = await half(store)  # whoever has the password gets no five more for nothing
    assert isinstance(await store.write(lambda tx: second(tx, again, "000000")), Wait)
    later = replace(again, at=NOW + timedelta(seconds=2))
    assert isinstance(await store.write(lambda tx: second(tx, later, code())), Seated)


async def test_whoever_has_only_the_password_keeps_its_owner_from_nothing(store: SqlStore) -> None:
    await put(store, factor=True)
    mine = await store.write(second_of_owner)
    thief = replace(VISIT, origin="198.51.100.9")
    for _ in range(4):
        found = await enter(store, visit=thief)
        if isinstance(found, Wait):
            break
        assert isinstance(found, Seated)
        carried = replace(thief, cookie=found.cookie)
        for _ in range(6):
            await store.write(partial(second, visit=carried, code="000000"))
    later = NOW + timedelta(minutes=1)
    found = await enter(store, visit=replace(VISIT, device=mine, at=later))
    assert isinstance(found, Seated)
    carried = replace(VISIT, device=mine, at=later, cookie=found.cookie)
    assert isinstance(await store.write(lambda tx: second(tx, carried, code(later))), Seated)


async def test_guessed_codes_shut_the_login_for_every_browser_that_is_not_known(
    store: SqlStore,
) -> None:
    await put(store, factor=True)
    mine = await store.write(second_of_owner)

    async def coded(visit: Visit, typed: str) -> object:
        found = await enter(store, visit=visit)
        assert isinstance(found, Seated)
        carried = replace(visit, cookie=found.cookie)
        return await store.write(lambda tx: second(tx, carried, typed))

    for number in range(20):
        assert await coded(replace(VISIT, origin=f"192.0.{number}.5"), "000000") is No.WRONG
    assert isinstance(await coded(VISIT, code()), Wait)
    assert isinstance(await coded(replace(VISIT, device=mine), code()), Seated)


def second_of_owner(tx: Any) -> str:
    """The device cookie of somebody who once signed in wholly."""
    return arrive(tx, VISIT, tx.account("a-anna"), "code").device


async def test_a_half_session_lasts_ten_minutes(store: SqlStore) -> None:
    await put(store, factor=True)
    visit = await half(store)
    late = replace(visit, at=NOW + timedelta(minutes=10))
    assert await store.write(lambda tx: second(tx, late, code(late.at))) is No.ENDED


async def test_a_whole_session_is_no_half_one(store: SqlStore) -> None:
    await put(store)
    found = await enter(store)
    assert isinstance(found, Seated)
    visit = replace(VISIT, cookie=found.cookie)
    assert await store.write(lambda tx: second(tx, visit, code())) is No.ENDED
    assert await store.write(lambda tx: second(tx, VISIT, code())) is No.ENDED


async def test_a_session_ends_after_half_an_hour_of_quiet_and_after_twelve_hours() -> None:
    store = SqlStore("sqlite://")
    await put(store)
    found = await enter(store)
    assert isinstance(found, Seated)
    session = found.session
    assert not lapsed(session, NOW + timedelta(minutes=29))
    assert lapsed(session, NOW + timedelta(minutes=30))
    busy = replace(session, seen_at=NOW + timedelta(hours=11, minutes=59))
    assert not lapsed(busy, NOW + timedelta(hours=11, minutes=59))
    assert lapsed(busy, NOW + timedelta(hours=12))
    await store.close()


async def test_what_changed_between_the_two_halves_of_a_sign_in_counts(store: SqlStore) -> None:
    account = await put(store)
    tried = await store.write(lambda tx: knock(tx, VISIT, "anna"))
    assert isinstance(tried, Knock)
    await store.write(lambda tx: disable(tx, OPERATOR, account.id))
    assert await store.write(lambda tx: answer(tx, VISIT, tried, True)) is No.WRONG
    changed = replace(account, password=passwords.hashed("another long password"))
    await store.write(lambda tx: tx.put_account(changed))
    assert await store.write(lambda tx: answer(tx, VISIT, tried, True)) is No.WRONG


@pytest.mark.parametrize("login", ["anna", "nobody", "disabled", "invited"])
async def test_the_answer_is_the_same_whether_there_is_such_a_login(login: str) -> None:
    store = SqlStore("sqlite://")
    await put(store)
    await put(store, replace(ANNA, id="a-off", login="disabled", disabled=True))
    await store.write(lambda tx: tx.put_account(replace(ANNA, id="a-new", login="invited")))
    wrong = PASSWORD if login == "disabled" else "a wrong password"
    found = [await enter(store, wrong, login=login) for _ in range(6)]
    assert found[:5] == [No.WRONG] * 5
    assert found[5] == Wait(NOW + timedelta(seconds=1))
    await store.close()


async def test_refusals_are_audited_once_a_step_and_tell_no_secret(store: SqlStore) -> None:
    await put(store)
    for _ in range(40):
        await enter(store, "a wrong password")
    for _ in range(20):
        await enter(
            store, "x", login="hunter2 my password", visit=replace(VISIT, origin="192.0.2.1")
        )
    rows = await audited(store)
    assert [(row.action, row.what, row.after) for row in rows] == [
        ("account.refused", "account:a-anna", '{"failures":5}'),
        ("account.refused", "account:?", '{"failures":5}'),
    ]
    assert not any("hunter2" in str(row) or "wrong password" in str(row) for row in rows)


async def test_a_hash_with_older_parameters_is_replaced_on_the_way_in(store: SqlStore) -> None:
    account = await put(store)
    tried = await store.write(lambda tx: knock(tx, VISIT, "anna"))
    assert isinstance(tried, Knock)
    newer = PasswordHasher(2, 8, 1).hash(PASSWORD)
    await store.write(lambda tx: answer(tx, VISIT, tried, True, newer))
    stored = await store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert stored.password == newer


# links


async def link(store: SqlStore, **more: Any) -> str:
    return await store.write(lambda tx: welcoming.link(tx, OPERATOR, "a-anna", **more))


async def use(store: SqlStore, secret: str, at: datetime = NOW) -> Seated | None:
    visit = replace(VISIT, at=at)
    encoded = passwords.hashed("another long password")
    return await store.write(
        lambda tx: welcoming.accept(tx, visit, secret, encoded, "first", "First")
    )


async def test_a_link_works_once_whoever_is_faster(stores: list[SqlStore]) -> None:
    await put(stores[0])
    secret = await link(stores[0])
    for _ in range(3):  # looking spends nothing
        assert await stores[0].read(lambda tx: welcoming.look(tx, secret, NOW)) is not None
    found = await asyncio.gather(*(use(stores[n % 2], secret) for n in range(6)))
    assert sum(each is not None for each in found) == 1
    assert await stores[0].read(lambda tx: welcoming.look(tx, secret, NOW)) is None


async def test_there_is_one_first_administrator_whoever_is_faster(stores: list[SqlStore]) -> None:
    secret = await stores[0].write(lambda tx: welcoming.found(tx, OPERATOR))
    assert secret is not None
    found = await asyncio.gather(*(use(stores[n % 2], secret) for n in range(6)))
    assert sum(each is not None for each in found) == 1
    [account] = await stores[0].read(lambda tx: tx.accounts())
    assert account.grants == (Grant(Role.ADMINISTRATOR),)
    assert account.login == "first"
    assert await stores[0].write(lambda tx: welcoming.found(tx, OPERATOR)) is None


async def test_a_newer_link_makes_the_older_void(store: SqlStore) -> None:
    first = await store.write(lambda tx: welcoming.found(tx, OPERATOR))
    newer = await store.write(lambda tx: welcoming.found(tx, OPERATOR))
    assert first is not None
    assert newer is not None
    assert await use(store, first) is None
    assert await use(store, newer) is not None
    await put(store)
    old, new = await link(store), await link(store)
    assert await use(store, old) is None
    assert await use(store, new) is not None


async def test_a_link_lasts_a_day(store: SqlStore) -> None:
    await put(store)
    secret = await link(store)
    assert await use(store, secret, NOW + timedelta(hours=24)) is None
    assert await use(store, secret, NOW + timedelta(hours=23, minutes=59)) is not None


async def test_the_first_link_is_void_once_somebody_has_an_account(store: SqlStore) -> None:
    secret = await store.write(lambda tx: welcoming.found(tx, OPERATOR))
    assert secret is not None
    await put(store)
    assert await use(store, secret) is None


async def test_a_link_ends_all_sessions_and_leaves_the_second_factor_alone(store: SqlStore) -> None:
    await put(store, factor=True)
    before = await half(store)
    secret = await link(store)
    assert await store.read(lambda tx: tx.session(digest_of(before.cookie))) is None
    found = await use(store, secret)
    assert found is not None
    assert found.session.stage is Stage.PASSWORD
    assert found.account.totp


async def test_a_link_clears_the_second_factor_where_asked_and_only_when_used(
    store: SqlStore,
) -> None:
    await put(store, factor=True)
    secret = await link(store, clear_factor=True)
    stored = await store.read(lambda tx: tx.account("a-anna"))
    assert stored is not None
    assert stored.totp
    found = await use(store, secret)
    assert found is not None
    assert found.session.stage is Stage.FULL
    assert (found.account.totp, found.account.recovery) == (b"", ())


async def test_a_disabled_accounts_link_is_void(store: SqlStore) -> None:
    await put(store)
    secret = await link(store)
    await store.write(lambda tx: disable(tx, OPERATOR, "a-anna"))
    assert await use(store, secret) is None
    with pytest.raises(AccountError):
        await link(store)


async def test_a_bad_login_spends_no_link(store: SqlStore) -> None:
    secret = await store.write(lambda tx: welcoming.found(tx, OPERATOR))
    assert secret is not None
    for login, name in (
        ("a b", "First"),
        ("", "First"),
        ("first", " "),
        ("a:b", "x"),
        ("first", "x" * 61),
    ):
        with pytest.raises(AccountError):
            await store.write(
                partial(
                    welcoming.accept,
                    visit=VISIT,
                    secret=secret,
                    encoded="x",
                    login=login,
                    name=name,
                )
            )
    assert await use(store, secret) is not None


async def test_no_row_and_no_audit_entry_holds_a_secret(sqlite_url: str) -> None:
    import sqlite3

    store = SqlStore(sqlite_url)
    first = await store.write(lambda tx: welcoming.found(tx, OPERATOR))
    assert first is not None
    seat = await use(store, first)
    assert seat is not None
    offered = factors.offered(KEY, seat.session.digest)
    visit = replace(VISIT, cookie=seat.cookie)
    whole, codes = await store.write(
        lambda tx: own.set_factor(tx, visit, seat.session, pyotp.TOTP(offered).at(NOW))
    )
    await store.close()
    file = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(file) as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    secrets = [
        first,
        seat.cookie,
        whole.cookie,
        whole.device,
        offered,
        *codes,
        "another long password",
    ]
    for secret in secrets:
        assert secret not in dump
    assert offered.encode().hex() not in dump.lower()
    assert all(word not in repr((seat, whole, visit)) for word in secrets)


async def test_signing_in_wholly_gives_an_address_no_guess_more(store: SqlStore) -> None:
    """The password's attempt is taken back when it was right, not once more with the code."""
    await put(store, factor=True)
    for number in range(10):
        await enter(store, "a wrong password", login=f"login{number}")
    for turn in range(5):
        at = NOW + timedelta(minutes=turn)
        found = await enter(store, visit=replace(VISIT, at=at))
        assert isinstance(found, Seated)
        carried = replace(VISIT, at=at, cookie=found.cookie)
        assert isinstance(await store.write(partial(second, visit=carried, code=code(at))), Seated)
    places = throttle.places(KEY, VISIT.origin)
    kept = await store.read(lambda tx: [tx.attempts(lane.key) for lane in places])
    assert [each and each.count for each in kept] == [10, 10]
