"""A wave's course at the terminal: agreed to, extended, and what became of everybody in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from minyi.commands.desk import run
from minyi.configuration import load
from minyi.opening import opened
from surveys.campaigns import Wave
from surveys.cells import RaterGroup, Tally
from surveys.dispositions import Disposition
from surveys.people import Kind, Person, Relation, Subject
from tests.minyi.conftest import Minyi

SERVICE = Path(__file__).parents[2] / "questionnaires" / "service.md"
NOW = datetime.now(UTC).replace(microsecond=0)
PEOPLE = 40


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "minyi-data"


def do(tmp_path: Path, work: Any) -> Any:
    async def doing() -> Any:
        settings = load({"data_dir": str(folder_of(tmp_path))}).settings
        async with opened(settings) as store:
            return await store.write(work)

    return run(doing())


def furnished(tx: Any) -> None:
    tx.put_subjects([Subject("w1", {"zh": "窗口"})])
    tx.put_people(Person(f"c{n}", Kind.CITIZEN) for n in range(PEOPLE))
    tx.put_relations(Relation(f"c{n}", "w1", RaterGroup.RECIPIENT) for n in range(PEOPLE))


def open_wave(tx: Any) -> None:
    opens = NOW - timedelta(days=1)
    wave = Wave("svc.1", "svc", "2026Q4", opens, NOW + timedelta(days=2), b"k" * 32)
    tx.put_wave(wave)
    tx.open_wave(wave.id)
    tx.put_assignments(_roll(wave.id))


def _roll(wave: str) -> list[Any]:
    from surveys.store import Assignment

    return [Assignment(wave, f"c{n}", "w1", RaterGroup.RECIPIENT) for n in range(PEOPLE)]


def made(minyi: Minyi, **environ: str) -> None:
    version = minyi("form", "add", SERVICE).out.split("version ")[1][:12]
    ran = minyi("campaign", "create", "svc", "--title-zh", "满意度", "--form", version, "--yes",
                **environ)  # fmt: skip
    assert ran.status == 0, ran.err


def test_an_open_wave_is_extended_and_shown_with_what_became_of_everybody(
    founded: Minyi, tmp_path: Path
) -> None:
    do(tmp_path, furnished)
    made(founded)
    none_open = founded("campaign", "extend", "svc", "3")
    assert none_open.status == 1
    assert "No wave is open" in none_open.err
    assert "--" not in none_open.err, "which wave is no option"
    do(tmp_path, open_wave)
    many = founded("campaign", "extend", "svc", "many").err
    assert "from 1 to 30" in many
    assert "--more" not in many
    extended = founded("campaign", "extend", "svc", "3")
    assert "svc.1 is open until" in extended.out
    wave = do(tmp_path, lambda tx: tx.wave("svc.1"))
    assert wave.closes_at == NOW + timedelta(days=5)
    shown = founded("campaign", "show", "svc").out
    assert "svc.1: 40 people asked" in shown
    assert "could not be reached" in shown
    assert "at least 30" in shown
    assert "RR1" not in shown

    def counted(tx: Any) -> None:
        counts = {Disposition.COMPLETE: 27, Disposition.NO_ANSWER: 13}
        tx.put_dispositions("svc.1", counts)
        tx.record_tally("svc.1", "2026Q4", Tally())

    do(tmp_path, counted)
    shown = founded("campaign", "show", "svc").out
    assert "RR1 = I / (I + P + R + NC + UO): 67.5 %" in shown
    assert "REF1 = R / (I + P + R + NC + UO): 0.0 %" in shown


def test_at_the_terminal_the_owner_agrees_and_the_audit_says_so(
    founded: Minyi, tmp_path: Path
) -> None:
    do(tmp_path, furnished)
    made(founded, MINYI_APPROVAL_ABOVE="10")
    assert do(tmp_path, lambda tx: tx.campaign("svc")).agreed == PEOPLE
    agreed = founded("campaign", "agree", "svc", "60", "--yes")
    assert "may ask up to 60 people" in agreed.out
    assert do(tmp_path, lambda tx: tx.campaign("svc")).agreed == 60
    assert founded("campaign", "agree", "none", "60", "--yes").status == 1
    entries = do(tmp_path, lambda tx: list(tx.audit_chain()))
    assert [each.who.split(":")[0] for each in entries if each.action == "campaign.agreed"] == [
        "operator", "operator",
    ]  # fmt: skip


def test_the_words_of_messages_are_shown_and_changed(founded: Minyi, tmp_path: Path) -> None:
    do(tmp_path, furnished)
    made(founded)
    usual = founded("campaign", "words", "svc").out
    assert "满意度" in usual
    changed = founded("campaign", "words", "svc", "--messages-invite-zh", "请评{title}")
    assert "--messages-invite-zh:\n请评满意度" in changed.out
    assert do(tmp_path, lambda tx: tx.campaign("svc")).messages == {"invite": {"zh": "请评{title}"}}
    wrong = founded("campaign", "words", "svc", "--messages-remind-en", "Dear {name}")
    assert wrong.status == 1
    assert "--messages-remind-en: " in wrong.err
    back = founded("campaign", "words", "svc", "--messages-invite-zh", "")
    assert back.out == usual
    assert do(tmp_path, lambda tx: tx.campaign("svc")).messages == {}
