"""What an interview is for. The conversation conducts interviews; an errand gives them an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from surveys.forms.form import Form
from surveys.people import Address, Text
from surveys.reply import Reply
from surveys.store import SealedInterview


class Errand(Protocol):
    """One purpose of interviews: rating, raising a concern.

    ``tx`` is the unit of work, wide enough for the errand's own tables.
    """

    keeps_files: bool  # whether what people hand over stays; else it is only checked

    def owner(self, person: str, row: SealedInterview) -> str:
        """What ``row`` has for ``person`` where it is theirs: the same for its owner alone."""
        ...

    def state_key(self, tx: Any, row: SealedInterview, now: datetime) -> bytes | None:
        """The key its interviews' states are sealed with; None where it is closed."""
        ...

    def context(self, tx: Any, row: SealedInterview) -> Mapping[str, Text]:
        """Values of the form's hidden questions."""
        ...

    def preface(self, tx: Any, row: SealedInterview, language: str) -> str:
        """Said above the first question: what this is about and who may read the answers."""
        ...

    def finish(
        self,
        tx: Any,
        row: SealedInterview,
        form: Form,
        values: Mapping[str, str],
        answers: Mapping[str, str],
        address: Address,
        now: datetime,
        language: str,
    ) -> Reply:
        """Put the answers where they belong, and say goodbye.

        ``answers`` are what the person said, ``values`` hold what the form computed as well.
        """
        ...

    def forget(self, tx: Any, person: str, addresses: Sequence[Address], *, own: bool) -> None:
        """Keep nothing that leads to ``person`` or ``addresses``; see surveys/forgetting.py."""
        ...

    def recall(self, tx: Any, address: Address, token: str, language: str) -> Reply | None:
        """What became of an earlier errand that ``token`` names, or None: not one of ours."""
        ...
