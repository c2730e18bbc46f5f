"""minyi audit, and the head that is noted outside the database."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desk import approvals
from desk.accounts import Account
from desk.audit import Noted, head_seal, record
from desk.roles import Grant, May, Role
from desk.store import Sought
from minyi import auditing, serving
from minyi.commands.desk import act, run
from minyi.configuration import load
from minyi.house import House, Pace, open_house
from minyi.opening import opened
from minyi.settings import Settings
from storage import migrate
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.forms.xlsform import load_form
from tests.minyi.conftest import Minyi

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SERVICE = Path(__file__).parents[2] / "questionnaires" / "service.md"
METHOD = Path(__file__).parents[2] / "docs" / "method" / "audit.md"


def settings(folder: Path) -> Settings:
    return load({}, folder=folder).settings


ALL = 8  # entries of a chain to work with; the first ones are of `minyi init`


def entered(folder: Path, upto: int, action: str = "campaign.paused") -> None:
    """Entries more, each about the campaign of its number, without a command's note of the head."""
    used = settings(folder)
    by = act(used)

    def work(tx: Any) -> None:
        while (last := tx.audit_head()[0]) < upto:
            record(tx, by, action, f"campaign:{last + 1}", {"on": 1}, {"on": 0})

    async def write() -> None:
        async with opened(used) as store:
            await store.write(work)

    run(write())


def tampered(folder: Path, *statements: str) -> None:
    """What the database's owner does to it around the program."""
    connection = sqlite3.connect(folder / "minyi-data" / "minyi.db")
    for guard in ("update", "delete", "replace"):
        connection.execute(f"DROP TRIGGER IF EXISTS audit_no_{guard}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def cut(folder: Path, to: int) -> None:
    """Delete the entries after ``to`` and set the database's own note back, as if never written."""
    tampered(
        folder,
        f"DELETE FROM audit WHERE seq > {to}",
        f"UPDATE audit_head SET seq = {to}, hash = (SELECT hash FROM audit WHERE seq = {to})",
    )


@pytest.fixture
def filled(founded: Minyi, tmp_path: Path) -> Minyi:
    entered(tmp_path, ALL)
    return founded


def test_all_that_holds_is_said_to_with_its_head_to_write_down(
    filled: Minyi, tmp_path: Path
) -> None:
    ran = filled("audit", "verify")
    assert ran.status == 0
    assert "8 entries looked at" in ran.out
    head = re.search(r"write down: (8:[0-9a-f]{64})", ran.out)
    assert head is not None
    file = tmp_path / "minyi-data" / "audit.head"
    key = auditing.audit_key(settings(tmp_path))
    assert key is not None
    seal = head_seal(key, (8, head[1][2:]))
    assert file.read_text() == f"8 {head[1][2:]} {seal}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert filled("audit", "verify", "--head", head[1]).status == 0
    as_data = json.loads(filled("audit", "verify", "--json").out)
    assert as_data == {"count": 8, "head": [8, head[1][2:]], "flaws": [], "more": 0, "holds": True}


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("UPDATE audit SET who='nobody' WHERE seq=2", "Entry 2 was changed"),
        ("DELETE FROM audit WHERE seq IN (2, 3)", "Entries 2 to 3 were removed"),
        ("DELETE FROM audit WHERE seq=8", "Entry 8 was removed"),
        ("UPDATE audit SET seq=CASE seq WHEN 2 THEN 40 ELSE seq END", "was written as entry 2"),
        ("UPDATE audit_head SET seq=4", "own note of its newest entry"),
    ],
)
def test_what_was_tampered_with_is_named_and_the_status_is_1(
    deed: str, said: str, filled: Minyi, tmp_path: Path
) -> None:
    tampered(tmp_path, deed)
    ran = filled("audit", "verify")
    assert ran.status == 1
    assert said in ran.out
    assert "does not hold" in ran.err
    assert "write down" not in ran.out
    assert not json.loads(filled("audit", "verify", "--json").out)["holds"]


def test_an_end_cut_off_is_found_by_the_note_and_stays_found_while_more_is_written(
    filled: Minyi, tmp_path: Path
) -> None:
    assert filled("audit", "show").status == 0  # a command: it notes the head
    cut(tmp_path, 3)
    first = filled("audit", "verify")
    assert first.status == 1
    assert "Entries 4 to 8 were removed" in first.out
    entered(tmp_path, 12, "campaign.resumed")
    ran = filled("audit", "show")
    assert "The end of the audit is gone" in ran.err
    again = filled("audit", "verify")
    assert again.status == 1
    assert "Entry 8 is not the one that was noted" in again.out


