"""Questionnaires at the desk: kept once and never changed, who asks them, and who brought them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from desk.audit import Act, Entry, record
from desk.store import DeskTransaction, Sought
from surveys.conduct import FormShelf
from surveys.forms.form import Form
from surveys.forms.label_media import Media, media_names, put_questionnaire
from surveys.lint.rules import asked
from surveys.people import Text

ADDED = "questionnaire.added"


class QuestionnaireError(Exception):
    """It cannot be kept as it is. ``errors`` is how many places must be mended."""

    def __init__(self, title: str, errors: int) -> None:
        super().__init__(f"{title} was not kept: {errors} to mend first.")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Asking:
    """A campaign with a questionnaire: asked from now on, or in a wave that has begun."""

    campaign: str
    title: Text
    now: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """One version, with who brought it where the audit knows; '' and None where it does not."""

    form: Form
    asked_by: tuple[Asking, ...]
    added_at: datetime | None = None
    added_by: str = ""
    file: str = ""

    @property
    def questions(self) -> int:
        """How many a person may be asked."""
        return len(asked(self.form))


def keep(
    tx: DeskTransaction,
    act: Act,
    form: Form,
    media: Media,
    file: str,
    *,
    errors: int = 0,
    anyway: bool = False,
) -> bool:
    """Keep this version with its ``media``; True where it is new, and then the audit says so.

    ``errors`` is what the check found to be mended: refused with QuestionnaireError, unless
    ``anyway``. FormError where a file of its labels is missing or another one than before.
    """
    if errors and not anyway:
        raise QuestionnaireError(form.title, errors)
    new = put_questionnaire(tx, form, media)
    if new:
        after = {"title": form.title, "version": form.hash, "file": file}
        record(
            tx, act, ADDED, what(form.hash), None, after | ({"unmended": errors} if errors else {})
        )
    return new


def what(version: str) -> str:
    """A version as the audit calls it."""
    return f"questionnaire:{version}"


def all_kept(tx: DeskTransaction, shelf: FormShelf) -> tuple[Kept, ...]:
    """Every version there is, the newest first."""
    by_version = asking(tx)
    added = {entry.what: entry for entry in tx.audit(Sought(action=ADDED), limit=1000)}
    return tuple(
        _kept(shelf.get(tx, version), by_version, added.get(what(version)))
        for version, _ in reversed(tx.forms())
    )


def brought(tx: DeskTransaction) -> Mapping[str, datetime]:
    """Version -> when it was brought, where the audit knows."""
    newest_first = tx.audit(Sought(action=ADDED), limit=1000)
    return {e.what.partition(":")[2]: datetime.fromisoformat(e.at) for e in newest_first}


def one_kept(tx: DeskTransaction, shelf: FormShelf, version: str) -> Kept:
    """The version with the hash ``version``; LookupError where there is none."""
    form = shelf.get(tx, version)
    added = [
        e for e in tx.audit(Sought(action=ADDED, what=what(version))) if e.what == what(version)
    ]
    return _kept(form, asking(tx), added[-1] if added else None)


def asking(tx: DeskTransaction) -> Mapping[str, tuple[Asking, ...]]:
    """Version -> the campaigns that ask it, or have a wave that did."""
    titles = {campaign.id: campaign for campaign in tx.campaigns()}
    found: dict[str, dict[str, Asking]] = {}
    for wave in tx.waves():
        if wave.form and wave.campaign in titles:
            title = titles[wave.campaign].title
            found.setdefault(wave.form, {})[wave.campaign] = Asking(wave.campaign, title, False)
    for campaign in titles.values():
        asked = Asking(campaign.id, campaign.title, True)
        found.setdefault(campaign.form, {})[campaign.id] = asked
    return {version: tuple(by.values()) for version, by in found.items()}


def media_of(tx: DeskTransaction, form: Form) -> dict[str, tuple[str, bytes]]:
    """The files that belong to the labels of a version that is kept."""
    found = {name: tx.form_media(form.hash, name) for name in media_names(form)}
    return {name: medium for name, medium in found.items() if medium is not None}


def _kept(form: Form, asked: Mapping[str, tuple[Asking, ...]], added: Entry | None) -> Kept:
    by = asked.get(form.hash, ())
    if added is None:
        return Kept(form, by)
    after = json.loads(added.after or "{}")
    return Kept(form, by, datetime.fromisoformat(added.at), added.name, str(after.get("file", "")))
