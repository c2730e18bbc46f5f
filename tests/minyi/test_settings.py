from __future__ import annotations

from pathlib import Path

import pytest

from minyi.configuration import Configuration, SettingsRefusedError, Wrong, load
from minyi.founding import template
from minyi.settings import Settings

TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"


def refused(environ: dict[str, str], config: Path | None, folder: Path) -> tuple[Wrong, ...]:
    with pytest.raises(SettingsRefusedError) as caught:
        load(environ, config, folder)
    return caught.value.wrongs


def test_nothing_set_gives_the_defaults_and_a_database_in_the_data_directory(
    tmp_path: Path,
) -> None:
    found = load({"PATH": "/bin"}, folder=tmp_path)
    assert found.sources == {}
    assert found.settings.database == f"sqlite:///{found.settings.data_dir}/minyi.db"
    assert found.settings.token is None


def test_the_environment_wins_over_the_file_and_each_source_is_known(tmp_path: Path) -> None:
    file = tmp_path / "minyi.toml"
    file.write_text("port = 9000\nk = 7\n")
    found: Configuration = load({"MINYI_PORT": "9001"}, folder=tmp_path)
    assert (found.settings.port, found.settings.k) == (9001, 7)
    assert found.sources == {"port": "the environment", "k": str(file)}


def test_an_env_file_is_read_as_lines_with_the_prefix(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('MINYI_LANGUAGE=en\nMINYI_ORGANISATION_EN="Model District"\n')
    settings = load({"MINYI_CONFIG": str(file)}).settings
    assert (settings.language, settings.organisation["en"]) == ("en", "Model District")


def test_relative_paths_in_a_file_start_where_the_file_lies(tmp_path: Path) -> None:
    file = tmp_path / "minyi.toml"
    file.write_text('data_dir = "here"\n')
    assert load({}, file, tmp_path.parent).settings.data_dir == tmp_path / "here"
    file.write_text("")
    assert load({}, file, tmp_path.parent).settings.data_dir == tmp_path / "minyi-data"


def test_everything_wrong_is_told_at_once_by_name_and_place(tmp_path: Path) -> None:
    file = tmp_path / "minyi.toml"
    file.write_text('zone = "Mars"\nporrt = 1\nk = 2\n')
    wrongs = refused({"MINYI_PORT": "many", "MINYI_TELEGRM_TOKEN": TOKEN}, file, tmp_path)
    assert {(wrong.name, wrong.where) for wrong in wrongs} == {
        ("zone", str(file)),
        ("porrt", str(file)),
        ("k", str(file)),
        ("MINYI_PORT", "the environment"),
        ("MINYI_TELEGRM_TOKEN", "the environment"),
    }
    mends = {wrong.name: wrong.mend for wrong in wrongs}
    assert "Did you mean port?" in mends["porrt"]
    assert "Did you mean MINYI_TELEGRAM_TOKEN?" in mends["MINYI_TELEGRM_TOKEN"]
    assert all(wrong.mend for wrong in wrongs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MINYI_TELEGRAM_TOKEN", "12345:short"),
        ("MINYI_TELEGRAM_API_URL", "api.telegram.org"),
        ("MINYI_TELEGRAM_MODE", "pigeon"),
        ("MINYI_TELEGRAM_RATE", "31"),
        ("MINYI_DATABASE_URL", "mysql://somewhere/x"),
        ("MINYI_PUBLIC_URL", "https://name:word@example.org"),
        ("MINYI_HOST", ""),
        ("MINYI_PORT", "70000"),
        ("MINYI_LANGUAGE", "fr"),
        ("MINYI_LOG_LEVEL", "loud"),
        ("MINYI_K", "2"),
        ("MINYI_QUESTIONNAIRES_DIR", "/nowhere/at/all"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(name: str, value: str, tmp_path: Path) -> None:
    [wrong] = refused({name: value}, None, tmp_path)
    assert wrong.name == name


def test_a_webhook_needs_a_token_and_for_telegram_itself_https(tmp_path: Path) -> None:
    both = refused({"MINYI_TELEGRAM_MODE": "webhook"}, None, tmp_path)
    assert len(both) == 2
    rehearsal = {
        "MINYI_TELEGRAM_MODE": "webhook",
        "MINYI_TELEGRAM_TOKEN": TOKEN,
        "MINYI_TELEGRAM_API_URL": "http://127.0.0.1:8081/",
    }
    assert load(rehearsal, folder=tmp_path).settings.telegram_api_url == "http://127.0.0.1:8081"


def test_no_secret_is_ever_printed(tmp_path: Path) -> None:
    environ = {
        "MINYI_TELEGRAM_TOKEN": TOKEN,
        "MINYI_DATABASE_URL": "postgresql://minyi:hush@db.example/minyi",
    }
    settings = load(environ, folder=tmp_path).settings
    shown = [settings.shown(name) for name in Settings.model_fields]
    for printed in (repr(settings), str(settings), settings.shown_database, *shown):
        assert TOKEN not in printed
        assert "hush" not in printed
    wrongs = refused({**environ, "MINYI_TELEGRAM_TOKEN": f"{TOKEN}!"}, None, tmp_path)
    assert TOKEN not in str(wrongs)


@pytest.mark.parametrize("content", [b"port = = 1", b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "minyi.toml"
    file.write_bytes(content)
    [wrong] = refused({}, None, tmp_path)
    assert wrong.name == str(file)
    [missing] = refused({"MINYI_CONFIG": str(tmp_path / "no.toml")}, None, tmp_path)
    assert "No such file" in missing.what


def test_the_template_sets_nothing_until_uncommented_and_then_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "minyi.toml"
    file.write_text(template(), "utf-8")
    assert load({}, file).sources == {}
    lines = (line.removeprefix("# ") for line in template().splitlines() if " = " in line)
    kept = [line for line in lines if not line.endswith('= ""')]
    file.write_text("\n".join(kept), "utf-8")
    found = load({}, file)
    assert set(found.sources) == {line.split(" = ")[0] for line in kept}
    plain = load({}, folder=tmp_path / "empty").settings
    assert found.settings.model_dump(exclude={"data_dir"}) == plain.model_dump(exclude={"data_dir"})
