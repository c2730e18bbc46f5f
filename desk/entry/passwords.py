"""Passwords: what is asked of one, and argon2id. Slow on purpose: call it off the loop.

The parameters are argon2-cffi's own, the second set that RFC 9106 (section 4) recommends: 64 MiB,
three passes, four lanes. The OWASP Password Storage Cheat Sheet asks for 19 MiB and two passes at
least. What is asked of a password follows NIST SP 800-63B: length, and nothing that everybody
tries first; no rules about kinds of characters, nothing that expires.
"""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from desk.entry.wrongs import AccountError

HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
SHORTEST, LONGEST = 12, 200  # code points, after normalising
VARIED = 5  # different characters, at least, beside what everybody tries

_TRIED_FIRST = (
    "password", "passw0rd", "passwort", "mima", "wodemima", "密码", "我的密码", "口令",
    "minyi", "民意", "admin", "administrator", "root", "guanliyuan", "管理员", "welcome", "letmein",
    "changeme", "secret", "login", "huanying", "woaini", "iloveyou", "我爱你", "monkey", "dragon",
    "sunshine", "princess", "football", "baseball", "superman", "nihao", "你好", "zhongguo", "中国",
    "beijing", "shanghai", "qwertyuiop", "qwerty", "asdfghjkl", "asdfgh", "zxcvbnm", "zxcvbn",
    "1qaz2wsx3edc", "1qaz2wsx", "qazwsxedc", "qazwsx", "1q2w3e4r5t", "1q2w3e4r", "abc123",
    "aa123456", "a123456", "5201314", "147258369", "123321", "112233", "666666", "888888",
)  # fmt: skip


def normal(password: str) -> str:
    """NFKC (SP 800-63B-4, 3.1.1.2): the same characters from every keyboard are one password."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, about: Iterable[str], field: str = "password") -> None:
    """AccountError where ``password`` is too short, too long, or what is tried first.

    ``about`` are words that others know of its owner: login, name, organisation.
    """
    plain = normal(password)
    if len(plain) < SHORTEST:
        raise AccountError("password_short", field, least=SHORTEST, count=len(plain))
    if len(plain) > LONGEST:
        raise AccountError("password_long", field, most=LONGEST, count=len(plain))
    known = [_bare(word) for word in about]
    if len(set(_left(plain, known))) < VARIED <= len(set(_left(plain, ()))):
        raise AccountError("password_known", field)
    if len(set(_left(plain, known))) < VARIED:
        raise AccountError("password_common", field)


def _bare(text: str) -> str:
    """Without spaces and punctuation: wei-zhang is Wei Zhang."""
    plain = normal(text).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "PZC")


def _left(password: str, known: Iterable[str]) -> str:
    """The password without what everybody tries, and without what follows by itself (aaa, 1234)."""
    plain = _bare(password)
    words = [word for word in (*known, *_TRIED_FIRST) if len(word) >= 2]
    for word in sorted(words, key=len, reverse=True):
        plain = plain.replace(word, "")
    pairs = zip(plain, f" {plain}", strict=False)
    return "".join(sign for sign, last in pairs if abs(ord(sign) - ord(last)) > 1)


def hashed(password: str) -> str:
    """argon2's encoded hash, with a new salt."""
    return HASHER.hash(normal(password))


def matches(encoded: str, password: str) -> bool:
    """Whether ``password`` belongs to ``encoded``; '' for an account without one, or for none.

    Costs the same where there is nothing to match, so that time does not tell who has an account.
    """
    try:
        right = HASHER.verify(encoded or _nobodys(), normal(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return right and bool(encoded)


def stale(encoded: str) -> bool:
    """Whether it was made with other parameters than today's, and should be made anew."""
    return HASHER.check_needs_rehash(encoded)


def _nobodys() -> str:
    """A hash that no password has: its bytes are not argon2's output but zeros."""
    salt, tag = (
        b64encode(bytes(n)).decode().rstrip("=") for n in (HASHER.salt_len, HASHER.hash_len)
    )
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"
