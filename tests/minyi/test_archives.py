"""Broken and hostile archives: one sentence each, and nothing of them is left."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minyi import archiving
from minyi.archiving import MANIFEST, Manifest, Packed, measured, pack, unpack
from minyi.members import ArchiveError, members, shown
from minyi.restoring import restore
from minyi.safekeeping import SafekeepingError
from minyi.wavekeys import PassphraseError, open_waves, seal_waves
from storage import copying
from storage.programs import CopyError
from surveys.keys import WaveKeys
from tests.minyi.conftest import Minyi

FILES = {
    "minyi.db": b"d" * 700,
    "keys/app.key": b"k" * 32,
    f"attachments/{'a' * 32}": b"a" * 512,
}
KEPT = f"attachments/{'a' * 32}"
PHRASE = "correct horse battery staple"
BLOCK = 512


def manifest_of(files: Mapping[str, bytes], **changes: Any) -> bytes:
    told = json.loads(Manifest("0.1.0", "0001", "today", "sqlite", {"people": 1}).to_json())
    told["files"] = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    return json.dumps({**told, **changes}).encode()


def member(name: str, content: bytes, **fields: Any) -> bytes:
    """One member as it lies in a tar. ``fields`` of its header; ``told`` goes into a pax header."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    for field, value in fields.items():
        setattr(header, "pax_headers" if field == "told" else field, value)
    return header.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % BLOCK)


def tar_of(manifest: bytes, *rest: bytes) -> bytes:
    return b"".join((member(MANIFEST, manifest), *rest, bytes(2 * BLOCK)))


def plain(files: Mapping[str, bytes] = FILES) -> list[bytes]:
    return [member(name, content) for name, content in files.items()]


GOOD = tar_of(manifest_of(FILES), *plain())


def unpacked(content: bytes) -> dict[str, bytes]:
    """What comes of an archive; ArchiveError, and nothing else, where it is refused."""
    with TemporaryDirectory() as place:
        archive, into = Path(place) / "a.tar", Path(place) / "into"
        archive.write_bytes(content)
        into.mkdir()
        manifest = unpack(archive, into)
        found = {name: (into / name).read_bytes() for name in manifest.files}
        assert len(list(Path(place).iterdir())) == 2, "nothing lies outside"
        return found


def test_a_good_one_comes_out_as_it_went_in() -> None:
    assert unpacked(GOOD) == FILES


# ---- mutations


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_bytes_are_changed_only_our_own_error_comes_out(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    refused_or_same(bytes(content))


FIELDS = {"name": (0, 100), "size": (124, 136), "mtime": (136, 148), "kind": (156, 157),
          "link": (157, 257), "magic": (257, 265), "prefix": (345, 500),
          "sparse": (386, 512)}  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(
    which=st.integers(0, 3),
    field=st.sampled_from(sorted(FIELDS)),
    written=st.one_of(
        st.binary(min_size=1, max_size=126),
        st.sampled_from([b"\x80" + b"\xff" * 11, b"\xff" * 12, b"777777777777", b"S", b"x", b"g",
                         b"L", b"K", b"D", b"7", b"\0", b"00000000001\0"]),
    ),
)  # fmt: skip
def test_whatever_a_header_says_under_a_right_checksum_is_read_or_refused(
    which: int, field: str, written: bytes
) -> None:
    content = bytearray(GOOD)
    at = [at for at, _ in headers(GOOD)][which]
    begin, end = FIELDS[field]
    content[at + begin : at + end] = written[: end - begin].ljust(end - begin, b"\0")
    content[at + 148 : at + 156] = b" " * 8
    content[at + 148 : at + 156] = b"%06o\0 " % sum(content[at : at + BLOCK])
    refused_or_same(bytes(content))


def headers(content: bytes) -> Iterator[tuple[int, str]]:
    file = io.BytesIO(content)
    for each in members(file):
        yield file.tell() - BLOCK, each.name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\x1b[2J", 10**400, -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner,
                                                                max_size=3),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["format", "program", "revision", "made_at", "database", "counts", "waves",
                     "unkeyed", "files", "size", "sha256"]),
    JSON,
)  # fmt: skip
def test_whatever_a_manifest_says_is_read_or_refused(field: str, value: Any) -> None:
    told = json.loads(manifest_of(FILES))
    inside = told["files"]["minyi.db"] if field in {"size", "sha256"} else told
    inside[field] = value
    refused_or_same(tar_of(json.dumps(told).encode(), *plain()))


