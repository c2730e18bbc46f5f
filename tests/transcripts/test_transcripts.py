"""Each conversation is played in every channel and must be read there word for word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import httpx
import pytest
import pytest_asyncio

from rehearsal.telegram import Stage
from tests.transcripts.browser import Browser, website
from tests.transcripts.house import ROOT, talking
from tests.transcripts.reading import play
from tests.transcripts.script import Script, scripts
from tests.transcripts.telegram import Phone, telegram
from tests.transcripts.terminal import expected, run

SCRIPTS = scripts()
T = TypeVar("T")
By = Callable[[str], Awaitable[T]]  # one for each questionnaire, made when first asked for

pytestmark = pytest.mark.asyncio(loop_scope="module")
every = pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
module = pytest_asyncio.fixture(scope="module", loop_scope="module")


@module
async def sites() -> AsyncIterator[By[str]]:
    """The web site about a questionnaire: its root URL."""
    async with AsyncExitStack() as stack:

        async def make(questionnaire: str) -> str:
            here = await stack.enter_async_context(talking(questionnaire))
            return await stack.enter_async_context(website(here))

        yield _kept(make)


@module
async def stages() -> AsyncIterator[By[Stage]]:
    """A pretend Telegram with the bot about a questionnaire."""
    async with AsyncExitStack() as stack:

        async def make(questionnaire: str) -> Stage:
            here = await stack.enter_async_context(talking(questionnaire))
            return await stack.enter_async_context(telegram(here))

        yield _kept(make)


def _kept(make: Callable[[str], Awaitable[T]]) -> By[T]:
    made: dict[str, T] = {}

    async def get(questionnaire: str) -> T:
        if questionnaire not in made:
            made[questionnaire] = await make(questionnaire)
        return made[questionnaire]

    return get


@pytest.mark.parametrize(
    ("script", "javascript"),
    # htmx's fragments are the same templates: one language is enough
    [(script, False) for script in SCRIPTS] + [(s, True) for s in SCRIPTS if s.language == "en"],
    ids=lambda value: value.name if isinstance(value, Script) else "htmx" if value else "plain",
)
async def test_the_web_chat_says_it_word_for_word(
    script: Script, javascript: bool, sites: By[str]
) -> None:
    url = await sites(script.questionnaire)
    headers = {"Accept-Language": script.language}
    async with httpx.AsyncClient(base_url=url, headers=headers, follow_redirects=True) as client:
        read = await play(script, Browser(client, script=javascript))
    assert read.text() == script.text()


@every
async def test_telegram_says_it_word_for_word(script: Script, stages: By[Stage]) -> None:
    phone = Phone(await stages(script.questionnaire), script.language)
    assert (await play(script, phone)).text() == script.text()


@every
async def test_the_terminal_says_it_word_for_word(script: Script) -> None:
    assert await run(script) == expected(script)


async def test_both_languages_tell_the_same_conversations() -> None:
    names = {
        language: {s.path.name for s in SCRIPTS if s.language == language}
        for language in ("zh", "en")
    }
    assert names["zh"] == names["en"]
    assert all(script.path.parent.name == script.language for script in SCRIPTS)


async def test_a_conversation_is_written_as_it_is_read() -> None:
    for script in SCRIPTS:
        assert script.text() == script.path.read_text("utf-8")
        assert (ROOT / script.questionnaire).is_file()
