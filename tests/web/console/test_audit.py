"""The pages of the audit: what is shown, found, checked, and taken out."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desk.audit import Act, Noted, record
from desk.auditing import check_file
from desk.roles import Role
from tests.web.console.seats import Desk, desk_on


async def wrote(desk: Desk, *entries: tuple[str, str, str, Any, Any]) -> None:
    """(name, action, what, before, after), an hour apart."""

    def work(tx: Any) -> None:
        for hour, (name, action, what, before, after) in enumerate(entries):
            at = datetime(2026, 11, 22, hour, 30, tzinfo=UTC)
            act = Act(f"a-{name}", name, "203.0.113.7", at, desk.console.audit_key)
            record(tx, act, action, what, before, after)

    await desk.store.write(work)


PAUSED = ("chen", "campaign.paused", "campaign:window", {"paused": False}, {"paused": True})
MANY = (
    PAUSED,
    ("<b>李</b>", "account.invited", "account:li", None, {"roles": ["auditor"], "login": "li"}),
    ("chen", "moon.landed", "moon:1", {"note": "=1+1"}, {"note": ""}),
)


async def test_an_entry_says_who_when_from_where_what_and_before_and_after(desk: Desk) -> None:
    await wrote(desk, *MANY)
    page = (await (await desk.seat(Role.AUDITOR)).get("/desk/audit")).text
    assert "November 22, 2026 08:30" in page, "in the desk's own zone"
    assert "paused a campaign" in page
    assert "203.0.113.7" in page
    assert "<del><bdi>no</bdi></del>" in page
    assert "<ins><bdi>yes</bdi></ins>" in page
    entries = page.split('<ol class="entries">')[1]
    assert entries.index("moon.landed") < entries.index("paused a campaign"), "newest first"
    assert "&lt;b&gt;李&lt;/b&gt;" in page
    assert "<b>李" not in page
    chinese = (await (await desk.seat(Role.AUDITOR, language="zh")).get("/desk/audit")).text
    assert "2026年11月22日 08:30" in chinese
    assert "暂停" in chinese


async def test_moments_sides_and_rhythms_are_told_in_words(desk: Desk) -> None:
    rule = "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1"
    await wrote(
        desk,
        ("chen", "wave.extended", "wave:w", {"closes": "2026-12-03T01:00+00:00"},
         {"closes": "2026-12-10T01:00:00+00:00"}),
        ("chen", "relation.ended", "person:x", {"subject": "o1", "group": "SUP"}, None),
        ("chen", "campaign.created", "campaign:c", None, {"recurrence": rule}),
        ("chen", "moon.landed", "moon:1", None,
         {"closes": "2026-99-99T99:99+00:00", "recurrence": "soon", "other": 7}),
    )  # fmt: skip
    page = (await (await desk.seat(Role.AUDITOR, language="zh")).get("/desk/audit")).text
    told = page.split('<ol class="entries">')[1]
    assert "2026年12月3日 09:00" in told
    assert "2026年12月10日 09:00" in told, "in the desk's own zone"
    assert "T01:00" not in told
    assert "上级" in told
    assert "季" in told
    assert rule not in told
    assert "2026-99-99T99:99+00:00" in told, "what somebody spoiled is shown as it stands"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=chen", {1, 3}), ("who=a-chen", {1, 3}), ("action=campaign.", {1}),
        ("what=account:li", {2}), ("text=WINDOW", {1}), ("text=nothing+of+it", set()),
        ("since=2026-11-22&until=2026-11-22", {1, 2, 3}), ("until=2026-11-21", set()),
        ("since=2026-11-23", set()), ("until=9999-12-31", {1, 2, 3}),
        ("since=0001-01-01", {1, 2, 3}),
        ("action=moon.landed&who=chen", {3}),
    ],
)  # fmt: skip
async def test_a_filter_finds_what_fits_and_is_an_address_to_keep(
    query: str, found: set[int], desk: Desk
) -> None:
    await wrote(desk, *MANY)
    await desk.account(Role.OFFICER, login="chen")
    answer = await (await desk.seat(Role.CUSTODIAN)).get(f"/desk/audit?{query}")
    assert answer.status_code == 200
    shown = {number for number in (1, 2, 3) if f'id="e{number}"' in answer.text}
    assert shown == found


async def test_a_filter_that_is_no_day_is_told_beside_its_field_and_kept(desk: Desk) -> None:
    await wrote(desk, PAUSED)
    answer = await (await desk.seat(Role.AUDITOR)).get("/desk/audit?since=soon&text=kept+words")
    assert answer.status_code == 422
    assert "“soon” is not a day" in answer.text
    assert 'value="kept words"' in answer.text
    assert 'aria-describedby="since-wrong"' in answer.text


async def test_older_entries_are_on_further_pages_and_none_twice(desk: Desk) -> None:
    await wrote(desk, *(PAUSED for _ in range(24)))
    await wrote(desk, *(PAUSED for _ in range(21)))
    client = await desk.seat(Role.AUDITOR)
    pages = [(await client.get("/desk/audit?who=a-chen")).text]
    while 'rel="next"' in pages[-1]:
        before = pages[-1].split('rel="next"')[0]
        onward = before.rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        pages.append((await client.get(onward)).text)
    assert [page.count('<li id="e') for page in pages] == [20, 20, 5]
    numbers = [n for page in pages for n in range(1, 46) if f'id="e{n}"' in page]
    assert sorted(numbers) == list(range(1, 46))
    assert "Back to the newest" not in pages[0]
    assert "Back to the newest" in pages[1]


async def test_of_a_large_change_the_list_tells_the_beginning_and_the_entry_all_of_it(
    desk: Desk,
) -> None:
    after = {f"f{number}": f"{number}-" + "长" * 300 for number in range(9)}
    await wrote(desk, ("chen", "campaign.created", "campaign:w", {"f0": "<b>"}, after))
    client = await desk.seat(Role.AUDITOR)
    listed = (await client.get("/desk/audit")).text
    assert "<del><bdi>&lt;b&gt;</bdi></del> → <ins><bdi>0-长" in listed
    assert "长" * 57 + "…" in listed
    assert "长" * 58 not in listed
    assert "f2: " in listed
    assert "f3: " not in listed
    assert '<a href="/desk/audit/1">6 more: see entry 1</a>' in listed
    whole = (await client.get("/desk/audit/1")).text
    assert all(value in whole for value in after.values())


async def test_one_entry_has_its_own_address_with_hash_and_seal(desk: Desk) -> None:
    await wrote(desk, PAUSED)
    client = await desk.seat(Role.AUDITOR)
    [entry] = await desk.audited()
    page = (await client.get("/desk/audit/1")).text
    assert all(text in page for text in (entry.hash, entry.seal, entry.prev))
    for nowhere in ("2", "0", "x", "9" * 30, "-1"):
        assert (await client.get(f"/desk/audit/{nowhere}")).status_code == 404


async def test_checking_says_that_all_holds_and_what_to_write_down(desk: Desk) -> None:
    await wrote(desk, *MANY)
    page = (await (await desk.seat(Role.AUDITOR)).get("/desk/audit/verify")).text
    seq, digest = await desk.store.read(lambda tx: tx.audit_head())
    assert "The record holds" in page
    assert f"{seq}:{digest}" in page
    assert "No end is noted" in page


def tampered(url: str, *statements: str) -> None:
    """What the owner of the file does to it, around the program."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        for guard in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_no_{guard}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("UPDATE audit SET name='nobody' WHERE seq=2", "Entry 2 was changed"),
        ("DELETE FROM audit WHERE seq=1", "Entry 1 was removed"),
        ("DELETE FROM audit WHERE seq=3", "Entry 3 was removed"),
        ("UPDATE audit SET seq=99 WHERE seq=2", "what was written as entry 2"),
        ("UPDATE audit SET seal='00' WHERE seq=1", "Entry 1 is forged"),
    ],
)
async def test_a_tampered_row_is_named_in_plain_words(
    deed: str, said: str, desk: Desk, sqlite_url: str
) -> None:
    await wrote(desk, *MANY)
    tampered(sqlite_url, deed)
    page = (await (await desk.seat(Role.CUSTODIAN)).get("/desk/audit/verify")).text
    assert "The record does not hold" in page
    assert said in page
    assert "Write this line down" not in page


