"""Forgetting a person at the desk: looked at, proven, done, and told without a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.audit import someone
from desk.roles import May, Role
from storage import FileKeyring, SqlStore
from surveys.store import SealedInterview
from tests.web.api.stocked import program
from tests.web.console.seats import Desk, desk_on, post
from tests.web.console.test_roster import rolled

PAGE = "/desk/roster/person/forget"


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with people, and the keyring that forgetting takes."""
    store = SqlStore(sqlite_url)
    made = desk_on(store, keyring=FileKeyring(tmp_path / "keys"))
    await store.write(rolled)
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()


async def test_it_is_looked_at_first_and_done_by_the_next_button(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    person = (await client.get("/desk/roster/person?id=P1")).text
    assert f'href="{PAGE}?id=P1"' in person
    page = (await client.get(f"{PAGE}?id=P1")).text
    mark = someone(desk.act(), "P1")
    assert mark in page
    for part in ("cannot be undone", "results already counted", "come back as somebody new"):
        assert part in page
    assert await desk.store.read(lambda tx: tx.person("P1")) is not None
    answer = await post(client, PAGE, {"id": "P1"}, page=f"{PAGE}?id=P1")
    assert answer.headers["location"] == "/desk/roster/people"
    assert await desk.store.read(lambda tx: tx.person("P1")) is None
    assert (await client.get("/desk/roster/person?id=P1")).status_code == 404
    [entry] = await desk.audited("person")
    assert (entry.action, entry.what) == ("person.forgotten", mark)
    assert "P1" not in entry.what
    assert (await post(client, PAGE, {"id": "P1"})).status_code == 404


async def test_a_session_that_is_not_fresh_shows_the_password_first(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    desk.clock.on(minutes=20)
    answer = await post(client, PAGE, {"id": "P1"}, page=f"{PAGE}?id=P1")
    assert answer.status_code == 403
    assert await desk.store.read(lambda tx: tx.person("P1")) is not None


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CUSTODIAN, Role.HANDLER, Role.RATED])
async def test_whoever_may_not_change_the_roster_forgets_nobody(desk: Desk, role: Role) -> None:
    client = await desk.seat(role, "east" if role is Role.RATED else "")
    assert (await client.get(f"{PAGE}?id=P1")).status_code == 403
    assert (await post(client, PAGE, {"id": "P1"})).status_code == 403
    assert await desk.store.read(lambda tx: tx.person("P1")) is not None


async def test_a_wave_whose_keys_are_away_is_named_and_nothing_changes(desk: Desk) -> None:
    finished = SealedInterview("i", "P1", "rating", "f", 1, True, b"", desk.clock(), "w9", "li")
    await desk.store.write(lambda tx: tx.open_interview(finished))
    client = await desk.seat(Role.OFFICER)
    answer = await post(client, PAGE, {"id": "P1"}, page=f"{PAGE}?id=P1")
    assert answer.status_code == 409
    assert "keys of wave w9" in answer.text
    known = await desk.store.read(lambda tx: (tx.person("P1"), tx.addresses("P1")))
    assert known[0] is not None
    assert len(known[1]) == 1


async def test_a_program_forgets_with_the_scope_to_change_the_roster(desk: Desk) -> None:
    client = await program(desk)
    done = await client.send("DELETE", "/people/P4")
    assert (done.status_code, done.content) == (204, b"")
    assert (await client.get("/people/P4")).status_code == 404
    assert (await client.send("DELETE", "/people/P4")).json()["code"] == "missing"
    assert [entry.action for entry in await desk.audited("person")] == ["person.forgotten"]
    reading = await program(desk, scopes=(May.ROSTER_READ,))
    assert (await reading.send("DELETE", "/people/P1")).status_code == 403
