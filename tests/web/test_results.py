"""The public board: what is drawn, what is said about what is not, and that nothing more leaks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest
from lxml import etree

from evaluation.publication import PublishedCard, published_to_json
from surveys.cells import Cell, RaterGroup, Reasons
from tests.web.conftest import shelf
from tests.web.published import METHOD, NAMED, cards, quarter
from tests.web.rehearsed import NOW, Scripted, Shelf
from web import drawing
from web.app import create_app
from web.results import Why, axis, reasons_named, waterfall

BY_SUBJECT = {card.subject: card for card in cards()}


@pytest.fixture
def shown() -> Shelf:
    """A shelf of this test's own."""
    return replace(shelf())


@pytest.fixture
async def board(shown: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Scripted(), shown, clock=lambda: NOW, public_url="http://minyi.test")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://minyi.test", headers={"Accept-Language": "en"}
    ) as client:
        yield client


def articles(html: str) -> dict[str, str]:
    """Each scorecard of a list, by the name in its heading."""
    found = re.findall(r"<article.*?</article>", html, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", re.search(r"<h3>(.*?)</h3>", each)[1]): each for each in found}  # type: ignore[index]


async def test_quarters_are_listed_newest_first(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results")).text
    assert html.index("/results/2026Q1") < html.index("/results/2025Q4")
    assert "Q1 2026" in html


async def test_before_anything_is_published_the_page_says_so(
    board: httpx.AsyncClient, shown: Shelf
) -> None:
    shown.published = {}
    assert "Nothing is published yet" in (await board.get("/results")).text


@pytest.mark.parametrize("path", ["/results/1999Q1", "/results/2026Q1/nobody", "/results/%3Cb%3E"])
async def test_what_is_not_published_is_not_found(board: httpx.AsyncClient, path: str) -> None:
    assert (await board.get(path)).status_code == 404


async def test_each_card_shows_the_published_value_and_interval(board: httpx.AsyncClient) -> None:
    drawn = articles((await board.get("/results/2026Q1")).text)
    assert set(drawn) == {english for _, english in NAMED.values()}
    for subject, (_, english) in NAMED.items():
        card = BY_SUBJECT[subject]
        if card.value is None:
            assert "No score" in drawn[english]
            continue
        assert card.interval
        low, high = card.interval
        says = f"Score {card.value}, very likely between {low} and {high}, out of 100"
        assert says in drawn[english]


@pytest.mark.parametrize(("grade", "says"), [(5, "above the score"), (1, "below the score")])
async def test_a_self_assessment_stands_beside_the_card_of_whoever_made_it(
    board: httpx.AsyncClient, shown: Shelf, grade: int, says: str
) -> None:
    counts = tuple(int(each == grade) for each in range(1, 6))
    own = [Cell("tax", "duty", RaterGroup.SELF, counts)]
    shown.published = {"2026Q1": published_to_json(cards(own))}
    html = (await board.get("/results/2026Q1/tax")).text
    value = BY_SUBJECT["tax"].value
    assert value is not None
    assert "<h2>Self-assessment</h2>" in html
    gap = abs(20 * grade - value)
    assert (
        f"Weighted like the work, their own marks come to {20 * grade}: {gap} {says} of {value}."
        in html
    )
    other = (await board.get("/results/2026Q1/land")).text
    assert "Self-assessment" not in other


async def test_the_order_is_by_name_and_no_ranking(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results/2026Q1")).text
    places = [html.index(f">{english}</a>") for english in sorted(e for _, e in NAMED.values())]
    assert places == sorted(places)


async def test_a_withheld_score_says_why(board: httpx.AsyncClient) -> None:
    drawn = articles((await board.get("/results/2026Q1")).text)
    text = drawn["Building permits and planning consent, joint desk"]
    assert "Not enough data: the groups heard carry 30 % of the weight" in text
    assert "people served" in text


async def test_no_exact_number_of_answers_leaves_in_a_page(board: httpx.AsyncClient) -> None:
    exact = {
        str(turnout.answered)
        for turnout in quarter().turnout
        if turnout.answered and turnout.group is not RaterGroup.SUPERIOR
    }
    assert exact == {"8", "13", "40", "7"}
    for subject in NAMED:
        html = (await board.get(f"/results/2026Q1/{subject}")).text
        who = html.split("Who answered")[1].split("Silence is silence")[0]
        assert not exact & set(re.findall(r"\d+", re.sub(r'(x|width|y|height)="[^"]*"', "", who)))


async def test_a_silent_group_is_hatched_and_named(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results/2026Q1/clinic")).text
    assert "fewer than 5 of 20" in html
    assert "url(#hatch)" in html
    assert 'id="hatch"' in html
    assert "Too few answered as subordinates" in html
    assert "Capped" in html


async def test_of_few_ratings_asked_for_it_is_not_told_how_many_came(
    board: httpx.AsyncClient, shown: Shelf
) -> None:
    def alone(card: PublishedCard) -> PublishedCard:
        some = tuple(
            replace(each, asked=2) if each.answered is None else each for each in card.answers
        )
        return replace(card, answers=some)

    some = tuple(alone(card) if card.subject == "clinic" else card for card in cards())
    shown.published = {"2026Q1": published_to_json(some)}
    html = (await board.get("/results/2026Q1/clinic")).text
    assert "2 asked for: too few to say how many came" in html
    assert "of 2 ratings" not in html


async def test_details_appear_only_from_thirty_ratings_on(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results/2026Q1/clinic")).text
    spread = html.split("How ratings were spread")[1].split("What people named")[0]
    assert "people served: Satisfaction overall" in spread
    assert "peers" not in spread
    assert "Fewer than 30 ratings from peers" in html


async def test_the_detail_page_can_be_replayed(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results/2026Q1/clinic")).text
    assert METHOD.version in html
    assert BY_SUBJECT["clinic"].input_hash in html


async def test_reasons_are_named_as_the_questionnaire_names_them(board: httpx.AsyncClient) -> None:
    html = (await board.get("/results/2026Q1/clinic")).text
    assert "The wait was too long" in html
    assert "about 60%" in html
    assert "Something else" not in html  # named by two


def test_reasons_of_few_ballots_are_named_without_shares() -> None:
    rows = [
        Reasons("a", "why", RaterGroup.RECIPIENT, 12, {"slow": 5, "rude": 8, "lost": 4}),
        Reasons("b", "why", RaterGroup.RECIPIENT, 50, {"slow": 50}),
    ]
    assert reasons_named(rows, "a") == (Why(RaterGroup.RECIPIENT, "why", ("rude", "slow"), None),)
    assert reasons_named(rows, "b")[0].percents == (100,)


def test_a_waterfall_begins_with_the_class_and_ends_with_the_correction() -> None:
    card = BY_SUBJECT["clinic"]
    moves = waterfall(card)
    assert moves[0].key == "baseline"
    assert moves[-1].key == "adjustment"
    assert {move.key: move.points for move in moves} == dict(card.contributions)
    assert all(a.end == b.start for a, b in pairwise(moves))
    assert waterfall(BY_SUBJECT["permits"]) == ()


@pytest.mark.parametrize("points", [[0, 85, 65], [0, 20], [0, 99, 101], []])
def test_the_axis_holds_every_move(points: list[float]) -> None:
    low, high = axis(points)
    assert high - low >= 20
    assert all(low < point < high for point in points if point)


def test_every_drawing_is_well_formed_and_says_what_it_shows() -> None:
    says = 'a "b" <c> & d'
    drawings = [
        drawing.scale(72, (65, 80), (60, 75, 90), says),
        drawing.scale(None, None, (), says),
        drawing.share((20, 40), says),
        drawing.share(None, says),
        drawing.step(85, 80, 60, 90, says),
        drawing.portion(30, says),
        drawing.rate(32, 22, 45, says),
    ]
    for each in drawings:
        assert etree.fromstring(str(each)).get("aria-label") == says
        assert "style=" not in each


async def test_names_and_ids_are_escaped(board: httpx.AsyncClient, shown: Shelf) -> None:
    card = replace(BY_SUBJECT["tax"], subject="<i>x", rating_class="<u>")
    shown.published = {"2026Q1": published_to_json([card, BY_SUBJECT["land"]])}
    html = (await board.get("/results/2026Q1")).text
    assert "<i>x" not in html
    assert "<u>" not in html
    assert (await board.get("/results/2026Q1/%3Ci%3Ex")).status_code == 200


async def test_a_method_that_is_not_known_here_still_shows_its_cards(
    board: httpx.AsyncClient, shown: Shelf
) -> None:
    card = replace(BY_SUBJECT["tax"], method="another@123")
    shown.published = {"2026Q1": published_to_json([card])}
    answer = await board.get("/results/2026Q1/tax")
    assert answer.status_code == 200
    assert "another@123" in answer.text
