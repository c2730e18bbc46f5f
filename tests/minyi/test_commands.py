from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from nacl.public import PublicKey, SealedBox

from concerns.intake import ADDRESS
from concerns.statement import Statement, packed
from concerns.store import State, StoredConcern
from minyi.commands.desk import run
from minyi.configuration import load
from minyi.opening import keyring, opened, vault
from storage.transaction import SqlTransaction
from surveys.ballots import pad, seal
from surveys.files.attachments import take
from surveys.forms.form import Kind
from surveys.people import Person
from tests.minyi.conftest import Minyi
from tests.surveys.handing import photo

DAY = date(2026, 12, 1)
SERVICE = Path(__file__).parents[2] / "questionnaires" / "service.md"


def test_help_loads_no_heavy_library() -> None:
    heavy = {"rich", "pydantic", "sqlalchemy", "aiogram", "telegram", "openpyxl", "alembic", "lxml"}
    code = (
        "import sys; sys.argv = ['minyi', '--help']\n"
        "from minyi.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"
    assert "campaign" in ran.stdout


def test_init_makes_everything_says_what_next_and_may_be_repeated(
    minyi: Minyi, tmp_path: Path
) -> None:
    first = minyi("init")
    assert first.status == 0
    assert "Made the database" in first.out
    assert "minyi serve" in first.out
    files = {p: p.read_bytes() for p in (tmp_path / "minyi-data" / "keys").rglob("*.key")}
    assert len(files) == 4
    again = minyi("init")
    assert again.status == 0
    assert "Found the keys" in again.out
    assert "Found the database" in again.out
    assert {path: path.read_bytes() for path in files} == files


def test_before_init_a_command_says_to_run_it(minyi: Minyi) -> None:
    ran = minyi("form", "list")
    assert ran.status == 1
    assert "Run `minyi init`" in ran.err
    assert "Traceback" not in ran.err


def test_wrong_settings_end_with_status_2_and_all_names(minyi: Minyi) -> None:
    ran = minyi("doctor", MINYI_PORT="x", MINYI_PROT="1")
    assert ran.status == 2
    assert "2 settings refused" in ran.err
    assert "MINYI_PORT" in ran.err
    assert "MINYI_PROT" in ran.err
    assert "Traceback" not in ran.err


def test_the_settings_file_given_before_the_command_counts(minyi: Minyi, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert minyi("--config", other / "minyi.toml", "init").status == 0
    assert (other / "minyi-data" / "minyi.db").is_file()
    assert minyi("--config", other / "minyi.toml", "form", "list").out == (
        "None yet. Add one with `minyi form add FILE`.\n"
    )


def test_a_bad_file_is_told_cell_by_cell_fifty_at_most(founded: Minyi, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("id,kind\n" + "".join(f"P{n},boss\n" for n in range(60)))
    ran = founded("import", "people", file)
    assert ran.status == 1
    assert "people.csv, row 2, column 'kind': 'boss' is not known here." in ran.err
    assert ran.err.count("boss") == 50
    assert "… and 10 more." in ran.err
    assert "60 mistake(s). Nothing was imported." in ran.err


def populated(minyi: Minyi, folder: Path) -> None:
    files = {
        "subjects": "id,name_zh\nD1,政务中心\nW1,户籍窗口\n",
        "people": "id,name,kind,unit\nP1,李四,staff,D1\nC1,周八,citizen,\n",
        "relations": "rater,subject,group\nC1,W1,SVC\n",
    }
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
        assert minyi("import", name, folder / f"{name}.csv").status == 0
    assert minyi("form", "add", SERVICE).status == 0


def test_a_campaign_is_made_shown_paused_resumed_and_closed(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)
    version = next(w for w in founded("form", "list").out.split() if len(w) == 12 and w.isalnum())
    create = ("campaign", "create", "svc", "--title-zh", "满意度", "--form")
    wrong = founded(*create, "zz", "--groups", "ALL", "--starts", "soon", "--recurrence", "BAD",
                    "--zone", "Mars", "--reminders", "99", "--k", 2)  # fmt: skip
    assert wrong.status == 1
    for option in ("form", "groups", "starts", "recurrence", "zone", "reminders", "k"):
        assert f"--{option}: " in wrong.err
    made = founded(*create, version[:6], "--starts", "2126-12-01")
    assert made.status == 0
    assert "asks 1 people (0 of them by Telegram) for 1 ratings" in made.out
    assert "a campaign 'svc' already" in founded(*create, version).err
    assert "满意度" in founded("campaign", "list").out
    assert "9:00 Asia/Shanghai" in founded("campaign", "show", "svc").out
    assert founded("campaign", "pause", "svc").status == 0
    assert "(paused)" in founded("campaign", "show", "svc").out
    assert founded("campaign", "resume", "svc").status == 0
    assert "(paused)" not in founded("campaign", "show", "svc").out
    assert "waiting" in founded("campaign", "list").out
    assert "no wave yet" in founded("campaign", "show", "svc").out
    closed = founded("campaign", "close", "svc", "--yes")
    assert closed.status == 0
    assert "No wave of svc was open, so none was closed." in closed.out
    assert "`minyi campaign resume svc`" in closed.out
    unknown = founded("campaign", "close", "none")
    assert (unknown.status, "Close none now" in unknown.out) == (1, False)
    assert "no campaign 'none'" in unknown.err
    assert "(paused)" in founded("campaign", "show", "svc").out
    assert founded("campaign", "pause", "none").status == 1


def test_a_planned_wave_is_shown_in_the_campaigns_own_zone(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)
    version = next(w for w in founded("form", "list").out.split() if len(w) == 12 and w.isalnum())
    create = ("campaign", "create", "svc", "--title-zh", "满意度", "--form", version)
    assert founded(*create, "--starts", "2126-12-01", "--hour", 9).status == 0
    planned = founded("plan")
    assert planned.status == 0
    assert re.search(r"planned +1", planned.out)
    shown = founded("campaign", "show", "svc").out
    assert "2126-12-10 09:00" in shown
    assert "2126-12-24 09:00" in shown


def test_a_step_that_cannot_be_taken_yet_says_why(founded: Minyi) -> None:
    ran = founded("publish", "2026Q4")
    assert ran.status == 1
    assert "minyi score 2026Q4" in ran.err
    assert founded("score", "soon").err == "'soon' is not a quarter. Write it like 2026Q4.\n"


def test_a_rule_that_asks_oftener_than_daily_is_refused(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)
    version = next(w for w in founded("form", "list").out.split() if len(w) == 12 and w.isalnum())
    ran = founded("campaign", "create", "x", "--title-zh", "x", "--form", version,
                  "--recurrence", "FREQ=MINUTELY")  # fmt: skip
    assert ran.status == 1
    assert "more than once a day" in ran.err


def test_links_stay_the_same_until_used_or_new_ones_are_wanted(
    founded: Minyi, tmp_path: Path
) -> None:
    populated(founded, tmp_path)
    first = founded("links", "unit", "W1", "--svg", tmp_path / "qr")
    assert "http://127.0.0.1:8080/c/" in first.out
    assert "█" in first.out
    assert (tmp_path / "qr" / "unit-W1.svg").read_text().startswith("<?xml")
    assert founded("links", "unit", "W1").out in first.out
    assert founded("links", "unit", "W1", "--new").out != first.out
    staff = founded("links", "staff", "--no-qr")
    assert "P1" in staff.out
    assert not any(line.split()[:1] == ["C1"] for line in staff.out.splitlines())
    assert "no unit 'W9'" in founded("links", "unit", "W9").err
    assert founded("links", "planet").status == 1


def test_export_writes_the_file_and_refuses_what_may_not_leave(
    founded: Minyi, tmp_path: Path
) -> None:
    ran = founded("export", "cells", "--period", "2026q4")
    assert ran.status == 0
    assert (tmp_path / "minyi-cells-2026q4.csv").is_file()
    assert founded("export", "all", "--period", "2026Q4", "--out", "r.json").status == 0
    assert set(json.loads((tmp_path / "r.json").read_text())) == {
        "cells", "turnout", "reasons", "withheld", "paradata", "scorecards"
    }  # fmt: skip
    for words in (
        ("ballots", "--period", "2026Q4"),
        ("cells", "--period", "yesterday"),
        ("cells", "--period", "2026Q4", "--format", "doc"),
        ("cells", "--period", "2026Q4", "--full-record"),
        ("all", "--period", "2026Q4"),
        ("cells", "--period", "2026Q4", "--out", "nowhere/x.csv"),
    ):
        refused = founded("export", *words)
        assert refused.status == 1
        assert "Traceback" not in refused.err


def test_a_concern_is_listed_without_words_read_answered_and_closed(
    founded: Minyi, tmp_path: Path
) -> None:
    settings = load({}, folder=tmp_path).settings
    keys = keyring(settings)
    said = "窗口要求我交不该交的费用"

    def raise_it(tx: SqlTransaction) -> None:
        to = seal(json.dumps(["terminal", "me", "zh"]).encode(), keys.app_key(), ADDRESS)
        tx.put_concern(
            StoredConcern("abc123", b"r" * 16, "handler", "money", State.RECEIVED, to, DAY)
        )
        public = PublicKey(keys.reader_public("handler"))
        plain = pad(packed(Statement("person", said)), 4096)
        tx.add_entry("abc123", "person", bytes(SealedBox(public).encrypt(plain)))

    async def store_it() -> None:
        async with opened(settings) as store:
            await store.write(raise_it)

    run(store_it())
    listed = founded("concerns", "list").out
    assert "abc123" in listed
    assert said not in listed
    assert said in founded("concerns", "read", "abc").out
    assert founded("concerns", "answer", "abc", "--text", "已经查实，退还").status == 0
    assert "已经查实，退还" in founded("concerns", "read", "abc").out
    assert "answered" in founded("concerns", "list").out
    assert founded("concerns", "close", "abc", "--yes").status == 0
    assert founded("concerns", "list").out == "None.\n"
    assert founded("concerns", "answer", "abc", "--text", "more").status == 1
    assert founded("concerns", "read", "zzz").status == 1
    audited = founded("audit", "export", "audit.jsonl")
    assert audited.status == 0
    kept = (tmp_path / "audit.jsonl").read_text("utf-8")
    assert [kept.count(f'"concern.{done}"') for done in ("read", "answered", "closed")] == [2, 1, 1]
    assert said not in kept
    assert "退还" not in kept


def test_files_handed_over_are_written_out_on_request_and_nothing_is_overwritten(
    founded: Minyi, tmp_path: Path
) -> None:
    settings = load({}, folder=tmp_path).settings
    keys = keyring(settings)

    def raise_it(token: str, tx: SqlTransaction) -> None:
        to = seal(json.dumps(["terminal", "me", "zh"]).encode(), keys.app_key(), ADDRESS)
        tx.put_concern(
            StoredConcern("abc123", b"r" * 16, "handler", "money", State.RECEIVED, to, DAY)
        )
        public = PublicKey(keys.reader_public("handler"))
        plain = pad(packed(Statement("person", "看照片", (token,))), 4096)
        tx.add_entry("abc123", "person", bytes(SealedBox(public).encrypt(plain)))

    async def store_it() -> str:
        async with opened(settings) as store:
            token = await take(vault(settings), Kind.IMAGE, photo(), store, DAY)
            assert isinstance(token, str)
            await store.write(partial(raise_it, token))
            return token

    token = run(store_it())
    told = founded("concerns", "read", "abc")
    assert "abc123-1.jpg" in told.out
    assert "--save FOLDER" in told.out
    assert token not in told.out
    assert founded("concerns", "read", "abc", "--save", "out").status == 0
    written = tmp_path / "out" / "abc123-1.jpg"
    assert written.read_bytes().startswith(b"\xff\xd8\xff")
    again = founded("concerns", "read", "abc", "--save", "out")
    assert again.status == 1
    assert "Nothing was written" in again.err
    written.unlink()
    (tmp_path / "minyi-data" / "attachments" / token[:32]).unlink()
    gone = founded("concerns", "read", "abc", "--save", "out")
    assert gone.status == 1
    assert "there is no file" in gone.err


def test_a_campaign_asks_another_questionnaire_from_its_next_wave_on(
    founded: Minyi, tmp_path: Path
) -> None:
    service = re.findall(r"version (\w{12})", founded("form", "add", SERVICE).out)[0]
    changed = tmp_path / "changed.md"
    text = SERVICE.read_text("utf-8")
    changed.write_text(text.replace("您满意吗", "您觉得满意吗"), "utf-8")
    other = re.findall(r"version (\w{12})", founded("form", "add", changed).out)[0]
    assert other != service
    made = ("campaign", "create", "q", "--form", service, "--title-zh", "问", "--groups", "SVC")
    assert founded(*made, "--yes").status == 0
    assert f"Questionnaire {service}" in founded("campaign", "show", "q").out
    revised = founded("campaign", "revise", "q", "--form", other[:8])
    assert revised.status == 0
    assert "next wave" in revised.out
    assert f"Questionnaire {other}" in founded("campaign", "show", "q").out
    for words in (("q", "--form", "zzz"), ("nobody", "--form", other)):
        refused = founded("campaign", "revise", *words)
        assert refused.status == 1
        assert "See `minyi" in refused.err


def test_dead_letters_show_the_reason_and_never_the_letter(founded: Minyi, tmp_path: Path) -> None:
    async def bury() -> None:
        async with opened(load({}, folder=tmp_path).settings) as store:
            await store.write(lambda tx: tx.bury(77, "ValueError in a handler", b"sealed words"))

    assert founded("dead-letters").out == "None.\n"
    run(bury())
    told = founded("dead-letters").out
    assert "77" in told
    assert "ValueError in a handler" in told
    assert "sealed words" not in told


def test_version_is_the_packages(minyi: Minyi) -> None:
    assert minyi("version").out == "minyi 0.1.0\n"


def test_an_opted_out_colleague_gets_no_link(founded: Minyi, tmp_path: Path) -> None:
    populated(founded, tmp_path)

    async def stop() -> None:
        async with opened(load({}, folder=tmp_path).settings) as store:
            person = await store.read(lambda tx: tx.person("P1"))
            assert isinstance(person, Person)
            await store.write(lambda tx: tx.put_people([replace(person, opted_out=True)]))

    run(stop())
    assert founded("links", "staff").status == 1
