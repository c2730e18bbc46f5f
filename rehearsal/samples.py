"""Small files of each kind, for people to hand over."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVt"
    "VkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8"
    "fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAA"
    "AAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABQRAQAAAAAAAAAAAAAAAAAA"
    "AAD/2gAMAwEAAhEDEQA/AKAOEf/Z"
)
"""A picture of 8 by 8 pixels in one colour."""
_OGG = (
    b"OggS\0\x02"
    + bytes(8)
    + b"mnyi"
    + bytes(8)
    + b"\x01\x13OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0"
)
_MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42" + b"\0\0\0\x08mdat"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file's bytes and the name under which it is sent."""

    content: bytes
    name: str = ""


SAMPLES: Mapping[str, Sample] = {
    "photo": Sample(JPEG),
    "voice": Sample(_OGG),
    "video": Sample(_MP4, "clip.mp4"),
    "document": Sample(_PDF, "letter.pdf"),
}
