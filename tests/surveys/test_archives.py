"""Archives that nobody should open: each is refused with words, before it is unpacked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from surveys.files.archives import RefusedError, no_entities, safe_zip
from surveys.words import LANGUAGES

DTD = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'


def packed(*parts: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zipped:
        for name, content in parts:
            zipped.writestr(name, content)
    return file.getvalue()


def why(content: bytes, **bounds: int) -> str:
    with pytest.raises(RefusedError) as refused:
        safe_zip(content, **bounds)
    for language in LANGUAGES:
        assert "{" not in refused.value.said(language)
    return refused.value.code


def test_an_ordinary_archive_is_taken_as_bytes_and_as_a_file(tmp_path: Path) -> None:
    content = packed(("xl/workbook.xml", b"<workbook/>"), ("a/b.png", bytes(range(256)) * 9))
    safe_zip(content)
    file = tmp_path / "a.zip"
    file.write_bytes(content)
    safe_zip(file)


def test_a_bomb_is_known_by_its_directory() -> None:
    assert why(packed(("a.xml", b"0" * 40_000_000))) == "bomb"


def test_many_parts_that_are_large_together_are_refused() -> None:
    part = bytes(range(256)) * 40
    assert why(packed(*[(f"{n}", part) for n in range(9)]), unpacked=50_000) == "unpacked"
    assert why(packed(*[(f"{n}", b"") for n in range(30)]), parts=20) == "parts"


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/a", "/etc/passwd", "a/../../b", "..\\b", "C:\\b", "\\b"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    assert why(packed((name, b"x"))) == "path"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_xml_that_declares_entities_is_refused_in_any_encoding(encoding: str) -> None:
    assert why(packed(("xl/sharedStrings.xml", DTD.encode(encoding)))) == "entities"


def test_a_declaration_is_found_wherever_it_hides() -> None:
    late = b"<?xml version='1.0'?>" + b"<!-- -->" * 300_000 + b"<!DOCTYPE a>"
    assert why(packed(("a.xml", late), method=zipfile.ZIP_STORED)) == "entities"
    with pytest.raises(RefusedError, match="DOCTYPE"):
        no_entities(iter((b"<a><!DOC", b"TYPE b>")), "b.xml")


def test_xml_in_an_encoding_that_could_hide_a_declaration_is_refused() -> None:
    part = b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a>'
    assert why(packed(("a.xml", part))) == "encoding"


def test_what_is_packed_in_a_rare_way_is_refused() -> None:
    assert why(packed(("a", b"x"), method=zipfile.ZIP_LZMA)) == "packing"


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"\x89PNG", packed(("a", b"x" * 99))[:70]],
    ids=["empty", "two signs", "a picture", "cut off"],  # what is packed holds the time
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    assert why(content) == "damaged"


def test_a_part_that_is_larger_than_its_directory_says_is_refused() -> None:
    content = bytearray(packed(("a", b"abcd" * 100)))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (8).to_bytes(4, "little")  # the size unpacked, as it claims
    assert why(bytes(content)) == "damaged"


def test_a_password_is_asked_to_be_taken_off() -> None:
    content = bytearray(packed(("a", b"x")))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert why(bytes(content)) == "locked"
