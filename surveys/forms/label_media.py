"""Pictures, sounds and films beside the words of a question: found, checked, kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from surveys.files.kinds import kind_of
from surveys.forms.form import Form, FormError
from surveys.store import Transaction

LIMIT = 2_000_000
"""Bytes of one file: it is shown to everybody who is asked."""
TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
}

Media = Mapping[str, tuple[str, bytes]]
"""File name -> (media type, content)."""


def media_names(form: Form) -> tuple[str, ...]:
    """The file names that the labels of ``form`` refer to, sorted."""
    texts = (text for question in form.questions for text in question.media.values())
    return tuple(sorted({name for text in texts for name in text.values()}))


def load_media(path: Path, names: Iterable[str]) -> Media:
    """The files ``names`` of the questionnaire at ``path``.

    ``asking.xlsx`` has its files in the folder ``asking-media``, or beside it. Raises FormError
    naming everything that is missing or wrong.
    """
    found: dict[str, tuple[str, bytes]] = {}
    wrongs: list[str] = []
    for name in names:
        try:
            found[name] = _medium(path, name)
        except FormError as error:
            wrongs.append(str(error))
    if wrongs:
        raise FormError("\n".join(wrongs))
    return found


def _medium(path: Path, name: str) -> tuple[str, bytes]:
    if not name or name in {".", ".."} or any(char in name for char in "/\\\0"):
        raise FormError(f"{path.name}: {name!r} is no file name. Leave out the folder.")
    folders = (path.with_name(f"{path.stem}-media"), path.parent)
    file = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if file is None:
        raise FormError(
            f"{path.name}: the file {name} is missing. Put it into the folder {folders[0].name} "
            "beside the questionnaire."
        )
    if file.stat().st_size > LIMIT:
        raise FormError(f"{name}: larger than {LIMIT // 1_000_000} MB. Make it smaller.")
    content = file.read_bytes()
    mime = _mime(content)
    if mime is None:
        raise FormError(
            f"{name}: neither a picture (PNG, JPEG, WebP, GIF) nor a sound (MP3, Ogg, M4A) nor a "
            "film (MP4). Save it as one of these."
        )
    return mime, content


def _mime(content: bytes) -> str | None:
    kind = kind_of(content)
    if kind == "iso" and content[4:8] == b"ftyp" and content[8:12] != b"qt  ":
        return "audio/mp4" if content[8:12] in {b"M4A ", b"M4B "} else "video/mp4"
    return TYPES.get(kind)


def put_questionnaire(tx: Transaction, form: Form, media: Media) -> bool:
    """Keep a questionnaire and its files; True where it is new.

    FormError where a file is missing, or differs from the one it was kept with.
    """
    missing = [name for name in media_names(form) if name not in media]
    if missing:
        raise FormError(f"{form.title}: missing: {', '.join(missing)}")
    new = tx.form(form.hash) is None
    if new:
        tx.put_form(form.hash, form.title, form.source)
    for name in media_names(form):
        try:
            tx.put_form_media(form.hash, name, *media[name])
        except ValueError as error:
            raise FormError(str(error)) from error
    return new
