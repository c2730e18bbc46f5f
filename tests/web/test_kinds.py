"""Questions of every kind, on the real conversation: what a page offers and what it hands on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import lxml.html
import pytest
from lxml.html import HtmlElement

from tests.web.kinds import REASONS, png, visiting

SCRIPT = {"HX-Request": "true"}


class Page:
    """What a visitor has before their eyes, pressed and filled in by its forms."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.answer = httpx.Response(0)
        self.html = lxml.html.fromstring("<p/>")

    def shows(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.answer = answer
        self.html = lxml.html.fromstring(f"<div>{answer.text}</div>")

    async def open(self) -> None:
        self.shows(await self.client.get("/c/demo", follow_redirects=True))

    def fields(self, form: str) -> dict[str, str]:
        found = self.html.xpath(f"//form[{form}]//input[@type='hidden']")
        return {each.get("name"): each.get("value", "") for each in found}

    async def press(self, label: str, headers: Mapping[str, str] = SCRIPT) -> None:
        for button in self.buttons():
            if button.text_content() == label:
                fields = self.fields("@class='rows'") | {"data": button.get("value")}
                return await self.post(fields, headers)
        raise AssertionError(f"no button {label}")

    async def write(self, headers: Mapping[str, str] = SCRIPT, **filled: str) -> None:
        await self.post(self.fields("@id='say'") | filled, headers)

    async def hand(self, content: bytes, name: str = "见证.png") -> None:
        fields = self.fields("@id='say'")
        self.shows(
            await self.client.post(
                "/c/say", data=fields, files={"file": (name, content)}, headers=SCRIPT
            )
        )

    async def post(self, fields: Mapping[str, str], headers: Mapping[str, str]) -> None:
        answer = await self.client.post(
            "/c/say", data=dict(fields), headers=dict(headers), follow_redirects=True
        )
        self.shows(answer)

    def buttons(self) -> list[HtmlElement]:
        return list(self.html.xpath("//form[@class='rows']//button"))

    def chosen(self) -> list[str]:
        return [b.text_content() for b in self.buttons() if b.get("aria-pressed") == "true"]

    @property
    def said(self) -> list[str]:
        return [each.text_content() for each in self.html.xpath("//li[@class='said first']/p")]

    @property
    def asked(self) -> str:
        return str(self.html.xpath("//li[contains(@class, 'question')]/p")[-1].text_content())

    def input(self, name: str) -> HtmlElement:
        return self.html.xpath(f"//form[@id='say']//*[@name='{name}']")[-1]


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with visiting(tmp_path) as client:
        page = Page(client)
        await page.open()
        yield page


async def reach(page: Page, question: str) -> None:
    """Skip on until ``question`` is asked."""
    for _ in range(6):
        if question in page.asked:
            return
        await page.press("跳过", {})
    raise AssertionError(f"never asked {question}")


async def test_a_tick_changes_the_boxes_where_they_stand(page: Page) -> None:
    [message] = page.html.xpath("//li[contains(@class, 'question')]/@id")
    for reason in REASONS[:2]:
        boxes = page.fields("@class='rows'")
        button = next(b for b in page.buttons() if b.text_content() == f"☐ {reason}")
        assert button.get("aria-pressed") == "false"
        await page.press(f"☐ {reason}")
        assert page.answer.headers["hx-reswap"] == "outerHTML"
        assert page.answer.headers["hx-retarget"].startswith(f"#{message}")
        assert page.said == []
        assert page.fields("@class='rows'")["once"] != boxes["once"]
        [message] = page.html.xpath("//li[contains(@class, 'question')]/@id")
    assert page.chosen() == ["☑ 等候时间太长", "☑ 态度不好"]
    [focus] = page.html.xpath("//button[@autofocus]")
    assert focus.text_content() == "☑ 态度不好"


async def test_only_the_boxes_are_swapped_while_the_words_stay_the_same(page: Page) -> None:
    await page.press("☐ 来回跑")
    await page.press("☐ 态度不好")
    same = page.answer
    assert same.headers["hx-retarget"].endswith(" .rows")
    assert same.headers["hx-reselect"] == ".rows"


async def test_without_scripts_a_tick_leaves_no_message_either(page: Page) -> None:
    await page.press("☐ 来回跑", {})
    assert page.said == []
    assert page.chosen() == ["☑ 来回跑"]
    assert len(page.html.xpath("//li")) == 1


async def test_a_refused_answer_stands_where_the_question_stood(page: Page) -> None:
    for reason in REASONS[:3]:
        await page.press(f"☐ {reason}")
    await page.press("完成")
    assert "最多选两个。" in page.asked
    assert page.said == []
    assert page.answer.headers["x-in-place"] == "yes"
    assert "hx-reselect" not in page.answer.headers


async def test_words_not_understood_stay_above_the_question(page: Page) -> None:
    await reach(page, "多少分钟")
    await page.write(text="很久很久")
    assert page.said == ["很久很久"]
    assert "等了多少分钟？" in page.asked
    assert re.fullmatch(r"#m-[\w-]+", page.answer.headers["hx-retarget"])
    await page.write(text="三十")
    assert page.said == ["三十"]
    assert "hx-retarget" not in page.answer.headers
    assert "哪一天来的？" in page.asked


async def test_an_aside_moves_the_question_below_it(page: Page) -> None:
    await page.write(text="/privacy")
    assert page.answer.headers["hx-retarget"].startswith("#m-")
    assert len(page.html.xpath("//li[contains(@class, 'reply')]")) == 2
    assert "让您不满意" in page.asked


async def test_a_number_is_typed_on_a_number_keyboard_but_never_in_a_number_field(
    page: Page,
) -> None:
    await reach(page, "多少分钟")
    field = page.input("text")
    assert field.tag == "textarea"
    assert field.get("inputmode") == "numeric"


async def test_a_day_that_was_picked_is_heard_like_one_that_was_typed(page: Page) -> None:
    await reach(page, "哪一天")
    assert page.input("picked").get("type") == "date"
    await page.write(text="", picked="2026-03-14")
    assert page.said == ["2026-03-14"]
    assert "在哪里？" in page.asked


async def test_a_place_may_be_shared_or_typed(page: Page) -> None:
    await reach(page, "在哪里")
    assert page.input("latitude").get("type") == "hidden"
    await page.write(latitude="31.23041", longitude="121.4737", accuracy="12.4")
    assert page.said == ["📍 31.23041, 121.47370 (±12 m)"]
    assert "请拍一张照片。" in page.asked
    await page.press("返回", {})
    await page.write({}, text="31.23041, 121.4737")
    assert "请拍一张照片。" in page.asked


@pytest.mark.parametrize("latitude", ["", "nan", "north", "91"])
async def test_what_is_no_place_answers_nothing(page: Page, latitude: str) -> None:
    await reach(page, "在哪里")
    await page.write(latitude=latitude, longitude="121")
    assert "在哪里？" in page.asked
    assert page.said == []


async def test_a_photo_is_handed_over_under_its_name_and_size(page: Page) -> None:
    await reach(page, "照片")
    album, camera = page.html.xpath("//input[@id='file']")[0], page.html.xpath("//*[@capture]")[0]
    assert album.get("accept") == camera.get("accept") == "image/*"
    assert page.html.xpath("//form[@id='say']/@enctype") == ["multipart/form-data"]
    await page.hand(png(), "C:\\相册\\见证.png")
    assert page.said == [f"📷 照片 · 见证.png · {len(png())} B"]
    assert "还有什么要说的？" in page.asked


async def test_what_is_no_photo_is_told_by_its_content(page: Page) -> None:
    await reach(page, "照片")
    await page.hand(b"#!/bin/sh\n", "photo.png")
    assert "请拍一张照片。" in page.asked
    assert page.answer.headers["hx-retarget"].startswith("#m-")
    assert page.said == ["📷 照片 · photo.png · 10 B"]


async def test_a_file_sent_twice_by_one_form_counts_once(page: Page) -> None:
    await reach(page, "照片")
    fields = page.fields("@id='say'")
    for _ in range(2):
        answer = await page.client.post(
            "/c/say", data=fields, files={"file": ("a.png", png())}, follow_redirects=True
        )
        assert "还有什么要说的？" in answer.text


async def test_a_file_where_words_are_asked_is_answered_kindly(page: Page) -> None:
    await reach(page, "还有什么")
    await page.hand(png())
    assert "还有什么要说的？" in page.asked


async def test_a_picture_stands_above_the_words_of_its_question(page: Page) -> None:
    [picture] = page.html.xpath("//li[contains(@class, 'question')]//img")
    assert picture.get("alt") == ""
    page.client.cookies.clear()
    answer = await page.client.get(picture.get("src"))
    assert answer.content == png()
    assert answer.headers["content-type"] == "image/png"
    assert "set-cookie" not in answer.headers


async def test_before_it_is_sent_everything_can_be_read_and_changed(page: Page) -> None:
    await reach(page, "多少分钟")
    await page.write(text="45")
    await reach(page, "还有什么")
    await page.write(text="窗口很干净")
    assert "45" in page.asked
    assert "窗口很干净" in page.asked
    labels = [button.text_content() for button in page.buttons()]
    assert len(labels) >= 3
