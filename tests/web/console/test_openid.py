"""Signing in with the organisation's own sign-in, against a real provider that may lie."""

from __future__ import annotations

import base64
import hmac
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from desk.accounts import Account, Stage
from desk.entry.entering import Seated, Visit, tidy
from desk.entry.outside import Claimed, Refusal, come_in
from desk.entry.sessions import digest_of
from desk.entry.throttle import SHARED_FREE
from desk.roles import Grant, Role
from storage import SqlStore
from tests.web.console.provider import CLIENT, SECRET, Provider
from tests.web.console.seats import Clock, Desk, desk_on, post, proof
from web.console.console import OpenId
from web.console.context import proof_of

BACK = "/desk/sign-in/openid/back"
LI = {"sub": "248289761001", "email": "Li@Example.org", "email_verified": True}
Forge = Callable[[Provider, dict[str, Any]], str]


@pytest.fixture(scope="module")
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "r1"})


@pytest.fixture
def provider(rsa: RSAKey) -> Iterator[Provider]:
    """An honest provider that signs in Li."""
    made = Provider(Clock(), dict(LI), rsa=rsa)
    server = made.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
async def desk(sqlite_url: str, provider: Provider) -> AsyncIterator[Desk]:
    """A desk whose organisation has a sign-in of its own, and an account for Li."""
    store = SqlStore(sqlite_url)
    clock = Clock()
    provider.clock = clock
    setting = OpenId(provider.issuer, CLIENT, SECRET, "Hedong ID")
    made = desk_on(store, clock, openid=setting)
    await made.account(Role.AUDITOR, login="li@example.org")
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()


async def begin(client: httpx.AsyncClient, to: str = "/desk") -> httpx.Response:
    """Press the button of the sign-in page."""
    page = await client.get("/desk/sign-in")
    form = re.search(r'<form[^>]*action="/desk/sign-in/openid".*?</form>', page.text, re.DOTALL)
    assert form is not None
    found = re.search(r'name="proof" value="([^"]+)"', form[0])
    assert found is not None
    return await client.post(
        "/desk/sign-in/openid", data={"to": to, "proof": html.unescape(found[1])}
    )


async def at_the_issuer(page: httpx.Response) -> str:
    """Follow the page to the provider, which signs in and says where the browser goes next."""
    assert page.status_code == 200
    refresh = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    link = re.search(r'class="door main" href="([^"]+)"', page.text)
    assert refresh is not None
    assert link is not None
    assert refresh[1] == link[1]
    async with httpx.AsyncClient() as outside:
        answer = await outside.get(html.unescape(link[1]))
    assert answer.status_code == 302
    return str(answer.headers["location"])


async def sign_in(client: httpx.AsyncClient, to: str = "/desk") -> httpx.Response:
    """The whole way out and back."""
    return await client.get(await at_the_issuer(await begin(client, to)))


async def outside(client: httpx.AsyncClient) -> bool:
    """Whether the desk still sends the browser to the sign-in page."""
    answer = await client.get("/desk/me/none")
    return answer.status_code in {303, 404} and (await client.get("/desk")).status_code == 303


