"""A file that is the whole roster: whoever is not in it has left, and whoever is has not."""

from __future__ import annotations

from dataclasses import replace

from desk.importing.drafts import Draft
from desk.importing.records import Bad, Records
from desk.saying import shown
from desk.store import DeskTransaction
from surveys.people import Person

MOST_LEAVING = 30
"""Percent of the roster that a file may mark as left without its being said once more."""
_NAMED = 12


def leave_out(tx: DeskTransaction, records: Records, draft: Draft[Person]) -> None:
    """Mark as left whoever the roster lists and ``records`` do not.

    Who came by a poster is in no table, and stays. More than MOST_LEAVING percent is a mistake of
    the file unless ``records.many_left``.
    """
    if records.table.name != "people":
        draft.note(Bad(records.file, records.sheet, 0, "", "whole-table"))
        return
    here = {record.text("id") for record in records.records}
    listed = [person for person in tx.people() if person.listed and not person.left]
    leaving = [person for person in listed if person.id not in here]
    if len(leaving) * 100 > len(listed) * MOST_LEAVING and not records.many_left:
        names = ", ".join(shown(person.name or person.id) for person in leaving[:_NAMED])
        told = {"count": len(leaving), "of": len(listed), "names": names, "most": MOST_LEAVING}
        draft.note(Bad(records.file, records.sheet, 0, "", "many-left", told))
        return
    for person in leaving:
        draft.leave(replace(person, left=True), person)
