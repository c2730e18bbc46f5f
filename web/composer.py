"""How an answer of each kind can be given in a browser, besides pressing and typing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surveys.files.attachments import LIMITS
from surveys.forms.form import HANDED, Kind


@dataclass(frozen=True, slots=True)
class Composer:
    """What stands where the person types.

    ``label`` is a key of words.toml. ``keys`` is the keyboard a telephone shows (HTML's inputmode,
    '' for the usual one). ``picker`` is the type of a second field for picking a date or a time.
    ``kind`` is that of the file that may be handed over, and ``accept`` what to offer for it;
    ``camera`` is HTML's capture: which way a telephone's camera looks, '' where none may be used.
    ``place`` is True where the device may say where it is.
    """

    label: str = "chat.type"
    keys: str = ""
    picker: str = ""
    kind: str = ""
    accept: str = ""
    camera: str = ""
    place: bool = False
    typing: bool = False  # nothing to press: whoever types goes on typing

    @property
    def largest(self) -> int:
        """Bytes of the largest file that may be handed over; 0 where none may."""
        return LIMITS[Kind(self.kind)] if self.kind else 0


_COMPOSERS: Mapping[Kind, Composer] = {
    Kind.TEXT: Composer("chat.type.text", typing=True),
    Kind.INTEGER: Composer("chat.type.number", "numeric", typing=True),
    Kind.DECIMAL: Composer("chat.type.number", "decimal", typing=True),
    Kind.RANGE: Composer("chat.type.number", "decimal"),
    Kind.DATE: Composer("chat.type.date", picker="date", typing=True),
    Kind.TIME: Composer("chat.type.time", picker="time", typing=True),
    Kind.DATETIME: Composer("chat.type.datetime", picker="datetime-local", typing=True),
    Kind.GEOPOINT: Composer("chat.type.geopoint", place=True),
    Kind.IMAGE: Composer(kind="image", accept="image/*", camera="environment"),
    Kind.AUDIO: Composer(kind="audio", accept="audio/*", camera="user"),
    Kind.VIDEO: Composer(kind="video", accept="video/*", camera="environment"),
    Kind.FILE: Composer(kind="file"),
}
_USUAL = Composer()


def composer_for(wants: Kind | None) -> Composer:
    """What fits a question of the kind ``wants``; None where nothing is asked."""
    return _USUAL if wants is None else _COMPOSERS.get(wants, _USUAL)


def handed(kind: str) -> Kind:
    """The kind of file a form says it hands over; a plain file where it says nothing we know."""
    return Kind(kind) if kind in {each.value for each in HANDED} else Kind.FILE
