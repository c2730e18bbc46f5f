from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from desk.entry import throttle
from desk.entry.throttle import Lane
from storage import SqlStore

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
HERE, THERE = "203.0.113.7", "198.51.100.9"


async def tried(
    store: SqlStore, login: str, origin: str, now: datetime = NOW, device: str = ""
) -> float | None:
    """Fail once; how many seconds one would have had to wait, None where it was looked at."""
    lanes = throttle.lanes(KEY, login, origin, device, now)
    until = await store.write(lambda tx: throttle.begin(tx, lanes, now))
    return None if until is None else (until - now).total_seconds()


async def shut(store: SqlStore, login: str, origin: str, times: int = 5) -> None:
    """Fail so often that the next try has to wait."""
    for _ in range(times):
        assert await tried(store, login, origin) is None
    assert await tried(store, login, origin)


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (900, 900)]
)
def test_waiting_doubles_up_to_a_quarter_of_an_hour(count: int, seconds: int) -> None:
    assert throttle.wait(count) == timedelta(seconds=seconds)


async def test_after_five_failures_one_waits_and_what_comes_too_early_is_not_counted(
    store: SqlStore,
) -> None:
    await shut(store, "anna", HERE)
    for _ in range(50):
        assert await tried(store, "anna", HERE) == 1
    later = NOW + timedelta(seconds=1)
    assert await tried(store, "anna", HERE, later) is None
    assert await tried(store, "anna", HERE, later) == 2


async def test_a_stranger_elsewhere_locks_out_neither_a_new_browser_nor_a_known_one() -> None:
    store = SqlStore("sqlite://")
    await shut(store, "anna", THERE)
    assert await tried(store, "anna", HERE) is None
    token = throttle.device_token(KEY, "anna", NOW)
    for number in range(100):  # strangers from everywhere: the login itself is slowed down
        await tried(store, "anna", f"192.0.{number}.5")
    for _ in range(4):  # but not for whoever has tries of their own left
        assert await tried(store, "anna", HERE) is None
    assert await tried(store, "anna", HERE) == 900
    for origin in (HERE, THERE, "192.0.2.5"):  # nor for the device that is known
        assert await tried(store, "anna", origin, device=token) is None
    await store.close()


async def test_a_known_device_is_slowed_down_for_itself_alone(store: SqlStore) -> None:
    mine, other = (throttle.device_token(KEY, "anna", NOW) for _ in range(2))
    for _ in range(5):
        assert await tried(store, "anna", HERE, device=mine) is None
    assert await tried(store, "anna", HERE, device=mine)
    assert await tried(store, "anna", HERE, device=other) is None
    assert await tried(store, "anna", HERE) is None


async def test_an_address_that_tries_every_login_has_to_wait_and_no_other_address(
    store: SqlStore,
) -> None:
    for number in range(20):
        assert await tried(store, f"login{number}", "2001:db8:1:2::1") is None
    assert await tried(store, "anna", "2001:db8:1:2:ffff::9")  # the same /64
    assert await tried(store, "anna", "2001:db8:1:3::9") is None
    assert await tried(store, "anna", HERE) is None


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [("198.51.100.{}", "198.51.101.1"), ("2001:db8:1:{:x}::1", "2001:db8:2::1")],
)
async def test_a_network_with_many_addresses_guesses_a_hundred_times(
    store: SqlStore, address: str, elsewhere: str
) -> None:
    for number in range(100):
        assert await tried(store, "anna", address.format(number)) is None
    assert await tried(store, "anna", address.format(101)) == 1
    assert await tried(store, "bo", address.format(101)) == 1
    assert await tried(store, "anna", elsewhere) is None


async def test_what_does_not_make_anybody_wait_is_no_news_for_the_audit(store: SqlStore) -> None:
    counts = []
    for number in range(30):
        lanes = throttle.lanes(KEY, "anna", f"192.0.{number}.5", "", NOW)
        assert await store.write(lambda tx, ways=lanes: throttle.begin(tx, ways, NOW)) is None  # type: ignore[misc]
        counts.append(await store.read(lambda tx, ways=lanes: throttle.failed(tx, ways)))  # type: ignore[misc]
    assert counts == [0] * 30
    lanes = throttle.lanes(KEY, "anna", HERE, "", NOW)
    for _ in range(5):
        assert await store.write(lambda tx: throttle.begin(tx, lanes, NOW)) is None
        counts.append(await store.read(lambda tx: throttle.failed(tx, lanes)))
    assert counts[30:] == [0, 0, 0, 0, 35]


