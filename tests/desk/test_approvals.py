"""Two people do it together: once, never the asker alone, and all of it is on record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import approvals
from desk.accounts import Account
from desk.approvals import (
    TERM,
    ApprovalError,
    ask,
    decide,
    deciders,
    detailed,
    expire,
    overdue,
    register,
    withdraw,
)
from desk.audit import Act, Facts, record, seal_key, verify
from desk.roles import Grant, May, Role
from desk.store import Approval, Decision
from storage import SqlStore
from surveys.words import LANGUAGES
from tests.desk.ledger import Ledger

KEY = seal_key(b"k" * 32)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MANY = ["anna", "bo", "chen"]


def account(name: str, role: Role = Role.OFFICER) -> Account:
    return Account(name, name, name.title(), NOW, (Grant(role),))


def act(name: str, at: datetime = NOW) -> Act:
    return Act(name, name.title(), "203.0.113.7", at, KEY)


class Done:
    """What was executed, and by whom; it can be told to fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, str]]] = []
        self.refuses = False

    def __call__(self, tx: object, act: Act, arguments: Mapping[str, str]) -> None:
        if self.refuses:
            raise ValueError("The questionnaire is gone.")
        self.calls.append((act.who, arguments))


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Done:
    monkeypatch.setattr(approvals, "ACTIONS", {})
    made = Done()
    register("test.done", May.CAMPAIGNS_WRITE, made)
    return made


@pytest.fixture
def tx() -> Any:
    ledger = Ledger()
    ledger.people = {name: account(name) for name in MANY}
    ledger.people["rita"] = account("rita", Role.AUDITOR)
    return ledger


def asked(tx: Any, who: str = "anna", what: str = "campaign:x", at: datetime = NOW) -> Approval:
    return ask(tx, act(who, at), account(who), "test.done", what, {"title": "满意度"}, at)


def agreed(tx: Any, who: str, request: str, at: datetime = NOW, yes: bool = True) -> Approval:
    return decide(tx, act(who, at), account(who), request, yes, " fine ", at)


def test_a_second_person_agrees_and_then_it_is_done_once_and_on_record(done: Done, tx: Any) -> None:
    request = asked(tx)
    assert done.calls == []
    decided = agreed(tx, "bo", request.id)
    assert done.calls == [("bo", {"title": "满意度"})]
    assert (decided.decision, decided.decided_by, decided.note) == ("approved", "bo", "fine")
    assert [entry.action for entry in tx.entries] == ["approval.asked", "approval.approved"]
    assert {"Anna", "Bo"} <= set(json.loads(tx.entries[1].after).values())
    assert tx.entries[1].what == f"approval:{request.id}"
    assert verify(tx.entries, KEY) == []
    with pytest.raises(ApprovalError, match="done once"):
        agreed(tx, "chen", request.id)
    assert len(done.calls) == 1


def test_refused_is_not_done_and_cannot_be_agreed_to_any_more(done: Done, tx: Any) -> None:
    request = asked(tx)
    assert agreed(tx, "bo", request.id, yes=False).decision is Decision.REFUSED
    with pytest.raises(ApprovalError) as refused:
        agreed(tx, "chen", request.id)
    assert refused.value.code == "already_refused"
    assert done.calls == []
    assert tx.entries[-1].action == "approval.refused"


@pytest.mark.parametrize("who", ["anna", "rita", "nobody"])
@pytest.mark.parametrize("yes", [True, False])
def test_neither_the_asker_nor_who_may_not_do_it_decides(
    who: str, yes: bool, done: Done, tx: Any
) -> None:
    request = asked(tx)
    with pytest.raises(ApprovalError) as refused:
        agreed(tx, who, request.id, yes=yes)
    assert refused.value.code == ("own" if who == "anna" else "forbidden")
    assert (done.calls, tx.requests[request.id].decision) == ([], "open")


