"""Films and recordings in ISO base media files (MP4, MOV, M4A, 3GP), cleaned in place.

ISO/IEC 14496-12: a file is boxes in boxes. Only the boxes that picture and sound need are kept;
every other becomes a ``free`` box of zeros, so that nothing moves and no offset changes. Tracks
that are neither picture nor sound (a phone's or camera's track of places) go with their samples:
of the media data only what a kept track points to is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import unpack_from

from surveys.files.kinds import Accepted, BrokenFileError, WrongTypeError

_KEPT: dict[bytes, frozenset[bytes]] = {
    parent: frozenset(children.split())
    for parent, children in {
        b"": b"ftyp styp moov mdat moof sidx",
        b"moov": b"mvhd trak mvex",
        b"trak": b"tkhd edts mdia",
        b"edts": b"elst",
        b"mdia": b"mdhd hdlr minf",
        b"minf": b"vmhd smhd hdlr dinf stbl",
        b"dinf": b"dref",
        b"stbl": b"stsd stts ctts cslg stsc stsz stco co64 stss stps sdtp sgpd sbgp subs",
        b"mvex": b"mehd trex",
        b"moof": b"mfhd traf",
        b"traf": b"tfhd tfdt trun sdtp sgpd sbgp subs",
    }.items()
}
_MOST = 100_000  # boxes in a box
_LONGEST_TABLE = 1_000_000  # numbers; a film of 20 MB has far fewer samples
_DATED = {b"mvhd", b"tkhd", b"mdhd"}  # begin with when they were made and changed


@dataclass(frozen=True, slots=True)
class _Box:
    """One box: where it begins, where its content begins, where it ends."""

    name: bytes
    start: int
    body: int
    end: int


def iso_film(content: bytes) -> tuple[Accepted, bool]:
    """The cleaned file, and whether it has a picture. Raises BrokenFileError, WrongTypeError."""
    data = bytearray(content)
    handlers: set[bytes] = set()
    dropped = _scrub(data, b"", 0, len(data), handlers)
    top = list(_boxes(data, 0, len(data)))
    names = [box.name for box in top]
    if names.count(b"moov") != 1 or not handlers:
        raise BrokenFileError("no tracks")
    if b"moof" not in names:
        _wipe_between(data, top)
    elif dropped:  # whose samples they are stands in every fragment
        raise WrongTypeError("fragments with other tracks than picture and sound")
    quick = data[4:8] != b"ftyp" or data[8:12] == b"qt  "
    if b"vide" not in handlers:
        return Accepted("m4a", "audio/mp4", bytes(data)), False
    kind = ("mov", "video/quicktime") if quick else ("mp4", "video/mp4")
    return Accepted(*kind, bytes(data)), True


def _boxes(data: bytearray, start: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST):
        if start + 8 > end:
            return
        size, body = int.from_bytes(data[start : start + 4], "big"), start + 8
        if size == 1:
            size, body = int.from_bytes(data[body : body + 8], "big"), start + 16
        elif size == 0 and end == len(data):
            size = end - start
        if size < body - start or start + size > end:
            raise BrokenFileError("a box beyond its parent")
        yield _Box(bytes(data[start + 4 : start + 8]), start, body, start + size)
        start += size
    raise BrokenFileError("too many boxes")


def _scrub(data: bytearray, parent: bytes, start: int, end: int, handlers: set[bytes]) -> bool:
    """Blank what is not needed below ``parent``; True where a whole track went."""
    dropped, last = False, start
    for box in _boxes(data, start, end):
        last = box.end
        if box.name not in _KEPT[parent]:
            _blank(data, box)
        elif box.name == b"trak" and (kind := _handler(data, box)) not in {b"vide", b"soun"}:
            _blank(data, box)
            dropped = True
        else:
            if box.name == b"trak":
                handlers.add(kind)
            if box.name in _DATED:
                if box.end - box.body < 20:
                    raise BrokenFileError("a header too short")
                span = 16 if data[box.body] == 1 else 8
                data[box.body + 4 : box.body + 4 + span] = bytes(span)
            if box.name in _KEPT:
                dropped |= _scrub(data, box.name, box.body, box.end, handlers)
    data[last:end] = bytes(end - last)
    return dropped


def _blank(data: bytearray, box: _Box) -> None:
    data[box.start + 4 : box.start + 8] = b"free"
    data[box.body : box.end] = bytes(box.end - box.body)


def _child(data: bytearray, box: _Box, *names: bytes) -> _Box | None:
    """The box reached from ``box`` by these names."""
    found: _Box | None = box
    for name in names:
        if found is None:
            return None
        inside = _boxes(data, found.body, found.end)
        found = next((each for each in inside if each.name == name), None)
    return found


def _handler(data: bytearray, trak: _Box) -> bytes:
    hdlr = _child(data, trak, b"mdia", b"hdlr")
    return b"" if hdlr is None else bytes(data[hdlr.body + 8 : hdlr.body + 12])


def _wipe_between(data: bytearray, top: Sequence[_Box]) -> None:
    """Zero every byte of the media data that no kept track points to."""
    moov = next(box for box in top if box.name == b"moov")
    tracks = [
        stbl
        for trak in _boxes(data, moov.body, moov.end)
        if trak.name == b"trak" and (stbl := _child(data, trak, b"mdia", b"minf", b"stbl"))
    ]
    chunks = [_Chunks.of(data, stbl) for stbl in tracks]
    starts = sorted({at for each in chunks for at in each.starts})
    if not starts:
        raise BrokenFileError("no media")
    if starts[-1] >= len(data):
        raise BrokenFileError("media beyond the end")
    ends = dict(zip(starts, [*starts[1:], len(data)], strict=True))
    spans = sorted(
        (at, ends[at] if size is None else at + size)
        for each in chunks
        for at, size in zip(each.starts, each.sizes, strict=True)
    )
    if any(end > len(data) for _, end in spans):
        raise BrokenFileError("media beyond the end")
    for box in top:
        if box.name == b"mdat":
            at = box.body
            for start, end in (*spans, (box.end, box.end)):
                if at < start <= box.end:
                    data[at:start] = bytes(start - at)
                at = max(at, end)


@dataclass(frozen=True, slots=True)
class _Chunks:
    """A track's chunks: offsets in the file, and bytes; None: as far as to the next chunk."""

    starts: Sequence[int]
    sizes: Sequence[int | None]

    @classmethod
    def of(cls, data: bytearray, stbl: _Box) -> _Chunks:
        starts = _table(data, _child(data, stbl, b"stco"), 4, "I", "I")
        starts = starts or _table(data, _child(data, stbl, b"co64"), 4, "I", "Q")
        stsz = _child(data, stbl, b"stsz")
        if stsz is None or stsz.end - stsz.body < 12:
            raise BrokenFileError("no sample sizes")
        (constant,) = unpack_from(">I", data, stsz.body + 4)
        if constant:  # of old QuickTime sound this is not in bytes
            return cls(starts, [None] * len(starts))
        sizes = _table(data, stsz, 8, "I", "I")
        return cls(
            starts, _sums(starts, sizes, _table(data, _child(data, stbl, b"stsc"), 4, "III", "I"))
        )


