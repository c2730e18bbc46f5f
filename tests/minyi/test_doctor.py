from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minyi.commands.desk import run
from minyi.configuration import load
from minyi.doctor import examine
from minyi.finding import Finding, State
from minyi.opening import opened
from storage.transaction import SqlTransaction
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from tests.minyi.conftest import Minyi

TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"
NOW = datetime(2026, 12, 10, 12, tzinfo=UTC)


class BotApi(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == f"/bot{TOKEN}/getMe"
        body = json.dumps({"ok": known, "result": {"username": "minyi_bot"}}).encode()
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def bot_api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BotApi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def findings(folder: Path, **environ: str) -> dict[str, Finding]:
    return found_at(NOW, folder, **environ)


def found_at(now: datetime, folder: Path, **environ: str) -> dict[str, Finding]:
    return {each.name: each for each in run(examine(load(environ, folder=folder), now))}


def test_a_house_never_founded_is_told_what_is_missing(minyi: Minyi, tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert {n for n, f in found.items() if f.state is State.MEND} == {
        "data directory",
        "keys",
        "database",
    }
    assert all(f.mend for f in found.values() if f.state is State.MEND)
    assert minyi("doctor").status == 1


def test_a_founded_house_is_in_order(founded: Minyi, tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert not [f for f in found.values() if f.state is State.MEND]
    assert "journal wal" in found["database"].what
    ran = founded("doctor")
    assert ran.status == 0
    assert "MEND" not in ran.out


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "https://a.invalid"])
def test_an_address_that_nobody_else_can_open_is_noted(
    founded: Minyi, tmp_path: Path, url: str
) -> None:
    found = run(examine(load({"MINYI_PUBLIC_URL": url}, folder=tmp_path), NOW))
    noted = [f for f in found if "on this machine only" in f.what]
    assert [(f.state, "MINYI_PUBLIC_URL" in f.mend) for f in noted] == (
        [] if "invalid" in url else [(State.NOTE, True)]
    )


def test_a_settings_file_with_the_token_must_be_private(
    founded: Minyi, tmp_path: Path, bot_api: str
) -> None:
    file = tmp_path / "minyi.toml"
    file.write_text(f'telegram_token = "{TOKEN}"\ntelegram_api_url = "{bot_api}"\n')
    file.chmod(0o644)
    assert findings(tmp_path)["settings file with the token"].mend == f"chmod go-rwx {file}"
    file.chmod(0o600)
    assert findings(tmp_path)["settings file with the token"].state is State.GOOD


@pytest.mark.parametrize("name", ["minyi-data", "minyi-data/keys/app.key", "minyi-data/minyi.db"])
def test_what_others_may_read_must_be_mended(founded: Minyi, tmp_path: Path, name: str) -> None:
    (tmp_path / name).chmod(0o755)
    mends = [f.mend for f in findings(tmp_path).values() if f.state is State.MEND]
    assert len(mends) == 1
    assert mends[0].startswith("chmod ")


def test_the_token_is_tried_at_the_configured_server_and_never_shown(
    founded: Minyi, tmp_path: Path, bot_api: str
) -> None:
    environ = {"MINYI_TELEGRAM_TOKEN": TOKEN, "MINYI_TELEGRAM_API_URL": bot_api}
    assert findings(tmp_path, **environ)["Telegram"].what == "@minyi_bot by polling"
    ran = founded("doctor", **environ)
    assert TOKEN not in ran.out
    wrong = findings(tmp_path, **{**environ, "MINYI_TELEGRAM_TOKEN": TOKEN.replace("A", "B")})
    assert wrong["Telegram"].state is State.MEND
    assert "token is not valid" in wrong["Telegram"].what
    away = findings(tmp_path, **{**environ, "MINYI_TELEGRAM_API_URL": "http://127.0.0.1:9"})
    assert "cannot be reached" in away["Telegram"].what
    links = founded("links", "unit", **environ)
    assert links.status == 1  # no unit yet


def open_wave(folder: Path, opens: datetime) -> None:
    def work(tx: SqlTransaction) -> None:
        svc = RaterGroup.RECIPIENT
        tx.put_subjects([Subject("W1", {"zh": "窗口"})])
        tx.put_people([Person("C1", Kind.CITIZEN)])
        tx.put_chat(Chat(Address("telegram", "1"), "C1", "zh"))
        tx.put_relations([Relation("C1", "W1", svc)])
        tx.put_form("f", "form", b"<x/>")
        campaign = Campaign("c", {"zh": "c"}, "f", (svc,), opens.date())
        tx.put_campaign(campaign)
        closes = opens + timedelta(days=14)
        wave = Wave("c.1", "c", "2026Q4", opens, closes, b"k" * 32, WaveState.OPEN)
        tx.put_wave(wave)
        tx.draw_assignments(wave, campaign, opens)
        tx.draw_deliveries(wave.id, ("invite", opens))

    async def go() -> None:
        async with opened(load({}, folder=folder).settings) as store:
            await store.write(work)

    run(go())


def test_an_open_wave_that_has_sent_nothing_is_an_alarm(founded: Minyi, tmp_path: Path) -> None:
    open_wave(tmp_path, NOW)
    assert findings(tmp_path)["wave c.1"].state is State.GOOD
    late = found_at(NOW + timedelta(hours=2), tmp_path)["wave c.1"]
    assert (late.state, late.what) == (State.MEND, "0 sent of 1")
    over = found_at(NOW + timedelta(days=15), tmp_path)["wave c.1"]
    assert "not tallied" in over.what


def test_a_questionnaire_that_cannot_be_asked_is_found(founded: Minyi, tmp_path: Path) -> None:
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "broken.md").write_text("| survey |\n| | type | name |\n| | nonsense | x |\n")
    found = findings(tmp_path, MINYI_QUESTIONNAIRES_DIR=str(folder))
    assert found["questionnaire"].state is State.MEND
    assert "broken.md" in found["questionnaire"].what


def test_a_database_that_does_not_answer_is_told_without_its_password(
    founded: Minyi, tmp_path: Path
) -> None:
    url = "postgresql://minyi:hush@127.0.0.1:9/minyi"
    found = findings(tmp_path, MINYI_DATABASE_URL=url)["database"]
    assert found.state is State.MEND
    assert "hush" not in found.what
    assert "127.0.0.1" in found.what