def test_whoever_was_disabled_or_lost_the_role_meanwhile_does_not_decide(
    done: Done, tx: Any
) -> None:
    request = asked(tx)
    tx.disable("bo", True)
    tx.people["chen"] = account("chen", Role.RATED)
    for who in ("bo", "chen"):
        with pytest.raises(ApprovalError, match="role may not"):
            agreed(tx, who, request.id)  # with an account object from before
    assert done.calls == []


GAVE: Facts = {"roles": ["officer"]}
NONE: Facts = {"roles": []}
LINK: Facts = {"second_factor_cleared": True}


@pytest.mark.parametrize(
    ("who", "action", "before", "after", "days", "free"),
    [
        ("anna", "account.invited", None, GAVE, 0, False),
        ("anna", "account.invited", None, GAVE, 29, False),
        ("anna", "account.invited", None, GAVE, 32, True),
        ("anna", "account.link_made", None, LINK, 3, False),
        ("anna", "account.roles_changed", NONE, GAVE, 3, False),
        ("anna", "account.roles_changed", {"roles": ["officer", "rated"]}, GAVE, 3, True),
        ("anna", "account.sessions_ended", None, {"sessions": 1}, 3, True),
        ("chen", "account.invited", None, GAVE, 3, True),
    ],
)
def test_whose_account_the_asker_had_in_hand_lately_is_no_second_person(
    who: str, action: str, before: Facts | None, after: Facts, days: int, free: bool, done: Done,
    tx: Any,
) -> None:  # fmt: skip
    record(tx, act(who, NOW - timedelta(days=days)), action, "account:bo", before, after)
    for turn in range(250):  # nothing is hidden behind much else
        taken = {"roles": ["officer", "rated"]}
        record(tx, act("anna"), "account.roles_changed", f"account:x{turn}", taken, GAVE)
    able = [each.id for each in deciders(tx, "test.done", "anna", NOW)]
    assert able == (["bo", "chen"] if free else ["chen"])
    request = asked(tx)
    if not free:
        for yes in (True, False):
            with pytest.raises(ApprovalError, match="Another person") as refused:
                agreed(tx, "bo", request.id, yes=yes)
            assert "Anna" in refused.value.said("zh")
        assert done.calls == []
    agreed(tx, able[0], request.id)
    assert len(done.calls) == 1


def test_nothing_unseen_stays_in_a_note_nor_in_what_is_laid_out(done: Done, tx: Any) -> None:
    request = asked(tx)
    note = "well\r\nAnna: no \u202eenod\x1b[2J"
    decided = decide(tx, act("bo"), account("bo"), request.id, True, note, NOW)
    assert decided.note == "well Anna: no \ufffdenod\ufffd[2J"
    assert decided.note.isprintable()
    assert detailed({"title": "a\u202eb"}) == [("title", "a\ufffdb")]


def test_the_same_is_asked_for_once_at_a_time_and_the_existing_request_is_named(
    done: Done, tx: Any
) -> None:
    first = asked(tx)
    with pytest.raises(ApprovalError) as refused:
        asked(tx, "bo")
    assert refused.value.code == "doubled"
    for language in LANGUAGES:
        assert "Anna" in refused.value.said(language)
        assert first.id in refused.value.said(language)
    assert asked(tx, "bo", what="campaign:y").id != first.id
    withdraw(tx, act("anna"), account("anna"), first.id, NOW)
    assert asked(tx, "bo").decision is Decision.OPEN


def test_after_seven_days_it_ends_by_itself_and_may_be_asked_for_again(done: Done, tx: Any) -> None:
    request, late = asked(tx), NOW + TERM
    assert overdue(tx, late - timedelta(seconds=1)) == []
    with pytest.raises(ApprovalError, match="seven days"):
        agreed(tx, "bo", request.id, late)
    assert expire(tx, act("minyi", late), late) == 1
    assert expire(tx, act("minyi", late), late) == 0
    assert tx.requests[request.id].decision is Decision.EXPIRED
    assert [entry.action for entry in tx.entries] == ["approval.asked", "approval.expired"]
    assert '"asked_by":"Anna"' in tx.entries[1].after
    again = asked(tx, at=late)
    later = late + TERM
    assert asked(tx, "bo", at=later).id != again.id, "the clock had not come round yet"
    assert tx.requests[again.id].decision is Decision.EXPIRED
    assert done.calls == []