def test_an_end_cut_off_is_found_where_the_note_is_gone_or_written_anew(
    filled: Minyi, tmp_path: Path
) -> None:
    head = filled("audit", "verify").out.rsplit(" ", 1)[1].strip()
    file = tmp_path / "minyi-data" / "audit.head"
    cut(tmp_path, 3)
    with sqlite3.connect(tmp_path / "minyi-data" / "minyi.db") as connection:
        [(digest, seal)] = connection.execute("SELECT hash, seal FROM audit WHERE seq=3").fetchall()
    connection.close()
    for text, said in (
        (None, "is missing"),
        (f"3 {digest}\n", "is not sealed"),
        (f"3 {digest} {seal}\n", "is forged"),
        ("five\n", "is damaged"),
    ):
        file.unlink() if text is None else file.write_text(text)
        ran = filled("audit", "verify")
        assert (ran.status, said in ran.out) == (1, True), text
        other = filled("audit", "show")
        assert (other.status, said in other.err) == (0, True), "no other command fails of it"
        assert (file.read_text() if file.exists() else None) == text, "and none mends it"
    assert "Entries 4 to 8 were removed" in filled("audit", "verify", "--head", head).out


def test_an_audit_that_was_emptied_is_found_with_its_note_and_without(
    filled: Minyi, tmp_path: Path
) -> None:
    filled("audit", "show")
    made = filled("account", "invite", "lin", "--name", "Lin", "--role", "auditor")
    assert made.status == 0, made.err
    tampered(tmp_path, "DELETE FROM audit", "DELETE FROM audit_head")
    ran = filled("audit", "verify")
    assert (ran.status, "Entries 1 to 9 were removed" in ran.out) == (1, True)
    (tmp_path / "minyi-data" / "audit.head").unlink()
    again = filled("audit", "verify")
    assert (again.status, "is missing" in again.out) == (1, True)


def test_where_nothing_happened_yet_no_note_is_missing(founded: Minyi, tmp_path: Path) -> None:
    file = tmp_path / "minyi-data" / "audit.head"
    tampered(tmp_path, "DELETE FROM audit", "DELETE FROM audit_head", "DELETE FROM accounts")
    file.unlink()
    assert founded("audit", "verify").status == 0
    assert auditing.head_file(settings(tmp_path)).noted() == Noted((0, "0" * 64))


def test_an_unsealed_note_of_the_version_before_is_accepted_once_by_hand(
    filled: Minyi, tmp_path: Path
) -> None:
    head = filled("audit", "verify").out.rsplit(" ", 1)[1].strip()
    file = tmp_path / "minyi-data" / "audit.head"
    file.write_text(head.replace(":", " ") + "\n")
    assert filled("audit", "verify").status == 1
    ran = filled("audit", "accept", "--yes")
    assert (ran.status, "Entry 9 says so" in ran.out) == (0, True)
    assert filled("audit", "verify").status == 0
    assert "unsealed" in filled("audit", "show", "--action", "audit.accepted").out
    assert filled("audit", "accept", "--yes").status == 1, "once"


def test_what_is_no_head_is_told(filled: Minyi) -> None:
    for wrong in ("8", "8:xyz", "0:" + "a" * 64, "-1:" + "a" * 64):
        ran = filled("audit", "verify", f"--head={wrong}")
        assert ran.status == 1
        assert "is not a head" in ran.err


def test_going_on_after_an_older_backup_leaves_the_loss_on_record(
    filled: Minyi, tmp_path: Path
) -> None:
    filled("audit", "show")
    refused = filled("audit", "accept", "--yes")
    assert (refused.status, "Nothing is to be accepted" in refused.err) == (1, True)
    cut(tmp_path, 2)
    assert filled("audit", "accept", "--yes").status == 0
    assert filled("audit", "verify").status == 0
    shown = filled("audit", "show", "--action", "audit.").out
    assert "audit.accepted" in shown


def test_entries_are_shown_newest_first_and_filtered(filled: Minyi) -> None:
    out = filled("audit", "show", "--count", 2).out
    assert "campaign:6" not in out
    assert out.index("campaign:8") < out.index("campaign:7")
    assert "campaign:5" in filled("audit", "show", "--what", "campaign:5").out
    assert filled("audit", "show", "--who", "nobody").out == "None.\n"
    assert "is not a day" in filled("audit", "show", "--since", "soon").err


