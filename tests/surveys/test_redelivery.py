"""A message delivered twice: the process died between the commit and the acknowledgement."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from minyi.conversing import QUESTIONNAIRES, settle
from minyi.talk import HERE, ORGANISATION, PAYLOAD, rehearse
from storage import FileKeyring, SqlStore
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.reply import Opened, Typed
from surveys.visit import Setting


async def test_words_delivered_again_to_a_new_process_answer_nothing_twice(tmp_path: Path) -> None:
    store, keys = SqlStore("sqlite://"), FileKeyring(tmp_path / "keys")
    await rehearse(store, keys, QUESTIONNAIRES / "service.md", RaterGroup.RECIPIENT)
    now = datetime.now(UTC)

    async def process() -> Conversation:
        return await settle(store, keys, Setting(ORGANISATION))

    first = await process()
    await first.receive(HERE, Opened(PAYLOAD), now)
    await first.receive(HERE, Typed("满意", event=7), now)
    (asked,) = await first.receive(HERE, Typed("非常满意", event=8), now)
    second = await process()  # and Telegram, unacknowledged, hands both over again
    for again in (Typed("满意", event=7), Typed("非常满意", event=8)):
        (shown,) = await second.receive(HERE, again, now)
        assert shown.text == asked.text
    (ended,) = await second.receive(HERE, Typed("基本满意", event=9), now)
    assert not ended.question
    assert await store.read(lambda tx: tx.ballot_count("talk")) == 1
    await store.close()
