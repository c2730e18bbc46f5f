"""Between two looks one person comes in: no page, list, figure or file may differ by them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from desk.audit import Act, seal_key
from desk.campaigns.commanding import Said, campaigns
from desk.connections import tokens
from desk.roles import SCOPED, Grant, Role
from desk.visiting import make_visit_link
from surveys.audience import Audience
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation
from tests.surveys.world import NOW, World, found_world
from tests.web.console.seats import Clock, Desk, desk_on, post
from web.api.app import OPERATIONS
from web.console.house import DOORS

TAPS = ("非常满意", "满意", "满意")
CAME = 13  # by the poster before the first look: one more is not yet twenty
DRAFT = "0123456789abcdef0123"
ELSEWHERE = ("/sign-in", "/welcome", "/second-factor", "/audit/export", "/works", "/questionnaires")
ASKED = {
    "/roster": ("", "?q=desk"),
    "/roster/people": ("", "?kind=citizen", "?order=-id", "?out=no", "?q=_", "?page=2"),
    "/roster/unit": ("?id=desk", "?id=office"),
    "/roster/person": ("?id=head", "?id=citizen"),
    "/roster/links": ("?kind=unit", "?kind=staff", "?kind=campaign"),
    "/roster/nominate": ("?id=office",),
    "/roster/derive": ("?rule=below&rule=beside&rule=above",),
    "/campaigns/{campaign:path}/dry-run": ("", "?fate=no_address", "?fate=asked_lately"),
}
OWN = {  # what the look itself leaves: an entry in the audit, when the account was last there
    *("/desk/audit", "/desk/audit/verify", "/api/v1/audit", "/desk/accounts", "/desk/me"),
    *("/desk/connections", "/desk/connections/tokens"),
}
CHANGING = re.compile(r'name="proof" value="[^"]+"|nonce-?[^"]*"[^"]*"|"request_id": ?"[^"]*"')


@dataclass
class House:
    """A desk and the conversation that people come in by, on one store."""

    world: World
    desk: Desk

    async def came(self, who: str, link: str = "poster", *taps: str) -> None:
        """Somebody comes by a link and answers everything."""
        await self.world.rate(who, *(taps or TAPS), payload=link)

    async def looks(self, console: httpx.AsyncClient, program: httpx.AsyncClient) -> dict[str, str]:
        """Everything that whoever may do everything can see, by where it stands."""
        self.desk.clock.on(minutes=1)  # or the API says that it was too much at once
        found = {path: await _seen(console, path) for path in _pages()}
        found |= {path: await _seen(program, path) for path in _operations()}
        for language in ("zh", "en"):
            found[f"/campaigns {language}"] = await self.world.read(
                partial(self._campaigns, language)
            )
        return found

    def _campaigns(self, language: str, tx: Any) -> str:
        account = tx.account_by_login("mighty")
        zone = ZoneInfo("Asia/Shanghai")
        return campaigns(Said(tx, self.act(), account, "", language, zone, 1000))

    def act(self) -> Act:
        return Act("a-mighty", "mighty", "chat", NOW, seal_key(self.world.keyring.app_key()))


async def _seen(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code in {200, 303, 404}, (path, answer.status_code)
    return f"{answer.status_code} {CHANGING.sub('', answer.text)}"


def _pages() -> list[str]:
    found = []
    for door in DOORS:
        if door.method != "GET" or door.path.startswith(ELSEWHERE):
            continue
        for asked in ASKED.get(door.path, ("",)):
            for campaign in CAMPAIGNS if "{campaign" in door.path else ("",):
                path = door.path.replace("{campaign:path}", campaign).replace("{wave}", "w")
                path = path.replace("{key}", DRAFT)
                steps = "1234" if "{step}" in path else "1"
                found += [f"/desk{path.replace('{step}', step)}{asked}" for step in steps]
    return [path for path in found if "{" not in path and "forget" not in path
            and not path.endswith(("/self", "/campaigns/new"))]  # fmt: skip


def _operations() -> list[str]:
    given = {"campaign": "later", "wave": "w", "person": "head", "subject": "desk", "year": "2026"}
    paths = [each.path for each in OPERATIONS if each.method == "GET"]
    filled = [re.sub(r"\{(\w+)\}", lambda m: given.get(m[1], m[0]), path) for path in paths]
    lists = ["/people?kind=citizen", "/people?left=false", "/relations?subject=desk"]
    return [f"/api/v1{path}" for path in [*filled, *lists] if "{" not in path]


CAMPAIGNS = ("q", "later", "rested")


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A wave is open; people have come; two more campaigns would ask the same people."""
    roll = [Relation(f"peer{n}", "office", RaterGroup.PEER) for n in range(14)]
    world = await found_world(database_url, tmp_path, roll=roll)
    now = Clock(NOW)
    desk = desk_on(world.store, now, keyring=world.keyring)
    form = world.form.hash

    def more(tx: Any) -> None:
        both, soon = (RaterGroup.RECIPIENT, RaterGroup.PEER), date(2026, 12, 20)
        later = Campaign("later", {"zh": "以后", "en": "Later"}, form, both, soon)
        tx.put_campaign(later)
        tx.put_campaign(replace(later, id="rested", audience=Audience(rest_days=30)))
        tx.put_people([Person("citizen", Kind.CITIZEN, "周八")])
        tx.put_relations(
            [Relation(who, "desk", RaterGroup.RECIPIENT) for who in ("citizen", "peer1")]
        )
        tx.put_chat(Chat(Address("test", "named"), "citizen", "zh"))

    await world.store.write(more)
    made = House(world, desk)
    for number in range(CAME):
        await made.came(f"early{number}")
    for number in range(3):
        link = await visit(made)
        await made.came(f"served{number}", link)
    yield made
    for client in desk.opened:
        await client.aclose()
    await world.store.close()


