"""A fresh database of each kind, both keeping their word: every commit is forced to the disk."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import migrate
from tests.postgres import Cluster, postgres_binaries, private_cluster

Fresh = Callable[[], str]
"""Makes a migrated, empty database and returns its URL."""


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Fresh]]:
    """By name; PostgreSQL only where its programs are installed."""

    def sqlite() -> str:
        url = f"sqlite:///{folder / secrets.token_hex(4)}.db"
        migrate(url)
        return url

    binaries = postgres_binaries()
    if binaries is None:
        yield {"SQLite": sqlite}
        return
    with private_cluster(binaries) as cluster:
        _force_to_disk(cluster)
        yield {"SQLite": sqlite, "PostgreSQL": cluster.fresh_database}


def _force_to_disk(cluster: Cluster) -> None:
    """Start again with fsync, which the tests' cluster does without."""
    cluster.stop()
    options = f"-k {cluster.folder} -c listen_addresses='' -c max_connections=60"
    cluster._control("start", "-w", "-o", options, "-l", str(cluster.folder / "log"))
