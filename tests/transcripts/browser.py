"""The web chat before somebody's eyes: real pages over HTTP, read from their HTML."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import lxml.html
from lxml.html import HtmlElement

from minyi.house import wall_clock
from minyi.talk import ORGANISATION
from tests.transcripts.house import Talking
from tests.transcripts.reading import Shown
from tests.transcripts.script import (
    OPENING,
    Act,
    Changed,
    Gave,
    Pressed,
    Shared,
    Sticker,
    Wrote,
)
from tests.transcripts.serving import serving
from web.app import create_app


@asynccontextmanager
async def website(here: Talking) -> AsyncIterator[str]:
    """The whole site on a real server; its root URL."""
    async with serving(
        lambda url: create_app(
            here.conversation,
            here.store,
            clock=wall_clock,
            public_url=url,
            organisation=ORGANISATION,
        )
    ) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Form:
    """What pressing one button sends."""

    action: str
    fields: dict[str, str]


class Browser:
    """One visitor with a cookie. ``script`` is whether the page's JavaScript runs (htmx)."""

    cannot: tuple[type[Act], ...] = (Sticker, Changed)

    def __init__(self, client: httpx.AsyncClient, *, script: bool = False) -> None:
        self._client = client
        self._headers = {"HX-Request": "true"} if script else {}
        self._buttons: dict[str, Form] = {}
        self._composer = Form("", {})
        self._pressed: Form | None = None
        self._second_tab: dict[str, Form] = {}

    async def do(self, act: Act, *, twice: bool = False) -> Sequence[Shown]:
        """Open the link, press, or type and send."""
        match act:
            case Wrote(text) if text == OPENING:
                return self._read(await self._client.get("/c/demo"), "")
            case Wrote(text):
                fields = self._composer.fields | {"text": text}
                return await self._send(Form(self._composer.action, fields), text)
            case Pressed(label):
                return await self._send(await self._button(label, twice), label)
            case Gave(kind, file):
                fields = self._composer.fields | {"kind": kind}
                files = {"file": (file.name, act.content)}
                return await self._send(Form(self._composer.action, fields), None, files)
            case Shared(latitude, longitude):
                place = {"latitude": str(latitude), "longitude": str(longitude), "accuracy": "0"}
                return await self._send(
                    Form(self._composer.action, self._composer.fields | place), None
                )
            case Sticker() | Changed():
                raise NotImplementedError("a browser has no such thing")

    async def _button(self, label: str, twice: bool) -> Form:
        """Its newest form. The same form sent twice is heard once, so whoever presses twice has
        two tabs open and presses once in each."""
        form = self._buttons[label]
        if form is self._pressed:
            return self._second_tab[label]
        self._pressed = form
        if twice:
            self._second_tab = _buttons(_page((await self._client.get("/c")).text))
        return form

    async def _send(
        self, form: Form, said: str | None, files: dict[str, tuple[str, bytes]] | None = None
    ) -> Sequence[Shown]:
        answer = await self._client.post(
            form.action, data=form.fields, files=files, headers=self._headers
        )
        if onward := answer.headers.get("HX-Redirect"):
            answer = await self._client.get(onward)
        return self._read(answer, said, pressed="data" in form.fields)

    def _read(
        self, answer: httpx.Response, said: str | None, *, pressed: bool = False
    ) -> Sequence[Shown]:
        """What stands in the page or the fragment.

        It must repeat what the person ``said``, in its own words (None) where that was no text.
        """
        assert answer.status_code == 200, f"{answer.status_code} for {answer.request.url}"
        page = _page(answer.text)
        echoed = [
            element.text_content() for element in page.xpath("//li[contains(@class, 'said')]/p")
        ]
        silent = pressed and not echoed  # a tick: the question itself shows it
        given = said is None and len(echoed) == 1
        assert silent or given or echoed == ([said] if said else []), (
            "the page does not show what was said"
        )
        self._buttons |= _buttons(page)
        for form in page.xpath("//form[@id='say']"):
            self._composer = _form(form)
        for once in page.xpath("//input[@id='once']"):
            self._composer.fields["once"] = once.get("value")
        return [_shown(element) for element in page.xpath("//li[contains(@class, 'reply')]")]


def _page(html: str) -> HtmlElement:
    return lxml.html.fromstring(f"<div>{html}</div>" if "<html" not in html else html)


def _shown(element: HtmlElement) -> Shown:
    words = [part.text_content() for part in element.xpath("p")]
    rows = tuple(
        tuple(button.text_content() for button in row.xpath("button"))
        for row in element.xpath(".//div[@class='row']")
    )
    return Shown("\n".join(words), rows)


def _form(form: HtmlElement) -> Form:
    hidden = {field.get("name"): field.get("value") for field in form.xpath(".//input")}
    return Form(form.get("action"), hidden)


def _buttons(page: HtmlElement) -> dict[str, Form]:
    """Every choice on the page by its label."""
    found = {}
    for form in page.xpath("//form[@class='rows']"):
        for button in form.xpath(".//button"):
            plain = _form(form)
            plain.fields["data"] = button.get("value")
            found[button.text_content()] = plain
    return found
