"""Webhooks as the desk keeps them: where they may lead, what is owed, how it is signed."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from desk.audit import Act
from desk.connections import hooks
from desk.connections.destinations import all_public, url_trouble
from desk.connections.hooks import ATTEMPTS, EVENTS, Desired, HookRefusedError, next_attempt
from desk.store import Sought
from storage import SqlStore

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
KEY = bytes(range(32))
ACT = Act("operator:test", "operator:test", "terminal", NOW, KEY)
WANTED = Desired("https://receiver.example/in?key=hidden", ("wave.opened",), private=False)


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    """A store on a fresh SQLite file."""
    opened = SqlStore(sqlite_url)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example/in",
        "https://receiver.example:8443/in?a=b",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://xn--fiqs8s.example/",
        "https://receiver.example./",
    ],
)
def test_an_address_on_the_open_internet_will_do(url: str) -> None:
    assert url_trouble(url, private=False) == ""


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("", "shape"),
        ("receiver.example", "shape"),
        ("https://", "shape"),
        ("https://receiver.example/#x", "shape"),
        ("https://receiver.example:0/", "shape"),
        ("https://receiver.example:99999/", "shape"),
        ("https://receiver.example/a b", "shape"),
        ("https://receiver.example\\@127.0.0.1/", "shape"),
        ("https://接收.example/", "shape"),
        ("https://[::1/", "shape"),
        ("https://" + "x" * 500, "shape"),
        ("https://2130706433/", "shape"),
        ("https://0x7f000001/", "shape"),
        ("https://0x7f.1/", "shape"),
        ("https://127.1/", "shape"),
        ("https://0177.0.0.1/", "shape"),
        ("https://127.0.0.1./", "shape"),
        ("http://receiver.example/", "https"),
        ("file:///etc/passwd", "shape"),
        ("gopher://receiver.example/", "https"),
        ("https://name:word@receiver.example/", "credentials"),
        ("https://@receiver.example/", "credentials"),
        ("https://receiver.example:22/", "port"),
        ("https://localhost/", "private"),
        ("https://localhost./", "private"),
        ("https://LOCALHOST/", "private"),
        ("https://printer.local/", "private"),
        ("https://127.0.0.1/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://100.64.0.1/", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://192.168.0.1/", "private"),
        ("https://224.0.0.1/", "private"),
        ("https://255.255.255.255/", "private"),
        ("https://[::]/", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:127.0.0.1]/", "private"),
        ("https://[::ffff:a9fe:a9fe]/", "private"),
        ("https://[::127.0.0.1]/", "private"),
        ("https://[64:ff9b::7f00:1]/", "private"),
        ("https://[64:ff9b:1::1]/", "private"),
        ("https://[2002:7f00:1::]/", "private"),
        ("https://[2001:0:7f00:1::]/", "private"),
        ("https://[fc00::1]/", "private"),
        ("https://[fe80::1]/", "private"),
        ("https://[fec0::1]/", "private"),
        ("https://[ff0e::1]/", "private"),
    ],
)
def test_every_other_address_is_refused_and_named(url: str, trouble: str) -> None:
    assert url_trouble(url, private=False) == trouble


def test_a_private_network_may_be_allowed_but_nothing_else_with_it() -> None:
    assert url_trouble("http://127.0.0.1:9000/in", private=True) == ""
    assert url_trouble("http://intranet/in", private=True) == ""
    assert url_trouble("http://name:word@intranet/in", private=True) == "credentials"
    assert url_trouble("ftp://intranet/in", private=True) == "https"


def test_one_private_address_among_public_ones_spoils_a_name() -> None:
    assert all_public(["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
    assert not all_public(["1.1.1.1", "127.0.0.1"])
    assert not all_public(["1.1.1.1", "fe80::1%eth0"])
    assert not all_public(["1.1.1.1", "no address"])
    assert not all_public([])


async def test_what_is_announced_is_owed_to_whoever_wants_it(store: SqlStore) -> None:
    def work(tx: Any) -> tuple[int, int]:
        hook, _ = hooks.make(tx, ACT, WANTED, KEY)
        off, _ = hooks.make(tx, ACT, WANTED, KEY)
        hooks.disable(tx, ACT, off.id)
        told = hooks.announce(tx, "wave.opened", {"wave": "w.1"}, NOW)
        untold = hooks.announce(tx, "wave.tallied", {"wave": "w.1"}, NOW)
        [notice] = tx.notices(hook.id)
        assert not tx.notices(off.id)
        body = json.loads(notice.body)
        assert body.pop("id").startswith("evt_")
        assert body == {
            "type": "wave.opened",
            "timestamp": "2026-11-23T01:30:00+00:00",
            "data": {"wave": "w.1"},
        }
        return told, untold

    assert await store.write(work) == (1, 0)
    with pytest.raises(ValueError, match=r"wave\.closed"):
        await store.read(lambda tx: hooks.announce(tx, "wave.closed", {}, NOW))


async def test_what_is_undone_is_not_announced(store: SqlStore) -> None:
    await store.write(lambda tx: hooks.make(tx, ACT, WANTED, KEY))

    def undone(tx: Any) -> None:
        hooks.announce(tx, "wave.opened", {"wave": "w.1"}, NOW)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await store.write(undone)
    [hook] = await store.read(lambda tx: tx.hooks())
    assert not await store.read(lambda tx: tx.notices(hook.id))


async def test_the_secret_is_sealed_and_the_audit_knows_only_the_host(store: SqlStore) -> None:
    hook, secret = await store.write(lambda tx: hooks.make(tx, ACT, WANTED, KEY))
    assert secret.encode() not in hook.secret
    assert hooks.secret_of(hook, KEY) == secret
    [entry] = await store.read(lambda tx: tx.audit(Sought(action="hook")))
    assert json.loads(entry.after)["host"] == "receiver.example"
    assert "hidden" not in entry.after
    assert secret not in repr(hook)


async def test_there_are_twenty_at_most_and_each_wrong_field_is_named(store: SqlStore) -> None:
    def twenty(tx: Any) -> None:
        for _ in range(20):
            hooks.make(tx, ACT, WANTED, KEY)

    await store.write(twenty)
    with pytest.raises(HookRefusedError) as refused:
        await store.write(lambda tx: hooks.make(tx, ACT, WANTED, KEY))
    assert set(refused.value.wrong) == {"url"}
    bad = Desired("http://x.example/", ("wave.closed",), private=False)
    with pytest.raises(HookRefusedError) as both:
        bad.check()
    assert set(both.value.wrong) == {"url", "events"}


async def test_a_change_that_changes_nothing_is_not_in_the_audit(store: SqlStore) -> None:
    hook, _ = await store.write(lambda tx: hooks.make(tx, ACT, WANTED, KEY))
    same = await store.write(lambda tx: hooks.change(tx, ACT, hook.id, WANTED, disabled=False))
    assert same == hook
    assert len(await store.read(lambda tx: tx.audit(Sought(action="hook")))) == 1
    assert (
        await store.write(lambda tx: hooks.change(tx, ACT, "none", WANTED, disabled=False)) is None
    )
    assert not await store.write(lambda tx: hooks.drop(tx, ACT, "none"))


def test_attempts_grow_rarer_and_end_after_about_a_day() -> None:
    chance, at, waits = Random(7), NOW, []
    for attempt in range(1, ATTEMPTS):
        later = next_attempt(attempt, at, chance)
        assert later is not None
        waits.append((later - at).total_seconds())
        at = later
    assert next_attempt(ATTEMPTS, at, chance) is None
    assert 8 <= waits[0] <= 12
    assert max(waits) <= 6 * 3600 * 1.2
    assert timedelta(hours=15) < at - NOW < timedelta(hours=30)


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    # the vector of the specification's own libraries
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = hooks.signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert (
        base64.b64encode(hmac.digest(key, text, "sha256")).decode() in headers["webhook-signature"]
    )


def test_every_event_and_every_reason_has_its_sentence() -> None:
    for event in EVENTS:
        assert hooks.WORDS.say(f"event.{event}", "zh")
    assert hooks.why("status 503", "en") == "answered 503"
    assert hooks.why("", "zh") == ""
