from __future__ import annotations

from pathlib import Path

import pytest

from storage.engine import in_memory, open_engine


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("minyi.db", "write sqlite:///minyi.db"),
        ("", "write sqlite:///minyi.db"),
        ("sqlite://minyi.db", "three: sqlite:///minyi.db"),
        ("sqlite:///no/such/folder/minyi.db", "no/such/folder"),
        ("sqlite:///minyi.db?mode=ro", "takes no options"),
        ("mysql://host/minyi", "use sqlite:/// or postgresql://"),
        ("postgresql+asyncpg://host/minyi", "use sqlite:/// or postgresql://"),
        ("postgresql://host", "names no database"),
        ("postgresql://host:port/minyi", "not a URL"),
    ],
)
def test_a_wrong_url_is_told_how_to_mend_itself(url: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        open_engine(url)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="names no database") as refusal:
        open_engine("postgresql://minyi:hush@host")
    assert "hush" not in str(refusal.value)


def test_both_spellings_of_memory_are_in_memory() -> None:
    assert in_memory("sqlite://")
    assert in_memory("sqlite:///:memory:")
    assert not in_memory("sqlite:///minyi.db")
    assert not in_memory("postgresql://host/minyi")


@pytest.mark.parametrize("reading", [False, True])
def test_a_sqlite_connection_keeps_its_word(tmp_path: Path, reading: bool) -> None:
    url = f"sqlite:///{tmp_path / 'minyi.db'}"
    engine = open_engine(url)
    if reading:
        engine.connect().close()
        engine.dispose()
        engine = open_engine(url, reading=True)
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 10_000,
        "query_only": int(reading),
    }
    with engine.connect() as connection:
        found = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for pragma in wanted
        }
    engine.dispose()
    assert found == wanted


def test_postgres_is_spoken_to_through_psycopg_3() -> None:
    for url in ("postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"):
        assert open_engine(url).dialect.driver == "psycopg"
