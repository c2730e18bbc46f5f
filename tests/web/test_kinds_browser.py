"""Questions of every kind in a real browser: focus, scrolling, uploads, the place one is at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.web.kinds import REASONS, png, served
from tests.web.test_browser import ACCESSIBLE, DESK, FAINT, PHONE, browsing, overflows, press

HERE = {"latitude": 31.23, "longitude": 121.47, "accuracy": 12.0}
SMALL = {"width": 360, "height": 640}
PHOTO: Any = {"name": "a.png", "mimeType": "image/png", "buffer": png()}
UNCOVERED = """() => {
  const [rows] = [...document.querySelectorAll('.question .rows')].slice(-1);
  const {top, bottom} = rows.getBoundingClientRect();
  const foot = document.querySelector('.composer').getBoundingClientRect().top;
  return top >= 0 && bottom <= foot;
}"""
QUESTIONS = ["不满意", "多少分钟", "哪一天", "在哪里", "照片", "还有什么"]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with served(tmp_path) as url:
        yield url


def asks(page: Page, words: str) -> None:
    expect(page.locator(".question").last).to_contain_text(words)


def uncovered(page: Page) -> None:
    """The open question's buttons come to stand above the composer, whole."""
    page.wait_for_function(UNCOVERED)


def reach(page: Page, url: str, question: str) -> None:
    """Skip on until ``question`` is asked."""
    page.goto(f"{url}/c/demo")
    for each in QUESTIONS:
        asks(page, each)
        if each == question:
            return
        press(page, "跳过")


def box(page: Page, name: str, pressed: bool) -> Locator:
    return page.get_by_role("button", name=name, exact=True, pressed=pressed)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_who_ticks_by_keyboard_stays_on_the_box(chromium: Browser, url: str, scripts: bool) -> None:
    with browsing(chromium, java_script_enabled=scripts) as page:
        page.goto(f"{url}/c/demo")
        for pressed in (True, False, True):
            box(page, "有人插队", not pressed).focus()
            page.keyboard.press("Space")
            expect(box(page, "有人插队", pressed)).to_be_focused()
        expect(page.locator(".reply")).to_have_count(1)
        expect(page.locator(".said")).to_have_count(0)


def test_the_box_stays_under_the_finger_while_words_above_it_go(
    chromium: Browser, url: str
) -> None:
    """What was said once, above the first question, is not said again."""
    with browsing(chromium, {"width": 360, "height": 500}) as page:
        page.goto(f"{url}/c/demo")
        for name in ("材料太多", "没有指引"):
            box(page, name, False).scroll_into_view_if_needed()
            page.evaluate("scrollBy({top: 100, behavior: 'instant'})")
            stood = box(page, name, False).bounding_box()
            press(page, name)
            expect(box(page, name, True)).to_be_visible()
            expect(page.locator(".htmx-settling")).to_have_count(0)
            stands = box(page, name, True).bounding_box()
            assert stood
            assert stands
            assert abs(stands["y"] - stood["y"]) < 1


def test_boxes_ticked_in_haste_all_count(chromium: Browser, url: str) -> None:
    with browsing(chromium) as page:
        page.goto(f"{url}/c/demo")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/c/say", hold, times=1)
        for name in REASONS[:3]:
            press(page, name)
        held[0].continue_()
        for name in REASONS[:3]:
            expect(box(page, name, True)).to_be_visible()


def test_what_is_wrong_with_an_answer_comes_into_view(chromium: Browser, url: str) -> None:
    with browsing(chromium, {"width": 360, "height": 500}) as page:
        page.goto(f"{url}/c/demo")
        for name in REASONS[:3]:
            press(page, name)
            expect(box(page, name, True)).to_be_visible()
        press(page, "完成")
        asks(page, "最多选两个。")
        expect(page.locator(".question .words")).to_be_in_viewport()
        expect(page.locator(".question")).to_be_focused()
        expect(page.locator(".reply")).to_have_count(1)


def test_typed_words_stay_and_typing_goes_on(chromium: Browser, url: str) -> None:
    with browsing(chromium, DESK) as page:
        reach(page, url, "多少分钟")
        page.bring_to_front()  # another test's page may have had the keyboard last
        field = page.get_by_role("textbox")
        field.fill("很久很久")
        page.keyboard.press("Enter")
        expect(page.locator(".said").last).to_contain_text("很久很久")
        expect(page.locator(".question").last).to_contain_text("整数")
        expect(field).to_be_focused()
        page.keyboard.type("三十")
        page.keyboard.press("Enter")
        asks(page, "哪一天")
        expect(page.locator(".question", has_text="多少分钟")).to_have_count(1)
        expect(page.locator(".rows")).to_have_count(1)


def test_a_draft_outlives_a_change_of_the_question(chromium: Browser, url: str) -> None:
    with browsing(chromium) as page:
        reach(page, url, "多少分钟")
        page.get_by_role("textbox").fill("对了")
        press(page, "跳过")
        asks(page, "哪一天")
        expect(page.locator("#text")).to_have_value("对了")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_day_can_be_picked(chromium: Browser, url: str, scripts: bool) -> None:
    with browsing(chromium, java_script_enabled=scripts) as page:
        reach(page, url, "哪一天")
        page.get_by_label("选日期").fill("2026-03-14")
        press(page, "发送")
        asks(page, "在哪里")
        expect(page.locator(".said").last).to_contain_text("2026-03-14")


