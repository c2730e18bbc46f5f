"""Days that are worked or not, whatever the public calendar says: rows <-> objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import bindparam, delete, select

from storage.columns import Day
from storage.tables import day_overrides
from storage.unit import Unit
from surveys.workdays import Override

_DAYS = select(day_overrides.c.day, day_overrides.c.works, day_overrides.c.name).order_by(
    day_overrides.c.day
)
_DROP = delete(day_overrides).where(day_overrides.c.day == bindparam("which", type_=Day))


class DayRows(Unit):
    __slots__ = ()

    def day_overrides(self) -> Mapping[date, Override]:
        return {row.day: Override(*row) for row in self._all(_DAYS)}

    def put_day_override(self, override: Override) -> None:
        row = {"day": override.day, "works": override.works, "name": override.name}
        self._put(day_overrides, [row])

    def drop_day_override(self, day: date) -> None:
        self._changed(_DROP, {"which": day})
