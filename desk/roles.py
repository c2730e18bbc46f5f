"""Who may do what: seven roles, and one table that decides.

Every route of the console and the API, and every command in an administrator's chat, names one
:class:`May`. ``docs/roles.md`` shows the table; a test holds the page, the routes and the table
against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from surveys.people import Subject


class Role(StrEnum):
    """What somebody is at the desk. One account may hold several."""

    ADMINISTRATOR = "administrator"
    OFFICER = "officer"  # campaign officer
    SUPERVISOR = "supervisor"  # of a unit and of what lies below it
    HANDLER = "handler"  # of cases
    CUSTODIAN = "custodian"  # of keys
    AUDITOR = "auditor"  # reads all that may be read, changes nothing
    RATED = "rated"  # an official or a unit's head: their own report only


SCOPED = frozenset((Role.SUPERVISOR, Role.RATED))
"""Roles that are held for one subject; a grant of another role names none."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that an account holds; ``subject`` is whose, for the roles of :data:`SCOPED`."""

    role: Role
    subject: str = ""


class May(StrEnum):
    """One permission. The names are also the scopes of an API token."""

    HOME = "home"
    OWN = "own"  # one's own account: password, second factor, sessions, language
    TOKENS = "tokens"  # API tokens of one's own
    ROSTER_READ = "roster.read"
    ROSTER_WRITE = "roster.write"
    FORMS_READ = "questionnaires.read"
    FORMS_WRITE = "questionnaires.write"
    CAMPAIGNS_READ = "campaigns.read"
    CAMPAIGNS_WRITE = "campaigns.write"
    VISITS_WRITE = "visits.write"  # a link for somebody who was just served
    FIELDWORK_READ = "fieldwork.read"
    RESULTS_READ = "results.read"
    REPORT_READ = "report.read"  # one's own report
    CONCERNS_READ = "concerns.read"  # how many wait, never what they say
    KEYS_READ = "keys.read"  # which keys there are, never a key
    APPROVALS_READ = "approvals.read"
    AUDIT_READ = "audit.read"
    ACCOUNTS_READ = "accounts.read"
    ACCOUNTS_WRITE = "accounts.write"
    HOOKS_READ = "hooks.read"
    HOOKS_WRITE = "hooks.write"
    SETTINGS_READ = "settings.read"


_A, _O, _S, _H, _C, _U, _R = Role  # one letter each, so that the table reads as a table
_EVERYBODY = frozenset(Role)

TABLE: Mapping[May, frozenset[Role]] = {
    May.HOME: _EVERYBODY,
    May.OWN: _EVERYBODY,
    May.TOKENS: frozenset((_A, _O, _S, _H, _C, _U)),
    May.ROSTER_READ: frozenset((_A, _O, _S, _U)),
    May.ROSTER_WRITE: frozenset((_A, _O)),
    May.FORMS_READ: frozenset((_A, _O, _U)),
    May.FORMS_WRITE: frozenset((_A, _O)),
    May.CAMPAIGNS_READ: frozenset((_A, _O, _U)),
    May.CAMPAIGNS_WRITE: frozenset((_A, _O)),
    May.VISITS_WRITE: frozenset((_A, _O)),
    May.FIELDWORK_READ: frozenset((_A, _O, _S, _U)),
    May.RESULTS_READ: frozenset((_A, _O, _S, _U)),
    May.REPORT_READ: frozenset((_R,)),
    May.CONCERNS_READ: frozenset((_H, _U)),
    May.KEYS_READ: frozenset((_A, _C, _U)),
    May.APPROVALS_READ: frozenset((_A, _O, _C, _U)),
    May.AUDIT_READ: frozenset((_A, _C, _U)),
    May.ACCOUNTS_READ: frozenset((_A, _U)),
    May.ACCOUNTS_WRITE: frozenset((_A,)),
    May.HOOKS_READ: frozenset((_A, _U)),
    May.HOOKS_WRITE: frozenset((_A,)),
    May.SETTINGS_READ: frozenset((_A, _C, _U)),
}
CHANGING = frozenset((May.ROSTER_WRITE, May.FORMS_WRITE, May.CAMPAIGNS_WRITE, May.VISITS_WRITE,
                      May.ACCOUNTS_WRITE, May.HOOKS_WRITE))  # fmt: skip
"""What changes something beyond one's own account; an auditor has none of these."""


def allows(grants: Iterable[Grant], permission: May) -> bool:
    """Whether any of ``grants`` gives ``permission``, for some subject at least."""
    return any(grant.role in TABLE[permission] for grant in grants)


def reach(
    grants: Collection[Grant], permission: May, subjects: Iterable[Subject]
) -> frozenset[str] | None:
    """The subjects for which ``grants`` give ``permission``; None: all there are.

    A supervisor reaches the unit and everything below it, a rated person themselves.
    """
    giving = [grant for grant in grants if grant.role in TABLE[permission]]
    if any(grant.role not in SCOPED for grant in giving):
        return None
    found = {grant.subject for grant in giving}
    roots = {grant.subject for grant in giving if grant.role is Role.SUPERVISOR}
    parents = {subject.id: subject.parent for subject in subjects}
    for subject, parent in parents.items():
        line, at = {subject}, parent
        while at is not None and at not in line:
            if at in roots:
                found.add(subject)
                break
            line.add(at)
            at = parents.get(at)
    return frozenset(found)