async def test_somebody_with_an_account_comes_in_and_is_bound_once(desk: Desk) -> None:
    client = desk.browser()
    answer = await sign_in(client, "/desk/fieldwork?page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk/fieldwork?page=2"
    assert (await client.get("/desk")).status_code == 200
    [account] = await desk.store.read(lambda tx: tx.accounts())
    assert account.external == (desk.console.openid.issuer, LI["sub"])  # type: ignore[union-attr]
    [session] = await desk.store.read(lambda tx: tx.sessions(account.id))
    assert session.stage is Stage.FULL
    assert session.origin == "203.0.113.7"
    await sign_in(desk.browser())
    bound = await desk.audited("account.bound")
    assert [entry.what for entry in bound] == [f"account:{account.id}"]
    assert bound[0].who == account.id
    signed_in = await desk.audited("account.signed_in")
    assert [entry.after for entry in signed_in] == ['{"by":"openid"}'] * 2


async def test_once_bound_another_address_and_another_login_change_nothing(
    desk: Desk, provider: Provider
) -> None:
    await sign_in(desk.browser())
    provider.person |= {"email": "new@example.org", "email_verified": False}
    client = desk.browser()
    assert (await sign_in(client)).status_code == 303
    assert (await client.get("/desk")).status_code == 200


async def test_whoever_has_the_login_as_address_later_does_not_take_the_account(
    desk: Desk, provider: Provider
) -> None:
    await sign_in(desk.browser())
    provider.person["sub"] = "somebody new at that address"
    client = desk.browser()
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert "There is no account for you here" in answer.text
    assert await outside(client)


async def test_the_browser_gets_a_new_cookie(desk: Desk) -> None:
    client = desk.browser()
    page = await begin(client)
    before = client.cookies["minyi-desk"]
    await client.get(await at_the_issuer(page))
    assert client.cookies["minyi-desk"] != before
    assert await desk.store.read(lambda tx: tx.session(digest_of(before))) is None


async def test_whoever_sat_at_the_browser_before_is_signed_out(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER)
    before = client.cookies["minyi-desk"]
    page = await client.post("/desk/sign-in/openid", data={"proof": proof_of(before)})
    await client.get(await at_the_issuer(page))
    assert await desk.store.read(lambda tx: tx.session(digest_of(before))) is None
    assert (await client.get("/desk")).status_code == 200


async def test_the_issuer_is_asked_with_state_nonce_and_challenge_of_this_flow_alone(
    desk: Desk, provider: Provider
) -> None:
    for _ in range(2):
        await sign_in(desk.browser())
    first, second = provider.asked
    assert first["scope"].split() == ["openid", "email"]
    assert first["redirect_uri"] == f"http://minyi.test{BACK}"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]
    assert provider.refused == []


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_both_kinds_of_signature_are_good(desk: Desk, provider: Provider, alg: str) -> None:
    provider.alg = alg
    assert (await sign_in(desk.browser())).status_code == 303


async def test_a_provider_that_keeps_its_tokens_short_is_asked_for_the_address(
    desk: Desk, provider: Provider
) -> None:
    provider.thin = True
    assert (await sign_in(desk.browser())).status_code == 303


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(
    desk: Desk, provider: Provider
) -> None:
    provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await sign_in(desk.browser())).status_code == 303


# who does not come in


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ({"sub": "7", "email": "zhao@example.org", "email_verified": True}, "no account for you"),
        ({"sub": "7", "email": "li@example.org", "email_verified": False}, "not verified"),
        ({"sub": "7", "email": "li@example.org", "email_verified": "true"}, "not verified"),
        ({"sub": "7", "email": "li@example.org"}, "not verified"),
        ({"sub": "7", "email": ["li@example.org"], "email_verified": True}, "not verified"),
        ({"sub": "7"}, "not verified"),
    ],
)
async def test_a_stranger_gets_a_clear_page_and_leaves_no_trace_in_the_audit(
    desk: Desk, provider: Provider, person: dict[str, Any], sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    provider.person = person
    client = desk.browser()
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert sentence in answer.text
    assert await outside(client)
    assert await desk.audited() == []
    assert "sign-in by OpenID refused" in caplog.text
    assert "example.org" not in caplog.text


async def test_a_disabled_account_stays_shut(desk: Desk) -> None:
    account = await desk.account(None, login="li@example.org")
    await desk.store.write(lambda tx: tx.put_account(replace(account, disabled=True)))
    client = desk.browser("zh")
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert "您的账号已停用" in answer.text
    assert await outside(client)
    assert await desk.audited() == []


# what does not hold


def other_rsa(provider: Provider, claims: dict[str, Any]) -> str:
    key = RSAKey.generate_key(2048, {"kid": "r1"})
    return jwt.encode({"alg": "RS256", "kid": "r1"}, claims, key)


def changed(provider: Provider, claims: dict[str, Any]) -> str:
    """Genuine but for one claim, changed after it was signed."""
    head, _, signature = provider.signed(claims | {"sub": "other"}).split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


def unsigned(provider: Provider, claims: dict[str, Any], alg: str = "none") -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": alg, "kid": "r1"}, claims)
    )
    return f"{head}.{body}."


