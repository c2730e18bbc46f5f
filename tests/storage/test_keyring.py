from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from storage import FileKeyring
from surveys.keys import Keyring


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_keys_are_the_same_for_whoever_opens_the_directory_later(directory: Path) -> None:
    ring: Keyring = FileKeyring(directory)
    made = (ring.app_key(), ring.new_wave("w1"), ring.wave_keys("w1"), ring.reader_secret("h"))
    again = FileKeyring(directory)
    assert made == (
        again.app_key(),
        again.new_wave("w1"),
        again.wave_keys("w1"),
        again.reader_secret("h"),
    )
    assert len(ring.app_key()) == 32
    assert ring.app_key() != ring.reader_secret("h")


def test_public_halves_belong_to_their_secrets(directory: Path) -> None:
    ring = FileKeyring(directory)
    public = ring.new_wave("2026Q4/窗口")
    keys = ring.wave_keys("2026Q4/窗口")
    assert keys is not None
    assert public == bytes(PrivateKey(keys.tally_secret).public_key)
    assert len(keys.rid_key) == 32
    assert keys.rid_key != keys.tally_secret
    secret = ring.reader_secret("handler")
    assert ring.reader_public("handler") == bytes(PrivateKey(secret).public_key)


def test_a_destroyed_wave_is_gone_for_every_process(directory: Path) -> None:
    ring, other = FileKeyring(directory), FileKeyring(directory)
    ring.new_wave("w1")
    ring.new_wave("w2")
    secrets = other.wave_keys("w1")
    assert secrets is not None
    ring.destroy_wave("w1")
    assert ring.wave_keys("w1") is None
    assert other.wave_keys("w1") is None
    assert other.wave_keys("w2") is not None
    assert not [path for path in directory.rglob("*") if "w1" in path.name]
    ring.destroy_wave("w1")


def test_a_destruction_cut_off_half_way_still_counts(directory: Path) -> None:
    FileKeyring(directory).new_wave("w1")
    (directory / "waves" / "w1.key").write_bytes(bytes(64))
    assert FileKeyring(directory).wave_keys("w1") is None


def test_nobody_else_may_read_the_keys(directory: Path) -> None:
    ring = FileKeyring(directory)
    ring.app_key()
    ring.new_wave("w1")
    ring.reader_public("handler")
    modes = {
        path.relative_to(directory).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [directory, *directory.rglob("*")]
    }
    assert modes == {
        ".": 0o700,
        "waves": 0o700,
        "readers": 0o700,
        "app.key": 0o600,
        "waves/w1.key": 0o600,
        "readers/handler.key": 0o600,
    }


def test_secrets_do_not_appear_where_they_are_printed(directory: Path) -> None:
    ring = FileKeyring(directory)
    ring.new_wave("w1")
    assert repr(ring.wave_keys("w1")) == "WaveKeys()"


def test_no_name_is_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="cannot name a key"):
        FileKeyring(directory).new_wave("")


def test_a_name_too_long_for_a_file_has_keys_of_its_own(directory: Path) -> None:
    ring = FileKeyring(directory)
    names = [f"{'二〇二六年度政务服务满意度' * 6}{n}.20261210" for n in range(2)]
    assert ring.new_wave(names[0]) != ring.new_wave(names[1])
    assert FileKeyring(directory).wave_keys(names[0]) == ring.wave_keys(names[0])


def test_a_name_cannot_leave_the_directory(directory: Path) -> None:
    FileKeyring(directory).new_wave("../../escaped")
    assert not list(directory.parent.glob("escaped*"))


def test_a_damaged_key_is_named_and_never_replaced(directory: Path) -> None:
    FileKeyring(directory).app_key()
    (directory / "app.key").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"app\.key has 5 bytes"):
        FileKeyring(directory).app_key()


def test_processes_that_start_together_agree_on_the_keys(directory: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from storage import FileKeyring\n"
        "ring = FileKeyring(Path(sys.argv[1])); sys.stdin.read(1)\n"
        "print(ring.app_key().hex(), ring.new_wave('w').hex(), ring.reader_public('h').hex())"
    )

    def start(_number: int) -> str:
        command = [sys.executable, "-c", program, str(directory)]
        return subprocess.run(
            command, input="\n", capture_output=True, text=True, check=True
        ).stdout

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1
    assert not list(directory.rglob(".*"))
