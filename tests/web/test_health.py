"""Alive and ready: what machines are told, and that strangers learn nothing more."""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette

from web.health import Health, alive, ready


async def good() -> bool:
    return True


async def bad() -> bool:
    return False


async def failing() -> bool:
    raise RuntimeError("postgresql://minyi:hush@db/minyi does not answer")


async def endless() -> bool:
    await asyncio.Event().wait()
    return True


async def asked(health: Health, path: str = "/readyz") -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=[alive(), ready(health)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://minyi.test") as client:
        return await client.get(path)


async def test_all_well_is_200_and_names_nothing() -> None:
    answer = await asked(Health({"database": good, "disk": good}))
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "not_ready": []})


async def test_what_is_not_well_is_named_and_no_more_is_said() -> None:
    health = Health(
        {"database": failing, "disk": good, "clock": bad, "writer": endless}, patience=0.05
    )
    answer = await asked(health)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "not_ready": ["database", "clock", "writer"]}
    assert "hush" not in answer.text


async def test_being_alive_asks_nobody() -> None:
    answer = await asked(Health({"database": failing}), "/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_many_who_ask_at_once_cost_one_look() -> None:
    looks = 0

    async def counted() -> bool:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return True

    health = Health({"database": counted}, kept=60)
    await asyncio.gather(*(asked(health) for _ in range(20)))
    assert looks == 1
    health.kept = 0
    await asked(health)
    assert looks == 2
