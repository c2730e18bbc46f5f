"""Who waits where for a password to be looked at. argon2id is as slow here as it always is."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from desk.entry import throttle
from desk.roles import Role
from tests.web.console.seats import APP_KEY, Desk, post
from tests.web.console.signing import OTHER_PASSWORD, PASSWORD, person, sign_in
from web.console.hashing import EACH, PLACES, STRANGERS, Queue

ME = "/desk/me"


async def test_however_many_strangers_wait_whoever_is_known_is_looked_at(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    mine = desk.browser()
    assert (await sign_in(mine, "officer")).status_code == 303
    await post(mine, "/desk/sign-out")
    inside = await desk.seat(Role.OFFICER)
    with ExitStack() as crowd:
        for number in range(PLACES):
            crowd.enter_context(STRANGERS.place(f"198.51.{number // EACH}.0/24"))
        new = desk.browser(address="192.0.2.9")
        away = await sign_in(new, "officer")
        assert away.status_code == 503
        assert "Try again in a minute" in away.text
        assert (await sign_in(mine, "officer")).status_code == 303
        fields = {"password": PASSWORD, "new": OTHER_PASSWORD, "again": OTHER_PASSWORD}
        assert (await post(inside, f"{ME}/password", fields, page=ME)).status_code == 303
    lanes = throttle.lanes(APP_KEY, "officer", "192.0.2.9", "", desk.clock())
    counted = await desk.store.read(lambda tx: [tx.attempts(lane.key) for lane in lanes])
    assert sum(each.count for each in counted if each) == 0  # turned away is not tried
    assert (await sign_in(new, "officer", OTHER_PASSWORD)).status_code == 303


async def test_a_network_of_strangers_has_four_places_and_takes_nobody_elses(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    gate = threading.Event()
    held = asyncio.create_task(STRANGERS.run(lambda: gate.wait(60)))
    addresses = [f"198.51.100.{number}" for number in range(12)]
    crowd = {asyncio.create_task(wrong(desk, address)) for address in addresses}
    refused: list[int] = []
    while len(refused) < len(addresses) - EACH:
        done, crowd = await asyncio.wait(crowd, timeout=60, return_when="FIRST_COMPLETED")
        refused += [task.result() for task in done]
        assert done
    assert refused == [503] * (len(addresses) - EACH)
    elsewhere = asyncio.create_task(sign_in(desk.browser(address="192.0.2.9"), "officer"))
    gate.set()
    assert [await task for task in crowd] == [403] * EACH
    assert (await elsewhere).status_code == 303
    assert await held


async def wrong(desk: Desk, address: str) -> int:
    answer = await sign_in(desk.browser(address=address), "officer", "a wrong password")
    return answer.status_code


async def test_a_queue_works_on_one_at_a_time_and_forgets_who_has_left() -> None:
    queue, at_once, most, lock = Queue("test"), 0, 0, threading.Lock()

    def work() -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.01)
        with lock:
            at_once -= 1
        return True

    async def waiting(party: str) -> bool:
        with queue.place(party):
            return await queue.run(work)

    parties = [str(number % 5) for number in range(5 * EACH)]
    assert all(await asyncio.gather(*map(waiting, parties)))
    assert most == 1
    for _ in range(3):
        with ExitStack() as places:
            for _ in range(EACH):
                places.enter_context(queue.place("a"))
            with pytest.raises(HTTPException), queue.place("a"):
                pass
            places.enter_context(queue.place("b"))
    kept: Any = queue._taken
    assert not kept