def test_only_who_asked_takes_it_back(done: Done, tx: Any) -> None:
    request = asked(tx)
    with pytest.raises(ApprovalError, match="Anna asked"):
        withdraw(tx, act("bo"), account("bo"), request.id, NOW)
    withdraw(tx, act("anna"), account("anna"), request.id, NOW)
    assert tx.entries[-1].action == "approval.withdrawn"
    with pytest.raises(ApprovalError, match="taken this back"):
        agreed(tx, "bo", request.id)


def test_at_the_terminal_the_operator_asks_and_an_account_decides(done: Done, tx: Any) -> None:
    request = ask(tx, act("operator:root"), None, "test.done", "campaign:x", {}, NOW)
    assert request.asked_by == "operator:root"
    agreed(tx, "anna", request.id)
    assert done.calls == [("anna", {})]


def test_who_may_not_do_it_cannot_ask_and_unknown_things_are_named(done: Done, tx: Any) -> None:
    with pytest.raises(ApprovalError) as refused:
        asked(tx, "rita")
    assert refused.value.code == "forbidden"
    with pytest.raises(ApprovalError, match=r"test\.other"):
        ask(tx, act("anna"), account("anna"), "test.other", "x:y", {}, NOW)
    with pytest.raises(ApprovalError, match="no such request"):
        agreed(tx, "bo", "none")
    with pytest.raises(KeyError):
        register("test.done", May.HOME, done)


def test_who_could_decide_and_what_nobody_could(done: Done, tx: Any) -> None:
    assert [each.id for each in deciders(tx, "test.done", "anna", NOW)] == ["bo", "chen"]
    assert approvals.alone(tx.accounts()) == {}
    tx.disable("bo", True)
    tx.disable("chen", True)
    assert deciders(tx, "test.done", "anna", NOW) == []
    assert {name: one.id for name, one in approvals.alone(tx.accounts()).items()} == {
        "test.done": "anna"
    }


def test_what_will_be_done_is_laid_out_also_where_it_was_packed() -> None:
    packed = json.dumps({"title_zh": "满意度", "groups": ["SVC", "SUP"], "k": 5, "title_en": ""})
    assert detailed({"wish": packed, "note": "{", "people": "1,200"}) == [
        ("title_zh", "满意度"), ("groups", "SVC, SUP"), ("k", "5"), ("note", "{"),
        ("people", "1,200"),
    ]  # fmt: skip


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "agree", "refuse", "withdraw", "expire", "toggle", "break"]),
        st.sampled_from([*MANY, "rita"]),
        st.sampled_from(["campaign:x", "campaign:y"]),
        st.integers(0, 5),  # days that pass before
    ),
    max_size=40,
)


@given(EVENTS)
def test_nothing_is_done_twice_nor_by_the_asker_whatever_the_order_of_events(
    events: list[tuple[str, str, str, int]],
) -> None:
    ledger: Any = Ledger()
    ledger.people = {name: account(name) for name in MANY} | {"rita": account("rita", Role.AUDITOR)}
    done, now, executed = Done(), NOW, 0
    by_request: dict[str, int] = {}
    actions = {"test.done": approvals.Kind(May.CAMPAIGNS_WRITE, done)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approvals, "ACTIONS", actions)
        for event, who, what, days in events:
            now += timedelta(days=days)
            saved, before = ledger.saved(), len(done.calls)
            newest = next((r.id for r in ledger.approvals() if r.what == what), "none")
            try:
                happen(event, ledger, done, who, what, newest, now)
            except ApprovalError:
                ledger.back(saved)  # as the store does
                assert len(done.calls) == before
            if len(done.calls) > before:
                executed += 1
                request = ledger.requests[newest]
                by_request[newest] = by_request.get(newest, 0) + 1
                assert done.calls[-1][0] == who != request.asked_by
                assert not ledger.people[who].disabled
                assert who != "rita"
                assert request.asked_at <= now < request.expires_at
                assert request.decision is Decision.APPROVED
    assert set(by_request.values()) <= {1}
    approved = [r for r in ledger.requests.values() if r.decision is Decision.APPROVED]
    assert len(approved) == executed
    assert [e.action for e in ledger.entries].count("approval.approved") == executed
    open_ones = [(r.action, r.what) for r in ledger.approvals(open_only=True)]
    assert len(open_ones) == len(set(open_ones))
    assert verify(ledger.entries, KEY) == []


