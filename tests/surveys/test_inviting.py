from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from surveys.campaigns import Campaign, Wave
from surveys.cells import RaterGroup
from surveys.inviting import LONGEST, message, thanks, trouble_with
from surveys.words import LANGUAGES

CAMPAIGN = Campaign(
    "q", {"zh": "满意度", "en": "Satisfaction"}, "f", (RaterGroup.PEER,), date(2026, 12, 1), k=7
)
OPENS = datetime(2026, 12, 10, 1, tzinfo=UTC)  # nine in Shanghai
WAVE = Wave("q1", "q", "2026Q4", OPENS, OPENS + timedelta(days=14), b"k" * 32)
WHO = {"zh": "本单位", "en": "our office"}


@pytest.mark.parametrize("stage", ["invite", "remind1"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_own_words_are_filled_in_and_who_may_read_is_said_below(stage: str, language: str) -> None:
    own = "{organisation} {title} {closes} {days_left} {k}"
    words = {"invite": dict.fromkeys(LANGUAGES, own), "remind": dict.fromkeys(LANGUAGES, own)}
    said = message(replace(CAMPAIGN, messages=words), WAVE, stage, language, WHO, OPENS)
    first, privacy = said.split("\n\n")
    assert (
        first
        == {
            "zh": "本单位 满意度 2026年12月24日 14 7",
            "en": "our office Satisfaction 2026-12-24 14 7",
        }[language]
    )
    assert "7" in privacy


def test_a_language_without_own_words_has_the_usual_ones() -> None:
    made = replace(CAMPAIGN, messages={"invite": {"zh": "请看"}})
    assert message(made, WAVE, "invite", "zh", WHO, OPENS).startswith("请看")
    assert "our office would like" in message(made, WAVE, "invite", "en", WHO, OPENS)


def test_the_days_left_are_counted_where_the_campaign_is() -> None:
    made = replace(CAMPAIGN, messages={"remind": {"en": "{days_left}"}})
    for hours, left in ((0, 14), (14, 14), (15, 13), (14 * 24, 0), (20 * 24, 0)):
        at = OPENS + timedelta(hours=hours)
        assert message(made, WAVE, "remind2", "en", WHO, at).startswith(f"{left}\n")


def test_what_closes_at_midnight_has_the_day_before_as_its_last() -> None:
    made = replace(CAMPAIGN, messages={"remind": {"en": "{closes} {days_left}"}})
    midnight = replace(WAVE, closes_at=datetime(2026, 12, 24, 16, tzinfo=UTC))  # in Shanghai
    said = message(made, midnight, "remind1", "en", WHO, midnight.closes_at - timedelta(hours=1))
    assert said.startswith("2026-12-24 0\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * LONGEST, None),
        ("x" * (LONGEST + 1), "long"),
        ("{", "braces"),
        ("{name}", "blank"),
        ("{privacy}", "blank"),
        ("{k!r}", "blank"),
        ("{k:>9}", "blank"),
        ("{}", "blank"),
        ("{{k}} {k}", None),
    ],
)
def test_what_is_wrong_with_own_words_is_said(text: str, code: str | None) -> None:
    found = trouble_with(text)
    assert (None if found is None else found[0]) == code


@pytest.mark.parametrize("own", [{}, {"invite": {"zh": "请看", "en": "Look"}}])
@pytest.mark.parametrize(
    ("language", "told"), [("zh", "其中有您的自评"), ("en", "It includes your self-assessment")]
)
def test_whoever_is_asked_about_themselves_is_told_in_their_invitation_last(
    own: dict[str, dict[str, str]], language: str, told: str
) -> None:
    made = replace(CAMPAIGN, messages=own)
    alike = message(made, WAVE, "invite", language, WHO, OPENS)
    private = message(made, WAVE, "invite", language, WHO, OPENS, oneself=True)
    assert private.startswith(f"{alike}\n{told}")
    assert told not in alike
    reminded = message(made, WAVE, "remind1", language, WHO, OPENS)
    assert message(made, WAVE, "remind1", language, WHO, OPENS, oneself=True) == reminded


def test_thanks_name_the_campaign_and_no_time() -> None:
    assert thanks(CAMPAIGN, "zh") == "满意度：您已答完，谢谢！"
    assert thanks(CAMPAIGN, "en") == "Satisfaction: all answered. Thank you!"
