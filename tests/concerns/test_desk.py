from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from concerns import desk
from concerns.desk import DeskError
from concerns.store import State
from storage import FileKeyring
from tests.concerns.raising import STORY, only, raise_concern
from tests.surveys.world import World


async def test_a_concern_is_found_by_the_beginning_of_its_id(world: World) -> None:
    await raise_concern(world)
    concern = await only(world)
    for part in (concern.id, concern.id[:6]):
        assert await world.read(partial(desk.find, concern=part)) == concern
    with pytest.raises(DeskError, match="There is no concern zz"):
        await world.read(lambda tx: desk.find(tx, "zz"))


async def test_a_beginning_that_fits_several_is_asked_to_be_longer(world: World) -> None:
    for who in "abcdefghijklmnopq":  # more than there are first letters of an id
        await raise_concern(world, who)
    ids = [concern.id for concern in await world.read(lambda tx: tx.concerns())]
    shared = next(i[0] for i in ids if sum(j[0] == i[0] for j in ids) > 1)
    with pytest.raises(DeskError, match="Several"):
        await world.read(lambda tx: desk.find(tx, shared))


async def test_both_sides_are_read_in_order(world: World) -> None:
    await raise_concern(world)
    concern = await only(world)
    for text in (" 在查。 ", "查清了。"):
        said = partial(desk.answer, keyring=world.keyring, concern=concern, text=text)
        await world.store.write(said)
    found = await world.read(lambda tx: desk.read(tx, world.keyring, concern))
    assert [(s.author, s.text) for s in found] == [
        ("person", STORY),
        ("handler", "在查。"),
        ("handler", "查清了。"),
    ]
    assert (await only(world)).state is State.ANSWERED


async def test_another_houses_keys_open_nothing(world: World, tmp_path: Path) -> None:
    await raise_concern(world)
    concern = await only(world)
    with pytest.raises(DeskError, match="does not open"):
        await world.read(lambda tx: desk.read(tx, FileKeyring(tmp_path / "other"), concern))


async def test_an_answer_without_words_or_to_a_closed_case_is_refused(world: World) -> None:
    await raise_concern(world)
    concern = await only(world)
    with pytest.raises(DeskError, match="needs words"):
        await world.store.write(lambda tx: desk.answer(tx, world.keyring, concern, " \n"))
    await world.store.write(lambda tx: desk.close(tx, concern))
    closed = await only(world)
    assert closed.state is State.CLOSED
    with pytest.raises(DeskError, match="closed"):
        await world.store.write(lambda tx: desk.answer(tx, world.keyring, closed, "words"))
    assert len(await world.read(lambda tx: tx.entries(closed.id))) == 1


async def test_each_answer_is_announced_once(world: World) -> None:
    await raise_concern(world)
    concern = await only(world)
    assert await world.read(desk.unannounced) == []
    for seq in (2, 3):
        await world.store.write(lambda tx: desk.answer(tx, world.keyring, concern, "words"))
        ((found, number),) = await world.read(desk.unannounced)
        assert (found.id, number) == (concern.id, seq)
        await world.store.write(partial(desk.announced, concern=concern, seq=seq))
        assert await world.read(desk.unannounced) == []