def happen(
    event: str, tx: Any, done: Done, who: str, what: str, request: str, now: datetime
) -> None:
    match event:
        case "ask":
            asked(tx, who, what, now)
        case "agree" | "refuse":
            agreed(tx, who, request, now, yes=event == "agree")
        case "withdraw":
            withdraw(tx, act(who, now), account(who), request, now)
        case "expire":
            expire(tx, act("minyi", now), now)
        case "toggle":
            tx.disable(who, not tx.people[who].disabled)
        case "break":
            done.refuses = not done.refuses


# on a real store


def executing(done: Done) -> Callable[..., None]:
    def execute(tx: Any, act: Act, arguments: Mapping[str, str]) -> None:
        tx.put_note(f"done-{act.who}", "yes")
        done(tx, act, arguments)

    return execute


async def seated(store: SqlStore) -> None:
    def work(tx: Any) -> None:
        for name in MANY:
            tx.put_account(account(name))

    await store.write(work)


async def test_where_it_cannot_be_done_the_request_stays_open_and_nothing_is_half_done(
    sqlite_url: str, done: Done
) -> None:
    approvals.ACTIONS["test.done"] = approvals.Kind(May.CAMPAIGNS_WRITE, executing(done))
    store = SqlStore(sqlite_url)
    await seated(store)
    request = await store.write(asked)
    done.refuses = True
    with pytest.raises(ApprovalError, match="questionnaire is gone"):
        await store.write(lambda tx: agreed(tx, "bo", request.id))
    assert await store.read(lambda tx: tx.note("done-bo")) is None
    found = await store.read(lambda tx: tx.approval(request.id))
    assert found is not None
    assert found.decision is Decision.OPEN
    done.refuses = False
    await store.write(lambda tx: agreed(tx, "chen", request.id))
    assert await store.read(lambda tx: tx.note("done-chen")) == "yes"
    actions = await store.read(lambda tx: [entry.action for entry in tx.audit_chain()])
    assert actions == ["approval.asked", "approval.approved"]
    await store.close()


async def test_of_two_who_decide_at_once_one_does_and_of_two_who_ask_one_is_first(
    database_url: str, done: Done
) -> None:
    approvals.ACTIONS["test.done"] = approvals.Kind(May.CAMPAIGNS_WRITE, executing(done))
    stores = [SqlStore(database_url), SqlStore(database_url)]
    await seated(stores[0])
    for turn in range(5):
        what = f"campaign:{turn}"
        tries = [store.write(lambda tx, who=who, what=what: asked(tx, who, what))  # type: ignore[misc]
                 for store, who in zip(stores, ("anna", "bo"), strict=True)]  # fmt: skip
        answers = await asyncio.gather(*tries, return_exceptions=True)
        [request] = [answer for answer in answers if isinstance(answer, Approval)]
        [refused] = [answer for answer in answers if isinstance(answer, ApprovalError)]
        assert refused.code == "doubled"
        others = [name for name in MANY if name != request.asked_by]
        tries = [store.write(lambda tx, who=who, id=request.id: agreed(tx, who, id))  # type: ignore[misc]
                 for store, who in zip(stores, others, strict=True)]  # fmt: skip
        answers = await asyncio.gather(*tries, return_exceptions=True)
        [late] = [answer for answer in answers if isinstance(answer, ApprovalError)]
        assert late.code in {"faster", "already_approved"}
    approved = await stores[0].read(
        lambda tx: [e.action for e in tx.audit_chain()].count("approval.approved")
    )
    assert approved == 5
    for store in stores:
        await store.close()
