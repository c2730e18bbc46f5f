"""What is configured, reachable and missing. Looks only; changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minyi import checkup
from minyi.configuration import Configuration
from minyi.finding import Finding, State
from minyi.opening import NotReadyError, database_file, opened, reason, what_is_missing
from minyi.settings import Settings
from surveys.campaigns import Outcome, Wave, WaveState, ends_at
from surveys.store import Transaction

LEAST_DISK = 512 * 2**20
PATIENCE = timedelta(hours=1)  # after the opening by which something must have been sent
SENDING = (Outcome.SENT, Outcome.UNKNOWN)


async def examine(configuration: Configuration, now: datetime | None = None) -> list[Finding]:
    """Look at everything; ``now`` is aware, default the present."""
    settings = configuration.settings
    at = now or datetime.now(UTC)
    found = [*_settings(configuration), *_data(settings), *_disk(settings), *_keys(settings)]
    found += [*_forms(settings), *checkup.outside(settings), *checkup.leftovers(settings)]
    found.append(_clock(settings, at))
    found += await asyncio.to_thread(lambda: list(_network(settings)))
    found += await _database(settings, at)
    return found


def _settings(configuration: Configuration) -> Iterator[Finding]:
    file = configuration.file
    yield Finding(State.GOOD, "settings file", str(file) if file else "none; defaults in force")
    for name, source in sorted(configuration.sources.items()):
        shown = configuration.settings.shown(name)
        yield Finding(State.GOOD, name, f"{shown} (from {source})")
    if file is not None and configuration.settings.token and "telegram_token" in {
        name for name, source in configuration.sources.items() if source == str(file)
    }:  # fmt: skip
        yield from _private(file, "settings file with the token")


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding(State.MEND, "data directory", f"{folder} is not there", "Run `minyi init`.")
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        mend = f"Give this user the directory: chown -R {os.getuid()} {folder}"
        yield Finding(State.MEND, "data directory", f"{folder} cannot be written", mend)
    else:
        yield from _private(folder, "data directory")


def _private(path: Path, name: str) -> Iterator[Finding]:
    """Nobody but its owner may read ``path``."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        what = f"{path} is open to others ({mode:03o})"
        yield Finding(State.MEND, name, what, f"chmod go-rwx {path}")
    else:
        yield Finding(State.GOOD, name, f"{path}, private")


def _disk(settings: Settings) -> Iterator[Finding]:
    if settings.data_dir.is_dir():
        free = shutil.disk_usage(settings.data_dir).free
        full = free < LEAST_DISK
        mend = f"Leave at least {LEAST_DISK // 2**20} MB free." if full else ""
        state = State.MEND if full else State.GOOD
        yield Finding(state, "disk", f"{free / 2**30:.1f} GB free", mend)


def _keys(settings: Settings) -> Iterator[Finding]:
    folder = settings.keys_dir
    files = [folder / "app.key", folder / "readers" / "handler.key"]
    if missing := [file for file in files if not file.is_file()]:
        what = f"{', '.join(file.name for file in missing)} missing"
        lost = database_file(settings) is None or Path(str(database_file(settings))).exists()
        mend = "Restore them from your backup, or run `minyi init` if this is new." if lost else ""
        yield Finding(State.MEND, "keys", what, mend or "Run `minyi init`.")
        return
    bad = [f for f in (folder, *folder.rglob("*")) if stat.S_IMODE(f.stat().st_mode) & 0o077]
    if bad:
        what = f"{len(bad)} file(s) open to others"
        yield Finding(State.MEND, "keys", what, f"chmod -R go-rwx {folder}")
    else:
        yield Finding(State.GOOD, "keys", f"{folder}, private")


def _forms(settings: Settings) -> Iterator[Finding]:
    """Every questionnaire of the settings' own folder must be one that can be asked."""
    from surveys.forms.form import FormError
    from surveys.forms.xlsform import SUFFIXES, load_form

    folder = settings.questionnaires_dir
    if folder is None:
        yield Finding(State.GOOD, "questionnaires", "those that come with Minyi")
        return
    files = sorted(file for file in folder.iterdir() if file.suffix in {*SUFFIXES, ".xml"})
    for file in files:
        try:
            load_form(file)
        except FormError as error:
            yield Finding(State.MEND, "questionnaire", str(error), f"Mend {file}.")
    state = State.GOOD if files else State.NOTE
    yield Finding(state, "questionnaires", f"{len(files)} in {folder}")


