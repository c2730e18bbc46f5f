"""Recordings and films: what they say beside picture and sound is gone, and nothing else is."""

from __future__ import annotations

import struct
from random import Random

import pytest

from surveys.files import sounds
from surveys.files.attachments import accepted
from surveys.files.kinds import Accepted
from surveys.forms.form import Kind
from surveys.typed.trouble import Trouble
from tests.surveys.handing import medium

FILMS = {
    "film.mp4": "mp4",
    "film.mov": "mov",
    "film_subs.mp4": "mp4",
    "film_frag.mp4": "mp4",
    "film.webm": "webm",
    "film_live.webm": "webm",
}
SOUNDS = {
    "sound.m4a": "m4a",
    "sound.webm": "webm",
    "sound.ogg": "ogg",
    "sound_vorbis.ogg": "ogg",
    "sound.mp3": "mp3",
    "sound.wav": "wav",
}
SECRETS = (b"CANARY", b"39.9042", b"116.4074", b"Lavf")
MADE = struct.pack(">I", 3_878_014_272)  # 2026-11-20 10:11:12 in seconds since 1904


def cleaned(name: str) -> Accepted:
    kind = Kind.VIDEO if name in FILMS else Kind.AUDIO
    found = accepted(kind, medium(name))
    assert isinstance(found, Accepted), found
    return found


def boxes(content: bytes) -> dict[bytes, bytes]:
    """The boxes of the first level, the last of each name."""
    found, at = {}, 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        found[content[at + 4 : at + 8]] = content[at + 8 : at + size]
        at += size
    return found


@pytest.mark.parametrize("name", [*FILMS, *SOUNDS])
def test_the_place_the_title_and_the_program_are_gone(name: str) -> None:
    before, after = medium(name), cleaned(name).content
    assert any(secret in before for secret in SECRETS)  # the needle can be found
    assert not [secret for secret in SECRETS if secret in after]
    assert after != before


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film_subs.mp4", "sound.m4a"])
def test_when_it_was_made_is_gone(name: str) -> None:
    assert medium(name).count(MADE) > 2
    assert MADE not in cleaned(name).content


@pytest.mark.parametrize(("name", "ext"), (FILMS | SOUNDS).items())
def test_its_type_is_told_by_its_content(name: str, ext: str) -> None:
    found = cleaned(name)
    assert found.ext == ext
    sort = "video" if name in FILMS else "audio"
    assert found.mime.startswith(f"{sort}/")
    assert accepted(Kind.FILE, medium(name)) == found, "any file is taken where a file is asked for"


@pytest.mark.parametrize("name", [*FILMS, "sound.m4a", "sound.webm", "sound.ogg"])
def test_nothing_moves(name: str) -> None:
    assert len(cleaned(name).content) == len(medium(name))


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film_frag.mp4", "sound.m4a"])
def test_picture_and_sound_stay_to_the_byte(name: str) -> None:
    assert boxes(cleaned(name).content)[b"mdat"] == boxes(medium(name))[b"mdat"]


def test_the_samples_of_another_track_go_with_it() -> None:
    before, after = (
        boxes(c)[b"mdat"] for c in (medium("film_subs.mp4"), cleaned("film_subs.mp4").content)
    )
    place = before.index(b"GPS 39.9042 CANARY")
    assert after[place : place + 18] == bytes(18)
    changed = [
        at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other
    ]
    assert min(changed) >= place - 2
    assert max(changed) < place + 18, "and nothing else is touched"


def test_what_hides_between_the_samples_goes_too() -> None:
    """As dashcams do: coordinates in the media data that no track points to."""
    film = medium("film.mp4")
    at = film.index(b"mdat") - 4
    size = int.from_bytes(film[at : at + 4], "big")
    hidden = (
        film[:at]
        + struct.pack(">I", size + 12)
        + film[at + 4 : at + size]
        + b"39.9042 CANA"
        + film[at + size :]
    )
    found = accepted(Kind.VIDEO, hidden)
    assert isinstance(found, Accepted)
    assert b"39.9042 CANA" not in found.content
    assert boxes(found.content)[b"mdat"][:-12] == boxes(film)[b"mdat"]


