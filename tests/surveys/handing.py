"""Files to hand over: photos that know where they were taken, documents, and worse."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

MEDIA = Path(__file__).parents[1] / "data" / "media"
CANARY = "CANARY"
XMP = b"<?xpacket begin='' id='W5M0'?><x:xmpmeta>CANARY 39,54.252N</x:xmpmeta><?xpacket end='w'?>"


def exif(orientation: int = 1) -> Image.Exif:
    """Where, when and with what: 39 degrees 54 minutes north, a camera called CANARY."""
    made = Image.Exif()
    made[Base.Make] = CANARY
    made[Base.Orientation] = orientation
    made[Base.DateTime] = "2026:11:20 10:11:12"
    gps = made.get_ifd(IFD.GPSInfo)
    gps[GPS.GPSLatitudeRef] = "N"
    gps[GPS.GPSLatitude] = (39.0, 54.0, 15.12)
    gps[GPS.GPSLongitudeRef] = "E"
    gps[GPS.GPSLongitude] = (116.0, 24.0, 26.64)
    return made


def canvas(size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """Grey, with a red upper left corner."""
    made = Image.new("RGB", size, (90, 90, 90))
    made.paste((255, 0, 0), (0, 0, size[0] // 2, size[1] // 2))
    return made.convert(mode)


def photo(size: tuple[int, int] = (40, 30), orientation: int = 1, mode: str = "RGB") -> bytes:
    """A JPEG as a phone makes it, with XMP, a comment, and something behind its end."""
    file = io.BytesIO()
    canvas(size, mode).save(
        file, "JPEG", exif=exif(orientation), xmp=XMP, comment=b"CANARY 39.9042", quality=95
    )
    return file.getvalue() + b"CANARY behind the end"


def png(size: tuple[int, int] = (40, 30), mode: str = "RGBA") -> bytes:
    """A PNG with text, EXIF and XMP."""
    text = PngInfo()
    text.add_text("Comment", "CANARY 39.9042")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    file = io.BytesIO()
    canvas(size, mode).save(file, "PNG", pnginfo=text, exif=exif())
    return file.getvalue()


def picture(form: str) -> bytes:
    """A still picture in another format, with EXIF where the format can."""
    file = io.BytesIO()
    canvas().save(file, form, exif=exif())
    return file.getvalue()


def moving() -> bytes:
    file = io.BytesIO()
    frames = [canvas(), Image.new("RGB", (40, 30), "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it has ``width`` x ``height`` pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    )


def pdf(*objects: bytes) -> bytes:
    """Something that begins and ends like a PDF, with these objects between."""
    return b"%PDF-1.7\n" + b"\n".join(objects) + b"\ntrailer <</Root 1 0 R>>\n%%EOF\n"


DOCX = {
    "[Content_Types].xml": b"<Types/>",
    "_rels/.rels": b'<Relationships><Relationship Id="r" Type="x/officeDocument"/></Relationships>',
    "word/document.xml": "<w:document>份子钱</w:document>".encode(),
}


def archive(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return file.getvalue()


def medium(name: str) -> bytes:
    """One of the recordings and films in tests/data/media."""
    return (MEDIA / name).read_bytes()
