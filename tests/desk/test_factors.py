from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from desk.accounts import Account
from desk.entry import factors

KEY, OTHER = bytes(range(32)), bytes(32)
NOW = datetime(2026, 11, 23, 1, 30, 10, tzinfo=UTC)
ANNA = Account("a-anna", "anna", "Anna", NOW)
STEP = int(NOW.timestamp()) // 30


def test_rfc_6238s_own_example_is_accepted() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # 12345678901234567890
    moment = datetime.fromtimestamp(1111111109, UTC)
    assert factors.step_of(secret, "081804", moment, 0) == 1111111109 // 30


@pytest.mark.parametrize(
    ("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_one_step_wrong_and_no_more(seconds: int, good: bool) -> None:
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
    assert (factors.step_of(secret, code, NOW, 0) is not None) is good


def test_a_step_is_accepted_once_and_an_earlier_one_never_after() -> None:
    secret = pyotp.random_base32()
    totp = pyotp.TOTP(secret)
    assert factors.step_of(secret, totp.at(NOW), NOW, 0) == STEP
    assert factors.step_of(secret, totp.at(NOW), NOW, STEP) is None
    assert factors.step_of(secret, totp.at(NOW - timedelta(seconds=30)), NOW, STEP) is None
    assert factors.step_of(secret, totp.at(NOW + timedelta(seconds=30)), NOW, STEP) == STEP + 1


@pytest.mark.parametrize("typed", ["{} {}", "{}-{}", " {}{} ", "wide"])
def test_a_code_may_be_typed_with_spaces_or_wide_digits(typed: str) -> None:
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(NOW)
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})
    said = wide if typed == "wide" else typed.format(code[:3], code[3:])
    assert factors.step_of(secret, said, NOW, 0) == STEP


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠", "\x00" * 6])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert factors.step_of(pyotp.random_base32(), typed, NOW, 0) is None
    assert factors.step_of("", typed, NOW, 0) is None


def test_a_sealed_secret_opens_with_its_key_and_for_its_account_only() -> None:
    secret = pyotp.random_base32()
    box = factors.sealed("a-anna", secret, KEY)
    assert secret.encode() not in box
    anna = replace(ANNA, totp=box)
    assert factors.secret_of(anna, KEY) == secret
    assert factors.secret_of(anna, OTHER) == ""
    assert factors.secret_of(replace(anna, id="a-bo"), KEY) == ""
    assert factors.secret_of(ANNA, KEY) == ""


def test_what_a_session_is_offered_stays_the_same_and_is_its_own() -> None:
    mine = factors.offered(KEY, "digest")
    assert mine == factors.offered(KEY, "digest")
    assert len(pyotp.TOTP(mine).byte_secret()) == 20
    assert mine != factors.offered(KEY, "another")
    assert mine != factors.offered(OTHER, "digest")


def test_the_picture_says_what_every_app_understands() -> None:
    said = urlsplit(factors.uri("ABC234", "anna", "河东区: 政务/服务局"))
    assert (said.scheme, said.netloc) == ("otpauth", "totp")
    assert unquote(said.path) == "/河东区: 政务/服务局:anna"
    asked = parse_qs(said.query)
    assert asked == {"secret": ["ABC234"], "issuer": ["河东区: 政务/服务局"], "period": ["30"]}


def test_each_recovery_code_works_once_for_its_account() -> None:
    codes, kept = factors.new_codes("a-anna", KEY)
    assert len(set(codes)) == len(set(kept)) == 10
    assert not any(
        code in stored or code.replace("-", "") in stored for code in codes for stored in kept
    )
    anna = replace(ANNA, recovery=kept)
    spent = factors.spend(anna, codes[3].upper().replace("-", " "), KEY)
    assert spent is not None
    assert len(spent.recovery) == 9
    assert factors.spend(spent, codes[3], KEY) is None
    assert factors.spend(spent, codes[4], KEY) is not None
    assert factors.spend(replace(anna, id="a-bo"), codes[0], KEY) is None
    assert factors.spend(anna, codes[0], OTHER) is None
    assert factors.spend(anna, "", KEY) is None


def test_comparisons_take_as_long_whatever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each candidate is compared, by compare_digest, wherever the right one stands."""
    compared = 0
    real = hmac.compare_digest

    def counting(one: Any, other: Any) -> bool:
        nonlocal compared
        compared += 1
        return real(one, other)

    monkeypatch.setattr("desk.entry.factors.hmac.compare_digest", counting)
    secret = pyotp.random_base32()
    codes, kept = factors.new_codes("a-anna", KEY)
    for typed in (pyotp.TOTP(secret).at(NOW - timedelta(seconds=30)), "000000"):
        compared = 0
        factors.step_of(secret, typed, NOW, 0)
        assert compared == 3
    for typed in (codes[0], codes[9], "wrong-wrong"):
        compared = 0
        factors.spend(replace(ANNA, recovery=kept), typed, KEY)
        assert compared == 10