def test_an_export_is_checked_by_us_and_by_ten_lines_that_know_nothing_of_us(
    filled: Minyi, tmp_path: Path
) -> None:
    assert filled("audit", "export", "a.jsonl").status == 0
    file = tmp_path / "a.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ran = filled("audit", "verify", "--file", "a.jsonl")
    assert ran.status == 0
    head = ran.out.rsplit(" ", 1)[1].strip()
    [code] = re.findall(r"```python\n(.*?)```", METHOD.read_text("utf-8"), re.DOTALL)
    (tmp_path / "ten.py").write_text(code, "utf-8")

    def outsider() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-I", "ten.py", "a.jsonl"], cwd=tmp_path,
                              capture_output=True, text=True, check=False)  # fmt: skip

    assert outsider().stdout == f"9 entries hold; the head is {head}\n", "the export is the ninth"
    text = file.read_text("utf-8")
    file.write_text(text.replace("campaign:6", "campaign:9"), "utf-8")
    ran = filled("audit", "verify", "--file", "a.jsonl")
    assert (ran.status, "Entry 6 was changed" in ran.out) == (1, True)
    assert outsider().returncode == 1
    assert "entry 6" in outsider().stderr
    file.write_text("".join(text.splitlines(keepends=True)[:2]), "utf-8")
    assert filled("audit", "verify", "--file", "a.jsonl").status == 0
    assert filled("audit", "verify", "--file", "a.jsonl", "--head", head).status == 1


