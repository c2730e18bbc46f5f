"""Tokens, rates, sizes and manners: everything that is judged before an operation begins."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from desk.connections import tokens
from desk.roles import TABLE, May, Role
from storage.transaction import SqlTransaction
from surveys.people import Kind, Person
from tests.web.api.stocked import AT, anonymous, program
from tests.web.console.seats import Desk
from web.api.app import OPERATIONS
from web.api.operations import Operation


def path_of(operation: Operation) -> str:
    return re.sub(r"\{(\w+)\}", "nowhere", operation.path)


ABLE = [
    role
    for role in Role
    if role in TABLE[May.TOKENS] and any(role in TABLE[may] for may in tokens.SCOPES)
]


def test_the_scopes_of_a_token_are_what_the_operations_ask_for() -> None:
    assert {operation.may for operation in OPERATIONS} == {May.HOME, *tokens.SCOPES}


@pytest.mark.parametrize("role", ABLE)
async def test_each_operation_opens_for_its_roles_and_for_no_other(desk: Desk, role: Role) -> None:
    client = await program(desk, role)
    before = len(await desk.audited())
    for operation in OPERATIONS:
        able = role in TABLE[operation.may]
        if able and operation.method != "GET":
            continue  # what it does has its own tests
        answer = await client.send(operation.method, path_of(operation))
        where = f"{operation.method} {operation.path} as {role}: {answer.text}"
        assert (answer.status_code == 403) is not able, where
        assert answer.status_code < 500, where
        if not able:
            assert answer.json()["code"] == "role_missing"
            assert answer.json()["needed"] == operation.may.value
        desk.clock.on(seconds=1)
    new = {entry.action for entry in (await desk.audited())[before:]}
    assert new <= {"audit.exported", "results.exported"}


async def test_each_operation_asks_for_its_scope_and_no_other_opens_it(desk: Desk) -> None:
    for operation in OPERATIONS:
        if operation.may is May.HOME:
            continue
        others = tuple(scope for scope in tokens.SCOPES if scope is not operation.may)
        client = await program(desk, scopes=others)
        answer = await client.send(operation.method, path_of(operation))
        assert answer.status_code == 403, operation.path
        assert answer.json()["code"] == "scope_missing"
        assert f'scope="{operation.may}"' in answer.headers["www-authenticate"]
        await desk.store.write(partial(SqlTransaction.drop_token, token=client.token.id))


async def test_no_operation_answers_without_a_token(desk: Desk) -> None:
    client = anonymous(desk)
    for operation in OPERATIONS:
        answer = await client.request(operation.method, AT + path_of(operation))
        assert answer.status_code == 401, operation.path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_session_of_the_desk_opens_nothing_here(desk: Desk) -> None:
    browser = await desk.seat(Role.ADMINISTRATOR)
    assert (await browser.get(f"{AT}/me")).status_code == 401


async def test_a_token_in_the_address_opens_nothing(desk: Desk) -> None:
    secret = (await program(desk)).secret
    for name in ("token", "access_token", "key"):
        answer = await anonymous(desk).get(f"{AT}/me", params={name: secret})
        assert answer.status_code == 401


async def test_an_expired_a_revoked_and_a_disabled_accounts_token_open_nothing(desk: Desk) -> None:
    short = await program(desk, days=1)
    revoked = await program(desk)
    officers = await program(desk, Role.OFFICER)
    assert (await revoked.get("/me")).status_code == 200
    await desk.store.write(lambda tx: tokens.revoke(tx, desk.act(), revoked.token.id))
    assert (await revoked.get("/me")).status_code == 401
    account = await desk.account(Role.OFFICER)
    await desk.store.write(lambda tx: tx.put_account(replace(account, disabled=True)))
    assert (await officers.get("/me")).json()["code"] == "token_invalid"
    assert (await short.get("/me")).status_code == 200
    desk.clock.on(days=1)
    assert (await short.get("/me")).status_code == 401


async def test_a_role_that_is_taken_away_is_gone_from_the_token_at_once(desk: Desk) -> None:
    client = await program(desk, Role.OFFICER)
    assert (await client.get("/campaigns")).status_code == 200
    account = await desk.account(Role.OFFICER)
    keeper = replace(account.grants[0], role=Role.CUSTODIAN)
    await desk.store.write(lambda tx: tx.put_account(replace(account, grants=(keeper,))))
    answer = await client.get("/campaigns")
    assert answer.json()["code"] == "role_missing"
    assert (await client.get("/me")).json()["scopes"] == ["approvals.read", "home"]


async def test_a_supervisor_sees_the_unit_and_nothing_beside_it(desk: Desk) -> None:
    client = await program(desk, Role.SUPERVISOR)
    found = (await client.get("/subjects")).json()["items"]
    assert [each["id"] for each in found] == ["tax"]
    assert (await client.get("/subjects/land")).status_code == 404
    people = (await client.get("/people")).json()["items"]
    assert {each["unit"] for each in people} == {"tax"}
    assert (await client.get("/people/p00")).status_code == 404
    cards = (await client.get("/results/2026Q1")).json()["items"]
    assert [card["subject"] for card in cards] == ["tax"]
    assert (await client.get("/results/2026Q1/land")).status_code == 404
    wave = (await client.get("/waves/window.1")).json()
    assert {side["subject"] for side in wave["sides"]} == {"tax"}


async def test_the_day_of_use_is_noted_once_a_day(desk: Desk) -> None:
    client = await program(desk)
    await client.get("/me")
    kept = await desk.store.read(lambda tx: tx.token(client.token.digest))
    assert kept is not None
    assert kept.used_on == "2026-11-23"


async def test_a_token_has_its_rate_and_is_told_how_it_stands(desk: Desk) -> None:
    client = await program(desk)
    answers = [await client.get("/me") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[0].headers["ratelimit"] == '"token";r=29;t=0'
    assert answers[0].headers["ratelimit-policy"] == '"token";q=30;w=15'
    refused = answers[-1]
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["code"] == "busy"
    other = await program(desk)
    assert (await other.get("/me")).status_code == 200
    desk.clock.on(seconds=1)
    assert (await client.get("/me")).status_code == 200


async def test_wrong_tokens_from_one_address_are_slowed_down_and_keep_no_good_one_out(
    desk: Desk,
) -> None:
    client = anonymous(desk)
    wrong = {"Authorization": "Bearer minyi_" + "x" * 43}
    answers = [await client.get(f"{AT}/me", headers=wrong) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) <= 30
    good = await program(desk)  # from the same address
    assert (await good.get("/me")).status_code == 200
    elsewhere = desk.browser(address="203.0.113.8")
    assert (await elsewhere.get(f"{AT}/me", headers=wrong)).status_code == 401


async def test_problems_are_told_in_the_language_that_is_asked_for(desk: Desk) -> None:
    answer = await anonymous(desk).get(f"{AT}/me", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    problem = answer.json()
    assert problem["title"] == "没有令牌"
    assert answer.headers["content-language"] == "zh"
    assert problem["type"] == "http://minyi.test/desk/connections/api#problem-token_missing"
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}


async def test_unknown_and_repeated_parameters_are_refused_by_name(desk: Desk) -> None:
    client = await program(desk)
    answer = await client.get("/people?unti=tax&limit=1&limit=2")
    assert answer.status_code == 400
    assert [each["parameter"] for each in answer.json()["errors"]] == ["unti", "limit"]


async def test_what_is_wrong_in_a_body_is_pointed_at_and_never_repeated(desk: Desk) -> None:
    client = await program(desk)
    sent = {"url": 7, "events": ["wave.opened", "secret-word"], "a/b": 1}
    answer = await client.send("POST", "/hooks", json=sent)
    assert answer.status_code == 400
    pointers = {each["pointer"] for each in answer.json()["errors"]}
    assert pointers == {"#/url", "#/events/1", "#/a~1b"}
    assert "secret-word" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"url": NaN}', b"\xff", b"", b"null"])
async def test_a_body_that_is_no_json_of_ours_is_malformed(desk: Desk, body: bytes) -> None:
    client = await program(desk)
    headers = {"Content-Type": "application/json"}
    answer = await client.send("POST", "/hooks", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_half_a_character_is_malformed_wherever_it_stands(desk: Desk) -> None:
    client = await program(desk)
    headers = {"Content-Type": "application/json"}
    for body in (rb'{"\ud800": 1}', rb'{"url": "\ud800", "events": ["wave.opened"]}'):
        answer = await client.send("POST", "/hooks", content=body, headers=headers)
        assert answer.json()["code"] == "malformed"
    rows = rb'{"rows": [{"id": "\ud800"}]}'
    answer = await client.send("POST", "/imports/people", content=rows, headers=headers)
    assert answer.json()["code"] == "malformed"


async def test_kind_and_size_of_a_body_are_judged_first(desk: Desk) -> None:
    client = await program(desk)
    form = await client.send("POST", "/hooks", data={"url": "x"})
    assert (form.status_code, form.json()["code"]) == (415, "kind")
    large = await client.send("POST", "/hooks", json={"url": "x" * 1_000_001})
    assert (large.status_code, large.json()["code"]) == (413, "large")


async def test_head_options_and_other_methods_behave(desk: Desk) -> None:
    client = await program(desk)
    head = await client.send("HEAD", "/subjects")
    assert (head.status_code, head.content) == (200, b"")
    options = await client.send("OPTIONS", "/hooks/abc")
    assert options.status_code == 204
    assert options.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert "access-control-allow-origin" not in options.headers
    wrong = await client.send("PUT", "/hooks/abc")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, options.headers["allow"])
    assert wrong.json()["code"] == "method"
    assert (await client.send("OPTIONS", "/nowhere")).status_code == 404
    nowhere = await client.get("/nowhere")
    assert nowhere.json()["code"] == "missing"


async def test_lists_come_in_pages_that_stay_put_when_something_is_added(desk: Desk) -> None:
    client = await program(desk)
    first = (await client.get("/people?limit=5")).json()
    assert len(first["items"]) == 5
    await desk.store.write(lambda tx: tx.put_people([Person("p00a", Kind.STAFF)]))
    seen, onward = [each["id"] for each in first["items"]], first["next"]
    while onward:
        page = (await client.http.get(onward)).json()
        seen += [each["id"] for each in page["items"]]
        onward = page["next"]
    assert seen == [f"p{n:02}" for n in range(12)]


@pytest.mark.parametrize(
    "cursor", ["AAAA", "WyJhIl0x", "WyJ0YXgiXQ", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"]
)
async def test_a_cursor_that_marks_no_place_is_refused(desk: Desk, cursor: str) -> None:
    client = await program(desk)
    answer = await client.get("/audit", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "cursor"


async def test_a_request_sent_twice_under_one_key_is_done_once(desk: Desk) -> None:
    client = await program(desk)
    sent = {"url": "https://two.example/x", "events": ["wave.tallied"]}
    headers = {"Idempotency-Key": "0b3f"}
    first = await client.send("POST", "/hooks", json=sent, headers=headers)
    second = await client.send("POST", "/hooks", json=sent, headers={"Idempotency-Key": '"0b3f"'})
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    hooks = await desk.store.read(lambda tx: tx.hooks())
    assert [hook.url for hook in hooks].count("https://two.example/x") == 1
    assert len(await desk.audited("hook.made")) == 2
    secret = first.json()["secret"].encode()
    assert await desk.store.read(lambda tx: tx.hooks()[-1].secret.find(secret)) == -1
    kept = await asyncio.to_thread(stored, desk)
    assert b"three.example" not in kept
    assert b"two.example" in kept  # what is looked at is the right file
    assert secret not in kept


def stored(desk: Desk) -> bytes:
    """Everything that lies in the database's files."""
    file = Path(str(desk.store._engine.url.database))
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