@pytest.mark.parametrize(
    ("origin", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_party_holds_an_address_or_a_64(origin: str, network: str) -> None:
    assert throttle.network(origin) == network


@pytest.mark.parametrize(
    ("origin", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("testclient", "testclient"),
    ],
)
def test_a_party_with_many_addresses_holds_a_24_or_a_48(origin: str, network: str) -> None:
    assert throttle.network(origin, wide=True) == network


async def test_a_hundred_at_once_are_a_hundred(database_url: str) -> None:
    """Two processes, and no try is looked at that another has not counted."""
    stores = [SqlStore(database_url), SqlStore(database_url)]
    waits = await asyncio.gather(*(tried(stores[n % 2], "anna", HERE) for n in range(100)))
    assert sum(wait is None for wait in waits) == 5
    for store in stores:
        await store.close()


async def test_a_right_password_takes_its_count_back(store: SqlStore) -> None:
    lanes = throttle.lanes(KEY, "anna", HERE, "", NOW)
    for _ in range(30):
        assert await store.write(lambda tx: throttle.begin(tx, lanes, NOW)) is None
        await store.write(lambda tx: throttle.take_back(tx, lanes))
    assert await store.read(lambda tx: throttle.failed(tx, lanes)) == 0


async def test_one_good_account_does_not_wash_an_address_clean() -> None:
    store = SqlStore("sqlite://")
    for number in range(19):
        await tried(store, f"login{number}", HERE)
    lanes = throttle.lanes(KEY, "mine", HERE, "", NOW)
    assert await store.write(lambda tx: throttle.begin(tx, lanes, NOW)) is None
    await store.write(lambda tx: throttle.forget(tx, lanes))
    assert await tried(store, "login20", HERE) is None
    assert await tried(store, "login21", HERE)
    await store.close()


async def test_failures_are_forgotten_after_a_day_of_quiet(store: SqlStore) -> None:
    await shut(store, "anna", HERE)
    tomorrow = NOW + timedelta(days=1, seconds=1)
    for _ in range(5):
        assert await tried(store, "anna", HERE, tomorrow) is None
    assert await tried(store, "anna", HERE, tomorrow) == 1


@pytest.mark.parametrize("broken", ["", "x", "1.2", "..", "99999999.a.b", "-1.n.m", "1.n.ü"])
def test_a_forged_device_cookie_is_a_strangers(broken: str) -> None:
    assert len(throttle.lanes(KEY, "anna", HERE, broken, NOW)) == 4


def test_a_device_cookie_is_good_for_its_login_under_its_key_for_ninety_days() -> None:
    token = throttle.device_token(KEY, "anna", NOW)
    assert "anna" not in token
    assert len(throttle.lanes(KEY, "anna", HERE, token, NOW + timedelta(days=89))) == 1
    assert len(throttle.lanes(KEY, "anna", HERE, token, NOW + timedelta(days=90))) == 4
    assert len(throttle.lanes(KEY, "bo", HERE, token, NOW)) == 4
    assert len(throttle.lanes(bytes(32), "anna", HERE, token, NOW)) == 4
    days, nonce, mac = token.split(".")
    later = f"{int(days) + 80}.{nonce}.{mac}"
    assert len(throttle.lanes(KEY, "anna", HERE, later, NOW)) == 4


def test_nothing_stored_tells_what_was_typed_or_from_where() -> None:
    lanes = throttle.lanes(KEY, "my secret password", HERE, "", NOW)
    assert not any("secret" in lane.key or HERE in lane.key for lane in lanes)
    assert lanes[0] == Lane(lanes[0].key, 5)
    assert {lane.key.split(":")[0] for lane in lanes} == {"pair", "login", "address", "area"}
