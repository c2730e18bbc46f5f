from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from desk.accounts import Account, Stage
from desk.audit import Act, seal_key
from desk.entry import staffing, welcoming
from desk.entry.entering import tidy
from desk.entry.sessions import begin
from desk.entry.wrongs import WORDS, AccountError
from desk.roles import Grant, Role
from desk.store import Sought
from storage import SqlStore
from surveys.people import Subject
from surveys.words import LANGUAGES

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
OPERATOR = Act("operator:test", "operator:test", "terminal", NOW, seal_key(bytes(32)))
ADMINISTRATOR, OFFICER = Grant(Role.ADMINISTRATOR), Grant(Role.OFFICER)
ANNA = Account("a-anna", "anna", "Anna", NOW, (ADMINISTRATOR,), password="$argon2id$")
BO = replace(ANNA, id="a-bo", login="bo", name="Bo")
CHEN = replace(ANNA, id="a-chen", login="chen", name="陈", grants=(OFFICER,))
AS_ANNA = replace(OPERATOR, who="a-anna", name="Anna", origin="203.0.113.7")


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[SqlStore]]:
    """Two processes on one database, with three accounts."""
    opened = [SqlStore(database_url), SqlStore(database_url)]
    await fill(opened[0])
    yield opened
    for store in opened:
        await store.close()


@pytest.fixture
async def staffed() -> AsyncIterator[SqlStore]:
    store = SqlStore("sqlite://")
    await fill(store)
    yield store
    await store.close()


async def fill(store: SqlStore) -> None:
    def work(tx: Any) -> None:
        for account in (ANNA, BO, CHEN):
            tx.put_account(account)
        tx.put_subjects(
            [
                Subject("land", {"zh": "不动产窗口", "en": "Land registry"}),
                Subject("tax", {"zh": "税务窗口", "en": "Tax"}),
                Subject("tax2", {"zh": "税务窗口"}),
            ]
        )

    await store.write(work)


async def refused(store: SqlStore, work: Callable[[Any], object]) -> str:
    """The code with which ``work`` is refused."""
    with pytest.raises(AccountError) as error:
        await store.write(work)
    return error.value.code


async def audited(store: SqlStore) -> list[Any]:
    return list(reversed(await store.read(lambda tx: tx.audit(Sought()))))


async def test_the_last_administrator_stays_whoever_is_faster(stores: list[SqlStore]) -> None:
    """Each of two takes the role from, or shuts out, the other at the same moment."""

    async def take(n: int, work: Callable[[Any], object]) -> str:
        try:
            await stores[n].write(work)
        except AccountError as error:
            return error.code
        return "done"

    ended = await asyncio.gather(
        take(0, lambda tx: staffing.disable(tx, OPERATOR, "a-anna")),
        take(1, lambda tx: staffing.revoke(tx, OPERATOR, "a-bo", ADMINISTRATOR)),
    )
    assert sorted(ended) == ["done", "last_administrator"]


async def test_somebody_who_never_signed_in_does_not_count_as_the_last(staffed: SqlStore) -> None:
    await staffed.write(lambda tx: tx.put_account(replace(BO, password="")))
    code = await refused(staffed, lambda tx: staffing.disable(tx, OPERATOR, "a-anna"))
    assert code == "last_administrator"
    outside = replace(BO, password="", external=("https://id.example", "17"))
    await staffed.write(lambda tx: tx.put_account(outside))
    await staffed.write(lambda tx: staffing.disable(tx, OPERATOR, "a-anna"))


async def test_nobody_changes_their_own_roles_nor_shuts_themselves_out(staffed: SqlStore) -> None:
    more = (ADMINISTRATOR, Grant(Role.CUSTODIAN))
    for work, code in (
        (lambda tx: staffing.set_grants(tx, AS_ANNA, "a-anna", more), "own_roles"),
        (lambda tx: staffing.grant(tx, AS_ANNA, "a-anna", OFFICER), "own_roles"),
        (lambda tx: staffing.revoke(tx, AS_ANNA, "a-anna", ADMINISTRATOR), "own_roles"),
        (lambda tx: staffing.disable(tx, AS_ANNA, "a-anna"), "own_disable"),
        (lambda tx: welcoming.link(tx, AS_ANNA, "a-anna", clear_factor=True), "own_link"),
    ):
        assert await refused(staffed, work) == code
    assert await audited(staffed) == []


async def test_a_disabled_account_loses_its_sessions_and_links_at_once(staffed: SqlStore) -> None:
    await staffed.write(lambda tx: begin(tx, CHEN, Stage.FULL, NOW, "203.0.113.7", ""))
    secret = await staffed.write(lambda tx: welcoming.link(tx, AS_ANNA, "a-chen"))
    await staffed.write(lambda tx: begin(tx, CHEN, Stage.FULL, NOW, "203.0.113.7", ""))
    await staffed.write(lambda tx: staffing.disable(tx, AS_ANNA, "a-chen"))
    assert await staffed.read(lambda tx: list(tx.sessions("a-chen"))) == []
    await staffed.write(lambda tx: staffing.enable(tx, AS_ANNA, "a-chen"))
    assert await staffed.read(lambda tx: welcoming.look(tx, secret, NOW)) is None
    actions = [entry.action for entry in await audited(staffed)]
    assert actions == ["account.link_made", "account.disabled", "account.enabled"]


