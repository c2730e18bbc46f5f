from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox

from surveys.ballots import (
    SUBJECT_LIMIT,
    Ballot,
    SpoiledError,
    ballot_id,
    ballot_size,
    open_ballot,
    pad,
    seal,
    seal_ballot,
    tally_opener,
    unpad,
    unseal,
)
from surveys.cells import RaterGroup
from surveys.forms.form import Form, Question
from surveys.rating import ballot_of
from surveys.typed.understand import TEXT_LIMIT, understand
from tests.surveys.forms import form_of, shipped

SECRET = PrivateKey.generate()
PUBLIC = bytes(SECRET.public_key)
OPENER = tally_opener(bytes(SECRET))
KEY = b"k" * 32
QUOTED = form_of(
    "type | name | label | bind::minyi:indicator | bind::minyi:reason | bind::minyi:remark\n"
    'select_one grade | q | Q | 满"意 | |\n'
    f"select_multiple odd | {'理由' * 40} | W | | yes |\ntext | x | X | | | yes\n"
    "text | y | Y | | | yes",
    "list_name | name | label\ngrade | 5 | 满意\ngrade | 1 | 不满意\n"
    'odd | "quoted" | A\nodd | 😀😀 | B\nodd | back\\slash | C',
)
FORMS = [shipped("service"), shipped("leadership"), QUOTED]
SAID = st.text(st.sampled_from('a"\\\n满😀é'), max_size=TEXT_LIMIT) | st.sampled_from(
    ["😀" * TEXT_LIMIT, '"' * TEXT_LIMIT, "\\" * TEXT_LIMIT, "字" * TEXT_LIMIT]
)
SUBJECTS = st.sampled_from(["s", "户" * SUBJECT_LIMIT, '"' * SUBJECT_LIMIT])

NOW = datetime(2026, 12, 12, tzinfo=UTC)


def answer(draw: Callable[..., Any], question: Question) -> str:
    names = [choice.name for choice in question.choices]
    if question.indicator:
        return str(draw(st.sampled_from(names)))
    if question.reason:
        return " ".join(draw(st.lists(st.sampled_from(names), unique=True)))
    said = understand(question, draw(SAID), (), NOW) if question.remark else ""
    return said if isinstance(said, str) else ""


@st.composite
def ballots(draw: Callable[..., Any]) -> tuple[Form, Ballot]:
    form = draw(st.sampled_from(FORMS))
    values = {q.path: answer(draw, q) for q in form.questions if draw(st.booleans())}
    group = draw(st.sampled_from(list(RaterGroup)))
    return form, ballot_of(form, values, draw(SUBJECTS), group)


@given(ballots())
def test_every_ballot_of_a_form_fits_opens_and_has_the_one_length(
    made: tuple[Form, Ballot],
) -> None:
    form, ballot = made
    box = seal_ballot(ballot, PUBLIC, ballot_size(form))
    assert len(box) == ballot_size(form) + 48  # X25519 public key and tag
    assert open_ballot(box, OPENER) == ballot


@pytest.mark.parametrize("form", FORMS)
def test_the_largest_ballot_there_can_be_fits(form: Form) -> None:
    for widest in ("😀", '"', "\\"):
        values = {
            q.path: "1" if q.indicator
            else " ".join(c.name for c in q.choices) if q.reason
            else widest * TEXT_LIMIT if q.remark
            else ""
            for q in form.questions
        }  # fmt: skip
        ballot = ballot_of(form, values, "😀" * SUBJECT_LIMIT, RaterGroup.PEER)
        box = seal_ballot(ballot, PUBLIC, ballot_size(form))
        assert open_ballot(box, OPENER) == ballot


def test_a_ballot_too_large_is_refused_before_anything_is_sealed() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        seal_ballot(Ballot("s", RaterGroup.PEER, remark="x" * 300), PUBLIC, 256)


def test_sealing_twice_gives_boxes_that_share_nothing() -> None:
    ballot = Ballot("s", RaterGroup.PEER, {"i": 5})
    first, second = (seal_ballot(ballot, PUBLIC, 256) for _ in range(2))
    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def test_only_what_is_whitelisted_enters_a_ballot() -> None:
    form = form_of(
        "type | name | label | bind::minyi:indicator\nselect_one grade | q | Q | i\n"
        "text | name | Your name? |\ninteger | age | Age? |"
    )
    values = {"/data/q": "4", "/data/name": "王芳", "/data/age": "41"}
    assert ballot_of(form, values, "s", RaterGroup.PEER) == Ballot("s", RaterGroup.PEER, {"i": 4})


