"""From a posted form to what was heard, and how to show it back to the person."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from surveys.reply import Handed, Heard, Located, Looked, Tapped, Typed
from web.composer import handed
from web.posted import Posted
from web.site import WORDS

LONGEST = 4000  # characters of one typed message
LONGEST_NAME = 120  # characters of a file's name
PICTURES = {"image": "📷", "audio": "🎤", "video": "🎬", "file": "📄"}


@dataclass(frozen=True, slots=True)
class Saying:
    """What the person did. ``said`` shows it back, ``pressed`` is a button's label; '' for none."""

    heard: Heard
    said: str = ""
    pressed: str = ""

    @property
    def command(self) -> bool:
        """Whether it asks for something besides the question, such as ``/privacy``."""
        return isinstance(self.heard, Typed) and self.heard.text.startswith("/")


def saying(form: Posted, language: str) -> Saying:
    """What ``form`` says: a press, a file, a place, typed or picked words, or nothing."""
    fields = form.fields
    if data := fields.get("data"):
        label = fields.get(f"label {data}", "")
        return Saying(Tapped(data), label, label)
    if form.file is not None:
        return _file(form.file, fields.get("kind", ""), language)
    if place := _place(fields.get("latitude"), fields.get("longitude"), fields.get("accuracy")):
        where = f"📍 {place.latitude:.5f}, {place.longitude:.5f}"
        return Saying(place, f"{where} (±{place.accuracy:.0f} m)" if place.accuracy else where)
    text = fields.get("text", "").replace("\r\n", "\n").strip()[:LONGEST]
    if text:
        return Saying(Typed(text), fields.get(f"label {text}", text))
    picked = fields.get("picked", "").replace("T", " ")[:LONGEST]
    return Saying(Typed(picked), picked) if picked else Saying(Looked())


def submission(form: Posted) -> str:
    """What is heard once: one form with one thing said in it; '' for a form without a number.

    Another button of a page gone back to is another press; the core knows whether it is stale.
    """
    once = form.fields.get("once")
    if not once:
        return ""
    told = [form.fields.get(name, "") for name in ("data", "text", "picked", "latitude")]
    if form.file is not None:
        told += [form.file.filename or "", str(form.file.size)]
    key = once.encode()[:64]
    return hashlib.blake2b("\0".join(told).encode(), key=key, digest_size=12).hexdigest()


def _file(file: UploadFile, kind: str, language: str) -> Saying:
    wanted = handed(kind)
    name, size = bare_name(file.filename or ""), file.size or 0
    what = WORDS.say(f"chat.sent.{wanted}", language)
    said = f"{PICTURES[wanted]} {what} · {name} · {readable(size)}"
    return Saying(Handed(wanted, _bringing(file), name, size), said)


def _bringing(file: UploadFile) -> Callable[[int], Awaitable[bytes]]:
    async def bring(limit: int) -> bytes:
        await file.seek(0)
        content = await file.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"more than {limit} bytes")
        return content

    return bring


def bare_name(name: str) -> str:
    """A file's name without folders and control characters, shortened in the middle of nothing."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(char for char in last if char.isprintable()).strip()[-LONGEST_NAME:]


def readable(size: int) -> str:
    """``size`` bytes for people: 812 B, 64 kB, 1.2 MB."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"


def _place(latitude: str | None, longitude: str | None, accuracy: str | None) -> Located | None:
    """A place on Earth; None where the numbers name none."""
    north, east, within = _number(latitude), _number(longitude), _number(accuracy) or 0.0
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return Located(north, east, max(within, 0.0))


def _number(written: str | None) -> float | None:
    try:
        number = float(written or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
