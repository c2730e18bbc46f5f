"""A private PostgreSQL for tests: its own cluster, its own folder, no network."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from storage import migrate

_TEMPLATE = "minyi_template"


@dataclass
class Cluster:
    """A running server on a Unix socket in ``folder``; anybody on it may do anything."""

    binaries: Path
    folder: Path
    identity: dict[str, Any]  # for subprocess: PostgreSQL refuses to run as root
    _number: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://minyi@/{database}?host={self.folder}"

    def fresh_database(self) -> str:
        """URL of a new, migrated, empty database."""
        name = f"test_{next(self._number)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def empty_database(self) -> str:
        """URL of a new database without any table."""
        name = f"test_{next(self._number)}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        self._control("start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """As in a crash: no farewell to anybody."""
        self._control("stop", "-w", "-m", "immediate")

    def set_up(self) -> None:
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "minyi", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate(self.url(_TEMPLATE))

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / "output").open("w+") as output:
            ran = subprocess.run(
                [str(self.binaries / program), *arguments],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **self.identity,
            )
            output.seek(0)
            assert ran.returncode == 0, output.read()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def private_cluster(binaries: Path) -> Iterator[Cluster]:
    # not pytest's tmp_path: root's folders are closed to the server's user, and a socket's path
    # may have 107 bytes only
    folder = Path(tempfile.mkdtemp(prefix="minyi-pg-"))
    identity = _unprivileged()
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    cluster = Cluster(binaries, folder, identity)
    try:
        cluster.set_up()
        yield cluster
    finally:
        with suppress(AssertionError):
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def postgres_binaries() -> Path | None:
    """The folder with initdb, pg_ctl and postgres: on PATH, or the newest where Debian puts it."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    whole = (
        folder
        for folder in folders
        if all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres"))
    )
    return next(whole, None)


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses root, and there is no user postgres or nobody")
