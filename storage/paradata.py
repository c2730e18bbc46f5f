"""How a questionnaire fares: counts in progress, sealed, and what of them left a tally."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from sqlalchemy import bindparam, delete, select

from storage.interviews import INTERVIEWS
from storage.ledgers import paradata, paradata_drafts
from storage.tables import interviews, waves
from storage.unit import Unit
from surveys.campaigns import WaveState
from surveys.dropoff import Row
from surveys.store import SealedInterview

_CHUNK = 1000  # sealed states in memory at once while they are read
_DRAFTS = (
    select(paradata_drafts.c.process, paradata_drafts.c.box)
    .where(paradata_drafts.c.wave == bindparam("of_wave"))
    .order_by(paradata_drafts.c.process)
)
_STALE = delete(paradata_drafts).where(
    paradata_drafts.c.wave.in_(select(waves.c.id).where(waves.c.state == WaveState.TALLIED))
)
_UNFINISHED = (
    INTERVIEWS.where(interviews.c.wave == bindparam("of_wave"), interviews.c.complete.is_(False))
    .order_by(interviews.c.id)
    .execution_options(yield_per=_CHUNK)
)
_LEFT = (
    select(
        paradata.c.wave,
        paradata.c.question,
        paradata.c.shown,
        paradata.c.answered,
        paradata.c.skipped,
        paradata.c.troubled,
        paradata.c.left,
    )
    .where(paradata.c.period == bindparam("of_period"))
    .order_by(paradata.c.wave, paradata.c.seq)
)


class ParadataRows(Unit):
    __slots__ = ()

    def put_draft(self, wave: str, process: str, box: bytes) -> None:
        self._put(paradata_drafts, [{"wave": wave, "process": process, "box": box}])

    def drafts(self, wave: str) -> Sequence[tuple[str, bytes]]:
        return [(row.process, bytes(row.box)) for row in self._all(_DRAFTS, {"of_wave": wave})]

    def drop_stale_drafts(self) -> None:
        self._changed(_STALE)

    def unfinished(self, wave: str) -> Iterator[SealedInterview]:
        for row in self._connection.execute(_UNFINISHED, {"of_wave": wave}):
            yield SealedInterview(*row)

    def put_paradata(self, period: str, rows: Iterable[Row]) -> None:
        for wave, of_wave in groupby(rows, attrgetter("wave")):
            numbered = enumerate(of_wave)
            self._put(paradata, (_values(period, wave, seq, row) for seq, row in numbered))

    def paradata(self, period: str) -> Sequence[Row]:
        return [Row(*row) for row in self._all(_LEFT, {"of_period": period})]


def _values(period: str, wave: str, seq: int, row: Row) -> dict[str, object]:
    return {
        "period": period,
        "wave": wave,
        "seq": seq,
        "question": row.question,
        "shown": row.shown,
        "answered": row.answered,
        "skipped": row.skipped,
        "troubled": row.troubled,
        "left": row.left,
    }
