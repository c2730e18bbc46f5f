"""Labels' files, and the rows of what was handed over, on every database."""

from __future__ import annotations

from datetime import date
from operator import methodcaller

import pytest

from storage import SqlStore
from tests.storage.rows import found_world

DAY = date(2026, 12, 12)
PICTURE = bytes(range(256)) * 100


async def test_a_labels_file_is_kept_once_and_for_all(store: SqlStore) -> None:
    await store.write(found_world)
    for _ in range(2):
        await store.write(lambda tx: tx.put_form_media("f1", "窗口.png", "image/png", PICTURE))
    assert await store.read(lambda tx: tx.form_media("f1", "窗口.png")) == ("image/png", PICTURE)
    assert await store.read(lambda tx: tx.form_media("f1", "other.png")) is None
    for mime, content in (("image/png", PICTURE[:-1]), ("image/jpeg", PICTURE)):
        other = methodcaller("put_form_media", "f1", "窗口.png", mime, content)
        with pytest.raises(ValueError, match="new version"):
            await store.write(other)
    assert await store.read(lambda tx: tx.form_media("f1", "窗口.png")) == ("image/png", PICTURE)


async def test_what_was_handed_over_is_stale_after_its_day_unless_it_is_kept(
    store: SqlStore,
) -> None:
    def settle(tx: object) -> None:
        for number, day in enumerate((date(2026, 11, 1), date(2026, 11, 1), DAY)):
            tx.put_attachment(f"a{number}", day)  # type: ignore[attr-defined]

    await store.write(settle)
    assert await store.write(lambda tx: tx.keep_attachment("a1"))
    assert not await store.write(lambda tx: tx.keep_attachment("nobody's"))
    assert await store.write(lambda tx: tx.drop_stale_attachments(date(2026, 11, 1))) == []
    assert await store.write(lambda tx: tx.drop_stale_attachments(DAY)) == ["a0"]
    assert await store.read(lambda tx: tx.attachments()) == ["a1", "a2"]


async def test_an_id_is_given_once(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_attachment("a", DAY))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.put_attachment("a", DAY))