def by_client_secret(provider: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 4), algorithms=["HS256"])


def by_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    """The old trick: the public key's text as the secret of a HMAC."""
    text = unsigned(provider, claims, "HS256").rstrip(".")
    mac = hmac.digest(provider.rsa.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def other_algorithm(provider: Provider, claims: dict[str, Any]) -> str:
    head = {"alg": "RS512", "kid": "r1"}
    return jwt.encode(head, claims, provider.rsa, algorithms=["RS512"])


def unknown_key(provider: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "r9"}, claims, provider.rsa)


FORGERIES: dict[str, Forge] = {
    "another key under the same name": other_rsa,
    "changed after it was signed": changed,
    "alg none": unsigned,
    "alg None": lambda provider, claims: unsigned(provider, claims, "None"),
    "alg RS256 without a signature": lambda provider, claims: unsigned(provider, claims, "RS256"),
    "the client's secret": by_client_secret,
    "the public key as a secret": by_public_key,
    "an algorithm we do not take": other_algorithm,
    "a key nobody published": unknown_key,
    "no token at all": lambda provider, claims: "",
    "no token but words": lambda provider, claims: "hello.wide.world",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_token_that_the_issuer_did_not_sign_is_refused(
    desk: Desk, provider: Provider, forgery: str
) -> None:
    provider.forge = lambda claims: FORGERIES[forgery](provider, claims)
    client = desk.browser()
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert "does not check out" in answer.text
    assert await outside(client)
    assert await desk.audited() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody else"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},  # without azp
        {"azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
        {"exp": 1},
        {"exp": None},
        {"exp": float("nan")},
        {"iat": 99999999999},
        {"nbf": 99999999999},
        {"at_hash": "AAAA"},
    ],
    ids=str,
)
async def test_a_token_for_somebody_else_or_another_time_is_refused(
    desk: Desk, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    client = desk.browser()
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert "does not check out" in answer.text
    assert await outside(client)


async def test_userinfo_of_somebody_else_is_refused(desk: Desk, provider: Provider) -> None:
    provider.thin = True
    provider.claims = {"sub": "another"}
    answer = await sign_in(desk.browser())
    assert answer.status_code == 403
    assert "does not check out" in answer.text


# the way back


async def test_the_way_back_works_once(desk: Desk, provider: Provider) -> None:
    client = desk.browser()
    address = await at_the_issuer(await begin(client))
    assert (await client.get(address)).status_code == 303
    answer = await client.get(address)
    assert answer.status_code == 400
    assert "out of date" in answer.text
    assert provider.refused == [], "the code itself was not sent a second time"


async def test_a_code_that_was_used_is_refused_by_the_issuer_and_so_by_us(
    desk: Desk, provider: Provider
) -> None:
    client = desk.browser()
    spent = parse_qs(urlsplit(await at_the_issuer(await begin(client))).query)["code"][0]
    provider.codes.clear()
    address = await at_the_issuer(await begin(client))
    code = parse_qs(urlsplit(address).query)["code"][0]
    answer = await client.get(address.replace(code, spent))
    assert answer.status_code == 403
    assert provider.refused == ["code"]
    assert await outside(client)


async def test_a_state_that_nobody_was_given_is_refused(desk: Desk, provider: Provider) -> None:
    client = desk.browser()
    address = await at_the_issuer(await begin(client))
    state = parse_qs(urlsplit(address).query)["state"][0]
    for wrong in ("", "x" * 43, state[:-1] + ("A" if state[-1] != "A" else "B")):
        answer = await client.get(address.replace(state, wrong))
        assert answer.status_code == 400
    assert (await client.get(BACK)).status_code == 400
    assert provider.refused == []
    assert await outside(client)


async def test_another_browser_cannot_go_the_way_back(desk: Desk) -> None:
    """Nobody can be signed in to somebody else's account by being sent a link."""
    attacker, victim = desk.browser(), desk.browser()
    address = await at_the_issuer(await begin(attacker))
    await victim.get("/desk/sign-in")
    answer = await victim.get(address)
    assert answer.status_code == 400
    assert await outside(victim)
    assert (await desk.browser().get(address)).status_code == 400, "nor one without any cookie"


async def test_the_way_back_is_open_for_ten_minutes(desk: Desk) -> None:
    client = desk.browser()
    address = await at_the_issuer(await begin(client))
    desk.clock.on(minutes=10)
    assert (await client.get(address)).status_code == 400


async def test_a_code_from_another_issuer_is_not_sent_to_ours(
    desk: Desk, provider: Provider
) -> None:
    client = desk.browser()
    address = await at_the_issuer(await begin(client))
    mixed = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Felsewhere.example", address)
    assert (await client.get(mixed)).status_code == 403
    address = await at_the_issuer(await begin(client))
    assert (await client.get(re.sub(r"&iss=[^&]+", "", address))).status_code == 403
    assert provider.codes, "neither code was redeemed"


async def test_whoever_cancels_there_is_told_so_here(desk: Desk, provider: Provider) -> None:
    provider.deny = True
    answer = await sign_in(desk.browser())
    assert answer.status_code == 403
    assert "You did not finish signing in at Hedong ID" in answer.text


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/desk",
        "//evil.example/desk",
        "/\\evil.example",
        "/desk\\..\\..\\evil",
        "/deskevil",
        "/desk/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/c/abc",
        "",
        "/desk@evil.example",
    ],
)
async def test_the_way_back_leads_nowhere_but_to_the_desk(desk: Desk, to: str) -> None:
    answer = await sign_in(desk.browser(), to)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk"