def _clock(settings: Settings, now: datetime) -> Finding:
    here = f"{now.astimezone(settings.timezone):%Y-%m-%d %H:%M} in {settings.zone}"
    if now.year < 2025:
        mend = "Set the system's clock; invitations and tallies go by it."
        return Finding(State.MEND, "clock", here, mend)
    return Finding(State.GOOD, "clock", here)


def _network(settings: Settings) -> Iterator[Finding]:
    """Blocks for some seconds at most."""
    from minyi.telegram_api import TelegramError, who_am_i

    if settings.token is None:
        what = "no token: no bot, browser and terminal only"
        yield Finding(State.NOTE, "Telegram", what, "Set MINYI_TELEGRAM_TOKEN to have a bot.")
    else:
        try:
            bot = who_am_i(settings.telegram_api_url, settings.token)
            yield Finding(State.GOOD, "Telegram", f"@{bot} by {settings.telegram_mode}")
        except TelegramError as error:
            mend = "Check MINYI_TELEGRAM_TOKEN, MINYI_TELEGRAM_API_URL and the way out."
            yield Finding(State.MEND, "Telegram", str(error), mend)
    yield _public(settings.public_url)


def _public(url: str) -> Finding:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=3)
    try:
        connection.request("HEAD", parts.path or "/")
        connection.getresponse()
        return Finding(State.GOOD, "public address", f"{url} answers")
    except (OSError, HTTPException) as error:
        what = f"{url} does not answer ({type(error).__name__}); fine while `minyi serve` is not up"
        return Finding(State.NOTE, "public address", what)
    finally:
        connection.close()


async def _database(settings: Settings, now: datetime) -> Sequence[Finding]:
    missing = await asyncio.to_thread(what_is_missing, settings)
    if missing is not None:
        return [Finding(State.MEND, "database", missing, "See MINYI_DATABASE_URL.")]
    try:
        async with opened(settings) as store:
            found = [_journal(settings)]
            found += await store.read(lambda tx: list(_ledgers(tx, now)))
            return found + await store.read(lambda tx: list(checkup.inside(settings, tx, now)))
    except (NotReadyError, ValueError) as error:
        return [Finding(State.MEND, "database", reason(error), "See MINYI_DATABASE_URL.")]


def _journal(settings: Settings) -> Finding:
    file = database_file(settings)
    if file is None:
        return Finding(State.GOOD, "database", f"{settings.shown_database}, up to date")
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        what = f"{file} is open to others ({mode:03o})"
        return Finding(State.MEND, "database", what, f"chmod go-rwx {file}")
    return Finding(State.GOOD, "database", f"{file}, up to date, journal {_journal_mode(file)}")


def _journal_mode(file: Path) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _ledgers(tx: Transaction, now: datetime) -> Iterator[Finding]:
    letters = len(tx.dead_letters())
    if letters:
        what = f"{letters} update(s) could not be handled"
        yield Finding(State.NOTE, "dead letters", what, "See `minyi dead-letters`.")
    else:
        yield Finding(State.GOOD, "dead letters", "none")
    waves = [wave for wave in tx.waves() if wave.state is not WaveState.TALLIED]
    for wave in waves:
        if wave.opens_at <= now:
            campaign = tx.campaign(wave.campaign)
            end = wave.closes_at if campaign is None else ends_at(wave, campaign)
            yield _wave(wave, end, tx.delivery_counts(wave.id), now)
    if not waves:
        yield Finding(State.NOTE, "waves", "none planned or open")


def _wave(
    wave: Wave, end: datetime, counts: Sequence[tuple[str, Outcome, int]], now: datetime
) -> Finding:
    """A wave that asks people and has sent nothing is the loudest silence there is."""
    name = f"wave {wave.id}"
    if end + PATIENCE < now:
        what = f"closed at {wave.closes_at:%Y-%m-%d %H:%M} and not tallied"
        return Finding(State.MEND, name, what, "Run `minyi tally`, or let `minyi serve` run.")
    sent = sum(n for _, outcome, n in counts if outcome in SENDING)
    owed = sum(n for _, outcome, n in counts if outcome is not Outcome.MOOT)
    gone = sum(n for _, outcome, n in counts if outcome is Outcome.GONE)
    what = f"{sent:,} of {owed:,} messages sent, {gone:,} unreachable"
    if owed and not sent and wave.opens_at + PATIENCE < now:
        return Finding(
            State.MEND, name, f"0 sent of {owed:,}", "Is `minyi serve` up? `minyi deliver`."
        )
    return Finding(State.GOOD if owed else State.NOTE, name, what)
