"""Files and places in messages, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rehearsal.pictures import pixels
from rehearsal.refusals import StageMistake

_MIMES = {
    "photo": "image/jpeg",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "animation": "video/mp4",
    "document": "application/octet-stream",
}
HANDED = tuple(_MIMES)
"""What a person can hand over; all but the first two of them may have a name of their own."""
_SECONDS = 3
_SIDE = 240


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that Telegram has. ``kind`` is the field of the message in which it stands.

    ``width`` and ``height`` are pixels, 0 where there are none; ``small`` is a photo's thumbnail.
    """

    file_id: str
    kind: str
    name: str
    content_type: str
    content: bytes
    width: int = 0
    height: int = 0
    small: StoredFile | None = None

    def fields(self) -> dict[str, Any]:
        """The message's fields in which the file stands."""
        if self.kind == "photo":
            sizes = [self.small, self] if self.small is not None else [self]
            return {"photo": [{**size._common(), **size._sides()} for size in sizes]}
        named = {"file_name": self.name} if self.name else {}
        typed = {**self._common(), "mime_type": self.content_type}
        timed = {**typed, "duration": _SECONDS}
        match self.kind:
            case "voice":
                return {"voice": timed}
            case "audio":
                return {"audio": {**timed, **named}}
            case "video":
                return {"video": {**timed, **named, **self._sides()}}
            case "video_note":
                return {"video_note": {**self._common(), "duration": _SECONDS, "length": _SIDE}}
            case "animation":  # old clients know only the document
                film = {**timed, **named, **self._sides()}
                return {"animation": film, "document": {**typed, **named}}
        return {"document": {**typed, **named}}

    def _common(self) -> dict[str, Any]:
        return {
            "file_id": self.file_id,
            "file_unique_id": self.file_id[-12:],
            "file_size": len(self.content),
        }

    def _sides(self) -> dict[str, Any]:
        return {"width": self.width, "height": self.height}


@dataclass(frozen=True, slots=True)
class Place:
    """A shared place: degrees, metres (0: not said), seconds for which it is live (0: it is not).

    With a ``title`` it is a venue.
    """

    latitude: float
    longitude: float
    accuracy: float = 0.0
    live: int = 0
    title: str = ""

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise StageMistake("a place is -90..90 degrees north and -180..180 east")
        if not (0 <= self.accuracy <= 1500 and self.live >= 0):
            raise StageMistake("a place's accuracy is 0..1500 metres, and no time is negative")

    def fields(self) -> dict[str, Any]:
        """The message's fields in which the place stands."""
        location: dict[str, Any] = {"latitude": self.latitude, "longitude": self.longitude}
        if self.accuracy:
            location["horizontal_accuracy"] = self.accuracy
        if self.live:
            location["live_period"] = self.live
        if not self.title:
            return {"location": location}
        venue = {"location": location, "title": self.title, "address": "1 Rehearsal Street"}
        return {"location": location, "venue": venue}


def handed(number: int, kind: str, content: bytes, name: str, mime: str) -> StoredFile:
    """What a person hands over, as file ``number``; raises ``StageMistake`` for what no app does.

    A photo comes in two sizes, the small one first, as from the apps.
    """
    if kind not in _MIMES:
        raise StageMistake(f"people hand over {', '.join(HANDED)}, not {kind!r}")
    if not content:
        raise StageMistake("an empty file cannot be sent")
    mime = mime if kind in {"document", "audio"} and mime else _MIMES[kind]
    file_id = f"handed-{kind}-{number:012d}"
    if kind != "photo":
        sides = (_SIDE, _SIDE) if kind in {"video", "animation"} else (0, 0)
        given = "" if kind in {"voice", "video_note"} else name
        return StoredFile(file_id, kind, given, mime, content, *sides)
    size = pixels(content)
    if size is None:
        raise StageMistake("a photo is a PNG or a JPEG")
    small = StoredFile(f"{file_id}-s", kind, "", mime, content[:64], 1, 1)
    return StoredFile(file_id, kind, "", mime, content, *size, small)
