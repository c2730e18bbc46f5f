"""Every door of the desk, for every role: allowed or refused, as the one table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desk.accounts import Stage
from desk.roles import CHANGING, SCOPED, TABLE, Grant, May, Role, allows, reach
from surveys.people import Subject
from tests.web.console.seats import Desk, proof
from web.console.doors import Door
from web.console.house import DOORS

ROOT = Path(__file__).parents[3]
BEHIND = [door for door in DOORS if door.may is not None]
OPEN = [door for door in DOORS if door.may is None]


def address(door: Door) -> str:
    """The door's path with places that lead nowhere."""
    path = re.sub(r"\{\w+:int\}", "0", door.path)
    return "/desk" + re.sub(r"\{\w+(?::\w+)?\}", "nowhere", path)


@pytest.mark.parametrize("role", Role)
async def test_each_door_opens_for_its_roles_and_for_no_other(desk: Desk, role: Role) -> None:
    client = await desk.seat(role, "nowhere" if role in SCOPED else "")
    sent = {"proof": await proof(client, "/desk")}
    before = len(await desk.audited())
    for door in BEHIND:
        assert door.may is not None
        able = role in TABLE[door.may]
        if able and door.method == "POST":
            continue  # what it does is its own area's test; here it might end the session
        path = address(door)
        answer = (
            await client.get(path) if door.method == "GET" else await client.post(path, data=sent)
        )
        where = f"{door.method} {path} as {role}"
        assert (answer.status_code == 403) is not able, f"{where}: {answer.status_code}"
        assert answer.status_code < 500, where
    assert len(await desk.audited()) == before


async def test_no_door_but_the_open_ones_lets_a_stranger_in(desk: Desk) -> None:
    client = desk.browser()
    sent = {"proof": await proof(client, "/desk/sign-in")}
    for door in BEHIND:
        path = address(door)
        if door.method == "GET":
            answer = await client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/desk/sign-in"), path
        else:
            answer = await client.post(path, data=sent)
            assert answer.status_code == 401, path


@pytest.mark.parametrize("stage", [Stage.PASSWORD, Stage.ENROL])
async def test_half_a_sign_in_opens_nothing_but_the_other_half(desk: Desk, stage: Stage) -> None:
    client = await desk.seat(Role.ADMINISTRATOR, stage=stage)
    for door in BEHIND:
        if stage not in door.stages and door.method == "GET":
            answer = await client.get(address(door))
            assert answer.status_code == 303, door.path
            assert re.match(r"/desk/(sign-in/code|second-factor)", answer.headers["location"])


async def test_an_account_without_a_role_opens_nothing(desk: Desk) -> None:
    client = await desk.seat(None)
    for door in BEHIND:
        if door.method == "GET" and door.stages == (Stage.FULL,):
            assert (await client.get(address(door))).status_code == 403, door.path


async def test_a_change_without_the_sessions_own_proof_is_refused(desk: Desk) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    other = await desk.seat(Role.ADMINISTRATOR, login="second")
    theirs = await proof(other, "/desk")
    for door in DOORS:
        if door.method != "POST":
            continue
        for data in ({}, {"proof": ""}, {"proof": theirs}):
            answer = await client.post(address(door), data=data)
            assert answer.status_code == 403, door.path
    mine = await proof(client, "/desk")
    for door in DOORS:
        if door.method == "POST":
            headers = {"Sec-Fetch-Site": "cross-site"}
            answer = await client.post(address(door), data={"proof": mine}, headers=headers)
            assert answer.status_code == 403, door.path


def test_an_auditor_may_change_nothing_but_the_own_account() -> None:
    auditor = [Grant(Role.AUDITOR)]
    for door in BEHIND:
        # deciding upon a request takes the permission of what was asked for: test_approvals.py
        if door.method == "POST" and door.may not in {May.OWN, May.TOKENS, May.APPROVALS_READ}:
            assert door.may is not None
            assert door.may in CHANGING or not allows(auditor, door.may), door.path
            assert not allows(auditor, door.may), door.path


def test_every_change_is_posted_and_needs_a_permission_that_changes() -> None:
    own = {May.OWN, May.TOKENS, May.HOME}
    reading = {may for may in May if may.value.endswith(".read")} - {May.APPROVALS_READ}
    for door in BEHIND:
        assert door.method in {"GET", "POST"}
        if door.method == "POST" and door.may not in own:
            assert door.may not in reading, door.path


def test_no_two_doors_share_an_address() -> None:
    addresses = [(door.method, door.path) for door in DOORS]
    assert len(addresses) == len(set(addresses))


def test_the_page_about_roles_shows_the_table() -> None:
    page = (ROOT / "docs" / "roles.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \|[^|]*\|(.*)\|$", page, re.M))
    assert set(rows) == {may.value for may in May}
    for may in May:
        marks = [cell.strip() for cell in rows[may.value].split("|")]
        held = {role for role, mark in zip(Role, marks, strict=True) if mark}
        assert held == TABLE[may], may
        whole = may in {May.HOME, May.OWN, May.TOKENS}
        for role, mark in zip(Role, marks, strict=True):
            own = role in SCOPED and not whole
            assert mark == ("" if role not in held else "own" if own else "✓"), (may, role)


def test_a_supervisor_reaches_the_unit_and_all_below_it() -> None:
    tree = [
        Subject("city", {}),
        Subject("east", {}, parent="city"),
        Subject("window", {}, parent="east"),
        Subject("li", {}, kind="official", parent="window"),
        Subject("west", {}, parent="city"),
        Subject("loop", {}, parent="pool"),
        Subject("pool", {}, parent="loop"),
    ]
    held = [Grant(Role.SUPERVISOR, "east")]
    assert reach(held, May.RESULTS_READ, tree) == frozenset({"east", "window", "li"})
    assert reach(held, May.REPORT_READ, tree) == frozenset()
    both = [*held, Grant(Role.RATED, "west")]
    assert reach(both, May.RESULTS_READ, tree) == frozenset({"east", "window", "li"})
    assert reach(both, May.REPORT_READ, tree) == frozenset({"west"})
    assert reach([*both, Grant(Role.AUDITOR)], May.RESULTS_READ, tree) is None