# the issuer itself


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"jwks_uri": 7},
    ],
    ids=str,
)
async def test_an_issuer_that_does_not_know_itself_is_not_used(
    desk: Desk, provider: Provider, document: dict[str, Any]
) -> None:
    provider.document = document
    answer = await begin(desk.browser())
    assert answer.status_code == 503
    assert "Hedong ID cannot be reached now" in answer.text


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/who"])
async def test_an_issuer_that_is_down_gives_a_clear_page(
    desk: Desk, provider: Provider, path: str
) -> None:
    provider.down, provider.thin = {path}, True
    client = desk.browser("zh")
    page = await begin(client)
    answer = page if "known" in path else await client.get(await at_the_issuer(page))
    assert answer.status_code == 503
    assert "现在连不上 Hedong ID" in answer.text
    assert await outside(client)


async def test_an_issuer_that_nobody_can_reach_gives_a_clear_page(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    desk = desk_on(store, openid=OpenId("http://127.0.0.1:9", CLIENT, SECRET))
    answer = await begin(desk.browser())
    assert answer.status_code == 503
    assert "OpenID cannot be reached now" in answer.text
    await desk.opened[0].aclose()
    await store.close()


async def test_keys_without_one_that_fits_are_refused(desk: Desk, provider: Provider) -> None:
    provider.keys = lambda: {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "r1"}, "no key"]}  # type: ignore[method-assign]
    assert (await sign_in(desk.browser())).status_code == 403


async def test_a_key_that_was_changed_at_the_issuer_is_found(
    desk: Desk, provider: Provider
) -> None:
    await sign_in(desk.browser())
    new = ECKey.generate_key("P-256", {"kid": "e2"})
    provider.ec, provider.alg = new, "ES256"
    provider.keys = lambda: dict(KeySet([new]).as_dict(private=False))  # type: ignore[method-assign]
    assert (await sign_in(desk.browser())).status_code == 303