async def test_a_change_of_roles_is_audited_and_ends_the_sessions(staffed: SqlStore) -> None:
    await staffed.write(lambda tx: begin(tx, CHEN, Stage.FULL, NOW, "203.0.113.7", ""))
    given = [OFFICER, Grant(Role.SUPERVISOR, "tax"), Grant(Role.SUPERVISOR, "land"), OFFICER]
    changed = await staffed.write(lambda tx: staffing.set_grants(tx, AS_ANNA, "a-chen", given))
    assert staffing.roles_of(changed.grants) == ["officer", "supervisor:land", "supervisor:tax"]
    assert await staffed.read(lambda tx: list(tx.sessions("a-chen"))) == []
    [entry] = await audited(staffed)
    assert (entry.who, entry.what) == ("a-anna", "account:a-chen")
    assert json.loads(entry.before) == {"roles": ["officer"]}
    assert json.loads(entry.after) == {"roles": ["officer", "supervisor:land", "supervisor:tax"]}
    await staffed.write(lambda tx: staffing.set_grants(tx, AS_ANNA, "a-chen", changed.grants))
    assert len(await audited(staffed)) == 1  # nothing changed, nothing written


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(staffed: SqlStore) -> None:
    await staffed.write(lambda tx: staffing.grant(tx, AS_ANNA, "a-chen", Grant(Role.AUDITOR)))
    work = lambda tx: staffing.set_grants(tx, AS_ANNA, "a-chen", [], CHEN.grants)  # noqa: E731
    assert await refused(staffed, work) == "meanwhile"


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ([Grant(Role.SUPERVISOR)], "subject_missing"),
        ([Grant(Role.RATED, "nowhere")], "subject"),
        ([Grant(Role.OFFICER, "land")], "subject_needless"),
    ],
)
async def test_a_role_names_a_subject_where_it_needs_one(
    staffed: SqlStore, grants: list[Grant], code: str
) -> None:
    work = lambda tx: staffing.set_grants(tx, AS_ANNA, "a-chen", grants)  # noqa: E731
    assert await refused(staffed, work) == code


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("land", "land"), (" 不动产窗口 ", "land"), ("Land registry", "land"), ("tax", "tax"),
     ("Tax", "tax"), ("税务窗口", "subject_many"), ("Land", "subject"), ("", "subject")],
)  # fmt: skip
async def test_a_subject_is_meant_by_its_id_or_its_whole_name(
    staffed: SqlStore, typed: str, meant: str
) -> None:
    subjects = await staffed.read(lambda tx: list(tx.subjects()))
    assert found_or_refused(subjects, typed) == meant


def found_or_refused(subjects: list[Subject], typed: str) -> str:
    try:
        return staffing.subject_meant(subjects, typed, Role.SUPERVISOR)
    except AccountError as error:
        return error.code


@pytest.mark.parametrize("login", ["anna", " ANNA ", "ａｎｎａ"])
async def test_one_login_is_one_account_however_it_is_spelt(staffed: SqlStore, login: str) -> None:
    work = lambda tx: welcoming.invite(tx, AS_ANNA, login, "Another", (OFFICER,))  # noqa: E731
    assert await refused(staffed, work) == "login_taken"


@pytest.mark.parametrize("login", ["张伟", "Wei.Zhang@Hedong.example", "z9", "Müller-Lüdenscheidt"])
async def test_a_login_may_be_chinese_or_an_address(staffed: SqlStore, login: str) -> None:
    await staffed.write(lambda tx: welcoming.invite(tx, AS_ANNA, login, "某人", (OFFICER,)))
    found = await staffed.read(lambda tx: staffing.called(tx, login.upper()))
    assert found.login == tidy(login)
    assert (found.password, found.grants) == ("", (OFFICER,))


async def test_an_unknown_account_is_told_by_name(staffed: SqlStore) -> None:
    with pytest.raises(AccountError, match="nobody"):
        await staffed.read(lambda tx: staffing.called(tx, "nobody"))
    for work in (staffing.disable, staffing.enable, staffing.sign_out, welcoming.link):
        assert await refused(staffed, lambda tx, w=work: w(tx, AS_ANNA, "a-x")) == "unknown"  # type: ignore[misc]


def test_every_refusal_is_told_in_both_languages() -> None:
    for key in WORDS.keys():  # noqa: SIM118 - not a mapping
        assert set(WORDS.all_of(key)) == set(LANGUAGES)