def refused_or_same(content: bytes) -> None:
    refused, found = "", dict[str, bytes]()
    try:
        found = unpacked(content)
    except ArchiveError as error:
        refused = str(error)
    assert refused.isprintable()
    assert len(refused) < 1000
    assert all(FILES.get(name, body) == body for name, body in found.items())


# ---- attacks


def sparse(name: str, size: int) -> bytes:
    """A member of a few bytes that tarfile would make one of ``size``, by a pax header."""
    told = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
            "GNU.sparse.realsize": str(size)}  # fmt: skip
    return member("attachments/" + "b" * 32, b"0\n".ljust(BLOCK, b"\0"), told=told)


def long_header(size: int) -> bytes:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, size
    return header.tobuf(tarfile.GNU_FORMAT)


def far(name: str, moment: int) -> bytes:
    header = tarfile.TarInfo(name)
    header.size, header.mtime = len(FILES[name]), moment
    return header.tobuf(tarfile.GNU_FORMAT) + FILES[name]


@pytest.mark.parametrize(
    ("manifest", "rest", "named"),
    [
        (b"[" * 200_000, [], "its manifest cannot be read"),
        (b'{"format": ' + b"[" * 900 + b"]" * 900 + b"}", [], "it has another format"),
        (b'{"format": ' + b"9" * 5000 + b"}", [], "its manifest cannot be read"),
        (manifest_of(FILES, format=10**40), plain(), "it has another format"),
        (manifest_of(FILES, counts={"people": float("inf")}), plain(), "is incomplete"),
        (manifest_of(FILES, counts={"people": True}), plain(), "is incomplete"),
        (manifest_of(FILES, waves="w1"), plain(), "is incomplete"),
        (manifest_of(FILES, program="\ud800"), plain(), "is incomplete"),
        (manifest_of(FILES), [member(KEPT, FILES[KEPT], told={"mtime": "1e400"})], "says what no"),
        (manifest_of(FILES), [far(KEPT, 2**40)], "a day that cannot be"),
        (manifest_of(FILES), [sparse(KEPT, 3 * 2**30)], "says what no backup says"),
        (manifest_of(FILES), [member(KEPT, b"", type=tarfile.GNUTYPE_SPARSE)], "is a link or"),
        (manifest_of(FILES), [member("x" * 300, b"", type=tarfile.CONTTYPE)], "is a link or"),
        (manifest_of(FILES), [member("keys/" + "x" * 300, b"")], "has no place"),
        (manifest_of(FILES), [member("keys/\x1b[2J", b"")], r"keys/\x1b[2J has no place"),
        (manifest_of(FILES), [long_header(2**20), bytes(2**20)], "a header in it is too large"),
        (manifest_of(FILES), [long_header(4 * 2**30)], "pax is cut off"),
        (manifest_of(FILES), [long_header(BLOCK), b"9999999 path=x\n".ljust(BLOCK)], "says what"),
        (manifest_of(FILES), [long_header(BLOCK), b"20 size=-1\n".ljust(BLOCK)], "says what"),
    ],
)
def test_an_attack_is_refused_in_one_sentence(
    manifest: bytes, rest: list[bytes], named: str
) -> None:
    with pytest.raises(ArchiveError) as refused:
        unpacked(tar_of(manifest, *rest))
    assert named in str(refused.value)


def test_a_file_where_a_directory_must_be_is_refused() -> None:
    files = {**FILES, "keys/a": b"1", "keys/a/b": b"2"}
    with pytest.raises(ArchiveError, match="keys/a/b is in it twice"):
        unpacked(tar_of(manifest_of(files), *plain(files)))


