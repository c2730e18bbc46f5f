"""Questionnaires at the desk: brought, refused in place, mended, kept, read, compared."""

from __future__ import annotations

import io
import re
import zipfile

import httpx
import pytest

from desk.roles import Role
from tests.surveys.forms import QUESTIONNAIRES, shipped
from tests.web.console.seats import Desk, post
from tests.web.kinds import png
from web.console import checking
from web.console.areas.questionnaires import PLACE

SERVICE = (QUESTIONNAIRES / "service.md").read_bytes()
BAD = SERVICE.replace(b"select_one reason", b"select_one reasn", 1)
UNSURE = SERVICE.replace(b"| And how satisfied are you with the speed? |", b"| |")
XSS = b"<script>alert(1)</script>"


async def bring(
    client: httpx.AsyncClient, content: bytes, name: str = "service.md", **fields: str
) -> httpx.Response:
    files = {"file": (name, content)}
    return await post(client, f"{PLACE}/upload", fields, page=PLACE, files=files)


async def brought(client: httpx.AsyncClient, content: bytes, name: str = "service.md") -> str:
    """Where the findings of an upload are."""
    answer = await bring(client, content, name)
    assert answer.status_code == 303
    return answer.headers["location"]


async def keep(client: httpx.AsyncClient, content: bytes, name: str = "service.md") -> str:
    """Bring and keep; the version's page."""
    where = (await brought(client, content, name)).partition("?")[0]
    answer = await post(client, where, page=PLACE)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_fault_stands_at_its_own_cell_in_words_and_signs(desk: Desk, language: str) -> None:
    client = await desk.seat(Role.OFFICER, language=language)
    page = (await client.get(await brought(client, BAD))).text
    assert ("要改 1 处" if language == "zh" else "1 to mend") in page
    row = re.search(
        r'<tr id="s0-r6" class="marked">.*?</tr>\s*<tr class="said">.*?</tr>', page, re.S
    )
    assert row is not None
    [cell] = re.findall(r'<td class=" bad error">(.*?)</td>', row[0], re.S)
    assert "select_one reasn" in cell
    assert "✖" in cell
    assert ("要改" if language == "zh" else "Mend") in cell
    assert 'href="#f1"' in cell
    assert "reason, grade, grade_na" in row[0].partition('class="said"')[2]
    assert 'href="#s0-r6"' in page
    assert f'action="{PLACE}/upload/' not in page  # there is nothing to keep yet
    assert page.count('type="file"') == 1
    assert "style=" not in page


