from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters

from desk.entry import passwords
from desk.entry.wrongs import AccountError

ABOUT = ("zhangwei", "张伟", "河东区政务服务局", "Hedong District Services")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password_short"),
        ("𝟙" * 11, "password_short"),
        ("x" * 201, "password_long"),
        ("password1234", "password_common"),
        ("Password-1234", "password_common"),
        ("1234567890123456", "password_common"),
        ("abcdefghijklmnop", "password_common"),
        ("qwertyuiop1234", "password_common"),
        ("aaaaaaaaaaaaaaaaaaaa", "password_common"),
        ("abc abc abc abc abc", "password_common"),
        ("我我我我我我我我我我我我", "password_common"),
        ("minyi-minyi-minyi", "password_common"),
        ("zhangwei2026", "password_known"),
        ("ZHANGWEI zhangwei", "password_known"),
        ("张伟张伟张伟河东区政务服务局", "password_known"),
        ("hedong district services", "password_known"),
    ],
)
def test_what_is_tried_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(AccountError) as refused:
        passwords.check(password, ABOUT)
    assert refused.value.code == code
    assert refused.value.field == "password"
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "我们今天去河边看小船吧好吗",
        "🐼🐯🦊🐻🐨🐵🐸🐙🦉🦄🐝🐢",
        "zhangwei walks to the river",
        "x9$Kq2!mVt7@",
        "四月 blue 门口 17 茶",
        "ab" * 3 + "river-stone" * 10,
    ],
)
def test_length_is_asked_for_and_no_kinds_of_characters(password: str) -> None:
    passwords.check(password, ABOUT)


@pytest.mark.parametrize(
    "password", ["我们今天去河边看小船吧", "🐼🐯🦊🐻 correct", "Straße ﬁ Ⅻ １２３"]
)
def test_a_password_opens_however_its_keyboard_spells_it(password: str) -> None:
    encoded = passwords.hashed(password)
    assert passwords.matches(encoded, password)
    assert passwords.matches(encoded, passwords.normal(password))
    assert not passwords.matches(encoded, password + " ")


def test_the_parameters_are_no_weaker_than_owasp_asks() -> None:
    parameters = extract_parameters(passwords.hashed("correct horse battery"))
    assert parameters.type.name == "ID"
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2


def test_without_a_hash_the_same_work_is_done_and_nothing_matches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, encoded: str | bytes, password: str | bytes) -> bool:
        looked.append(str(encoded))
        return bool(real(self, encoded, password))

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    assert not passwords.matches("", "correct horse battery")
    assert not passwords.matches("", "")
    ours = extract_parameters(passwords.hashed("x"))
    assert len(looked) == 2
    for encoded in looked:
        assert extract_parameters(encoded) == ours


def test_a_hash_with_other_parameters_is_stale_and_still_opens() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse battery")
    assert passwords.stale(old)
    assert passwords.matches(old, "correct horse battery")
    assert not passwords.stale(passwords.hashed("correct horse battery"))


def test_a_damaged_hash_opens_nothing() -> None:
    assert not passwords.matches("$argon2id$broken", "correct horse battery")