def _table(data: bytearray, box: _Box | None, at: int, row: str, cell: str) -> Sequence[int]:
    """The numbers of a table whose row count stands ``at`` bytes into the box."""
    if box is None:
        return ()
    width = {"I": 4, "Q": 8}[cell]
    if box.end - box.body < at + 4:
        raise BrokenFileError("a table without a length")
    (rows,) = unpack_from(">I", data, box.body + at)
    if rows * len(row) > _LONGEST_TABLE or box.body + at + 4 + rows * len(row) * width > box.end:
        raise BrokenFileError("a table beyond its box")
    return unpack_from(f">{rows * len(row)}{cell}", data, box.body + at + 4)


def _sums(starts: Sequence[int], sizes: Sequence[int], runs: Sequence[int]) -> list[int | None]:
    """Bytes of each chunk: ``runs`` is (first chunk, samples in each, description) over again."""
    upto = [0, *accumulate(sizes)]
    firsts = [*runs[0::3], len(starts) + 1]
    found: list[int | None] = []
    sample = 0
    for run, many in enumerate(runs[1::3]):
        for _ in range(len(found) + 1, min(firsts[run + 1], len(starts) + 1)):
            after = min(sample + many, len(sizes))
            found.append(upto[after] - upto[sample])
            sample = after
    if len(found) != len(starts):
        raise BrokenFileError("chunks without samples")
    return found
