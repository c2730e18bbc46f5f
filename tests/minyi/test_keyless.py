"""A backup without the keys of waves: nobody can learn from it who has answered, and what then."""

from __future__ import annotations

import asyncio
import os
import shlex
import sqlite3
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from minyi.archiving import unpack
from minyi.house import open_house
from minyi.opening import opened
from minyi.restoring import restore
from minyi.safekeeping import SafekeepingError, backup, guide
from minyi.settings import Settings
from storage import copying, programs
from surveys.campaigns import Outcome, WaveState
from surveys.people import Address
from surveys.phrasing import Press
from surveys.reply import Opened, Reply, Tapped
from tests.minyi.visitors import furnished, settings_in, tallied
from tests.postgres import Cluster

PHRASE = "correct horse battery staple"
DONE, HALF, CONCERNED = (Address("telegram", each) for each in ("1001", "1002", "1003"))
CONCERNS = 1


async def visited(settings: Settings) -> None:
    """One has answered all, one is in the middle, one has begun a concern."""
    await furnished(settings)
    await answers(settings, DONE, 3)
    await answers(settings, HALF, 1)
    async with open_house(settings) as house:
        talk, now = house.conversation, house.clock()
        await talk.receive(CONCERNED, Tapped(Press("m", "concern").data()), now)


async def answers(settings: Settings, address: Address, times: int) -> tuple[Reply, ...]:
    """Come by the window's link and press the first button so often; what was said last."""
    async with open_house(settings) as house:
        said = await house.conversation.receive(address, Opened("window-s0"), house.clock())
        for _ in range(times):
            press = said[-1].rows[0][0].data
            said = await house.conversation.receive(address, Tapped(press), house.clock())
    return said


def told(file: Path) -> dict[str, Any]:
    """What the tables of a SQLite copy say of who has answered."""
    with sqlite3.connect(file) as db:
        found = {
            "interviews": db.execute("SELECT count(*) FROM interviews WHERE wave <> ''").fetchone(),
            "concerns": db.execute("SELECT count(*) FROM interviews WHERE wave IS NULL").fetchone(),
            "ballots": db.execute("SELECT count(*) FROM ballots").fetchone(),
            "drafts": db.execute("SELECT count(*) FROM paradata_drafts").fetchone(),
            "pointing": db.execute("SELECT count(interview) FROM chats").fetchone(),
            "reminded": db.execute(
                "SELECT count(*) FROM deliveries WHERE stage LIKE 'remind%' AND state <> 'due'"
            ).fetchone(),
            "to come": db.execute(
                "SELECT count(*) FROM deliveries WHERE stage LIKE 'remind%' AND state = 'due'"
            ).fetchone(),
        }
    db.close()
    return {name: row[0] for name, row in found.items()}