async def test_an_end_cut_off_together_with_its_head_is_found_by_the_note_outside(
    desk: Desk, sqlite_url: str
) -> None:
    await wrote(desk, *MANY)
    kept = await desk.store.read(lambda tx: tx.audit_head())
    second = (await desk.audited())[1]
    tampered(sqlite_url, "DELETE FROM audit WHERE seq=3",
             f"UPDATE audit_head SET seq=2, hash='{second.hash}'")  # fmt: skip
    noted = desk_on(desk.store, desk.clock, kept_head=lambda: Noted(kept))
    page = (await (await noted.seat(Role.AUDITOR)).get("/desk/audit/verify")).text
    assert "Entry 3 was removed" in page
    blind = (await (await desk.seat(Role.AUDITOR)).get("/desk/audit/verify")).text
    assert "The record holds" in blind
    for other in noted.opened:
        await other.aclose()


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("missing", ("不见了", "is missing")),
        ("damaged", ("已损坏", "is damaged")),
        ("forged", ("是伪造的", "is forged")),
        ("unsealed", ("没有封印", "is not sealed")),
    ],
)
async def test_a_note_outside_that_is_not_as_the_program_left_it_is_named(
    desk: Desk, flaw: str, said: tuple[str, str]
) -> None:
    await wrote(desk, *MANY)
    head = await desk.store.read(lambda tx: tx.audit_head())
    noted = Noted(head if flaw == "unsealed" else None, flaw)
    other = desk_on(desk.store, desk.clock, kept_head=lambda: noted)
    for language, words, title in zip(
        ("zh", "en"), said, ("记录被动过", "The record does not hold"), strict=True
    ):
        seat = await other.seat(Role.AUDITOR, language=language)
        page = (await seat.get("/desk/audit/verify")).text
        assert words in page
        assert title in page
    good = desk_on(desk.store, desk.clock, kept_head=lambda: Noted(head))
    page = (await (await good.seat(Role.AUDITOR)).get("/desk/audit/verify")).text
    assert "The record holds" in page
    assert "noted outside the database (entry 3)" in page
    for client in (*other.opened, *good.opened):
        await client.aclose()


