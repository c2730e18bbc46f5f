"""What keeps a move from being accepted, to be said kindly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trouble:
    """An expected mistake: a message key under ``trouble.`` and its arguments.

    Where ``arguments`` has ``indices``, these are the offered choices that it is about: the
    question may be shown again with just their buttons.
    """

    key: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def indices(self) -> tuple[int, ...]:
        """The offered choices that it is about; () where it is about none in particular."""
        found = self.arguments.get("indices", ())
        return found if isinstance(found, tuple) else ()