def inside(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    unpack(archive, folder)
    return folder / "minyi.db"


async def test_no_row_of_it_tells_who_has_answered(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "house")
    await visited(settings)
    with sqlite3.connect(settings.data_dir / "minyi.db") as db:
        ids = [row[0] for row in db.execute("SELECT id FROM interviews WHERE wave <> ''")]
        rids = [row[0] for row in db.execute("SELECT rid FROM ballots")]
        remind(db)
    db.close()
    whole = await asyncio.to_thread(backup, settings, tmp_path / "whole", PHRASE)
    bare = await asyncio.to_thread(backup, settings, tmp_path / "bare")
    before = told(inside(tmp_path / "whole", tmp_path / "1"))
    assert before | {"drafts": 0} == {
        "interviews": 2, "concerns": 1, "ballots": 1, "drafts": 0, "pointing": 2,
        "reminded": 2, "to come": 1,
    }, "with the keys everything is there"  # fmt: skip
    after = told(inside(tmp_path / "bare", tmp_path / "2"))
    assert after == {
        "interviews": 0, "concerns": 1, "ballots": 0, "drafts": 0, "pointing": 1,
        "reminded": 0, "to come": 1,
    }  # fmt: skip
    content = (tmp_path / "bare").read_bytes()
    assert len(ids) == 2
    assert not any(each.encode() in content for each in ids), "not in a free page either"
    assert not any(rid in content for rid in rids)
    assert all(each.encode() in (tmp_path / "whole").read_bytes() for each in ids)
    assert (whole.manifest.unkeyed, len(bare.manifest.unkeyed)) == ((), 1)
    assert told(settings.data_dir / "minyi.db") | {"drafts": 0} == before, "the house is untouched"


def remind(db: sqlite3.Connection) -> None:
    """Three reminders: one sent, one not needed because they had answered, one to come."""
    [wave] = db.execute("SELECT id FROM waves").fetchone()
    db.executemany(
        "INSERT INTO deliveries (wave, person, stage, handle, language, due_at, attempts, state, "
        "detail) VALUES (?, ?, ?, '1', 'en', 1, ?, ?, '')",
        [
            (wave, "p1", "invite", 1, Outcome.SENT),
            (wave, "p1", "remind1", 1, Outcome.SENT),
            (wave, "p2", "remind1", 0, Outcome.MOOT),
            (wave, "p1", "remind2", 0, Outcome.DUE),
        ],
    )


async def test_restored_everybody_is_asked_again_and_counted_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "house")
    await visited(settings)
    await asyncio.to_thread(backup, settings, tmp_path / "bare")
    restored = await asyncio.to_thread(restore, tmp_path / "bare", tmp_path / "there")
    assert restored.lost == restored.again != ()
    there = Settings.model_validate({"data_dir": tmp_path / "there", "language": "en"})
    for address in (DONE, HALF):
        async with open_house(there) as house:
            said = await house.conversation.receive(address, Opened("window-s0"), house.clock())
        assert said[-1].question, "from the first question on"
        await answers(there, address, 3)
    counts = copying.sqlite_contents(there.data_dir / "minyi.db").counts
    assert (counts["interviews"], counts["ballots"]) == (2 + CONCERNS, 2)
    await tallied(there)  # which holds each ballot to the new keys: none is spoiled


async def test_a_wave_that_ended_meanwhile_is_lost_and_makes_no_empty_result(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path / "house")
    await visited(settings)
    await asyncio.to_thread(backup, settings, tmp_path / "bare")
    later = datetime.now(UTC) + timedelta(days=9)
    restored = await asyncio.to_thread(restore, tmp_path / "bare", tmp_path / "there", now=later)
    assert (len(restored.lost), restored.again) == (1, ())
    assert not list((tmp_path / "there" / "keys" / "waves").iterdir())


async def test_whoever_was_in_the_middle_begins_anew_where_the_keys_stay_sealed(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path / "house")
    await visited(settings)
    await asyncio.to_thread(backup, settings, tmp_path / "whole", PHRASE)
    await asyncio.to_thread(restore, tmp_path / "whole", tmp_path / "there")
    there = Settings.model_validate({"data_dir": tmp_path / "there", "language": "en"})
    assert told(tmp_path / "there" / "minyi.db")["interviews"] == 0
    assert (await answers(there, HALF, 1))[-1].question


# ---- PostgreSQL


