"""A table brought through the browser: looked at, mended, agreed to, and written once."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from desk.importing.samples import ORDER
from desk.importing.uploads import check_of, import_of
from desk.roles import Role
from desk.store import Work, WorkState
from minyi.sweeping import KEPT
from surveys.people import Kind, Person, Subject
from tests.web.console.seats import Desk, post

PATH = "/desk/roster/import"
UNITS = "id,name_zh,kind,parent\nD1,政务中心,unit,\nW1,户籍窗口,unit,D1\n"
PEOPLE = "编号,姓名,类别,单位\nP1,李四,干部,D1\nP2,王五,干部,W1\n"


async def bring(
    client: httpx.AsyncClient,
    table: str,
    content: str | bytes,
    name: str = "table.csv",
    **fields: str,
) -> httpx.Response:
    """Send a file; the answer is the page after it was checked."""
    data = content.encode() if isinstance(content, str) else content
    answer = await post(
        client, PATH, {"table": table, **fields}, page=PATH, files={"file": (name, data)}
    )
    return await settled(client, answer)


async def settled(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Follow redirects, and wait where the work is still going on."""
    for _ in range(400):
        if answer.status_code == 303:
            answer = await client.get(answer.headers["location"])
        elif "hx-trigger" in answer.text:
            await asyncio.sleep(0.05)
            answer = await client.get(answer.url.path)
        else:
            return answer
    raise AssertionError("it never ended")


def upload_of(page: httpx.Response) -> str:
    return page.url.path.removeprefix(f"{PATH}/")


async def seen(client: httpx.AsyncClient, upload: str) -> dict[str, str]:
    """What the page about the file says of the changes that it shows."""
    page = await client.get(f"{PATH}/{upload}")
    return dict(re.findall(r'name="(seen)" value="(\w+)"', page.text))


async def agree(client: httpx.AsyncClient, upload: str) -> httpx.Response:
    return await settled(
        client,
        await post(client, f"{PATH}/{upload}/confirm", await seen(client, upload), page=PATH),
    )


async def units(desk: Desk) -> list[str]:
    return await desk.store.read(lambda tx: [each.id for each in tx.subjects()])