@pytest.mark.parametrize("value", ["na", "", "0", "6", "²", "５", "55"])
def test_what_is_no_grade_is_no_rating(value: str) -> None:
    values = {"/data/overall": value}
    assert ballot_of(shipped("service"), values, "s", RaterGroup.RECIPIENT).ratings == {}


def sealed(plain: bytes) -> bytes:
    return bytes(SealedBox(PublicKey(PUBLIC)).encrypt(plain))


GOOD: list[object] = ["s", "PEER", {"i": 5}, {}, ""]
FORGED: list[object] = [
    [],
    {},
    None,
    GOOD[:4],
    [*GOOD, ""],
    ["s", "BOSS", {}, {}, ""],
    ["s", "PEER", {"i": 0}, {}, ""],
    ["s", "PEER", {"i": 6}, {}, ""],
    ["s", "PEER", {"i": None}, {}, ""],
    ["s", "PEER", [], {}, ""],
    ["s", "PEER", {}, {"w": 3}, ""],
]


@pytest.mark.parametrize(
    "box",
    [
        b"", b"short", b"x" * 300, sealed(b""), sealed(b"\xff\xff\xff\xff"),
        sealed(pad(b"not json", 256)), sealed(pad(b"\xff\xfe", 256)), sealed(pad(b"[" * 50_000, 8)),
        sealed(pad(b'["s", "PEER", {"i": 1e999}, {}, ""]', 256)),
        sealed(pad(b'["s", "PEER", {"i": NaN}, {}, ""]', 256)),
        sealed(pad(b'["s", "PEER", {"i": ' + b"9" * 5000 + b'}, {}, ""]', 256)),
        *(sealed(pad(json.dumps(fields).encode(), 256)) for fields in FORGED),
    ],
    ids=lambda box: f"{len(box)} bytes",  # not by what chance sealed
)  # fmt: skip
def test_a_box_that_is_not_ours_is_spoiled(box: bytes) -> None:
    with pytest.raises(SpoiledError):
        open_ballot(box, OPENER)


def test_a_changed_or_foreign_box_is_spoiled() -> None:
    box = seal_ballot(Ballot("s", RaterGroup.PEER), PUBLIC, 256)
    with pytest.raises(SpoiledError):
        open_ballot(box[:-1] + bytes([box[-1] ^ 1]), OPENER)
    with pytest.raises(SpoiledError):
        open_ballot(box, tally_opener(bytes(PrivateKey.generate())))


def test_a_row_id_needs_the_waves_key_and_names_one_person_and_subject() -> None:
    rid = ballot_id(KEY, "w", "p", "s")
    assert rid == ballot_id(KEY, "w", "p", "s")
    assert len(rid) == 16
    others = {
        ballot_id(b"j" * 32, "w", "p", "s"),
        ballot_id(KEY, "v", "p", "s"),
        ballot_id(KEY, "w", "q", "s"),
        ballot_id(KEY, "w", "p", "t"),
        ballot_id(KEY, "w", "ps", ""),
        ballot_id(bytes(32), "w", "p", "s"),
    }
    assert len(others | {rid}) == 7


@given(st.binary(max_size=3000))
def test_what_is_sealed_with_a_key_opens_with_that_key_and_purpose_alone(plain: bytes) -> None:
    box = seal(plain, KEY, b"one")
    assert unseal(box, KEY, b"one") == plain
    assert (len(box) - 40) % 1024 == 0
    with pytest.raises(SpoiledError):
        unseal(box, KEY, b"two")
    with pytest.raises(SpoiledError):
        unseal(box, b"j" * 32, b"one")
    with pytest.raises(SpoiledError):
        unseal(box[:-1], KEY, b"one")


@given(st.binary(max_size=600), st.integers(1, 300))
def test_padding_is_taken_off_again(plain: bytes, block: int) -> None:
    padded = pad(plain, block)
    assert len(padded) % block == 0
    assert unpad(padded) == plain


@given(st.binary(max_size=12))
def test_padding_that_cannot_be_ours_is_refused(junk: bytes) -> None:
    with suppress(ValueError):
        assert len(unpad(junk)) <= len(junk) - 4


def test_an_empty_box_is_spoiled_for_a_key_too() -> None:
    with pytest.raises(SpoiledError):
        unseal(b"", KEY, b"one")