@pytest.fixture
async def on_postgres(
    tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("PATH", str(postgres.binaries), prepend=os.pathsep)
    settings = settings_in(tmp_path / "it's here", postgres.fresh_database())
    await visited(settings)
    return settings


async def test_on_postgresql_interviews_and_ballots_stay_out_of_the_dump(
    on_postgres: Settings, tmp_path: Path, postgres: Cluster
) -> None:
    scratch = postgres.empty_database()
    bare = await asyncio.to_thread(backup, on_postgres, tmp_path / "bare", scratch=scratch)
    assert any("restored into an empty database" in line for line in bare.proved)
    left = {name: bare.manifest.counts[name] for name in ("interviews", "ballots")}
    assert left == {"interviews": 0, "ballots": 0}
    dump = inside(tmp_path / "bare", tmp_path / "1").with_name("minyi.dump")
    assert {"people", "chats", "waves"} <= copying.listed_tables(dump)
    assert not {"interviews", "ballots", "paradata_drafts"} & copying.listed_tables(dump)
    whole = await asyncio.to_thread(backup, on_postgres, tmp_path / "whole", PHRASE)
    assert (whole.manifest.counts["interviews"], whole.manifest.counts["ballots"]) == (3, 1)
    empty = postgres.empty_database()
    restored = await asyncio.to_thread(
        restore, tmp_path / "bare", tmp_path / "there", database=empty
    )
    assert restored.again == restored.lost != ()
    there = Settings.model_validate(
        {"data_dir": tmp_path / "there", "database_url": empty, "language": "en"}
    )
    assert (await answers(there, HALF, 1))[-1].question
    async with opened(there) as store:
        states = await store.read(lambda tx: [wave.state for wave in tx.waves()])
    assert states == [WaveState.OPEN]


async def test_what_is_printed_to_type_works_as_typed(
    on_postgres: Settings, tmp_path: Path, postgres: Cluster
) -> None:
    lines = [line.strip() for line in guide(on_postgres).splitlines() if line.startswith("  ")]
    [pack] = [at for at, line in enumerate(lines) if line.startswith("tar -cf")]
    await asyncio.to_thread(typed, lines[: pack + 1], tmp_path, on_postgres.database_url)
    dump = tmp_path / "minyi.dump"
    assert dump.stat().st_mode & 0o077 == 0
    assert not {"interviews", "ballots", "paradata_drafts"} & copying.listed_tables(dump)
    empty, there = postgres.empty_database(), tmp_path / "there too"
    there.mkdir()
    back = [line.replace("DIRECTORY", shlex.quote(str(there))) for line in lines[pack + 1 :]]
    assert len(back) == 2
    await asyncio.to_thread(typed, back, tmp_path, empty)
    assert copying.database_contents(empty).counts["chats"] == 3
    assert (there / "keys" / "app.key").is_file()
    assert not (there / "keys" / "waves").exists()


def typed(lines: Sequence[str], folder: Path, database: str) -> None:
    environment = {"PATH": os.environ["PATH"], "MINYI_DATABASE_URL": database}
    subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(lines)], cwd=folder, env=environment, check=True
    )


async def test_a_dump_with_what_is_not_minyis_is_refused_before_anything_of_it_runs(
    on_postgres: Settings, tmp_path: Path, postgres: Cluster
) -> None:
    """COPY … FROM PROGRAM behind a view that is filled while a dump is restored."""
    await asyncio.to_thread(backup, on_postgres, tmp_path / "good")
    engine_url = on_postgres.database
    mark = postgres.folder / "mark"  # the server's user may write there
    with copying.changing(engine_url) as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION strike() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
            f"COPY (SELECT 1) TO PROGRAM 'cat > {mark}'; RETURN 1; END $$"
        )
        connection.exec_driver_sql("CREATE MATERIALIZED VIEW v AS SELECT public.strike() AS x")
    await asyncio.to_thread(mark.unlink)
    await asyncio.to_thread(backup, on_postgres, tmp_path / "bad")
    empty = postgres.empty_database()
    with pytest.raises(SafekeepingError, match=r"which is not Minyi's"):
        await asyncio.to_thread(restore, tmp_path / "bad", tmp_path / "there", database=empty)
    assert not await asyncio.to_thread(mark.exists)
    assert copying.is_empty(empty)
    await asyncio.to_thread(restore, tmp_path / "good", tmp_path / "there", database=empty)


async def test_a_script_for_psql_is_no_dump(
    on_postgres: Settings, tmp_path: Path, postgres: Cluster
) -> None:
    """psql, which would run \\! and much else, is never called: pg_restore takes no script."""
    script = tmp_path / "minyi.dump"
    script.write_text(f"\\! touch {tmp_path}/mark\nCREATE TABLE people (id int);\n")
    with pytest.raises(programs.CopyError):
        copying.load_postgres(script, postgres.empty_database())
    assert not (tmp_path / "mark").exists()
