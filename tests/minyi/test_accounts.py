"""Accounts from the terminal, and the link that ``minyi init`` prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from desk.audit import seal_key, verify
from desk.entry import welcoming
from desk.roles import Grant, Role
from desk.store import Sought
from minyi.commands.desk import run
from minyi.configuration import load
from minyi.opening import keyring, opened
from tests.minyi.conftest import Minyi

LINK = re.compile(r"http://127\.0\.0\.1:8080/desk/welcome/([A-Za-z0-9_-]{43})")


def read(work: Callable[[Any], Any]) -> Any:
    async def asking() -> Any:
        async with opened(load({}, None).settings) as store:
            return await store.read(work)

    return run(asking())


def works(secret: str) -> bool:
    return read(lambda tx: welcoming.look(tx, secret, datetime.now(UTC))) is not None


def link_in(text: str) -> str:
    [secret] = LINK.findall(text)
    return str(secret)


def test_init_prints_the_first_link_and_a_newer_one_makes_it_void(minyi: Minyi) -> None:
    first = link_in(minyi("init").out)
    assert works(first)
    second = link_in(minyi("init").out)
    assert works(second)
    assert not works(first)
    assert link_in(minyi("account", "invite", "li", "--name", "李", "--role", "auditor").out)
    assert not works(second)
    assert not LINK.search(minyi("init").out)


def test_an_account_from_its_invitation_to_its_end(founded: Minyi) -> None:
    assert "no accounts yet" in founded("account", "list").out
    made = founded("account", "invite", "Li.Na", "--name", "李娜", "--role", "officer")
    first = link_in(made.out)
    second = link_in(founded("account", "link", "li.na", "--second-factor").out)
    assert works(second)
    assert not works(first)
    assert "officer, auditor" in founded(
        "account", "grant", "li.na", "--role", "auditor"
    ).out.replace("auditor, officer", "officer, auditor")
    assert "li.na: auditor" in founded("account", "revoke", "li.na", "--role", "officer").out
    assert "Sessions of li.na ended: 0" in founded("account", "sign-out", "li.na").out
    assert founded("account", "disable", "li.na").status == 0
    assert not works(second)
    listing = founded("account", "list").out
    assert all(word in listing for word in ("li.na", "李娜", "auditor", "disabled"))
    assert founded("account", "enable", "li.na").status == 0
    account = read(lambda tx: tx.account_by_login("li.na"))
    assert account.grants == (Grant(Role.AUDITOR),)
    entries = list(reversed(read(lambda tx: tx.audit(Sought(action="account")))))
    assert [entry.action.partition(".")[2] for entry in entries] == [
        "first_link", "invited", "link_made", "roles_changed", "roles_changed",
        "sessions_ended", "disabled", "enabled",
    ]  # fmt: skip
    assert all(
        entry.who.startswith("operator:") and entry.origin == "terminal" for entry in entries
    )
    assert not any(secret in str(entries) for secret in (first, second))
    key = seal_key(keyring(load({}, None).settings).app_key())
    assert not list(verify(read(lambda tx: list(tx.audit_chain())), key))


def test_what_cannot_be_done_is_told_with_what_to_do(founded: Minyi) -> None:
    assert founded("account", "invite", "li", "--name", "李", "--role", "officer").status == 0
    for words, said in (
        (("disable", "nobody"), "no account “nobody”"),
        (("invite", "li", "--name", "李", "--role", "officer"), "is taken"),
        (("invite", "a b", "--name", "李", "--role", "officer"), "A login has"),
        (("grant", "li", "--role", "king"), "no role king"),
        (("grant", "li", "--role", "supervisor"), "Say which"),
        (("grant", "li", "--role", "rated", "--subject", "x"), "“x”"),
        (("revoke", "li", "--role", "auditor"), "does not hold"),
    ):
        ran = founded("account", *words)
        assert ran.status == 1, words
        assert said in ran.err, words
        assert "Traceback" not in ran.err
