"""Recordings in Ogg, MP3 and WAV without what is written beside the sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from surveys.files.kinds import Accepted, BrokenFileError, WrongTypeError


def ogg(content: bytes) -> Accepted:
    """Opus or Vorbis in Ogg (RFC 3533, RFC 7845), its comments overwritten in place."""
    data = bytearray(content)
    pages = list(_pages(data))
    if len({data[page.start + 14 : page.start + 18].hex() for page in pages}) != 1:
        raise WrongTypeError("several streams in one file")
    first = bytes(data[pages[0].body : pages[0].end])
    if first.startswith(b"OpusHead"):
        bare, mime = b"OpusTags" + bytes(8), "audio/ogg"
    elif first.startswith(b"\x01vorbis"):
        bare, mime = b"\x03vorbis" + bytes(8) + b"\x01", "audio/ogg"
    else:
        raise WrongTypeError("neither Opus nor Vorbis")
    touched, spans = _second_packet(data, pages[1:])
    packet = b"".join(data[start:end] for start, end in spans)
    if packet[:7] != bare[:7] or len(packet) < len(bare):
        raise BrokenFileError("no comments where they belong")
    packet, at = bare.ljust(len(packet), b"\0"), 0
    for start, end in spans:
        data[start:end] = packet[at : at + end - start]
        at += end - start
    for page in touched:
        data[page.start + 22 : page.start + 26] = bytes(4)
        crc = _crc(data[page.start : page.end])
        data[page.start + 22 : page.start + 26] = crc.to_bytes(4, "little")
    return Accepted("ogg", mime, bytes(data))


@dataclass(frozen=True, slots=True)
class _Page:
    """One Ogg page: where it begins, the lengths of its segments, its content, its end."""

    start: int
    lacing: bytes
    body: int
    end: int


def _pages(data: bytearray) -> Iterator[_Page]:
    start = 0
    while start < len(data):
        if data[start : start + 5] != b"OggS\0" or start + 27 > len(data):
            raise BrokenFileError("no page where one belongs")
        body = start + 27 + data[start + 26]
        lacing = bytes(data[start + 27 : body])
        end = body + sum(lacing)
        if end > len(data):
            raise BrokenFileError("a page beyond the end")
        yield _Page(start, lacing, body, end)
        start = end


def _second_packet(
    data: bytearray, pages: list[_Page]
) -> tuple[list[_Page], list[tuple[int, int]]]:
    """Where the packet that begins the first of ``pages`` lies: its pages, its (start, end)s."""
    touched, spans = [], []
    for page in pages:
        size, whole = 0, False
        for length in page.lacing:
            size += length
            whole = length < 255
            if whole:
                break
        touched.append(page)
        spans.append((page.body, page.body + size))
        if whole:
            return touched, spans
    raise BrokenFileError("no comments")


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
        table.append(crc & 0xFFFFFFFF)
    return table


_CRC = _crc_table()


def _crc(page: bytearray) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc


_RATES = (44100, 48000, 32000)  # Hz, of MPEG 1; the others are a half and a quarter
_BITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s
_BITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_AFTER = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3", b"3DI", b"\0\0")


def mp3(content: bytes) -> Accepted:
    """MPEG layer III: its frames alone, without the tags before and behind them."""
    start = at = _behind_id3(content)
    frames = 0
    while size := _frame(content, at):
        at += size
        frames += 1
    cut_off = len(content) < at  # a recording that was stopped in the middle of a frame
    rest = content[at:]
    if frames < 3 or not (cut_off or len(rest) < 4 or rest.startswith(_AFTER)):
        raise BrokenFileError("frames that do not follow each other")
    return Accepted("mp3", "audio/mpeg", content[start:at])


def _behind_id3(content: bytes) -> int:
    at = 0
    while content[at : at + 3] == b"ID3" and at + 10 <= len(content):
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if content[at + 5] & 0x10 else 0)
    while content[at : at + 1] == b"\0":  # some leave room behind their tag
        at += 1
    return at


def _frame(content: bytes, at: int) -> int:
    """Bytes of the frame that begins at ``at``; 0 where none does."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in {0, 15} or rate == 3:
        return 0
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    speed = (_BITS_1 if version == 3 else _BITS_2)[bits] * 1000
    return (144 if version == 3 else 72) * speed // hertz + (head[2] >> 1 & 1)


def wav(content: bytes) -> Accepted:
    """RIFF WAVE: format and samples alone."""
    kept, at = bytearray(), 12
    names = []
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"data" and (size in {0, 0xFFFFFFFF} or at + 8 + size > len(content)):
            size = len(content) - at - 8  # written while it was recorded
        chunk = content[at + 8 : at + 8 + size]
        if len(chunk) < size:
            raise BrokenFileError("a chunk beyond the end")
        if name in {b"fmt ", b"fact", b"data"}:
            names.append(name)
            kept += name + size.to_bytes(4, "little") + chunk + bytes(size % 2)
        at += 8 + size + size % 2
    if names.count(b"fmt ") != 1 or names.count(b"data") != 1:
        raise BrokenFileError("no sound")
    riff = b"RIFF" + (len(kept) + 4).to_bytes(4, "little") + b"WAVE"
    return Accepted("wav", "audio/wav", riff + bytes(kept))
