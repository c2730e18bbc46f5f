"""Films and recordings as browsers make them (WebM), cleaned in place.

EBML (RFC 8794): an element is an id, a size, content; WebM allows few of Matroska's (RFC 9559).
What picture and sound do not need becomes a Void element of the same size, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from surveys.files.kinds import Accepted, BrokenFileError, WrongTypeError

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_INFO, _TRACKS, _TRACK, _SEEK, _CUES = 0x1549A966, 0x1654AE6B, 0xAE, 0x114D9B74, 0x1C53BB6B
_DOCTYPE, _TRACK_TYPE = 0x4282, 0x83
_KEPT = {
    _SEGMENT: {_INFO, _TRACKS, _SEEK, _CUES, _CLUSTER},
    _INFO: {0x2AD7B1, 0x4489},  # timestamp scale, duration
    _TRACKS: {_TRACK},
    _CLUSTER: {0xE7, 0xA3, 0xA0, 0xA7, 0xAB},  # timestamp, blocks, position, previous size
}
_TEXTS = {0x4D80, 0x5741, 0x536E}  # what made it (must be there, may be empty), a track's name
_PICTURE, _SOUND = 1, 2
_MOST = 200_000  # elements of a film, each met up to three times
_LEVEL_1 = {*_KEPT[_SEGMENT], 0x1254C367, 0x1941A469, 0x1043A770}


@dataclass(frozen=True, slots=True)
class _Element:
    """One element: its id, where it begins, where its content begins, where it ends."""

    id: int
    start: int
    body: int
    end: int


def webm(content: bytes) -> tuple[Accepted, bool]:
    """The cleaned file, and whether it has a picture. Raises BrokenFileError, WrongTypeError."""
    data = bytearray(content)
    left = iter(range(3 * _MOST))
    top = list(_elements(data, 0, len(data), left))
    if [each.id for each in top[:2]] != [_EBML, _SEGMENT]:
        raise BrokenFileError("no segment")
    docs = [e for e in _elements(data, top[0].body, top[0].end, left) if e.id == _DOCTYPE]
    if [bytes(data[e.body : e.end]) for e in docs] != [b"webm"]:
        raise WrongTypeError("Matroska, but not WebM")
    types: set[int] = set()
    for each in top[2:]:
        _void(data, each)
    _scrub(data, top[1], types, left)
    if not types or not types <= {_PICTURE, _SOUND}:
        raise WrongTypeError("other tracks than picture and sound")
    film = _PICTURE in types
    return Accepted("webm", "video/webm" if film else "audio/webm", bytes(data)), film


def _elements(
    data: bytearray, start: int, end: int, left: Iterator[int], parent: int = 0
) -> Iterator[_Element]:
    """The elements in a row; ``left`` runs out where a film is nothing but elements."""
    while start < end:
        if next(left, None) is None:
            raise BrokenFileError("too many elements")
        name, at = _number(data, start, end, keep_mark=True)
        if parent == _CLUSTER and name in _LEVEL_1:  # a cluster without a size ends here
            return
        size, body = _number(data, at, end)
        unknown = size == (1 << 7 * (body - at)) - 1
        if unknown and name == _CLUSTER:
            inside = list(_elements(data, body, end, left, _CLUSTER))
            stop = inside[-1].end if inside else body
        elif unknown and name == _SEGMENT:
            stop = end
        else:
            stop = body + size
        if stop > end:
            raise BrokenFileError("an element beyond its parent")
        yield _Element(name, start, body, stop)
        start = stop


def _number(data: bytearray, at: int, end: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """A variable-length number, and where it ends."""
    first = data[at] if at < end else 0
    length = 9 - first.bit_length()
    if not first or at + length > end:
        raise BrokenFileError("a number cut off")
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_mark else value & (1 << 7 * length) - 1), at + length


def _scrub(data: bytearray, parent: _Element, types: set[int], left: Iterator[int]) -> None:
    for each in list(_elements(data, parent.body, parent.end, left, parent.id)):
        if each.id in _TEXTS:
            data[each.body : each.end] = bytes(each.end - each.body)
        elif each.id not in _KEPT.get(parent.id, {each.id}):
            _void(data, each)
        elif each.id in {*_KEPT, _TRACK}:
            _scrub(data, each, types, left)
        elif each.id == _TRACK_TYPE and parent.id == _TRACK:
            types.add(int.from_bytes(data[each.body : each.end], "big"))


def _void(data: bytearray, element: _Element) -> None:
    size = element.end - element.start
    if size >= 9:
        head = b"\xec\x01" + (size - 9).to_bytes(7, "big")
    else:
        head = bytes([0xEC, 0x80 | size - 2])
    data[element.start : element.end] = head.ljust(size, b"\0")
