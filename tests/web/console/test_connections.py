"""Tokens and webhooks at the desk, and the page about the API."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from desk.connections import hooks
from desk.roles import May, Role
from tests.web.console.seats import APP_KEY, ORIGIN, Desk, post
from web.api.app import OPERATIONS
from web.api.problems import CODES

PAGE = "/desk/connections"
SECRET = re.compile(r'value="(minyi_[A-Za-z0-9_-]{43})"')
SIGNING = re.compile(r'value="(whsec_[^"]+)"')
NEW = {"url": "https://receiver.example/in", "event:wave.opened": "on"}


async def test_a_token_is_made_shown_once_and_opens_what_it_says(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    fields = {"name": "HR  sync", "days": "30", "scope:roster.read": "on"}
    answer = await post(client, PAGE, fields, page=PAGE)
    found = SECRET.search(answer.text)
    assert found is not None
    assert answer.headers["cache-control"] == "no-store"
    secret = found[1]
    listed = (await client.get(PAGE)).text
    assert "HR sync" in listed
    assert secret not in listed
    program = desk.browser()
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await program.get("/api/v1/people", headers=headers)).status_code == 200
    assert (await program.get("/api/v1/campaigns", headers=headers)).status_code == 403
    [entry] = await desk.audited("token.made")
    assert "HR sync" in entry.after
    assert secret not in entry.after
    [token] = await desk.store.read(lambda tx: tx.tokens("a-officer"))
    assert token.expires_at - token.made_at == timedelta(days=30)
    assert secret not in repr(token)


async def test_a_revoked_token_is_dead_at_once(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    fields = {"name": "HR", "days": "90", "scope:roster.read": "on"}
    answer = await post(client, PAGE, fields, page=PAGE)
    found = SECRET.search(answer.text)
    assert found is not None
    [token] = await desk.store.read(lambda tx: tx.tokens("a-officer"))
    gone = await post(client, f"{PAGE}/tokens/{token.id}/revoke", page=PAGE)
    assert gone.status_code == 303
    headers = {"Authorization": f"Bearer {found[1]}"}
    assert (await desk.browser().get("/api/v1/me", headers=headers)).status_code == 401
    assert len(await desk.audited("token.revoked")) == 1


async def test_nobody_revokes_somebody_elses_token_but_who_keeps_the_accounts(desk: Desk) -> None:
    officer = await desk.seat(Role.OFFICER)
    fields = {"name": "HR", "days": "90", "scope:roster.read": "on"}
    await post(officer, PAGE, fields, page=PAGE)
    [token] = await desk.store.read(lambda tx: tx.tokens("a-officer"))
    auditor = await desk.seat(Role.AUDITOR)
    assert "HR" in (await auditor.get(f"{PAGE}/tokens")).text
    for path in (f"{PAGE}/tokens/{token.id}/revoke", f"{PAGE}/tokens/{token.id}/revoke-any"):
        refused = await post(auditor, path, page=PAGE)
        assert refused.status_code in {403, 404}
    administrator = await desk.seat(Role.ADMINISTRATOR)
    done = await post(administrator, f"{PAGE}/tokens/{token.id}/revoke-any", page=PAGE)
    assert done.status_code == 303
    assert not await desk.store.read(lambda tx: tx.tokens())


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "", "days": "90", "scope:roster.read": "on"}, "wrong-name"),
        ({"name": "x" * 61, "days": "90", "scope:roster.read": "on"}, "wrong-name"),
        ({"name": "HR", "days": "90"}, "wrong-scopes"),
        ({"name": "HR", "days": "90", "scope:audit.read": "on"}, "wrong-scopes"),
        ({"name": "HR", "days": "366", "scope:roster.read": "on"}, "wrong-days"),
        ({"name": "HR", "days": "-1", "scope:roster.read": "on"}, "wrong-days"),
    ],
)
async def test_what_is_wrong_with_a_token_stands_beside_the_field(
    desk: Desk, fields: dict[str, str], wrong: str
) -> None:
    client = await desk.seat(Role.OFFICER)
    answer = await post(client, PAGE, fields, page=PAGE)
    assert answer.status_code == 422
    assert f'id="{wrong}"' in answer.text
    assert not await desk.store.read(lambda tx: tx.tokens())
    assert f'value="{fields["name"]}"' in answer.text or not fields["name"]


async def test_a_form_with_holes_is_answered_like_an_empty_one(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    for fields in ({}, {"name": "HR"}, {"scope:roster.read": "on"}):
        answer = await post(client, PAGE, fields, page=PAGE)
        assert answer.status_code == 422
        assert 'id="wrong-days"' in answer.text
        assert '<option value="90" selected>' in answer.text
    assert not await desk.store.read(lambda tx: tx.tokens())


async def test_a_case_handler_has_nothing_to_give_to_a_program(desk: Desk) -> None:
    client = await desk.seat(Role.HANDLER)
    text = (await client.get(PAGE)).text
    assert "no permission" in text
    assert f'action="{PAGE}"' not in text


async def test_a_webhook_is_added_changed_and_removed(desk: Desk) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    made = await post(client, f"{PAGE}/hooks/new", NEW, page=f"{PAGE}/hooks/new")
    assert SIGNING.search(made.text) is not None
    [hook] = await desk.store.read(lambda tx: tx.hooks())
    page = f"{PAGE}/hooks/{hook.id}"
    assert "receiver.example" in (await client.get(f"{PAGE}/hooks")).text
    changed = await post(client, page, {**NEW, "event:wave.tallied": "on"}, page=page)
    assert changed.status_code == 303
    [hook] = await desk.store.read(lambda tx: tx.hooks())
    assert (hook.disabled, hook.events) == (True, ("wave.opened", "wave.tallied"))
    renewed = await post(client, f"{page}/secret", page=page)
    assert SIGNING.search(renewed.text)[1] != SIGNING.search(made.text)[1]  # type: ignore[index]
    assert (await post(client, f"{page}/drop", page=page)).status_code == 303
    assert (await client.get(page)).status_code == 404
    actions = [entry.action for entry in await desk.audited("hook")]
    assert actions == ["hook.made", "hook.changed", "hook.renewed", "hook.dropped"]


@pytest.mark.parametrize(
    "url",
    ["", "http://receiver.example/", "https://169.254.169.254/latest", "https://a:b@c.example/"],
)
async def test_an_address_that_may_not_be_sent_to_is_refused(desk: Desk, url: str) -> None:
    client = await desk.seat(Role.ADMINISTRATOR, language="zh")
    fields = {**NEW, "url": url}
    answer = await post(client, f"{PAGE}/hooks/new", fields, page=f"{PAGE}/hooks/new")
    assert answer.status_code == 422
    assert 'id="wrong-url"' in answer.text
    assert not await desk.store.read(lambda tx: tx.hooks())


async def test_a_notice_that_failed_says_why_and_is_sent_again(desk: Desk) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    await post(client, f"{PAGE}/hooks/new", NEW, page=f"{PAGE}/hooks/new")
    [hook] = await desk.store.read(lambda tx: tx.hooks())

    def fail(tx: object) -> None:
        hooks.announce(tx, "wave.opened", {"wave": "w.1"}, desk.clock())  # type: ignore[arg-type]
        [notice] = tx.claim_notices(desk.clock(), desk.clock(), 9)  # type: ignore[attr-defined]
        tx.note_notice(notice.id, "failed", "status 500", None)  # type: ignore[attr-defined]

    await desk.store.write(fail)
    page = f"{PAGE}/hooks/{hook.id}"
    assert "answered 500" in (await client.get(page)).text
    [notice] = await desk.store.read(lambda tx: tx.notices(hook.id))
    sent = await post(client, f"{page}/notices/{notice.id}/again", page=page)
    assert sent.status_code == 303
    [notice] = await desk.store.read(lambda tx: tx.notices(hook.id))
    assert notice.state == "due"
    twice = await post(client, f"{page}/notices/{notice.id}/again", page=page)
    assert twice.status_code == 404
    assert (await post(client, f"{page}/notices/99999/again", page=page)).status_code == 404


async def test_an_auditor_sees_webhooks_and_has_no_button_for_them(desk: Desk) -> None:
    await desk.store.write(
        lambda tx: hooks.make(
            tx, desk.act(), hooks.Desired(NEW["url"], ["wave.opened"], False), APP_KEY
        )
    )
    [hook] = await desk.store.read(lambda tx: tx.hooks())
    auditor = await desk.seat(Role.AUDITOR)
    text = (await auditor.get(f"{PAGE}/hooks/{hook.id}")).text
    assert f'action="{PAGE}' not in text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_about_the_api_tells_every_operation_and_code(
    desk: Desk, language: str
) -> None:
    client = await desk.seat(Role.OFFICER, language=language)
    answer = await client.get(f"{PAGE}/api")
    text = answer.text
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in text
        assert operation.path in text
    for code in CODES:
        assert f'id="problem-{code}"' in text
    assert ("这个令牌属于谁" in text) is (language == "zh")
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {ORIGIN.removeprefix("http://"), "receiver.example"}
    assert len(answer.content) < 90_000


def test_each_permission_of_the_api_has_a_name_for_people() -> None:
    from web.console.context import WORDS

    scopes = {operation.may for operation in OPERATIONS} - {May.HOME}
    assert {key for key in WORDS.keys() if key.startswith("scope.")} == {  # noqa: SIM118
        f"scope.{scope}" for scope in scopes
    }
