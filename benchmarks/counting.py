"""The tally: sealed ballots opened and counted, one process."""

from __future__ import annotations

import time
from random import Random

from nacl.public import PrivateKey, SealedBox

from benchmarks.scale import Scale, by_turns
from benchmarks.table import Line
from minyi.conversing import QUESTIONNAIRES
from surveys.ballots import Ballot, ballot_size, open_ballot, seal_ballot, tally_opener
from surveys.cells import GRADES, RaterGroup
from surveys.forms.form import Form
from surveys.forms.xlsform import load_form
from surveys.people import Subject
from surveys.tally import Rules, tally

BALLOTS = 73_421  # as many ratings as the largest of the replayed data sets has
SUBJECTS = 1128
GROUP = RaterGroup.RECIPIENT


def sealed(form: Form, key: PrivateKey, number: int) -> list[bytes]:
    """``number`` ballots about as many subjects as there may be."""
    chance, size, public = Random(1), ballot_size(form), bytes(key.public_key)
    return [
        seal_ballot(
            Ballot(
                f"s{at % SUBJECTS}",
                GROUP,
                {name: chance.randint(1, GRADES) for name in form.indicators},
            ),
            public,
            size,
        )
        for at in range(number)
    ]


def count(boxes: list[bytes], secret: bytes, form: Form) -> int:
    """Open and count, as the tally does; how many counted."""
    opener = tally_opener(secret)
    opened = [open_ballot(box, opener) for box in boxes]
    asked = -(-len(boxes) // SUBJECTS)
    roll = [(f"s{at}", GROUP, asked) for at in range(SUBJECTS)]
    subjects = {name: Subject(name, {}) for name, _, _ in roll}
    weights = {GROUP: dict.fromkeys(form.indicators, 1.0)}
    found = tally(opened, roll, subjects, form.indicators, Rules(5, weights), Random(1))
    return found.ballots


async def measure(scale: Scale) -> list[Line]:
    """A whole wave's ballots, beside the cipher alone."""
    form, key = load_form(QUESTIONNAIRES / "service.md"), PrivateKey.generate()
    number = scale.of(BALLOTS)
    boxes = sealed(form, key, number)

    async def ours() -> float:
        start = time.perf_counter()
        assert count(boxes, bytes(key), form) == number
        return number / (time.perf_counter() - start)

    async def theirs() -> float:
        box, start = SealedBox(key), time.perf_counter()
        for each in boxes:
            box.decrypt(each)
        return number / (time.perf_counter() - start)

    figures, bare = await by_turns(min(3, scale.repetitions), (ours, theirs))
    what = f"{number:,} ballots opened, checked and counted"
    return [Line(what, "/s", figures, "libsodium opening the same boxes", bare)]