async def test_a_table_is_looked_at_agreed_to_and_written_with_who_did_it(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    seen = await bring(client, "subjects", UNITS, "units.csv")
    assert "Nothing is written yet" in seen.text
    assert await units(desk) == []
    assert not await desk.audited("roster")
    done = await agree(client, upload_of(seen))
    assert done.url.path == f"/desk/works/{import_of(upload_of(seen))}"
    assert "Imported." in done.text
    assert await units(desk) == ["D1", "W1"]
    [entry] = await desk.audited("roster")
    assert (entry.action, entry.what, entry.who) == (
        "roster.imported",
        "table:subjects",
        "a-officer",
    )
    assert '"added":2' in entry.after
    assert '"file":"units.csv"' in entry.after
    assert re.search(r'"sha256":"[0-9a-f]{64}"', entry.after)


async def test_changes_are_shown_as_they_are_and_as_they_would_be(desk: Desk) -> None:
    await desk.store.write(lambda tx: tx.put_subjects([Subject("D1", {"zh": "旧中心"})]))
    client = await desk.seat(Role.OFFICER, language="zh")
    page = (await bring(client, "subjects", UNITS)).text
    assert "<del>旧中心</del> → <ins>政务中心</ins>" in page
    assert "户籍窗口" in page
    assert "会改动的" in page


async def test_a_bad_row_is_named_mended_in_place_and_nothing_was_lost(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    await desk.store.write(lambda tx: tx.put_subjects([Subject("D1", {"zh": "x"})]))
    bad = await bring(client, "people", PEOPLE.replace("王五,干部", "王五,老板"))
    assert "3 places" not in bad.text
    assert "2 places need mending" in bad.text
    assert "老板" in bad.text
    assert "there is no unit &#39;W1&#39;" in bad.text
    old = upload_of(bad)
    listed = await client.get(f"{PATH}/{old}/mistakes.csv")
    rows = list(csv.reader(io.StringIO(listed.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["3", "3"]
    assert "这里不认识“老板”" in rows[1][3]
    refused = await agree(client, old)
    assert refused.url.path == f"{PATH}/{old}"  # what is bad cannot be agreed to
    good = await bring(client, "people", PEOPLE.replace("W1", "D1"), instead=old)
    assert "Nothing is written yet" in good.text
    assert (await client.get(f"{PATH}/{old}")).status_code == 410
    assert "Imported." in (await agree(client, upload_of(good))).text
    assert await desk.store.read(lambda tx: len(tx.people())) == 2


async def test_the_reader_is_told_in_their_own_language(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    page = (await bring(client, "people", PEOPLE)).text
    assert "没有编号为“D1”的单位" in page
    assert "minyi import" not in page


async def test_agreeing_twice_at_once_imports_once(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    first, second = await asyncio.gather(agree(client, upload), agree(client, upload))
    assert first.url == second.url
    assert "Imported." in first.text
    assert len(await desk.audited("roster.imported")) == 1
    third = await agree(client, upload)  # and when all is over
    assert third.url == first.url
    assert len(await desk.audited("roster.imported")) == 1
    assert (await client.get(f"{PATH}/{upload}")).status_code == 303


async def test_the_same_file_brought_twice_at_once_is_two_files_and_one_change(desk: Desk) -> None:
    one, two = await desk.seat(Role.OFFICER), await desk.seat(Role.ADMINISTRATOR)
    pages = await asyncio.gather(bring(one, "subjects", UNITS), bring(two, "subjects", UNITS))
    assert upload_of(pages[0]) != upload_of(pages[1])
    done = await asyncio.gather(agree(one, upload_of(pages[0])), agree(two, upload_of(pages[1])))
    assert sorted("Imported." in page.text for page in done) == [False, True]
    late = next(page for page in done if "Imported." not in page.text)
    assert "The roster changed after you looked" in late.text
    [entry] = await desk.audited("roster")
    assert '"added":2' in entry.after
    there = one if late is done[0] else two
    upload = upload_of(pages[done.index(late)])
    assert "nothing to write" in (await there.get(f"{PATH}/{upload}")).text  # as it is now


async def test_other_changes_than_were_looked_at_are_not_written(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    shown = await seen(client, upload)
    await desk.store.write(lambda tx: tx.put_subjects([Subject("D1", {"zh": "政务旧名"})]))
    moved = await agree(client, upload)
    assert "The roster changed after you looked" in moved.text
    assert await units(desk) == ["D1"]
    page = await client.get(f"{PATH}/{upload}")
    assert "<del>政务旧名</del> → <ins>政务中心</ins>" in page.text
    # a page that was open all the while agrees to nothing new
    stale = await post(client, f"{PATH}/{upload}/confirm", shown, page=PATH)
    assert "checked again" in (await client.get(stale.headers["location"])).text
    assert not await desk.audited("roster")
    assert "Imported." in (await agree(client, upload)).text
    assert await units(desk) == ["D1", "W1"]


async def test_what_changed_beside_the_file_does_not_keep_it_out(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    await desk.store.write(lambda tx: tx.put_subjects([Subject("Z", {"zh": "别处"})]))
    assert "Imported." in (await agree(client, upload)).text


async def test_somebody_elses_file_is_not_there(desk: Desk) -> None:
    mine, theirs = await desk.seat(Role.OFFICER), await desk.seat(Role.ADMINISTRATOR)
    upload = upload_of(await bring(mine, "people", PEOPLE))
    check = f"/desk/works/{check_of(upload)}"
    for path in (f"{PATH}/{upload}", f"{PATH}/{upload}/mistakes.csv", check, f"{check}/now"):
        assert (await theirs.get(path)).status_code == 404, path
    for path in ("confirm", "drop", "again"):
        assert (await post(theirs, f"{PATH}/{upload}/{path}", page=PATH)).status_code == 404
    await bring(theirs, "people", PEOPLE, instead=upload)
    assert (await mine.get(f"{PATH}/{upload}")).status_code == 200  # theirs did not replace mine


async def test_what_changed_since_the_look_is_checked_again_where_it_is_written(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    await desk.store.write(lambda tx: tx.put_subjects([Subject("D1", {"zh": "甲"})]))
    page = await bring(client, "subjects", "id,name_zh,parent\nX,乙,D1\n")
    await desk.store.write(lambda tx: tx.put_subjects([Subject("D1", {"zh": "甲"}, "official")]))
    done = await agree(client, upload_of(page))
    assert "changed after the check" in done.text
    assert "is an official" in done.text
    assert await units(desk) == ["D1"]
    assert not await desk.audited("roster")


async def test_a_file_can_be_dropped_again(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    answer = await post(client, f"{PATH}/{upload}/drop", page=PATH)
    assert "Not imported" in (await client.get(answer.headers["location"])).text
    assert (await client.get(f"{PATH}/{upload}")).status_code == 410
    assert "no longer here" in (await agree(client, upload)).text


def workbook() -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "对象"
    for row in (["编号", "名称", "英文名称"], ["D1", "政务中心", "=1+1"], ["D2", "窗口", ""]):
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (workbook(), "units.xlsx"),
        (b"\xef\xbb\xbf" + UNITS.encode(), "units.csv"),
        (UNITS.encode("gb18030"), "单位.csv"),
    ],
)
async def test_the_usual_kinds_of_file_are_read(desk: Desk, content: bytes, name: str) -> None:
    client = await desk.seat(Role.OFFICER)
    page = await bring(client, "subjects", content, name)
    assert "政务中心" in page.text
    assert name in page.text


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, "t.xlsx", "password-protected"),
        (b"%PDF-1.7 \n%", "t.csv", "not a table"),
        (b"x", "t.xlsm", "macros"),
        (b"x", "t.exe", "not a table"),
        (b"", "t.csv", "is empty"),
        (b"PK\x03\x04", "t.xlsx", "damaged"),
        (b"<html><table></table></html>", "t.csv", "not a table"),
    ],
)
async def test_what_is_no_table_is_told_and_another_can_be_chosen(
    desk: Desk, content: bytes, name: str, says: str
) -> None:
    client = await desk.seat(Role.OFFICER)
    page = await bring(client, "subjects", content, name)
    assert says in page.text
    assert 'type="file"' in page.text


async def test_no_file_and_no_table_are_asked_for_in_place(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    none = await post(client, PATH, {"table": "people"}, page=PATH)
    assert none.status_code == 422
    assert "Choose a file." in none.text
    assert 'value="people" required checked' in none.text
    other = await post(client, PATH, {"table": "x"}, page=PATH, files={"file": ("a.csv", b"id\n1")})
    assert "Choose a table." in other.text


async def test_the_samples_import_as_they_are_in_their_order(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    for language in ("zh", "en"):
        for table in ORDER:
            sample = await client.get(f"/desk/roster/samples/{table}.{language}.csv")
            page = await bring(client, table, sample.content)
            if language == "zh":
                assert "Imported." in (await agree(client, upload_of(page))).text
            else:  # the same in other words, but for names of people
                expected = "Nothing is written yet" if table == "people" else "nothing to write"
                assert expected in page.text
    assert (await client.get("/desk/roster/samples/cats.en.csv")).status_code == 404


async def test_work_of_a_process_that_died_is_told_and_may_begin_anew(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    begun = {"upload": upload, "file": "table.csv", "table": "subjects"}
    dead = Work(import_of(upload), "import", "a-officer", desk.clock(), desk.clock(), result=begun)
    await desk.store.write(lambda tx: tx.put_work(dead))
    running = await client.get(f"/desk/works/{dead.id}")
    assert 'http-equiv="refresh"' in running.text
    assert "progress" in (await client.get(f"/desk/works/{dead.id}/now")).text
    desk.clock.on(seconds=61)
    page = await client.get(f"/desk/works/{dead.id}")
    assert "nothing was written" in page.text
    assert "http-equiv" not in page.text
    ended = await client.get(f"/desk/works/{dead.id}/now")
    assert ended.headers["hx-refresh"] == "true"
    assert (await client.get(f"{PATH}/{upload}")).status_code == 200
    assert "Imported." in (await agree(client, upload)).text
    assert await units(desk) == ["D1", "W1"]


async def test_a_check_that_died_is_done_again(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))
    checked = await desk.store.read(lambda tx: tx.work(check_of(upload)))
    assert checked is not None
    begun = {"upload": upload, "file": "table.csv", "table": "subjects"}
    cut = Work(checked.id, "check", "a-officer", desk.clock(), desk.clock(), result=begun)
    await desk.store.write(lambda tx: tx.put_work(cut))
    desk.clock.on(minutes=2)
    assert "broke off" in (await client.get(f"{PATH}/{upload}")).text
    answer = await post(client, f"{PATH}/{upload}/again", page=PATH)
    assert "Nothing is written yet" in (await settled(client, answer)).text


async def test_a_store_that_fails_leaves_the_file_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.transaction import SqlTransaction

    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "subjects", UNITS))

    def broken(self: object, rows: object) -> int:
        raise RuntimeError("secret 政务中心")

    with monkeypatch.context() as patch:
        patch.setattr(SqlTransaction, "change_subjects", broken)
        page = await agree(client, upload)
    assert "Something went wrong" in page.text
    assert "secret" not in page.text
    work = await desk.store.read(lambda tx: tx.work(import_of(upload)))
    assert work is not None
    assert (work.state, work.result["error"]) == (WorkState.FAILED, "RuntimeError")
    assert not await desk.audited("roster")
    assert "Imported." in (await agree(client, upload)).text


async def test_a_large_table_shows_how_far_it_is_and_comes_in_whole(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    rows = "".join(f"C{n},citizen,Name {n}\n" for n in range(20_000))
    page = await bring(client, "people", "id,kind,name\n" + rows)
    assert "20,000" in page.text
    assert len(page.content) < 30_000
    done = await agree(client, upload_of(page))
    assert "Imported." in done.text
    assert await desk.store.read(lambda tx: tx.count_rows()["people"]) == 20_000
    people = await client.get("/desk/roster/people?q=Name+1999&page=1")
    assert "1 to 11 of 11" in people.text


async def test_no_import_asks_again_whoever_opted_out(desk: Desk) -> None:
    gone = Person("P1", Kind.STAFF, "李四", opted_out=True)
    await desk.store.write(lambda tx: tx.put_people([gone]))
    client = await desk.seat(Role.OFFICER)
    page = await bring(client, "people", "id,kind,name\nP1,staff,李思\n")
    await agree(client, upload_of(page))
    kept = await desk.store.read(lambda tx: tx.person("P1"))
    assert kept is not None
    assert (kept.name, kept.opted_out) == ("李思", True)


async def test_files_and_what_was_found_in_them_go_with_the_days_sweep(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "people", PEOPLE))
    desk.clock.on(minutes=20)
    later = desk.clock() + timedelta(days=1)
    await desk.store.write(lambda tx: tx.drop_stale(desk.clock(), later - timedelta(hours=1)))
    fresh = await desk.seat(Role.OFFICER)
    assert (await fresh.get(f"{PATH}/{upload}")).status_code == 404
    assert await desk.store.read(lambda tx: tx.works()) == []


def kept_of(url: str, *words: str) -> list[str]:
    """Where one of ``words`` stands: a table's rows, or anywhere in the database's files."""
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as base:
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = [
            name
            for (name,) in tables
            for row in base.execute(f"SELECT * FROM {name}")
            if any(word in _plain(cell) for cell in row for word in words)
        ]
    files = [file for file in (path, path.with_name(path.name + "-wal")) if file.exists()]
    return found + [
        file.name for file in files for word in words if word.encode() in file.read_bytes()
    ]


def _plain(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


NAME, NUMBER = "司马相如之", "7318529046"


async def test_of_somebody_forgotten_no_import_keeps_a_name_or_a_number(
    desk: Desk, sqlite_url: str
) -> None:
    table = f"id,kind,name,telegram\nP1,staff,{NAME},{NUMBER}\n"
    client = await desk.seat(Role.OFFICER)
    waiting = upload_of(await bring(client, "people", table.replace("P1", "P2")))  # never agreed to
    await bring(client, "people", table + f"P3,boss,{NAME},{NUMBER}\n")  # mistakes
    done = upload_of(await bring(client, "people", table))
    assert "Imported." in (await agree(client, done)).text
    works = {work.id: str(work.result) for work in await desk.store.read(lambda tx: tx.works())}
    assert NAME in works[check_of(waiting)]
    for work in (check_of(done), import_of(done)):  # once done with, at once
        assert NAME not in works[work]
        assert NUMBER not in works[work]
    assert kept_of(sqlite_url, NAME, NUMBER)

    def forgotten(tx: Any) -> None:
        tx._connection.exec_driver_sql("DELETE FROM chats WHERE person = 'P1'")
        tx._connection.exec_driver_sql("DELETE FROM people WHERE id = 'P1'")

    await desk.store.write(forgotten)
    desk.clock.on(days=2, minutes=1)
    await desk.store.write(lambda tx: tx.drop_stale(desk.clock(), desk.clock() - KEPT))
    await desk.store.scrub()
    assert kept_of(sqlite_url, NAME, NUMBER) == []


async def test_a_file_thought_better_of_leaves_no_name_behind(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    upload = upload_of(await bring(client, "people", f"id,kind,name\nP1,staff,{NAME}\n"))
    await post(client, f"{PATH}/{upload}/drop", page=PATH)
    [work] = await desk.store.read(lambda tx: tx.works())
    assert NAME not in str(work.result)


async def listed(desk: Desk) -> dict[str, bool]:
    """Whether each of the people on the roster has left."""
    return await desk.store.read(lambda tx: {each.id: each.left for each in tx.people()})


async def test_whoever_the_whole_roster_no_longer_names_has_left(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    rows = [f"p{n},职工{n},干部" for n in range(10)]
    await agree(
        client, upload_of(await bring(client, "people", "\n".join(["编号,姓名,类别", *rows])))
    )
    part = "\n".join(["编号,姓名,类别", *rows[1:]])
    plain = await bring(client, "people", part)
    assert "没有新的" in plain.text or "人已离开" not in plain.text, "a part of it says nothing"
    page = await bring(client, "people", part, whole="on")
    assert "1 人不在这份名册里" in page.text
    assert "<bdi>职工0</bdi>" in page.text
    assert not any((await listed(desk)).values()), "only looked at"
    done = await agree(client, upload_of(page))
    assert "人已离开" in done.text
    assert [who for who, left in (await listed(desk)).items() if left] == ["p0"]
    back = await bring(client, "people", "\n".join(["编号,姓名,类别", *rows]), whole="on")
    await agree(client, upload_of(back))
    assert not any((await listed(desk)).values()), "who is named again is back"


async def test_a_roster_from_which_many_have_left_is_asked_about_once_more(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="en")
    rows = [f"p{n},职工{n},staff" for n in range(10)]
    await agree(
        client, upload_of(await bring(client, "people", "\n".join(["id,name,kind", *rows])))
    )
    page = await bring(client, "people", "\n".join(["id,name,kind", *rows[6:]]), whole="on")
    assert "all these people have left" in page.text
    assert "职工0" in page.text
    again = f"{PATH}/{upload_of(page)}/again"
    sure = await settled(client, await post(client, again, {"many": "on"}, page=page.url.path))
    assert "6 people are not in this file" in sure.text
    await agree(client, upload_of(sure))
    assert sum((await listed(desk)).values()) == 6


async def test_only_people_can_be_a_whole_roster(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="en")
    page = await bring(client, "subjects", UNITS, whole="on")
    assert "have left" not in page.text
    await agree(client, upload_of(page))
    assert await units(desk) == ["D1", "W1"]
