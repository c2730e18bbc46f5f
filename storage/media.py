"""Labels' pictures, and that files were handed over: rows <-> objects. The files lie elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, delete, false, select, update

from storage.columns import Day
from storage.tables import attachments, form_media
from storage.unit import Unit, insert_new

_MEDIUM = select(form_media.c.mime, form_media.c.content).where(
    form_media.c.form == bindparam("form"), form_media.c.name == bindparam("name")
)
_KEEP = update(attachments).where(attachments.c.id == bindparam("which")).values(kept=True)
_STALE = (
    delete(attachments)
    .where(attachments.c.kept == false(), attachments.c.day < bindparam("before", type_=Day))
    .returning(attachments.c.id)
)
_ATTACHMENTS = select(attachments.c.id).order_by(attachments.c.id)


class MediaRows(Unit):
    __slots__ = ()

    def put_form_media(self, form: str, name: str, mime: str, content: bytes) -> None:
        """A questionnaire is what it was when people saw it, and so are its pictures."""
        row = {"form": form, "name": name, "mime": mime, "content": content}
        if self._changed(insert_new(self._dialect, form_media), row):
            return
        if self.form_media(form, name) != (mime, content):
            raise ValueError(
                f"{name}: this questionnaire has another file under this name already. "
                "Give the questionnaire a new version."
            )

    def form_media(self, form: str, name: str) -> tuple[str, bytes] | None:
        row = self._one(_MEDIUM, {"form": form, "name": name})
        return None if row is None else (str(row.mime), bytes(row.content))

    def put_attachment(self, attachment: str, day: date) -> None:
        row = {"id": attachment, "day": day, "kept": False}
        self._changed(attachments.insert(), row)

    def keep_attachment(self, attachment: str) -> bool:
        return self._changed(_KEEP, {"which": attachment}) == 1

    def drop_stale_attachments(self, before: date) -> Sequence[str]:
        """One statement, so that nothing is kept between the looking and the deleting."""
        return [str(row.id) for row in self._all(_STALE, {"before": before})]

    def attachments(self) -> Sequence[str]:
        return [str(row.id) for row in self._all(_ATTACHMENTS)]