def test_a_moved_box_is_found_wherever_it_stands() -> None:
    for box in (b"uuid", b"meta", b"gps ", b"free", b"skip"):
        extra = struct.pack(">I", 8 + 16) + box + b"39.9042 CANARY .."
        found = accepted(Kind.VIDEO, medium("film.mp4") + extra[:24])
        assert isinstance(found, Accepted)
        assert b"CANARY" not in found.content


@pytest.mark.parametrize("name", ["sound.ogg", "sound_vorbis.ogg"])
def test_ogg_pages_stay_whole(name: str) -> None:
    for content in (medium(name), cleaned(name).content):
        data = bytearray(content)
        pages = list(sounds._pages(data))
        for page in pages:
            said = bytes(data[page.start + 22 : page.start + 26])
            data[page.start + 22 : page.start + 26] = bytes(4)
            assert sounds._crc(data[page.start : page.end]).to_bytes(4, "little") == said
        assert len(pages) > 2
    assert cleaned(name).content[-500:] == medium(name)[-500:]


def test_mp3_frames_are_kept_and_the_tags_around_them_are_not() -> None:
    before, after = medium("sound.mp3"), cleaned("sound.mp3").content
    assert before.startswith(b"ID3")
    assert before[-128:-125] == b"TAG"
    start = before.index(after)
    assert before[start : len(before) - 128] == after


def test_wav_samples_are_kept() -> None:
    before, after = medium("sound.wav"), cleaned("sound.wav").content
    samples = before[before.index(b"data") :]
    assert after.endswith(samples)
    assert b"LIST" not in after


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_no_recording(name: str) -> None:
    assert accepted(Kind.AUDIO, medium(name)) == Trouble("file_no_sound")
    assert accepted(Kind.IMAGE, medium(name)) == Trouble("file_no_picture")


@pytest.mark.parametrize("name", SOUNDS)
def test_a_recording_is_no_film(name: str) -> None:
    assert accepted(Kind.VIDEO, medium(name)) == Trouble("file_no_film")


@pytest.mark.parametrize("name", [*FILMS, *SOUNDS])
def test_whatever_is_cut_off_or_damaged_is_told_or_taken_and_never_a_crash(name: str) -> None:
    whole, chance = medium(name), Random(name)
    kind = Kind.VIDEO if name in FILMS else Kind.AUDIO
    for _ in range(150):
        damaged = bytearray(
            whole[: chance.randrange(1, len(whole))] if chance.random() < 0.3 else whole
        )
        for _ in range(chance.randrange(6)):
            damaged[chance.randrange(min(len(damaged), 900))] = chance.choice(
                (0, 1, 255, chance.randrange(256))
            )
        assert isinstance(accepted(kind, bytes(damaged)), Accepted | Trouble)


def test_a_film_that_is_nothing_but_boxes_or_elements_is_broken() -> None:
    box = struct.pack(">I", 8) + b"free"
    assert accepted(Kind.VIDEO, medium("film.mp4") + box * 1_000_000) == Trouble("file_broken")
    live = medium("film_live.webm")
    assert accepted(Kind.VIDEO, live + b"\xec\x80" * 1_000_000) == Trouble("file_broken")


def test_a_comment_that_fills_the_file_goes_quickly() -> None:
    """An album's cover in a recording: the comments go on over many pages."""
    before = medium("sound.ogg")
    page = before.index(b"OggS", 4)
    body = b"OpusTags" + bytes(8) + b"CANARY" * 40_000
    made, sequence = bytearray(before[:page]), 1
    for at in range(0, len(body), 255 * 255):
        piece = body[at : at + 255 * 255]
        lacing = bytes([255] * (len(piece) // 255))
        if len(piece) < 255 * 255:
            lacing += bytes([len(piece) % 255])
        head = before[page : page + 18] + struct.pack("<II", sequence, 0) + bytes([len(lacing)])
        made += head + lacing + piece
        sequence += 1
    rest = before[before.index(b"OggS", page + 4) :]
    found = accepted(Kind.AUDIO, bytes(made) + rest)
    assert isinstance(found, Accepted)
    assert b"CANARY" not in found.content
    assert found.content.endswith(rest)


def test_a_table_that_claims_to_be_endless_is_broken() -> None:
    film = bytearray(medium("film.mp4"))
    at = film.index(b"stsz") + 12
    film[at : at + 4] = b"\xff\xff\xff\xff"
    assert accepted(Kind.VIDEO, bytes(film)) == Trouble("file_broken")
