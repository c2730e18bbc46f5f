"""What an author should look at before anybody is asked. Pure: a form in, problems out.

A problem that stops must be mended; the others are for the author to judge. What only a table can
tell, its rows and its sheets, is added by check.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from html import unescape

from surveys.forms.form import Form, Kind, Problem, Question
from surveys.lint.estimate import estimate
from surveys.lint.keeping import for_ratings
from surveys.lint.routes import routes
from surveys.lint.slips import slips
from surveys.lint.wording import wording

QUESTIONS = 30  # asked, above which few people stay to the end of a chat
MINUTES = 10  # the time above which half of a web panel finds a survey too long


_DRAWN = frozenset({"signature", "draw", "annotate", "image-map", "bearing", "counter", "distress"})
_CALENDARS = frozenset({"coptic", "ethiopian", "islamic", "bikram-sambat", "myanmar", "persian"})


class Use(StrEnum):
    """What a questionnaire is for.

    Of a rating only what is counted is kept, and nobody may be told apart. A concern is read, as it
    was written, by the reader whom the person chose.
    """

    RATING = "rating"
    CONCERN = "concern"


def lint(form: Form, use: Use = Use.RATING) -> tuple[Problem, ...]:
    """Every problem of ``form``, the reader's warnings first, each once."""
    found = (
        *form.warnings,
        *_settings(form),
        *_length(form),
        *_unused(form),
        *_appearances(form),
        *wording(form),
        *routes(form),
        *slips(form),
        *(for_ratings(form) if use is Use.RATING else ()),
    )
    seen: dict[object, Problem] = {}
    for each in found:
        seen.setdefault((each.code, each.path, each.column, str(each.arguments)), each)
    return tuple(seen.values())


def asked(form: Form) -> tuple[Question, ...]:
    """The questions that a person answers, without the "another one?" of repeats."""
    return tuple(q for q in form.questions if q.asks and q.kind is not Kind.MORE)


def _settings(form: Form) -> Iterator[Problem]:
    if form.id == form.root:
        yield Problem("no_form_id", "", "form_id", stop=False)
    if not form.version:
        yield Problem("no_version", "", "version", stop=False)
    if len(form.languages) > 1 and len(form.titles) == 1:
        yield Problem("title_one_language", "", "form_title",
                      {"title": form.title, "count": len(form.languages)}, stop=False)  # fmt: skip
    for code, name in form.tongues.items():
        if code == "default":
            yield Problem("no_language", "", "label", stop=False)
        elif code == name:
            yield Problem("language_code", "", "label", {"tongue": name}, stop=False)


def _length(form: Form) -> Iterator[Problem]:
    count = len(asked(form))
    if count > QUESTIONS:
        yield Problem("many_questions", "", "type", {"count": count, "most": QUESTIONS}, stop=False)
    longest = max(estimate(form, language).minutes()[1] for language in form.languages)
    if longest > MINUTES:
        yield Problem("long_time", "", "type", {"minutes": longest, "most": MINUTES}, stop=False)


def _unused(form: Form) -> Iterator[Problem]:
    source = unescape(form.source.decode("utf-8", "replace"))
    used = set(re.findall(r"instance\(\s*['\"]([^'\"]+)['\"]\s*\)", source))
    offered = {frozenset(choice.name for choice in q.choices) for q in form.questions}
    for name, items in form.lists.items():
        names = frozenset(item.get("name", "") for item in items)
        if name not in used and names not in offered:  # old forms write their choices out again
            yield Problem("unused_list", "", "list_name", {"list": name}, stop=False)


def _appearances(form: Form) -> Iterator[Problem]:
    """What an author may have counted on, and what a chat does otherwise."""
    for question in form.questions:
        if question.appearance.strip().startswith("search("):
            yield Problem("unsupported_kind", question.path, "appearance", {"kind": "search()"})
        for word in question.appearance.split():
            if word in _DRAWN | _CALENDARS:
                yield Problem("appearance_ignored", question.path, "appearance",
                              {"appearance": word}, stop=False)  # fmt: skip
