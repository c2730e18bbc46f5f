"""Questionnaires at the desk: kept once, in the audit, and compared in plain words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from desk.audit import Act
from desk.comparing import Change, Comparison, Reason, Verdict, compare, marked
from desk.questionnaires import QuestionnaireError, all_kept, keep, one_kept
from desk.store import Sought
from storage import SqlStore
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.conduct import FormShelf
from surveys.forms.form import FormError
from tests.surveys.forms import CHOICES, form_of, shipped

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
ACT = Act("a-officer", "Officer", "203.0.113.7", NOW, bytes(32))
HEAD = "type | name | label | bind::minyi:indicator"
FIRST = f"{HEAD}\nselect_one grade | service | 满意吗？ | service\ntext | word | 说说看 |"


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    kept = SqlStore("sqlite://")
    yield kept
    await kept.close()


async def test_a_version_is_kept_once_and_the_audit_says_by_whom(store: SqlStore) -> None:
    form = shipped("service")
    assert await store.write(lambda tx: keep(tx, ACT, form, {}, "服务.xlsx"))
    assert not await store.write(lambda tx: keep(tx, ACT, form, {}, "again.xlsx"))
    [entry] = await store.read(lambda tx: tx.audit(Sought(action="questionnaire")))
    assert (entry.action, entry.what) == ("questionnaire.added", f"questionnaire:{form.hash}")
    assert json.loads(entry.after) == {
        "title": form.title, "version": form.hash, "file": "服务.xlsx",
    }  # fmt: skip
    kept = await store.read(lambda tx: one_kept(tx, FormShelf(), form.hash))
    assert (kept.added_by, kept.added_at, kept.file) == ("Officer", NOW, "服务.xlsx")
    assert kept.questions == 5


async def test_what_must_be_mended_is_not_kept_unless_somebody_insists(store: SqlStore) -> None:
    form = shipped("service")
    with pytest.raises(QuestionnaireError, match="2 to mend"):
        await store.write(lambda tx: keep(tx, ACT, form, {}, "a.md", errors=2))
    assert await store.read(lambda tx: tx.forms()) == []
    await store.write(lambda tx: keep(tx, ACT, form, {}, "a.md", errors=2, anyway=True))
    [entry] = await store.read(lambda tx: tx.audit(Sought(action="questionnaire")))
    assert '"unmended":2' in entry.after


async def test_a_version_whose_picture_is_missing_is_not_kept(store: SqlStore) -> None:
    form = form_of("type | name | label | media::image\ntext | q | Q | map.png")
    with pytest.raises(FormError, match=r"map\.png"):
        await store.write(lambda tx: keep(tx, ACT, form, {}, "a.md"))
    assert await store.read(lambda tx: tx.audit(Sought())) == []


async def test_the_list_says_which_campaigns_ask_a_version(store: SqlStore) -> None:
    service, leadership = shipped("service"), shipped("leadership")
    starts = date(2026, 12, 1)
    groups = (RaterGroup.RECIPIENT,)

    def work(tx: Any) -> None:
        keep(tx, ACT, service, {}, "service.md")
        keep(tx, ACT, leadership, {}, "leadership.md")
        tx.put_campaign(Campaign("q", {"zh": "窗口"}, service.hash, groups, starts))

    await store.write(work)
    kept = await store.read(lambda tx: all_kept(tx, FormShelf()))
    asked = {each.form.hash: [asking.campaign for asking in each.asked_by] for each in kept}
    assert asked == {service.hash: ["q"], leadership.hash: []}
    with pytest.raises(LookupError):
        await store.read(lambda tx: one_kept(tx, FormShelf(), "nowhere"))


# ---- compared


def against(survey: str, choices: str = CHOICES) -> Comparison:
    return compare(form_of(FIRST), form_of(survey, choices), "en")


def changes(found: Comparison) -> set[tuple[str, Change]]:
    return {(each.new.name, change) for each in found.changed for change in each.changes}


def test_a_version_is_the_same_as_itself() -> None:
    found = against(FIRST)
    assert (found.verdict, found.same, found.reasons) == (Verdict.SAME, 2, ())
    assert (found.added, found.removed, found.changed) == ((), (), ())


def test_questions_that_came_and_went_are_told_apart() -> None:
    found = against(
        f"{HEAD}\nselect_one grade | service | 满意吗？ | service\ninteger | age | 几岁 |"
    )
    assert [item.name for item in found.added] == ["age"]
    assert [item.name for item in found.removed] == ["word"]
    assert found.verdict is Verdict.SAME


def test_new_words_are_shown_beside_the_old_and_the_rule_asks_to_look() -> None:
    found = against(FIRST.replace("满意吗？", "您满意吗？"))
    assert changes(found) == {("service", Change("label", "", "满意吗？", "您满意吗？"))}
    assert found.verdict is Verdict.REWORDED
    assert found.reasons == (Reason("words", "service"),)


def test_another_scale_makes_results_differ() -> None:
    found = against(FIRST, CHOICES.replace("grade | na | 说不好\n", ""))
    assert found.verdict is Verdict.BROKEN
    assert found.reasons == (Reason("scale", "service", "1, 2, 3, 4, 5, na", "1, 2, 3, 4, 5"),)


@pytest.mark.parametrize(
    ("survey", "reasons"),
    [
        (FIRST.replace("？ | service", "？ | speed"), {("gone", "service"), ("come", "speed")}),
        (FIRST.replace("？ | service", "？ | "), {("gone", "service")}),
    ],
)
def test_another_indicator_makes_results_differ(survey: str, reasons: set[tuple[str, str]]) -> None:
    found = against(survey)
    assert found.verdict is Verdict.BROKEN
    assert {(reason.code, reason.indicator) for reason in found.reasons} == reasons


def test_conditions_kinds_and_order_are_told_in_words() -> None:
    survey = (
        "type | name | label | bind::minyi:indicator | relevant | required\n"
        "integer | word | 说说看 | | | yes\n"
        "select_one grade | service | 满意吗？ | service | ${word} > 3 |"
    )
    found = against(survey)
    told = {(name, change.part): (change.old, change.new) for name, change in changes(found)}
    assert told["service", "when"] == ("", "only if word > 3")
    assert told["word", "kind"] == ("text", "whole number")
    assert told["word", "counted"] == ("", "required")
    assert len([each for each in found.changed if each.moved]) == 1


def test_a_choice_worded_anew_does_not_look_like_another_condition() -> None:
    survey = (
        "type | name | label | relevant\n"
        "select_one ab | fruit | Which? |\n"
        "text | word | Why? | ${fruit} = 'a'"
    )
    old, new = form_of(survey), form_of(survey, CHOICES.replace("Apple", "Apricot"))
    found = compare(old, new, "en")
    assert changes(found) == {("fruit", Change("choice", "a", "Apple", "Apricot"))}
    assert found.verdict is Verdict.NOTHING


def test_two_texts_are_marked_where_they_differ() -> None:
    old, new = marked("您对服务满意吗？", "您对我们的服务满意吗？")
    assert [piece.text for piece in old if piece.marked] == []
    assert [piece.text for piece in new if piece.marked] == ["我们的"]
    old, new = marked("How satisfied are you?", "How happy are you?")
    assert [piece.text for piece in old if piece.marked] == ["satisfied"]
    assert [piece.text for piece in new if piece.marked] == ["happy"]
    long = "字" * 5000
    assert marked(long, long + "。")[0][0].marked
