"""Files brought to the desk, and long work: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update

from desk.store import Upload, Work, WorkState
from storage.columns import Moment
from storage.desk_tables import uploads, works
from storage.unit import Unit

_UPLOAD = select(
    uploads.c.id, uploads.c.account, uploads.c.name, uploads.c.content, uploads.c.made_at
).where(uploads.c.id == bindparam("which"))
_DROP = delete(uploads).where(uploads.c.id == bindparam("which"))
_WORKS = select(
    works.c.id,
    works.c.kind,
    works.c.account,
    works.c.made_at,
    works.c.seen_at,
    works.c.state,
    works.c.done,
    works.c.total,
    works.c.result,
)
_WORK = _WORKS.where(works.c.id == bindparam("which"))
_NEWEST = _WORKS.order_by(works.c.made_at.desc(), works.c.id).limit(bindparam("wanted"))
_MOVE = (
    update(works)
    .where(
        works.c.id == bindparam("which"),
        works.c.made_at == bindparam("begun", type_=Moment),
        works.c.state == WorkState.RUNNING,
    )
    .values(
        seen_at=bindparam("seen", type_=Moment),
        state=bindparam("stands", type_=works.c.state.type),
        done=bindparam("came"),
        total=bindparam("of"),
        result=bindparam("what", type_=works.c.result.type),
    )
)


class WorkRows(Unit):
    __slots__ = ()

    def put_upload(self, upload: Upload) -> None:
        row = {
            "id": upload.id,
            "account": upload.account,
            "name": upload.name,
            "content": upload.content,
            "made_at": upload.made_at,
        }
        self._put(uploads, [row])

    def upload(self, upload: str) -> Upload | None:
        row = self._one(_UPLOAD, {"which": upload})
        if row is None:
            return None
        return Upload(row.id, row.account, row.name, bytes(row.content), row.made_at)

    def drop_upload(self, upload: str) -> None:
        self._changed(_DROP, {"which": upload})

    def put_work(self, work: Work) -> None:
        row = {
            "id": work.id,
            "kind": work.kind,
            "account": work.account,
            "made_at": work.made_at,
            "seen_at": work.seen_at,
            "state": work.state,
            "done": work.done,
            "total": work.total,
            "result": dict(work.result),
        }
        self._put(works, [row])

    def move_work(self, work: Work) -> bool:
        values = {
            "which": work.id,
            "begun": work.made_at,
            "seen": work.seen_at,
            "stands": work.state,
            "came": work.done,
            "of": work.total,
            "what": dict(work.result),
        }
        return self._changed(_MOVE, values) == 1

    def work(self, work: str) -> Work | None:
        row = self._one(_WORK, {"which": work})
        return None if row is None else Work(*row)

    def works(self, limit: int = 50) -> Sequence[Work]:
        """Newest first."""
        return [Work(*row) for row in self._all(_NEWEST, {"wanted": limit})]