async def visit(house: House) -> str:
    """The token of a link to one visit's rating."""
    key = house.world.keyring.app_key()
    made = await house.world.store.write(
        lambda tx: make_visit_link(tx, house.act(), key, "desk", 9)
    )
    return made.invite.token


async def guest(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """A stranger scans a window's code, and answers."""
    return lambda: house.came("late")


async def looker(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """A stranger scans it and goes away again."""
    return lambda: house.came("late", "office", "非常满意")


async def served(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """A stranger opens the link of their visit."""
    link = await visit(house)
    return lambda: house.came("late", link)


async def colleague(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """Somebody whom the roster lists, and who is in the chat already, scans a window's code."""
    await house.world.open("wang", "link-head")
    return lambda: house.came("wang")


async def neighbour(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """A citizen whom the roster lists scans the code of the window that they may rate."""
    return lambda: house.came("named")


async def peer(house: House) -> Callable[[], Coroutine[Any, Any, None]]:
    """Somebody on the roll answers."""
    await house.world.open("p0", "link-peer0")

    async def answer() -> None:
        await house.came("p0", "office", *TAPS)

    return answer


@pytest.mark.parametrize("way", [guest, looker, served, colleague, neighbour, peer])
async def test_nothing_at_the_desk_differs_when_one_person_comes_in(
    house: House, way: Callable[[House], Coroutine[Any, Any, Any]]
) -> None:
    grants = tuple(Grant(role, "desk" if role in SCOPED else "") for role in Role)
    account = replace(await house.desk.account(Role.ADMINISTRATOR, login="mighty"), grants=grants)
    await house.world.store.write(lambda tx: tx.put_account(account))
    console = await house.desk.seat(Role.ADMINISTRATOR, login="mighty")
    step = f"/desk/campaigns/new/{DRAFT}"
    await post(console, f"{step}/2", {"SVC": "yes", "PEER": "yes", "go": "3"}, page=f"{step}/2")
    _, secret = await house.world.store.write(
        lambda tx: tokens.make(tx, house.desk.act(), account, "t", tokens.offered(account), 30)
    )
    program = house.desk.browser()
    program.headers["Authorization"] = f"Bearer {secret}"
    comes = await way(house)
    first = await house.looks(console, program)
    before = await house.looks(console, program)
    steady = {path for path in before if before[path] == first[path]}
    noisy = {path for path in before if path not in steady}
    assert noisy <= OWN, noisy
    ballots = len(await house.world.boxes())
    await comes()
    after = await house.looks(console, program)
    assert way is looker or len(await house.world.boxes()) == ballots + 1
    told = [path for path in sorted(steady) if after[path] != before[path]]
    assert not told, "\n".join(f"{path}: {_parted(before[path], after[path])}" for path in told)


def _parted(one: str, two: str) -> str:
    """Where two pages part."""
    at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    return f"{one[at - 60 : at + 60]!r} -> {two[at - 60 : at + 60]!r}"
