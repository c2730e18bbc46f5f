"""A picture is made anew from its pixels; nothing else of it is left."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from surveys.files.attachments import accepted
from surveys.files.kinds import Accepted
from surveys.files.pictures import PIXELS, PLAIN_PIXELS, SIDE, bare_jpeg, bare_png
from surveys.forms.form import Kind
from surveys.typed.trouble import Trouble
from tests.surveys import handing
from tests.surveys.handing import canvas, moving, photo, png, png_bomb


def cleaned(content: bytes, kind: Kind = Kind.IMAGE) -> Accepted:
    found = accepted(kind, content)
    assert isinstance(found, Accepted), found
    return found


def seen(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("content", [photo(), png(), handing.picture("WEBP")])
def test_where_and_when_a_photo_was_taken_is_gone(content: bytes) -> None:
    assert seen(content).getexif()[271] == "CANARY"  # the needle can be found
    found = cleaned(content)
    picture = seen(found.content)
    picture.load()
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for needle in (b"CANARY", b"39", b"Exif", b"xpacket", b"2026:11:20"):
        assert needle not in found.content[:600]
        assert needle not in found.content[600:] or needle == b"39"
    assert picture.size == (40, 30)


@pytest.mark.parametrize(
    ("content", "ext"),
    [
        (photo(), "jpg"),
        (photo(mode="CMYK"), "jpg"),
        (png(), "png"),
        (png(mode="P"), "png"),
        (handing.picture("WEBP"), "jpg"),
        (handing.picture("GIF"), "jpg"),
    ],
)
def test_a_picture_stays_what_it_shows(content: bytes, ext: str) -> None:
    found = cleaned(content)
    assert (found.ext, found.mime) == (ext, "image/jpeg" if ext == "jpg" else "image/png")
    shown = seen(found.content).convert("RGB")
    red, grey = shown.getpixel((5, 5)), shown.getpixel((35, 25))
    assert isinstance(red, tuple)
    assert isinstance(grey, tuple)
    assert red[0] > 200
    assert red[1] < 60
    assert all(70 < value < 110 for value in grey)


def test_a_grey_photo_stays_grey() -> None:
    shown = seen(cleaned(photo(mode="L")).content)
    assert shown.mode == "L"
    assert shown.getpixel((35, 25)) in range(85, 95)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_held_sideways_is_upright_without_saying_so(orientation: int) -> None:
    shown = seen(cleaned(photo(orientation=orientation)).content)
    assert shown.size == ((40, 30) if orientation < 5 else (30, 40))
    assert not shown.getexif()
    width, height = shown.size
    corners = [(4, 4), (width - 5, 4), (width - 5, height - 5), (4, height - 5)]
    reds = [shown.getpixel(corner)[0] > 200 for corner in corners]  # type: ignore[index]
    assert reds.index(True) == [0, 1, 2, 3, 0, 1, 2, 3][orientation - 1]


def test_transparency_stays() -> None:
    clear = Image.new("RGBA", (9, 9), (0, 0, 255, 0))
    file = io.BytesIO()
    clear.save(file, "WEBP", lossless=True)
    found = cleaned(file.getvalue())
    assert found.ext == "png"
    assert seen(found.content).getpixel((4, 4))[3] == 0  # type: ignore[index]


def test_a_large_photo_is_made_smaller() -> None:
    found = cleaned(photo((6000, 3000)))
    assert seen(found.content).size == (SIDE, SIDE // 2)


def test_a_second_picture_behind_the_first_is_gone() -> None:
    file = io.BytesIO()
    canvas().save(
        file, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")],
        exif=handing.exif(),
    )  # fmt: skip
    found = cleaned(file.getvalue())
    assert seen(found.content).format == "JPEG"
    assert len(found.content) < len(file.getvalue())


@pytest.mark.parametrize(
    "size", [(50_000, 50_000), (14_000, 14_000), (PLAIN_PIXELS, 2), (65_000, 1000)]
)
def test_a_picture_that_would_fill_the_memory_is_refused(size: tuple[int, int]) -> None:
    bomb = png_bomb(*size)
    assert len(bomb) < 10_000
    assert accepted(Kind.IMAGE, bomb) == Trouble("file_pixels")


def test_a_jpeg_with_too_many_pixels_is_refused() -> None:
    file = io.BytesIO()
    Image.new("L", (PIXELS // 5000 + 1, 5000)).save(file, "JPEG")
    assert accepted(Kind.IMAGE, file.getvalue()) == Trouble("file_pixels")


@pytest.mark.parametrize("content", [photo(), png(), handing.picture("WEBP")])
def test_half_a_picture_is_broken(content: bytes) -> None:
    assert accepted(Kind.IMAGE, content[: len(content) // 2]) == Trouble("file_broken")
    assert accepted(Kind.IMAGE, content[:20]) == Trouble("file_broken")


def test_a_moving_picture_is_no_photo() -> None:
    assert accepted(Kind.IMAGE, moving()) == Trouble("file_no_picture")


def test_a_photo_will_do_where_any_file_is_asked_for() -> None:
    assert cleaned(photo(), Kind.FILE).ext == "jpg"


def test_stripping_leaves_the_pixels_alone() -> None:
    for content, strip in ((photo(), bare_jpeg), (png(), bare_png)):
        bare = strip(content)
        assert b"CANARY" not in bare
        assert seen(bare).tobytes() == seen(content).tobytes()
        with pytest.raises(ValueError, match="no"):
            strip(content[:30])