def test_a_manifest_may_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "_LONGEST_MANIFEST", len(manifest_of(FILES)))
    assert unpacked(GOOD) == FILES
    with pytest.raises(ArchiveError, match="its manifest is too large"):
        unpacked(tar_of(manifest_of(FILES) + b" ", *plain()))


def test_long_names_and_great_sizes_come_back_as_pack_wrote_them(tmp_path: Path) -> None:
    name = f"keys/readers/{'x' * 200}.key"
    source = tmp_path / "source"
    source.write_bytes(b"secret")
    files = {"minyi.db": measured(source), name: measured(source)}
    pack(
        tmp_path / "a",
        Manifest("0", "1", "", "sqlite", {}, files=files),
        dict.fromkeys(files, source),
    )
    (tmp_path / "into").mkdir()
    unpack(tmp_path / "a", tmp_path / "into")
    assert (tmp_path / "into" / name).read_bytes() == b"secret"
    great = 9 * 2**30  # as a header it is, with too little behind it
    head = tarfile.TarInfo("minyi.db")
    head.size = great
    with pytest.raises(ArchiveError, match=r"minyi\.db is cut off"):
        unpacked(tar_of(manifest_of(FILES), head.tobuf(tarfile.PAX_FORMAT)))


def test_what_is_no_file_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SafekeepingError, match="it is not a file"):
            restore(place, tmp_path / "there")


def test_a_name_is_shown_so_that_no_terminal_obeys_it() -> None:
    assert shown("keys/app.key") == "keys/app.key"
    assert shown("\x1b[2J\ud800") == r"\x1b[2J\ud800"
    assert len(shown("x" * 10_000)) < 200


@pytest.mark.parametrize(
    "plain_keys", [b"[]", b"[" * 100_000, b'{"w": 1}', b'{"w": "!"}', b'{"w": "AAAA"}']
)
def test_sealed_keys_that_are_none_are_refused(
    plain_keys: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(json, "dumps", lambda _: plain_keys.decode())
        sealed = seal_waves({"w": WaveKeys(bytes(32), bytes(32))}, PHRASE)
    with pytest.raises(PassphraseError):
        open_waves(sealed, PHRASE)


# ---- a database that is none of ours, under right hashes


Spoil = Callable[[sqlite3.Connection], object]


def test_a_database_that_is_not_as_it_should_be_is_refused_and_leaves_nothing(
    founded: Minyi, tmp_path: Path
) -> None:
    assert founded("backup", "good.tar").status == 0
    spoils: dict[str, Spoil] = {
        "is not as Minyi writes one": lambda db: db.execute("DROP TABLE audit_head"),
        "is not as Minyi writes": lambda db: db.execute("ALTER TABLE audit_head RENAME seq TO s"),
        "is damaged": lambda db: db.executescript(
            "PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage=9999 WHERE name='people'"
        ),
        "stands at": lambda db: db.execute("UPDATE alembic_version SET version_num='0001'"),
        "cannot be read": lambda db: db.execute("DROP TABLE waves"),
    }
    for number, (named, spoil) in enumerate(spoils.items()):
        bad = respoiled(tmp_path / "good.tar", tmp_path / f"bad-{number}.tar", spoil)
        ran = founded("restore", bad, "--into", "there")
        assert (ran.status, named in ran.err) == (1, True), ran.err
        assert ran.err.count("\n") == 1, "one sentence"
        assert not [each for each in tmp_path.iterdir() if "there" in each.name]


def respoiled(archive: Path, to: Path, spoil: Spoil) -> Path:
    with TemporaryDirectory() as place:
        folder = Path(place)
        manifest = unpack(archive, folder)
        with sqlite3.connect(folder / "minyi.db") as connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            spoil(connection)
        connection.close()
        files: dict[str, Packed] = {name: measured(folder / name) for name in manifest.files}
        try:
            counts = copying.sqlite_contents(folder / "minyi.db").counts
        except CopyError:
            counts = manifest.counts
        changed = replace(manifest, files=files, counts=counts)
        pack(to, changed, {name: folder / name for name in files})
    return to