async def test_without_a_sign_in_of_its_own_the_doors_lead_nowhere(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    desk = desk_on(store)
    client = desk.browser()
    assert "openid" not in (await client.get("/desk/sign-in")).text
    data = {"proof": await proof(client, "/desk/sign-in")}
    assert (await client.post("/desk/sign-in/openid", data=data)).status_code == 404
    assert (await client.get(BACK)).status_code == 404
    await client.aclose()
    await store.close()


async def test_flows_that_nobody_finishes_are_slowed_down_at_their_address(desk: Desk) -> None:
    client = desk.browser()
    for _ in range(SHARED_FREE):
        assert (await begin(client)).status_code == 200
    answer = await begin(client)
    assert answer.status_code == 429
    assert "That was too often" in answer.text
    assert (await begin(desk.browser(address="198.51.100.4"))).status_code == 200


async def test_a_flow_that_is_finished_costs_nothing(desk: Desk) -> None:
    for _ in range(SHARED_FREE + 3):
        assert (await sign_in(desk.browser())).status_code == 303


async def test_nothing_secret_is_on_the_page_or_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client = desk.browser()
    page = await begin(client)
    address = await at_the_issuer(page)
    code = parse_qs(urlsplit(address).query)["code"][0]
    await client.get(address)
    assert SECRET not in page.text
    for hidden in (SECRET, code, client.cookies["minyi-desk"]):
        ours = [record for record in caplog.records if record.name.startswith("minyi")]
        assert hidden not in str([record.getMessage() for record in ours])


# the use-case itself, on every store


async def test_an_account_that_has_an_identity_is_found_by_nothing_else(store: SqlStore) -> None:
    visit = Visit("203.0.113.7", "Firefox", Clock()(), b"k" * 32)
    bound = Account("a1", "li@example.org", "Li", Clock()(), (Grant(Role.OFFICER),),
                    external=("https://id.example", "1"))  # fmt: skip
    await store.write(lambda tx: tx.put_account(bound))

    async def enter(issuer: str, subject: str) -> Seated | Refusal:
        who = Claimed(issuer, subject, "li@example.org")
        return await store.write(lambda tx: come_in(tx, who, visit))

    assert await enter("https://id.example", "2") is Refusal.STRANGER
    assert await enter("https://other.example", "1") is Refusal.STRANGER
    found = await enter("https://id.example", "1")
    assert isinstance(found, Seated)
    assert found.account == bound


@pytest.mark.parametrize(
    ("login", "email", "opens"),
    [
        ("müller@example.org", "MÜLLER@example.org", True),
        ("müller@example.org", "MU\u0308LLER@example.org", True),  # a composed letter and its parts
        ("ΛΊ@example.org", "λί@EXAMPLE.org", True),
        ("straße@example.org", "STRASSE@example.org", True),
        ("muller@example.org", "müller@example.org", False),
        ("li@example.org", "ｌｉ@example.org", False),  # what may be typed is no other's address
        ("fi@example.org", "ﬁ@example.org", False),
    ],
)
async def test_an_address_is_the_login_in_capitals_of_any_script_and_nothing_alike(
    store: SqlStore, login: str, email: str, opens: bool
) -> None:
    visit = Visit("203.0.113.7", "Firefox", Clock()(), b"k" * 32)
    made = Account("a1", tidy(login), "Li", Clock()(), (Grant(Role.OFFICER),))
    await store.write(lambda tx: tx.put_account(made))
    who = Claimed("https://id.example", "1", email)
    found = await store.write(lambda tx: come_in(tx, who, visit))
    assert isinstance(found, Seated) is opens


async def test_whoever_has_no_password_here_shows_who_they_are_by_signing_in_anew(
    desk: Desk,
) -> None:
    client = desk.browser()
    await sign_in(client)
    desk.clock.on(minutes=10)
    path, fields = "/desk/connections", {"name": "HR", "days": "30", "scope:audit.read": "on"}
    asked = await post(client, path, fields, page=path)
    assert asked.status_code == 403
    assert "sign in anew" in asked.text
    assert 'name="password"' not in asked.text
    again = await post(client, "/desk/sign-in/openid", {}, page=path)
    assert (await client.get(await at_the_issuer(again))).status_code == 303
    assert (await post(client, path, fields, page=path)).status_code == 200
