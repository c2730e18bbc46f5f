"""Documents that may be handed over: PDF, plain text, Word and Excel without programs in them.

What an office file says about who made it and where its pictures were taken is removed. A document
may still name people in its words, its comments and its changes: that is for its writer to know.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from surveys.files.kinds import Accepted, BrokenFileError, WrongTypeError
from surveys.files.pictures import bare_jpeg, bare_png

UNPACKED = 60_000_000
"""Bytes an office file may unpack to."""
_PARTS = 2000

_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)\b")
_SPELT = re.compile(rb"#([0-9A-Fa-f]{2})")  # a letter of a PDF name in disguise
_EXIF = re.compile(rb"\xff\xe1(..)(?=Exif\0\0|http://ns\.adobe\.com/xap/)", re.DOTALL)


def pdf(content: bytes) -> Accepted:
    """A PDF that neither runs nor carries anything, as far as its own objects say (ISO 32000)."""
    if b"%%EOF" not in content[-2048:]:
        raise BrokenFileError("no end")
    for objects in _objects(content):
        plain = _SPELT.sub(lambda found: bytes([int(found[1], 16)]), objects)
        if _ACTIVE.search(plain):
            raise WrongTypeError("a PDF with programs or files in it")
    data = bytearray(content)
    at = 0
    while (at := content.find(b"<?xpacket begin", at)) >= 0:
        end = content.find(b"<?xpacket end", at)
        end = end if end >= 0 else len(content)
        data[at:end] = b" " * (end - at)
        at = end
    for found in _EXIF.finditer(content):  # photos lie in a PDF as they are
        end = min(found.start() + 2 + int.from_bytes(found[1], "big"), len(data))
        data[found.end() : end] = bytes(max(0, end - found.end()))
    return Accepted("pdf", "application/pdf", bytes(data))


def _objects(content: bytes) -> Iterator[bytes]:
    """What stands outside of streams, and what stands in packed streams of objects."""
    left = UNPACKED
    for piece in content.split(b"endstream"):
        outside, _, stream = piece.partition(b"stream")
        yield outside
        if b"/ObjStm" in outside and left > 0:
            packer = zlib.decompressobj()
            try:
                objects = packer.decompress(stream.lstrip(b"\r\n"), left)
            except zlib.error:
                continue  # packed in another way, or encrypted
            left -= len(objects)
            yield objects


_SPACES = frozenset("\t\r\n\f")
_PAGE = re.compile(r"<\s*(?:!doctype|html|script|svg|body|iframe|\?xml)|^\s*(?:<|#!|\{\\rtf)", re.I)


def text(content: bytes) -> Accepted:
    """Plain text in UTF-8, UTF-16 with a mark, or GB 18030; as UTF-8."""
    words = _decoded(content)
    kinds = {unicodedata.category(char) for char in set(words) - _SPACES}
    if kinds & {"Cc", "Cs", "Co", "Cn"}:
        raise WrongTypeError("not a text")
    if not words.strip() or _PAGE.search(words):
        raise WrongTypeError("not a plain text")
    return Accepted("txt", "text/plain", words.encode())


def _decoded(content: bytes) -> str:
    marked = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise WrongTypeError("not a text")


_OFFICE = {
    "word/document.xml": (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "xl/workbook.xml": (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}
_REFUSED = re.compile(
    r"vbaProject|vbaData|activeX|embeddings/|macrosheets|ctrlProps|\.exe$|^/|\.\.|\\", re.I
)
_ABOUT = {
    # parts that say who made a file, when and with what -> the root element each needs
    "docProps/core.xml": b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/'
    b'package/2006/metadata/core-properties"/>',
    "docProps/app.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/'
    b'officeDocument/2006/extended-properties"/>',
    "docProps/custom.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/'
    b'officeDocument/2006/custom-properties"/>',
}


def office(content: bytes) -> Accepted:
    """A .docx or .xlsx packed anew: no programs, nothing embedded, nothing fetched from outside."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = _unpacked(packed)
    except Exception as error:  # a broken archive makes its reader raise nearly anything
        raise BrokenFileError(type(error).__name__) from error
    types = [found for name, found in _OFFICE.items() if name in parts]
    if len(types) != 1 or "[Content_Types].xml" not in parts:
        raise WrongTypeError("an archive")
    if b"macroEnabled" in parts["[Content_Types].xml"] or any(map(_REFUSED.search, parts)):
        raise WrongTypeError("a document with programs or files in it")
    if any(_fetches(part) for name, part in parts.items() if name.endswith(".rels")):
        raise WrongTypeError("a document that fetches from outside")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(zipfile.ZipInfo(name), _bare(name, part), zipfile.ZIP_DEFLATED)
    return Accepted(*types[0], file.getvalue())


def _unpacked(packed: zipfile.ZipFile) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    left = UNPACKED
    infos = packed.infolist()
    if len(infos) > _PARTS:
        raise BrokenFileError("too many parts")
    for info in infos:
        if info.is_dir():
            continue
        with packed.open(info) as part:  # what an archive says of its sizes may be false
            parts[info.filename] = part.read(left + 1)
        left -= len(parts[info.filename])
        if left < 0:
            raise BrokenFileError("too large once unpacked")
    return parts


def _fetches(rels: bytes) -> bool:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(rels, parser)
    except etree.XMLSyntaxError as error:
        raise BrokenFileError("relations that are no XML") from error
    return any(
        each.get("TargetMode") == "External" and not str(each.get("Type")).endswith("/hyperlink")
        for each in root
    )


def _bare(name: str, part: bytes) -> bytes:
    if name in _ABOUT:
        return _ABOUT[name]
    if part.startswith(b"\xff\xd8\xff"):
        return bare_jpeg(part)
    return bare_png(part) if part.startswith(b"\x89PNG\r\n\x1a\n") else part