def test_the_device_says_where_it_is_when_asked_to(chromium: Browser, url: str) -> None:
    allowed: Any = {"geolocation": HERE, "permissions": ["geolocation"]}
    with browsing(chromium, **allowed) as page:
        reach(page, url, "在哪里")
        press(page, "用我现在的位置")
        asks(page, "照片")
        expect(page.locator(".said").last).to_contain_text("31.23000, 121.47000 (±12 m)")


def test_who_does_not_allow_it_may_type_the_place(chromium: Browser, url: str) -> None:
    with browsing(chromium, SMALL) as page:
        reach(page, url, "在哪里")
        press(page, "用我现在的位置")
        expect(page.get_by_role("status")).to_contain_text("请打字写下来")
        uncovered(page)
        page.get_by_role("textbox").fill("31.23, 121.47")
        press(page, "发送")
        asks(page, "照片")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_photo_can_be_handed_over(chromium: Browser, url: str, scripts: bool) -> None:
    with browsing(chromium, java_script_enabled=scripts) as page:
        reach(page, url, "照片")
        expect(page.get_by_label("现在拍一张")).to_be_hidden()  # a desk has no camera
        page.get_by_label("选一张照片").set_input_files(PHOTO)
        press(page, "发送")
        asks(page, "还有什么")
        expect(page.locator(".said").last).to_contain_text("📷 照片 · a.png")


def test_a_telephone_offers_its_camera(chromium: Browser, url: str) -> None:
    with browsing(chromium, has_touch=True, is_mobile=True) as page:
        reach(page, url, "照片")
        expect(page.get_by_label("现在拍一张")).to_be_visible()


def test_a_file_too_large_is_not_even_sent(chromium: Browser, url: str, tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    with film.open("wb") as file:
        file.truncate(10_000_001)
    with browsing(chromium) as page:
        reach(page, url, "照片")
        page.get_by_label("选一张照片").set_input_files(film)
        expect(page.get_by_role("alert")).to_contain_text("最多 10 MB")
        expect(page.get_by_role("button", name="发送")).to_be_hidden()
        page.get_by_label("选一张照片").set_input_files(PHOTO)
        expect(page.get_by_role("alert")).to_be_hidden()
        press(page, "发送")
        asks(page, "还有什么")


def test_a_chosen_photo_says_what_to_press_now(chromium: Browser, url: str) -> None:
    with browsing(chromium, SMALL) as page:
        reach(page, url, "照片")
        expect(page.get_by_role("button", name="发送")).to_be_hidden()
        expect(page.get_by_role("textbox")).to_have_count(0)
        page.get_by_label("选一张照片").set_input_files(PHOTO)
        expect(page.get_by_role("status")).to_have_text("选好了：a.png。请按“发送”。")
        uncovered(page)
        press(page, "发送")
        expect(page.locator(".said").last).to_contain_text("a.png")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_after_a_refused_photo_the_buttons_stay_in_sight(
    chromium: Browser, url: str, scripts: bool
) -> None:
    with browsing(
        chromium, SMALL, has_touch=True, is_mobile=True, java_script_enabled=scripts
    ) as page:
        reach(page, url, "照片")
        page.get_by_label("选一张照片").set_input_files(
            {"name": "fake.jpg", "mimeType": "image/jpeg", "buffer": b"no photograph"}
        )
        press(page, "发送")
        expect(page.locator(".said").last).to_contain_text("fake.jpg")
        asks(page, "请拍一张照片。")
        if scripts:  # without them nobody scrolls for the visitor
            uncovered(page)
        press(page, "跳过")
        asks(page, "还有什么")


def test_a_style_left_on_a_field_by_others_does_not_break_the_policy(
    chromium: Browser, url: str
) -> None:
    """Extensions and the browser's own tools leave some; htmx would copy it to the new field."""
    with browsing(chromium) as page:
        reach(page, url, "多少分钟")
        page.locator("#say").evaluate("it => it.style.color = 'inherit'")
        page.locator("#text").evaluate("it => it.style.caretColor = 'inherit'")
        press(page, "跳过")
        asks(page, "哪一天")
        expect(page.locator(".htmx-settling")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_question_fits_the_eye_and_the_finger(
    chromium: Browser, url: str, size: Any, scheme: Any
) -> None:
    with browsing(chromium, size, color_scheme=scheme) as page:
        page.goto(f"{url}/c/demo")
        for question in [*QUESTIONS, ""]:  # the last is the review
            asks(page, question)
            assert not overflows(page), question
            assert page.evaluate(FAINT) == [], question
            for thing in page.locator("button:visible, input:visible, textarea:visible").all():
                place = thing.bounding_box()
                assert place
                assert min(place["width"], place["height"]) >= ACCESSIBLE, question
            if question:
                press(page, "跳过")
