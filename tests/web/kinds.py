"""A questionnaire with a question of each kind, on the real conversation, before a real site."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from minyi.house import wall_clock
from tests.surveys.forms import table
from tests.surveys.handing import canvas
from tests.transcripts.house import Talking, talking
from tests.transcripts.serving import serving
from web.app import create_app

SURVEY = """
type | name | label | constraint | constraint_message | media::image
select_multiple why | why | 哪些地方让您不满意？ | count-selected(.) <= 2 | 最多选两个。 | desk.png
integer | minutes | 等了多少分钟？ | . < 600 | 没有那么久吧。 |
date | visit | 哪一天来的？ | | |
geopoint | place | 在哪里？ | | |
image | photo | 请拍一张照片。 | | |
text | words | 还有什么要说的？ | | |
"""
REASONS = ["等候时间太长", "态度不好", "说不清楚", "来回跑", "材料太多", "系统故障"]
REASONS += ["没有指引", "环境太差", "收费不明", "有人插队", "提前下班", "其他"]
CHOICES = "list_name | name | label\n" + "\n".join(
    f"why | r{number} | {reason}" for number, reason in enumerate(REASONS)
)
SETTINGS = "form_title | namespaces | attribute::minyi:review\n"
SETTINGS += 'T | minyi="urn:minyi" | yes'


def png() -> bytes:
    """A small picture."""
    made = io.BytesIO()
    canvas().save(made, "PNG")
    return made.getvalue()


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[Talking]:
    """One open wave of the questionnaire, behind the payload ``demo``."""
    (folder / "kinds.md").write_bytes(table(SURVEY, CHOICES, SETTINGS))
    (folder / "kinds-media").mkdir()
    (folder / "kinds-media" / "desk.png").write_bytes(png())
    async with talking(str(folder / "kinds.md")) as here:
        yield here


@asynccontextmanager
async def visiting(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen that has come by the link."""
    async with asking(folder) as here:
        app = create_app(
            here.conversation, here.store, clock=wall_clock, public_url="http://minyi.test"
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://minyi.test") as client:
            yield client


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The site on a real server in a thread of its own; its root URL."""
    there: asyncio.Queue[str] = asyncio.Queue()
    started, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def stand() -> None:
        async with (
            asking(folder) as here,
            serving(
                lambda url: create_app(
                    here.conversation, here.store, clock=wall_clock, public_url=url
                )
            ) as url,
        ):
            there.put_nowait(url)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stand(),))
    thread.start()
    assert started.wait(30), "the server did not start"
    yield there.get_nowait()
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()
