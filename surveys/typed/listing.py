"""Typed words to several choices, ticked or put in order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from surveys.forms.form import Choice
from surveys.typed.assent import ALL, APART, NONE
from surveys.typed.numbers import tidy
from surveys.typed.picking import Offer, bare, fold
from surveys.typed.trouble import Trouble
from surveys.words import pick

_CUT = re.compile(
    r"[,，、;；\n|/&+＋>＞→]+|\s+(?:and|then|und)\s+|\s+|和|与|以及|还有|跟|然后|其次|再|->|=>"
)
_PIECES = 60


def several(words: str, choices: Sequence[Choice]) -> str | Trouble:
    """The names of the choices that ``words`` list, in the order they are offered.

    Between them may stand any comma, 、; new lines, blanks, 和, and, +. ``134`` is taken apart
    where there are nine choices at most and no choice is called so. "All" leaves out choices
    such as other and don't know; "none" needs a choice that says so.
    """
    offer = Offer(choices)
    whole = offer.certain(words) or _sweeping(words, choices)
    if len(whole) == 1 or (whole and _is(words, ALL)):
        return " ".join(choices[at].name for at in whole)
    found = listed(words, offer)
    if isinstance(found, Trouble):
        return found
    return " ".join(choices[at].name for at in sorted(set(found)))


def ranked(words: str, choices: Sequence[Choice]) -> str | Trouble:
    """The names of all choices in the order that ``words`` give: ``3,1,2``, ``B > A > C``."""
    found = listed(words, Offer(choices))
    if isinstance(found, Trouble):
        return found
    missing = [at for at in range(len(choices)) if at not in found]
    if len(set(found)) != len(found):
        return Trouble("ranked_twice")
    if missing:
        language = "zh" if re.search(r"[\u4e00-\u9fff]", words) else "en"
        labels = [pick(choices[at].label, language) or choices[at].name for at in missing]
        joined = " / ".join(labels)
        return Trouble("rank_missing", {"missing": joined, "indices": tuple(missing)})
    return " ".join(choices[at].name for at in found)


def listed(words: str, offer: Offer) -> tuple[int, ...] | Trouble:
    """The choices that ``words`` name one after the other, cut into as few parts as make sense."""
    run = _run(words, offer)
    if run:
        return run
    text = words.strip()
    cuts = list(_CUT.finditer(text))
    if not text or len(text) > 1000 or len(cuts) > _PIECES:
        return Trouble("not_choices")
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), len(text)]
    best: list[tuple[int, ...] | None] = [()] + [None] * len(starts)
    for end in range(len(starts)):
        for start in range(max(0, end - 11), end + 1):
            before, part = best[start], text[starts[start] : ends[end]]
            if before is None:
                continue
            found = () if not part.strip() else offer.certain(part)
            if part.strip() and len(found) != 1:
                continue
            if best[end + 1] is None or len(before + found) < len(best[end + 1] or ()):
                best[end + 1] = before + found
    if best[-1]:
        return best[-1]
    return _loosely(text, offer)


def _loosely(text: str, offer: Offer) -> tuple[int, ...] | Trouble:
    """Cut at clear marks only, each part found by a piece of its label if need be."""
    found: list[int] = []
    for part in re.split(r"[,，、;；\n|>＞→]+", text):
        if not part.strip():
            continue
        at = offer.certain(part) or offer.partly(part)
        if len(at) != 1:
            said = " ".join(part.split())[:30]
            return Trouble("not_among", {"part": said}) if fold(said) else Trouble("not_choices")
        found += at
    return tuple(found) or Trouble("not_choices")


def _run(words: str, offer: Offer) -> tuple[int, ...]:
    """``134`` as 1, 3 and 4."""
    text = tidy(words).strip(" .,。、")
    count = len(offer.choices)
    numbers = any(re.search(r"\d", label) for labels in offer.labels for label in labels)
    named = any(choice.name.isdigit() and choice.name != str(at)
                for at, choice in enumerate(offer.choices, start=1))  # fmt: skip
    if not re.fullmatch(r"[1-9]{2,9}", text) or count > 9 or numbers or named:
        return ()
    found = tuple(int(char) - 1 for char in text)
    return found if len(set(found)) == len(found) and max(found) < count else ()


def _sweeping(words: str, choices: Sequence[Choice]) -> tuple[int, ...]:
    nones = [at for at, choice in enumerate(choices) if _choice_is(choice, NONE)]
    if _is(words, NONE):
        return tuple(nones)
    if _is(words, ALL):
        apart = {at for at, choice in enumerate(choices) if _choice_is(choice, APART)}
        return tuple(at for at in range(len(choices)) if at not in apart | set(nones))
    return ()


def _is(words: str, said: frozenset[str]) -> bool:
    return bare(words) in said


def _choice_is(choice: Choice, said: frozenset[str]) -> bool:
    return any(_is(text, said) for text in (choice.name, *choice.label.values()))
