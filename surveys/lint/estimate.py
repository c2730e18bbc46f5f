"""How long a questionnaire takes to answer.

    seconds of a question = characters / 300 per minute, or words / 200 per minute, + seconds of
    its kind

Reading: adults read 184 ± 29 words a minute aloud over 17 languages (Trauzettel-Klosinski and
Dietz, 2012, doi:10.1167/iovs.11-8284); silently somewhat faster. 200 words, or 300 Chinese
characters, are our round figures. The seconds of each kind are our own estimate, not measured. A
single closed question of usual length then takes about 10 seconds, which is what Pew Research
Center counts for one (2022, "How we keep our online surveys from running too long").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from surveys.forms.form import Form, Group, Kind, Label, Node, Question
from surveys.words import pick

CHARACTERS = 300  # a minute, of Chinese, Japanese or Korean
WORDS = 200  # a minute, of any other script
SECONDS: Mapping[Kind, float] = {
    Kind.SELECT_ONE: 3,
    Kind.SELECT_MULTIPLE: 6,
    Kind.RANK: 10,
    Kind.RANGE: 4,
    Kind.ACKNOWLEDGE: 2,
    Kind.MORE: 3,
    Kind.INTEGER: 6,
    Kind.DECIMAL: 7,
    Kind.DATE: 8,
    Kind.TIME: 7,
    Kind.DATETIME: 12,
    Kind.TEXT: 30,
    Kind.GEOPOINT: 15,
    Kind.IMAGE: 25,
    Kind.AUDIO: 40,
    Kind.VIDEO: 60,
    Kind.FILE: 30,
    Kind.NOTE: 0,
}
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds to answer: ``least`` where no condition holds, ``most`` where every one does.

    What is repeated counts once, and not at all in ``least`` where the person may say no to it.
    """

    least: float
    most: float

    def minutes(self) -> tuple[int, int]:
        """Both in whole minutes, at least 1."""
        least, most = (max(1, round(seconds / 60)) for seconds in (self.least, self.most))
        return least, most


def estimate(form: Form, language: str) -> Estimate:
    """How long ``form`` takes somebody who reads it in ``language``."""
    return _of_nodes(form.body, language)


def seconds(question: Question, language: str) -> float:
    """How long one question takes: to read it with its choices, and to answer."""
    if question.kind in (Kind.CALCULATE, Kind.HIDDEN):
        return 0
    words = [_plain(question.label, language), _plain(question.hint, language)]
    words += [pick(choice.label, language) for choice in question.choices]
    return sum(map(reading, words)) + SECONDS[question.kind]


def reading(text: str) -> float:
    """Seconds to read ``text`` once."""
    wide = len(_WIDE.findall(text))
    words = len(_WORD.findall(_WIDE.sub(" ", text)))
    return 60 * (wide / CHARACTERS + words / WORDS)


def _of_nodes(nodes: tuple[Node, ...], language: str) -> Estimate:
    least = most = 0.0
    for node in nodes:
        if isinstance(node, Question):
            whole = Estimate(seconds(node, language), seconds(node, language))
        else:
            inside = _of_nodes(node.children, language)
            heading = reading(_plain(node.label, language))
            asked = SECONDS[Kind.MORE] + heading
            if isinstance(node, Group):
                whole = Estimate(inside.least + heading, inside.most + heading)
            elif node.count is None:  # asked before the first and after it
                whole = Estimate(asked, inside.most + 2 * asked)
            else:
                whole = Estimate(inside.least + heading, inside.most + heading)
        most += whole.most
        if not node.relevant:
            least += whole.least
    return Estimate(least, most)


def _plain(label: Label, language: str) -> str:
    pieces = label.get(language) or next(iter(label.values()), ())
    return "".join(piece if isinstance(piece, str) else " … " for piece in pieces)