async def test_an_entry_that_somebody_spoiled_is_still_shown(desk: Desk, sqlite_url: str) -> None:
    await wrote(desk, *MANY)
    tampered(sqlite_url, "UPDATE audit SET at='yesterday', before='{', after='[1]' WHERE seq=2")
    client = await desk.seat(Role.AUDITOR)
    for path in ("/desk/audit", "/desk/audit/2"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "yesterday" in answer.text


async def test_all_of_it_is_exported_so_that_it_can_be_checked(desk: Desk, tmp_path: Path) -> None:
    await wrote(desk, *MANY)
    answer = await (await desk.seat(Role.AUDITOR)).get("/desk/audit/export/jsonl")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="minyi-audit-20261123.jsonl"'
    )
    file = tmp_path / "a.jsonl"
    file.write_bytes(answer.content)
    verdict = check_file(file, desk.console.audit_key)
    assert verdict.holds
    assert verdict.count == 4, "the export itself is the newest"
    assert verdict.head == await desk.store.read(lambda tx: tx.audit_head())


async def test_a_part_is_exported_as_the_filter_shows_it_with_formulas_inert(desk: Desk) -> None:
    await wrote(desk, *MANY, ("=cmd", "moon.landed", "moon:2", None, None))
    client = await desk.seat(Role.AUDITOR)
    answer = await client.get("/desk/audit/export/csv?action=moon.")
    assert "part" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["seq"] for row in rows] == ["4", "3"]
    assert rows[0]["name"] == "'=cmd"
    lines = (await client.get("/desk/audit/export/jsonl?what=moon:1")).text.splitlines()
    assert [json.loads(line)["before"] for line in lines] == ['{"note":"=1+1"}']
    taken = await desk.audited("audit.exported")
    assert [(each.who, each.what, each.before, each.after) for each in taken] == [
        ("a-auditor", "audit:chain", "", '{"action":"moon.","format":"csv"}'),
        ("a-auditor", "audit:chain", "", '{"format":"jsonl","what":"moon:1"}'),
    ]
    assert "took a copy of the audit" in (await client.get("/desk/audit")).text
    for nowhere in ("xlsx", "..%2Fcsv", "csv?since=soon"):
        assert (await client.get(f"/desk/audit/export/{nowhere}")).status_code == 404
    assert len(await desk.audited("audit.exported")) == 2, "what is refused does not leave"


async def test_looking_leaves_nothing_and_taking_along_one_entry(desk: Desk) -> None:
    await wrote(desk, *MANY)
    client = await desk.seat(Role.AUDITOR)
    for path, entries in (("", 3), ("/1", 3), ("/verify", 3), ("/export/csv", 4)):
        assert (await client.get(f"/desk/audit{path}")).status_code == 200
        assert (await client.post(f"/desk/audit{path}")).status_code == 405
        assert len(await desk.audited()) == entries
