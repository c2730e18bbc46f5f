"""Pictures, sounds and films on labels: found beside the questionnaire, checked, kept with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from storage import SqlStore
from surveys.forms.form import Form, FormError
from surveys.forms.label_media import LIMIT, load_media, media_names, put_questionnaire
from surveys.forms.xlsform import load_form
from tests.surveys.handing import medium, photo, picture, png

TABLE = """
| survey | | | | | | |
| | type | name | label::Z (zh) | label::E (en) | image::Z (zh) | image::E (en) | audio::Z (zh) |
| | text | a | 哪里？ | Where? | 地图.png | map.png | ask.mp3 |
| | text | b | 谁？ | Who? | 地图.png | map.png | |
| settings | | | |
| | form_title | form_id | default_language |
| | F | f | Z (zh) |
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A questionnaire, two of its files in its folder and one beside it."""
    path = tmp_path / "asking.md"
    path.write_text(TABLE, "utf-8")
    (tmp_path / "asking-media").mkdir()
    (tmp_path / "asking-media" / "地图.png").write_bytes(png())
    (tmp_path / "asking-media" / "map.png").write_bytes(photo())
    (tmp_path / "ask.mp3").write_bytes(medium("sound.mp3"))
    return path


@pytest.fixture
def form(file: Path) -> Form:
    return load_form(file)


def test_files_are_found_in_the_folder_and_beside_it(file: Path, form: Form) -> None:
    assert media_names(form) == ("ask.mp3", "map.png", "地图.png")
    assert load_media(file, media_names(form)) == {
        "ask.mp3": ("audio/mpeg", medium("sound.mp3")),
        "map.png": ("image/jpeg", photo()),  # by its content, not by its name
        "地图.png": ("image/png", png()),
    }


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (picture("WEBP"), "image/webp"),
        (picture("GIF"), "image/gif"),
        (medium("sound.ogg"), "audio/ogg"),
        (medium("sound.m4a"), "audio/mp4"),
        (medium("film.mp4"), "video/mp4"),
    ],
)
def test_each_type_is_told_by_its_content(file: Path, content: bytes, mime: str) -> None:
    (file.parent / "x").write_bytes(content)
    assert load_media(file, ["x"]) == {"x": (mime, content)}


@pytest.mark.parametrize(
    "content", [b"", b"words", b"<svg/>", b"%PDF-1.7", medium("film.webm"), medium("film.mov")]
)
def test_other_types_are_refused(file: Path, content: bytes) -> None:
    (file.parent / "x.png").write_bytes(content)
    with pytest.raises(FormError, match=r"x\.png: neither a picture"):
        load_media(file, ["x.png"])


def test_everything_that_is_wrong_is_told_at_once(file: Path) -> None:
    (file.parent / "big.png").write_bytes(png() + bytes(LIMIT))
    with pytest.raises(FormError) as told:
        load_media(file, ["ask.mp3", "no.png", "big.png", "nothing.mp3"])
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert "no.png is missing" in lines[0]
    assert "asking-media" in lines[0]
    assert "2 MB" in lines[1]


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "a/b.png", "a\\b.png", "..", ".", "", "a\0.png"]
)
def test_a_name_cannot_lead_elsewhere(file: Path, name: str) -> None:
    (file.parent.parent / "secret.png").write_bytes(png())
    with pytest.raises(FormError, match="is no file name"):
        load_media(file, [name])


async def test_a_questionnaire_is_kept_with_its_files_and_again_with_no_others(
    store: SqlStore, file: Path, form: Form
) -> None:
    media = load_media(file, media_names(form))
    put = partial(put_questionnaire, form=form, media=media)
    assert [await store.write(put), await store.write(put)] == [True, False]
    assert await store.read(lambda tx: tx.form(form.hash)) == form.source
    assert await store.read(lambda tx: tx.form_media(form.hash, "map.png")) == media["map.png"]
    changed = partial(put, media={**media, "map.png": ("image/png", png())})
    with pytest.raises(FormError, match="new version"):
        await store.write(changed)
    with pytest.raises(FormError, match=r"missing: map\.png"):
        await store.write(partial(put, media={n: m for n, m in media.items() if n != "map.png"}))
    assert await store.read(lambda tx: tx.form_media(form.hash, "map.png")) == media["map.png"]
