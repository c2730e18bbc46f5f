"""What goes between a channel and the conversation. It knows no channel.

A channel may do two things: turn its event into something :data:`Heard`, and lay out a
:class:`Reply`. Everything else, the understanding of typed words included, happens behind
``Conversation.receive``.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Typed:
    """Words as the person typed them, commands such as ``/help`` included.

    ``event`` is the channel's own number of the message, growing within a chat; 0 where it has
    none. Words carry no turn, so a message delivered twice (the process was killed between commit
    and acknowledgement) would be taken for the answer to the next question: the number tells.
    """

    text: str
    event: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button was pressed; ``data`` is what :attr:`Button.data` said when it was drawn."""

    data: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The person came by a link or a QR code. ``payload`` as in ``/start PAYLOAD``; may be ''."""

    payload: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """The person asks to see where things stand (a page reload). Changes nothing."""


Heard = Typed | Tapped | Opened | Looked


@dataclass(frozen=True, slots=True)
class Button:
    """A labelled choice. ``data`` is ASCII, at most 64 bytes, meaningful to the core only."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message, already in the person's language.

    ``rows`` are button rows, top to bottom. ``question`` is True while an interview waits for an
    answer.
    """

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    question: bool = False
    language: str = "zh"