def test_an_export_replaces_nothing_and_is_of_a_kind_we_know(filled: Minyi, tmp_path: Path) -> None:
    assert filled("audit", "export", "a.csv", "--what", "campaign:5").status == 0
    assert len((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()) == 2
    for words, said in (
        (("a.csv",), "is there already"),
        (("a.xlsx",), "ends in"),
        (("a",), "ends in"),
        (("no/where.csv",), "no such file"),
    ):
        ran = filled("audit", "export", *words)
        assert ran.status == 1
        assert said in ran.err
    assert sorted(p.name for p in tmp_path.glob("*a*.csv*")) == ["a.csv"]
    ran = filled("audit", "verify", "--file", "a.csv")
    assert ran.status == 1
    assert "line 1 is not an entry" in ran.err


def test_whatever_is_exported_at_the_terminal_stands_in_the_audit(
    filled: Minyi, tmp_path: Path
) -> None:
    assert filled("audit", "export", "a.csv", "--what", "campaign:5").status == 0
    assert filled("export", "all", "--period", "2026Q4", "--out", "all.json").status == 0
    assert filled("audit", "export", "a.csv").status == 1, "it is there already"

    async def look() -> list[tuple[str, str, str]]:
        async with opened(settings(tmp_path)) as store:
            found = await store.read(lambda tx: tx.audit(Sought(), limit=2))
        return [(each.action, each.what, each.after) for each in found]

    tables = '"cells","turnout","reasons","withheld","paradata","scorecards"'
    assert run(look()) == [
        ("results.exported", "results:2026Q4",
         f'{{"format":"json","periods":["2026Q4"],"tables":[{tables}]}}'),
        ("audit.exported", "audit:chain", '{"format":"csv","what":"campaign:5"}'),
    ]  # fmt: skip


def test_an_outsider_needs_no_data_directory_and_gets_none(filled: Minyi, tmp_path: Path) -> None:
    filled("audit", "export", "a.jsonl")
    elsewhere = str(tmp_path / "elsewhere")
    ran = filled("audit", "verify", "--file", "a.jsonl", MINYI_DATA_DIR=elsewhere)
    assert ran.status == 0
    assert "no key here" in ran.err
    assert not Path(elsewhere).exists()


# the clock's part


async def in_house(folder: Path, pace: Pace, work: Any) -> None:
    async with open_house(settings(folder), pace) as house:
        await work(house)


def test_the_clock_notes_the_head_and_raises_the_alarm_where_it_does_not_fit(
    filled: Minyi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = [NOW]
    file = auditing.head_file(settings(tmp_path))

    def kept() -> int:
        mark = file.noted().mark
        return mark[0] if mark else -1

    async def work(house: House) -> None:
        await serving.JOBS["audit"](house)
        assert kept() == 8
        await house.store.write(lambda tx: record(tx, house.act(), "wave.opened", "wave:w"))
        await serving.JOBS["audit"](house)
        assert kept() == 9
        cut(tmp_path, 4)
        for _ in range(3):
            await serving.JOBS["audit"](house)
        said = capsys.readouterr()
        assert (said.out + said.err).count("the audit's end is not as noted") == 1
        moments.append(NOW + timedelta(hours=2))
        await serving.JOBS["audit"](house)
        said = capsys.readouterr()
        assert (said.out + said.err).count("the audit's end is not as noted") == 1
        assert kept() == 9, "the note stays, for it is the evidence"

    run(in_house(tmp_path, Pace(clock=lambda: moments[-1]), work))


def test_a_house_that_closes_notes_the_head_once_more(filled: Minyi, tmp_path: Path) -> None:
    async def work(house: House) -> None:
        await house.store.write(lambda tx: record(tx, house.act(), "wave.opened", "wave:w"))

    run(in_house(tmp_path, Pace(clock=lambda: NOW), work))
    mark = auditing.head_file(settings(tmp_path)).noted().mark
    assert (mark or (0,))[0] == 9


def test_a_house_on_a_fresh_database_begins_the_note_with_its_first_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # its data directory is a relative one
    used = settings(tmp_path)
    used.data_dir.mkdir()
    migrate(used.database)
    file = used.data_dir / "audit.head"

    async def work(house: House) -> None:
        assert auditing.head_file(used).noted() == Noted((0, "0" * 64))
        await house.store.write(lambda tx: record(tx, house.act(), "wave.opened", "wave:w"))
        assert await auditing.keep(house.store, used) is None
        assert file.read_text().startswith("1 ")

    run(in_house(tmp_path, Pace(clock=lambda: NOW), work))


def test_the_clock_ends_requests_that_nobody_decided(
    founded: Minyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = approvals.Kind(May.CAMPAIGNS_WRITE, lambda *_: None)
    monkeypatch.setitem(approvals.ACTIONS, "test.done", kind)
    moments = [NOW]

    async def work(house: House) -> None:
        anna = Account("anna", "anna", "Anna", NOW, (Grant(Role.OFFICER),))
        await house.store.write(lambda tx: tx.put_account(anna))
        made = await house.store.write(
            lambda tx: approvals.ask(tx, house.act(), anna, "test.done", "x:y", {}, NOW)
        )
        for days, left in ((6, 1), (8, 0), (9, 0)):
            moments.append(NOW + timedelta(days=days))
            await serving.JOBS["approvals"](house)
            still = await house.store.read(lambda tx: tx.approvals(open_only=True))
            assert len(still) == left
        found = await house.store.read(lambda tx: tx.approval(made.id))
        assert found is not None
        assert (found.decision, found.decided_at) == ("expired", NOW + timedelta(days=8))

    run(in_house(tmp_path, Pace(clock=lambda: moments[-1]), work))
    assert "approval.expired" in founded("audit", "show").out


def test_which_keys_there_are_is_told_and_none_is_made_by_looking(
    founded: Minyi, tmp_path: Path
) -> None:
    folder = tmp_path / "minyi-data" / "keys"

    async def work(house: House) -> None:
        keys = {name: house.keyring.new_wave(name) for name in ("one", "two")}
        at = NOW

        def waves(tx: Any) -> None:
            form = load_form(SERVICE)
            tx.put_form(form.hash, "service", form.source)
            tx.put_campaign(Campaign("c", {}, form.hash, (RaterGroup.RECIPIENT,), at.date()))
            for name, key in keys.items():
                tx.put_wave(Wave(name, "c", "2026Q4", at, at + timedelta(days=1), key))

        await house.store.write(waves)
        house.keyring.destroy_wave("two")
        (folder / "readers" / "leader.key").unlink()
        facts = {(k.kind, k.name): k for k in await auditing.keys(house)}
        assert facts["application", ""].present
        assert facts["reader", "handler"].present
        assert not facts["reader", "leader"].present
        assert facts["wave", "one"].present
        assert not facts["wave", "two"].present
        assert facts["wave", "two"].wave == WaveState.PLANNED
        assert not (folder / "readers" / "leader.key").exists()
        assert not (folder / "waves" / "two.key").exists()

    run(in_house(tmp_path, Pace(clock=lambda: NOW), work))