async def test_the_same_key_for_another_request_is_refused(desk: Desk) -> None:
    client = await program(desk)
    headers = {"Idempotency-Key": "k1"}
    one = {"url": "https://two.example/x", "events": ["wave.tallied"]}
    other = {"url": "https://three.example/x", "events": ["wave.tallied"]}
    assert (await client.send("POST", "/hooks", json=one, headers=headers)).status_code == 201
    answer = await client.send("POST", "/hooks", json=other, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    mine = await program(desk)  # another token has keys of its own
    assert (await mine.send("POST", "/hooks", json=other, headers=headers)).status_code == 201


async def test_many_at_once_under_one_key_are_done_once(desk: Desk) -> None:
    client = await program(desk)
    sent = {"url": "https://two.example/x", "events": ["wave.tallied"]}
    headers = {"Idempotency-Key": "k2"}
    answers = await asyncio.gather(
        *(client.send("POST", "/hooks", json=sent, headers=headers) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await desk.audited("hook.made")) == 2


async def test_a_refused_request_is_judged_anew_and_a_key_is_free_after_a_day(desk: Desk) -> None:
    client = await program(desk)
    headers = {"Idempotency-Key": "k3"}
    bad = {"url": "https://127.0.0.1/", "events": ["wave.tallied"]}
    assert (await client.send("POST", "/hooks", json=bad, headers=headers)).status_code == 422
    good = {"url": "https://two.example/x", "events": ["wave.tallied"]}
    assert (await client.send("POST", "/hooks", json=good, headers=headers)).status_code == 201
    desk.clock.on(hours=24)
    again = await client.send("POST", "/hooks", json=good, headers=headers)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers
    assert len(await desk.audited("hook.made")) == 3


async def test_a_key_that_cannot_be_one_is_refused(desk: Desk) -> None:
    client = await program(desk)
    for key in ("", "x" * 256, "a b"):
        answer = await client.send("POST", "/hooks", json={}, headers={"Idempotency-Key": key})
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
