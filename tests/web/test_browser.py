"""The site in a real browser: phone and desk, with and without JavaScript, keyboard only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from surveys.reply import Tapped, Typed
from tests.web.conftest import Stage

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
FAINT = """() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => colour.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (el) => {
    for (; el; el = el.parentElement) {
      const colour = rgba(getComputedStyle(el).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const el of document.body.querySelectorAll('*')) {
    const words = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || !el.getClientRects().length) continue;
    const style = getComputedStyle(el);
    const ink = rgba(el instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(el))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(el.outerHTML.slice(0, 80));
  }
  return faint;
}"""
ACCESSIBLE = 44  # px, the least size of something to press


@contextmanager
def browsing(
    chromium: Browser, size: Any = PHONE, *, calm: bool = True, **options: Any
) -> Iterator[Page]:
    """A fresh visitor's page. ``calm``: a complaint (such as a blocked style) fails the test."""
    options.setdefault("locale", "zh-CN")
    context = chromium.new_context(viewport=size, **options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not (calm and complaints)


def overflows(page: Page) -> bool:
    """Whether the page must be scrolled sideways."""
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def moves(stage: Stage) -> list[object]:
    return [each for _, each, _ in stage.talk.heard if isinstance(each, Tapped | Typed)]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_no_page_needs_sideways_scrolling(
    chromium: Browser, stage: Stage, size: Any, locale: str
) -> None:
    with browsing(chromium, size, locale=locale) as page:
        for path in stage.paths:
            page.goto(stage.url + path)
            assert not overflows(page), path


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_everything_to_press_in_the_chat_is_big_enough(
    chromium: Browser, stage: Stage, locale: str
) -> None:
    with browsing(chromium, locale=locale) as page:
        page.goto(f"{stage.url}/c/land-1")
        for thing in page.locator("button, textarea").all():
            box = thing.bounding_box()
            assert box
            assert box["height"] >= ACCESSIBLE
            assert box["width"] >= ACCESSIBLE
            assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_interview_can_be_answered(chromium: Browser, stage: Stage, scripts: bool) -> None:
    with browsing(chromium, java_script_enabled=scripts) as page:
        page.goto(f"{stage.url}/c/land-1")
        press(page, "不满意")
        expect(page.locator(".said")).to_contain_text("不满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        expect(page.get_by_role("button", name="非常满意 😀")).to_have_count(0)
        if scripts:  # what was said before stays; without scripts the page is a new one
            expect(page.locator(".question").first).to_contain_text("这次的服务满意吗？")
        page.get_by_label("也可以打字回答").fill("等了<b>两</b>小时 😡\n没人理")
        press(page, "发送")
        expect(page.locator(".said .words").last).to_have_text("等了<b>两</b>小时 😡\n没人理")
        expect(page.locator(".reply").last).to_contain_text("谢谢您")
        expect(page.get_by_label("也可以打字回答")).to_have_value("")
    assert moves(stage) == [Tapped("0:4"), Typed("等了<b>两</b>小时 😡\n没人理")]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_double_click_answers_once(chromium: Browser, stage: Stage, scripts: bool) -> None:
    stage.talk.delay = 0.1
    with browsing(chromium, java_script_enabled=scripts) as page:
        page.goto(f"{stage.url}/c/land-1")
        page.get_by_role("button", name="不满意", exact=True).dblclick()
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
    assert moves(stage) == [Tapped("0:4")]


def test_a_second_click_that_lands_on_the_next_question_answers_nothing(
    chromium: Browser, stage: Stage
) -> None:
    with browsing(chromium) as page:
        page.goto(f"{stage.url}/c/land-1")
        press(page, "满意")
        skip = page.get_by_role("button", name="跳过")
        skip.scroll_into_view_if_needed()
        box = skip.bounding_box()
        assert box
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)
        page.reload()
        expect(page.locator(".question")).to_contain_text("为什么呢？")
    assert moves(stage) == [Tapped("0:2")]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_going_back_and_reloading_show_where_it_stands(
    chromium: Browser, stage: Stage, scripts: bool
) -> None:
    with browsing(chromium, java_script_enabled=scripts) as page:
        page.goto(f"{stage.url}/")
        page.goto(f"{stage.url}/c/land-1")
        press(page, "不满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        page.reload()
        expect(page.locator(".question")).to_have_count(1)
        expect(page.locator(".question")).to_contain_text("为什么呢？")
        page.goto(f"{stage.url}/results")
        page.go_back()
        expect(page.locator(".question")).to_contain_text("为什么呢？")
        expect(page.locator(".said")).to_have_count(0)


def test_the_keyboard_is_enough(chromium: Browser, stage: Stage) -> None:
    with browsing(chromium, DESK) as page:
        page.goto(f"{stage.url}/c/land-1")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="非常满意 😀")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        expect(page.locator(".question").last).to_be_focused()
        for _ in range(3):
            page.keyboard.press("Tab")
        expect(page.get_by_label("也可以打字回答")).to_be_focused()
        page.keyboard.type("还行")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("真的")
        page.keyboard.press("Enter")
        expect(page.locator(".reply").last).to_contain_text("谢谢您")
    assert moves(stage) == [Tapped("0:2"), Typed("还行\n真的")]


def test_a_draft_survives_a_press(chromium: Browser, stage: Stage) -> None:
    with browsing(chromium) as page:
        page.goto(f"{stage.url}/c/land-1")
        page.get_by_label("也可以打字回答").fill("等了两个小时")
        press(page, "不满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        expect(page.get_by_label("也可以打字回答")).to_have_value("等了两个小时")
        press(page, "发送")
        expect(page.locator(".reply").last).to_contain_text("谢谢您")


def test_an_aside_leaves_the_buttons_where_they_are(chromium: Browser, stage: Stage) -> None:
    with browsing(chromium) as page:
        page.goto(f"{stage.url}/c/land-1")
        press(page, "谁能看到？")
        expect(page.locator(".reply").last).to_contain_text("只有汇总。")
        expect(page.locator(".reply")).to_have_count(2)
        press(page, "满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")


def test_a_change_of_language_changes_the_whole_page(chromium: Browser, stage: Stage) -> None:
    with browsing(chromium) as page:
        page.goto(f"{stage.url}/c/land-1")
        press(page, "换语言：English")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_label("You can also type")).to_be_visible()
        expect(page.locator(".question").last).to_contain_text("How satisfied are you")


def test_a_press_that_gets_lost_says_so_and_can_be_repeated(
    chromium: Browser, stage: Stage
) -> None:
    with browsing(chromium, calm=False) as page:
        page.goto(f"{stage.url}/c/land-1")
        page.context.set_offline(True)
        press(page, "不满意")
        expect(page.get_by_role("alert")).to_contain_text("再按一次")
        assert moves(stage) == []
        page.context.set_offline(False)
        press(page, "不满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_server_in_trouble_says_so_and_keeps_what_was_typed(
    chromium: Browser, stage: Stage
) -> None:
    with browsing(chromium, calm=False) as page:
        page.goto(f"{stage.url}/c/land-1")
        press(page, "不满意")
        expect(page.locator(".question").last).to_contain_text("为什么呢？")
        stage.talk.fail = True
        page.get_by_label("也可以打字回答").fill("等了两个小时")
        press(page, "发送")
        expect(page.get_by_role("alert")).to_contain_text("再按一次")
        stage.talk.fail = False
        press(page, "发送")
        expect(page.locator(".reply").last).to_contain_text("谢谢您")


def test_results_can_be_read_by_keyboard(chromium: Browser, stage: Stage) -> None:
    with browsing(chromium) as page:
        page.goto(f"{stage.url}/results/2026Q1")
        summary = page.locator("summary").first
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator("details .reasons").first).to_be_visible()
        page.locator("article h3 a").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("不动产登记窗口")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_enough(chromium: Browser, stage: Stage, scheme: Any) -> None:
    """WCAG 2.2 AA: text has a contrast of at least 4.5 to its background."""
    with browsing(chromium, color_scheme=scheme) as page:
        for path in stage.paths:
            page.goto(stage.url + path)
            assert page.evaluate(FAINT) == [], path
