"""Links and QR codes at the desk: made, shown, voided; a staff link is shown once."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from desk.audit import someone
from desk.linking import draw, mark
from desk.roles import Role
from storage.transaction import SqlTransaction
from surveys.people import Invite
from tests.web.console.seats import ORIGIN, Desk, post
from tests.web.console.test_roster import rolled

PATH = "/desk/roster/links"


async def invites(desk: Desk, kind: str) -> list[Invite]:
    found = await desk.store.read(lambda tx: tx.invites())
    return [each for each in found if each.kind == kind]


async def test_a_units_link_is_made_shown_with_its_poster_and_voided(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    await post(client, PATH, {"kind": "unit", "target": "win"})
    [made] = await invites(desk, "unit")
    page = (await client.get(f"{PATH}?kind=unit&q=win")).text
    assert f"{ORIGIN}/c/{made.token}" in page
    assert (await client.get(f"/poster/{made.token}")).status_code == 200
    assert (await client.get(f"/qr/{made.token}.svg")).status_code == 200
    which = re.search(r'name="which" value="(\w+)"', page)
    assert which is not None
    fields = {"kind": "unit", "target": "win", "which": which[1]}
    await post(client, f"{PATH}/void", fields)
    assert await invites(desk, "unit") == []
    assert (await client.get(f"/poster/{made.token}")).status_code == 404
    gone = await post(client, f"{PATH}/void", fields)
    assert gone.status_code == 422
    assert "no longer there" in gone.text
    entries = await desk.audited("links")
    assert [(e.action, e.what) for e in entries] == [
        ("links.made", "subject:win"),
        ("links.voided", "subject:win"),
    ]
    assert not any(made.token in e.before + e.after for e in entries)


async def test_a_staff_link_is_shown_once_and_replaces_the_one_before(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    fields = {"kind": "staff", "target": "P1"}
    first = await post(client, PATH, fields)
    [old] = await invites(desk, "staff")
    assert f"{ORIGIN}/c/{old.token}" in first.text
    assert "<svg" in first.text
    assert "style=" not in first.text
    assert old.token not in str(first.headers)
    listed = (await client.get(f"{PATH}?kind=staff")).text
    assert old.token not in listed
    assert "can be opened until" in listed
    await post(client, PATH, fields)
    [new] = await invites(desk, "staff")
    assert new.token != old.token
    entries = await desk.audited("links")
    assert [e.action for e in entries] == ["links.made", "links.voided", "links.made"]
    assert not any(old.token in e.before + e.after or new.token in e.after for e in entries)


async def test_nobody_who_has_left_gets_a_link(desk: Desk) -> None:
    await desk.store.write(rolled)
    person = await desk.store.read(lambda tx: tx.person("P1"))
    assert person is not None
    await desk.store.write(lambda tx: tx.put_people([replace(person, left=True)]))
    client = await desk.seat(Role.OFFICER)
    refused = await post(client, PATH, {"kind": "staff", "target": "P1"})
    assert refused.status_code == 422
    assert await invites(desk, "staff") == []


async def test_a_staff_link_ends_after_thirty_days_and_another_is_made(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    await post(client, PATH, {"kind": "staff", "target": "P1"})
    [old] = await invites(desk, "staff")
    later = desk.clock() + timedelta(days=30)
    assert old.expires_at == later
    act = replace(desk.act(), at=later)
    await desk.store.write(lambda tx: draw(tx, act, "staff", ["P1"]))
    [new] = await invites(desk, "staff")
    assert (new.token != old.token, new.expires_at) == (True, later + timedelta(days=30))


def spent(tx: SqlTransaction, used: bool) -> None:
    """P1 has a link; with ``used`` its owner has come by it."""
    rolled(tx)
    tx.put_invites([Invite("one-token", "staff", "P1", used=used)])


@pytest.mark.parametrize("used", [False, True])
async def test_nothing_at_the_desk_tells_whether_a_staff_link_was_used(
    desk: Desk, used: bool
) -> None:
    """The same words, the same doors, the same entries, whether somebody came or not."""
    await desk.store.write(partial(spent, used=used))
    client = await desk.seat(Role.OFFICER)
    page = (await client.get(f"{PATH}?kind=staff&q=P1")).text
    assert "one-token" not in page
    assert page.count("<span>made</span>") == 1
    assert re.search(r"\b(not )?used( yet)?<", page) is None
    answer = await post(client, f"{PATH}/missing", {"kind": "staff"})
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert [row["id"] for row in rows] == ["P2", "P4"]
    await post(client, PATH, {"kind": "staff", "target": "P1"})
    [made] = [each for each in await invites(desk, "staff") if each.target == "P1"]
    assert made.token != "one-token"
    which = {"kind": "staff", "target": "P1", "which": mark(made)}
    assert (await post(client, f"{PATH}/void", which)).status_code == 303
    page = (await client.get(f"{PATH}?kind=staff&q=P1")).text
    assert "none yet" in page
    told = await desk.audited("links")
    their = someone(desk.act(), "P1")
    assert [(e.action, e.what) for e in told] == [
        ("links.made", "person:*"),
        ("links.voided", their),
        ("links.made", their),
        ("links.voided", their),
    ]
    assert not any(f'"{person}"' in e.before + e.after for e in told for person in ("P1", "P2"))


@pytest.mark.parametrize("used", [False, True])
async def test_links_drawn_at_the_terminal_do_not_tell_it_either(desk: Desk, used: bool) -> None:
    await desk.store.write(partial(spent, used=used))
    [again] = await desk.store.write(lambda tx: draw(tx, desk.act(), "staff", ["P1"]))
    assert again.invite.token == "one-token"
    assert await desk.audited("links") == []


async def test_a_supervisor_sees_links_of_windows_and_nothing_of_staff(desk: Desk) -> None:
    await desk.store.write(partial(spent, used=True))
    chief = await desk.seat(Role.SUPERVISOR, "city")
    page = (await chief.get(PATH)).text
    assert "kind=unit" in page
    assert "kind=staff" not in page
    assert "kind=campaign" not in page
    for kind in ("staff", "campaign"):
        assert (await chief.get(f"{PATH}?kind={kind}")).status_code == 404
    assert "Telegram" not in (await chief.get("/desk/roster/person?id=P1")).text
    whole = await desk.seat(Role.OFFICER)
    assert "Telegram" in (await whole.get("/desk/roster/person?id=P1")).text


async def test_who_is_no_member_of_staff_or_opted_out_gets_no_link(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    for target in ("P3", "nobody", ""):
        refused = await post(client, PATH, {"kind": "staff", "target": target})
        assert refused.status_code == 422
        assert "no member of staff" in refused.text


async def test_all_that_have_no_link_get_one_and_staff_links_come_as_a_file_once(
    desk: Desk,
) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    answer = await post(client, f"{PATH}/missing", {"kind": "staff"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    tokens = {each.target: each.token for each in await invites(desk, "staff")}
    assert {row["id"]: row["link"].rpartition("/")[2] for row in rows} == tokens
    assert set(tokens) == {"P1", "P2", "P4"}
    again = await post(client, f"{PATH}/missing", {"kind": "staff"})
    assert again.status_code == 303
    assert len(await invites(desk, "staff")) == 3
    await post(client, f"{PATH}/missing", {"kind": "unit"})
    assert {each.target for each in await invites(desk, "unit")} == {"city", "east", "west", "win"}


async def test_what_has_no_links_is_told(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    for path, fields in ((PATH, {"kind": "cat", "target": "x"}), (f"{PATH}/missing", {"kind": ""}),
                         (f"{PATH}/void", {"kind": "cat"})):  # fmt: skip
        assert (await post(client, path, fields)).status_code == 422, path
    assert "Create one first" in (await post(client, f"{PATH}/missing", {"kind": "campaign"})).text
    assert (await client.get(f"{PATH}?kind=cat")).status_code == 404
