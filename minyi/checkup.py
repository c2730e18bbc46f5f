"""What ``minyi doctor`` finds of the desk, the waves' keys, backups and the way in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from desk.audit import seal_key, verify
from desk.auditing import told, unsound
from desk.roles import Role
from desk.store import DeskTransaction, Sought
from minyi.auditing import head_file
from minyi.finding import Finding, State
from minyi.opening import database_file, keyring
from minyi.settings import Settings
from surveys.campaigns import WaveState
from web.site import LOCAL

if TYPE_CHECKING:
    from desk.accounts import Account

FRESH = timedelta(days=7)  # how old the last backup may be
LONG_ENOUGH = 16  # characters of a token that nobody guesses


def outside(settings: Settings) -> Iterator[Finding]:
    """The way in: TLS, proxies, and who may read the figures."""
    parts = urlsplit(settings.public_url)
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        what = f"{settings.public_url}: passwords and answers travel unsealed"
        mend = "Put TLS in front and set MINYI_PUBLIC_URL to https://…; see docs/operations.md."
        yield Finding(State.MEND, "TLS", what, mend)
    if parts.scheme == "https" and not settings.trusted_proxies:
        what = "none trusted: behind one, all visitors seem to come from one address"
        yield Finding(State.NOTE, "proxies", what, "Set MINYI_TRUSTED_PROXIES to its address.")
    if parts.hostname in LOCAL:
        what = f"{settings.public_url} opens on this machine only: nobody else can scan its codes"
        mend = "Set MINYI_PUBLIC_URL to the address that people type; see docs/operations.md."
        yield Finding(State.NOTE, "public address", what, mend)
    token = settings.metrics_token
    if token is not None and len(token.get_secret_value()) < LONG_ENOUGH:
        what = f"shorter than {LONG_ENOUGH} characters"
        yield Finding(State.MEND, "metrics token", what, "Draw a longer one: openssl rand -hex 24")


def leftovers(settings: Settings) -> Iterator[Finding]:
    """Copies that an upgrade made and nobody deleted: they hold everything."""
    folder = settings.data_dir
    file = database_file(settings)
    copies = [*folder.glob("minyi.dump.before-*"), *folder.glob("minyi.db.before-*")]
    if file is not None and file.parent != folder:
        copies += file.parent.glob(f"{file.name}.before-*")
    for copy in sorted(set(copies)):
        what = f"{copy} holds all that was in the database"
        yield Finding(State.NOTE, "copy", what, "Delete it once all is well after the upgrade.")


def inside(settings: Settings, tx: DeskTransaction, now: datetime) -> Iterator[Finding]:
    """What the database and the keys say."""
    yield from _people(settings, [each for each in tx.accounts() if not each.disabled])
    yield _audit(settings, tx)
    yield from _keys(settings, tx)
    yield _backup(tx, now)


def _people(settings: Settings, accounts: list[Account]) -> Iterator[Finding]:
    heads = [a for a in accounts if any(g.role is Role.ADMINISTRATOR for g in a.grants)]
    if not heads:
        what, mend = "no administrator yet", "`minyi init` prints the link for the first one."
        yield Finding(State.NOTE, "desk", what, mend)
    elif len(heads) == 1:
        what = "one administrator: nobody can agree as the second, or let them in again"
        yield Finding(State.NOTE, "desk", what, "Give a second person the role.")
    else:
        yield Finding(State.GOOD, "desk", f"{len(heads)} administrators")
    bare = [
        account.login
        for account in accounts
        if not account.totp
        and not account.external
        and any(grant.role in settings.second_factor_roles for grant in account.grants)
    ]
    if bare:
        what = f"missing for {', '.join(sorted(bare))}; they are asked for it when they sign in"
        yield Finding(State.NOTE, "second factor", what)


def _audit(settings: Settings, tx: DeskTransaction) -> Finding:
    key = seal_key(keyring(settings).app_key())
    head, noted = tx.audit_head(), head_file(settings).noted()
    note = unsound(tx, noted)
    flaws = [*([note] if note else []), *verify(tx.audit_chain(), key, head, noted.mark)]
    if flaws:
        what = f"{len(flaws)} flaw(s). {told(flaws[0], 'en').rstrip('.')}"
        return Finding(State.MEND, "audit", what, "See `minyi audit verify`. Ask who had access.")
    return Finding(State.GOOD, "audit", f"{head[0]:,} entries, each as it was written")


def _keys(settings: Settings, tx: DeskTransaction) -> Iterator[Finding]:
    keys: Any = keyring(settings)
    for wave in tx.waves():
        if wave.state is not WaveState.TALLIED and keys.wave_keys(wave.id) is None:
            what = "its keys are not here: what is answered in it cannot be counted"
            mend = "Restore them from a backup with wave keys, or close its campaign."
            yield Finding(State.MEND, f"keys of {wave.id}", what, mend)


def _backup(tx: DeskTransaction, now: datetime) -> Finding:
    newest = tx.audit(Sought(action="backup.made"), limit=1)
    mend = "`minyi backup FILE`; see docs/operations.md for a nightly one."
    if not newest:
        return Finding(State.NOTE, "backup", "none yet by `minyi backup`", mend)
    made = datetime.fromisoformat(newest[0].at).astimezone(UTC)
    what = f"the last one was made on {made:%Y-%m-%d %H:%M} UTC"
    if now - made > FRESH:
        return Finding(State.NOTE, "backup", what, mend)
    return Finding(State.GOOD, "backup", what)
