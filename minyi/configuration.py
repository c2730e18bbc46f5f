"""Reading the settings: what was given, where, and everything that is wrong with it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from minyi.settings import PREFIX, TELEGRAM, Settings

ENVIRONMENT = "the environment"
CONFIG = f"{PREFIX}CONFIG"
DEFAULT_FILE = "minyi.toml"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with the settings: its full name, where it stands, what, and how to mend."""

    name: str
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        return f"{self.name}{place} {self.what}. {self.mend}"


class SettingsRefusedError(Exception):
    """The settings cannot be used; ``wrongs`` says why, all of it."""

    def __init__(self, wrongs: tuple[Wrong, ...]) -> None:
        super().__init__("\n".join(map(str, wrongs)))
        self.wrongs = wrongs


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force, and for each whether the environment, the file or nobody set it."""

    settings: Settings
    sources: Mapping[str, str]  # setting in lower case -> where it came from
    file: Path | None


@dataclass(frozen=True, slots=True)
class _Given:
    name: str  # as written
    value: object
    where: str


def load(
    environ: Mapping[str, str], config: Path | None = None, folder: Path | None = None
) -> Configuration:
    """Read the settings, or raise :class:`SettingsRefusedError` naming all that is wrong.

    The file is ``config``, else ``MINYI_CONFIG``, else ``minyi.toml`` in ``folder`` (default: the
    current directory) where there is one. A relative path in the file is taken from the file's
    own directory, so that Minyi can be started from anywhere.
    """
    path = _file(environ, config, folder or Path.cwd())
    named = (pair for pair in environ.items() if pair[0].upper().startswith(PREFIX))
    given = [_Given(name, value, ENVIRONMENT) for name, value in named if name.upper() != CONFIG]
    wrongs: list[Wrong] = []
    if path is not None:
        try:
            given = [*_read(path), *given]  # the environment comes later and wins
        except SettingsRefusedError as refused:
            wrongs += refused.wrongs
    known = {
        name: entry for entry in given if (name := _plain(entry.name)) in Settings.model_fields
    }
    wrongs += [
        _unknown(entry) for entry in given if _plain(entry.name) not in Settings.model_fields
    ]
    values = {name: entry.value for name, entry in known.items()}
    if path is not None:  # the data lie beside the file that speaks of them
        values.setdefault("data_dir", path.absolute().parent / "minyi-data")
    try:
        settings = Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=False)
        wrongs += [_refused(detail, known) for detail in details]
        raise SettingsRefusedError(tuple(wrongs)) from None
    wrongs += _together(settings, known)
    if wrongs:
        raise SettingsRefusedError(tuple(wrongs))
    return Configuration(settings, {name: entry.where for name, entry in known.items()}, path)


def _file(environ: Mapping[str, str], config: Path | None, folder: Path) -> Path | None:
    if config is not None:
        return config.expanduser()
    if environ.get(CONFIG):
        return Path(environ[CONFIG]).expanduser()
    default = folder / DEFAULT_FILE
    return default if default.is_file() else None


def _read(path: Path) -> list[_Given]:
    """Every key of the file; TOML by its name, anything else as an .env file of MINYI_… lines."""
    mend = "Correct it, or name another file with --config."
    try:
        text = path.read_text("utf-8-sig")
        values: Mapping[str, object]
        if path.suffix == ".toml":
            values = tomllib.loads(text)
        else:
            values = dotenv_values(stream=StringIO(text), interpolate=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        what = {OSError: "cannot be read", UnicodeDecodeError: "is not UTF-8 text"}
        said = next((words for kind, words in what.items() if isinstance(error, kind)), None)
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        wrong = Wrong(str(path), "", f"{said or 'is not TOML'} ({why})", mend)
        raise SettingsRefusedError((wrong,)) from None
    return [_Given(key, _beside(path, key, value), str(path)) for key, value in values.items()]


def _beside(path: Path, key: str, value: object) -> object:
    """A relative path in a settings file means: from where that file lies."""
    if _plain(key) in {"data_dir", "questionnaires_dir"} and isinstance(value, str) and value:
        return str(path.absolute().parent / Path(value).expanduser())
    return value


def _plain(name: str) -> str:
    return name.upper().removeprefix(PREFIX).lower()


def _full(name: str, where: str) -> str:
    """How the setting is written in that place."""
    return name if where.endswith(".toml") else f"{PREFIX}{name.upper()}"


def _unknown(entry: _Given) -> Wrong:
    near = get_close_matches(_plain(entry.name), Settings.model_fields, n=1)
    hint = f"Did you mean {_full(near[0], entry.where)}?" if near else "Remove it."
    return Wrong(
        entry.name, entry.where, "is not a setting", f"{hint} All of them: docs/settings.md."
    )


def _refused(detail: ErrorDetails, known: Mapping[str, _Given]) -> Wrong:
    name = str(detail["loc"][0])
    entry = known[name]
    what = detail["msg"].removeprefix("Value error, ")
    if detail["type"] != "value_error":
        what = f"is wrong: {what[0].lower()}{what[1:]}"
    description = Settings.model_fields[name].description
    return Wrong(_full(name, entry.where), entry.where, what, f"It means: {description}")


def _together(settings: Settings, known: Mapping[str, _Given]) -> Iterator[Wrong]:
    """What is wrong only in company."""
    if settings.telegram_mode != "webhook":
        return
    where = known["telegram_mode"].where
    name = _full("telegram_mode", where)
    if settings.token is None:
        yield Wrong(
            name, where, "is webhook, but there is no token", f"Set {PREFIX}TELEGRAM_TOKEN as well."
        )
    public = urlsplit(settings.public_url)
    if settings.telegram_api_url == TELEGRAM and public.scheme != "https":
        mend = f"Set {PREFIX}PUBLIC_URL to an https:// address, or use polling."
        yield Wrong(name, where, "is webhook, but Telegram calls https addresses only", mend)
