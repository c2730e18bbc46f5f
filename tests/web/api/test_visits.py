"""POST /visits: a link for one rating, made once for each key, and told once."""

from __future__ import annotations

from datetime import datetime, timedelta

from desk.roles import May, Role
from surveys.people import Subject
from tests.web.api.stocked import program
from tests.web.console.seats import ORIGIN, Desk

SCOPE = (May.VISITS_WRITE,)


async def test_a_visit_gives_a_link_its_end_and_its_code(desk: Desk) -> None:
    service = await program(desk, Role.OFFICER, scopes=SCOPE)
    answer = await service.send("POST", "/visits", json={"subject": "tax"})
    made = answer.json()
    assert answer.status_code == 201
    token = made["browser_url"].removeprefix(f"{ORIGIN}/c/")
    assert len(token) == 22
    assert (made["subject"], made["telegram_url"], made["telegram_qr"]) == ("tax", None, None)
    ends = datetime.fromisoformat(made["expires_at"])
    assert (ends.minute, ends.second) == (0, 0)
    assert timedelta(0) <= ends - desk.clock() - timedelta(days=14) < timedelta(hours=1)
    picture = await desk.browser().get(f"/qr/{token}.svg")
    assert made["browser_qr"] == picture.text
    assert (await desk.browser().get(f"/poster/{token}")).status_code == 404


async def test_sent_again_under_its_key_it_is_the_same_link_and_nothing_keeps_it_in_the_open(
    desk: Desk,
) -> None:
    service = await program(desk, scopes=SCOPE)
    key = {"Idempotency-Key": "counter-7-20261123-0042"}
    first = await service.send("POST", "/visits", json={"subject": "tax"}, headers=key)
    again = await service.send("POST", "/visits", json={"subject": "tax"}, headers=key)
    assert again.text == first.text
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await service.send("POST", "/visits", json={"subject": "land"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    (entry,) = await desk.audited("visit")
    assert (entry.action, entry.what) == ("visit.made", "subject:tax")
    token = first.json()["browser_url"].rpartition("/")[2]
    assert token not in str(entry)
    assert await desk.store.read(lambda tx: tx.invites()) == []


async def test_what_cannot_be_is_refused_with_its_place(desk: Desk) -> None:
    service = await program(desk, scopes=SCOPE)
    head = Subject("head", {"zh": "王芳"}, kind="official", parent="tax")
    await desk.store.write(lambda tx: tx.put_subjects([head]))
    for subject in ("nowhere", "head"):
        answer = await service.send("POST", "/visits", json={"subject": subject})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "refused")
        assert problem["errors"][0]["pointer"] == "#/subject"
        assert subject in problem["errors"][0]["detail"]
    for hours in (0, 2161, "24", True, 1.5):
        wish = {"subject": "tax", "hours": hours}
        answer = await service.send("POST", "/visits", json=wish)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), hours
    for hours in (1, 2160):
        wish = {"subject": "tax", "hours": hours}
        assert (await service.send("POST", "/visits", json=wish)).status_code == 201
    assert (await service.get("/visits")).status_code == 405  # nobody can list them


async def test_a_token_of_visits_opens_nothing_else_and_no_other_opens_visits(desk: Desk) -> None:
    service = await program(desk, scopes=SCOPE)
    assert (await service.get("/people")).json()["code"] == "scope_missing"
    writer = await program(desk, scopes=(May.ROSTER_WRITE, May.CAMPAIGNS_WRITE))
    refused = await writer.send("POST", "/visits", json={"subject": "tax"})
    assert (refused.status_code, refused.json()["needed"]) == (403, "visits.write")
    auditor = await program(desk, Role.AUDITOR)
    refused = await auditor.send("POST", "/visits", json={"subject": "tax"})
    assert refused.json()["code"] == "role_missing"
