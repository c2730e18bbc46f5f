"""Which version of the privacy text somebody was told, where that may be shown."""

from __future__ import annotations

from surveys.people import Person


def told_version(person: Person) -> str | None:
    """The version, '' for none; None where it is not to be shown.

    People are told when they first write, and of whoever a table lists that would tell an officer
    who has come since the last look. They read their own version in the chat.
    """
    return None if person.listed else person.consent