async def test_what_was_refused_stays_until_the_mended_file_takes_its_place(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    first = await brought(client, BAD)
    assert (await post(client, first.partition("?")[0], page=PLACE)).status_code == 422
    assert (await client.get(first)).status_code == 200
    old = first.rpartition("/")[2].partition("?")[0]
    answer = await bring(client, SERVICE, instead=old)
    assert (await client.get(first)).status_code == 404
    page = await client.get(answer.headers["location"])
    assert "Nothing to mend" in page.text
    assert "service, speed, attitude" in page.text
    assert "only if overall" in page.text
    assert await desk.audited("questionnaire") == []


async def test_a_version_is_kept_with_its_name_in_the_audit(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    where = await keep(client, SERVICE, "../../服务 满意.md")
    assert where == f"{PLACE}/{shipped('service').hash}"
    [entry] = await desk.audited("questionnaire")
    assert (entry.action, entry.name) == ("questionnaire.added", "Officer")
    assert '"file":"服务 满意.md"' in entry.after
    page = await client.get(where)
    for words in (
        "您这次在[subject]办事",
        "How satisfied are you overall",
        "服务 满意.md",
        "Officer",
    ):
        assert words in page.text
    again = (await brought(client, SERVICE)).partition("?")[0]
    assert (await post(client, again, page=PLACE)).headers["location"] == where
    assert len(await desk.audited("questionnaire")) == 1


async def test_warnings_may_be_accepted(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    where = await brought(client, UNSURE)
    page = (await client.get(where)).text
    assert "I have looked; keep this version" in page
    assert "▲" in page
    assert (await post(client, where.partition("?")[0], page=PLACE)).status_code == 303


async def test_what_it_is_for_decides_what_is_found(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    concern = (QUESTIONNAIRES / "concern.md").read_bytes()
    rated = await client.get(await brought(client, concern, "concern.md"))
    assert "to mend," in rated.text
    answer = await bring(client, concern, "concern.md", **{"for": "concern"})
    assert answer.headers["location"].endswith("?for=concern")
    assert f'action="{PLACE}/upload/' in (await client.get(answer.headers["location"])).text


async def test_only_the_account_that_brought_a_file_sees_it(desk: Desk) -> None:
    officer, other = await desk.seat(Role.OFFICER), await desk.seat(Role.ADMINISTRATOR)
    where = await brought(officer, SERVICE)
    assert (await other.get(where)).status_code == 404
    assert (await post(other, where.partition("?")[0], page=PLACE)).status_code == 404
    trial = {"upload": where.rpartition("/")[2].partition("?")[0]}
    assert (await post(other, f"{PLACE}/trial", trial, page=PLACE)).status_code == 404
    await bring(other, SERVICE, instead=trial["upload"])
    assert (await officer.get(where)).status_code == 200


async def test_no_file_and_too_large_a_file_are_told_beside_the_field(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    none = await post(client, f"{PLACE}/upload", page=PLACE)
    assert none.status_code == 422
    assert "No file was chosen" in none.text
    large = await bring(client, b"x" * (checking.LARGEST + 1), "a.xlsx")
    assert large.status_code == 422
    assert "a.xlsx is larger than 10 MB" in large.text
    assert 'aria-describedby="file-hint file-wrong" aria-invalid="true"' in large.text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page.html", XSS, "A questionnaire is one of"),
        ("a.xlsx", b"\x89PNG\r\n", "The name ends in .xlsx"),
        ("a.xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "DOCTYPE"),
        ("a.md", b"\0", "not UTF-8"),
    ],
)
async def test_a_file_that_is_not_opened_is_told_why(
    desk: Desk, name: str, content: bytes, said: str
) -> None:
    client = await desk.seat(Role.OFFICER)
    page = await client.get(await brought(client, content, name))
    assert page.status_code == 200
    assert said in page.text
    assert XSS.decode() not in page.text
    assert "root:" not in page.text


async def test_a_bomb_costs_nothing_but_a_sentence(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for part in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            zipped.writestr(part, b"<a>" + b" " * 60_000_000)
    page = await client.get(await brought(client, file.getvalue(), "a.xlsx"))
    assert "no ordinary file does" in page.text


async def test_a_check_that_takes_too_long_is_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.01)
    client = await desk.seat(Role.OFFICER)
    page = await client.get(await brought(client, SERVICE))
    assert "took too much time or memory" in page.text


async def test_a_mistake_of_ours_in_the_check_is_told_as_ours(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MODULE", "surveys.lint.nowhere")
    client = await desk.seat(Role.OFFICER)
    page = await client.get(await brought(client, SERVICE))
    assert "the mistake is ours" in page.text


async def test_what_an_author_wrote_is_never_markup(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    evil = SERVICE.replace("等得太久".encode(), XSS).replace(b"select_one reason", b"select_one q")
    for content in (evil, SERVICE.replace("等得太久".encode(), XSS)):
        where = await brought(client, content, "<b>x.md")
        page = await client.get(where)
        assert XSS.decode() not in page.text
        assert "<b>x" not in page.text
    version = await keep(client, SERVICE.replace("等得太久".encode(), XSS))
    assert XSS.decode() not in (await client.get(version)).text


async def test_the_xform_is_handed_out_as_a_file_and_nothing_else(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    answer = await client.get(f"{await keep(client, SERVICE)}/xform")
    assert answer.content == shipped("service").source
    name = f"questionnaire-{shipped('service').hash[:12]}.xml"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_archive_brings_its_pictures_along(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    lines = SERVICE.decode().splitlines()
    lines[1] = lines[1].rstrip(" |") + " | media::image::English (en) |"
    lines[4] = lines[4].rstrip("|") + " | map.png |"
    alone = await client.get(await brought(client, "\n".join(lines).encode()))
    assert "into one .zip" in alone.text
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("asking.md", "\n".join(lines))
        zipped.writestr("map.png", png())
    version = await keep(client, file.getvalue(), "asking.zip")
    kept = version.rpartition("/")[2]
    stored = await desk.store.read(lambda tx: tx.form_media(kept, "map.png"))
    assert stored == ("image/png", png())
    assert f"/media/{kept}/map.png" in (await client.get(version)).text


async def test_the_list_shows_each_version_and_its_page(desk: Desk) -> None:
    client = await desk.seat(Role.AUDITOR)
    assert "None yet" in (await client.get(PLACE)).text
    version = await keep(await desk.seat(Role.OFFICER), SERVICE)
    page = (await client.get(PLACE)).text
    assert f'href="{version}"' in page
    assert shipped("service").hash[:12] in page
    assert 'type="file"' not in page  # an auditor brings nothing
    assert (await client.get(version)).status_code == 200
    assert (await client.get(f"{PLACE}/nowhere")).status_code == 404


async def test_two_versions_are_compared_in_plain_words(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    old = await keep(client, SERVICE)
    new = await keep(client, SERVICE.replace("总体感觉怎么样".encode(), "总的感觉怎么样".encode()))
    a, b = (each.rpartition("/")[2] for each in (old, new))
    page = (await client.get(f"{PLACE}/compare?a={a}&b={b}")).text
    assert "By the rule, yes" in page
    assert "总<del>体</del>感觉" in page
    assert "总<ins>的</ins>感觉" in page
    assert "0 added, 0 removed, 1 changed, 4 the same" in page
    same = (await client.get(f"{PLACE}/compare?a={a}&b={a}")).text
    assert "in the same words" in same
    assert (await client.get(f"{PLACE}/compare")).status_code == 200
    assert (await client.get(f"{PLACE}/compare?a={a}&b=nowhere")).status_code == 404
