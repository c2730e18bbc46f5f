"""What goes between a channel and the conversation. It knows no channel.

A channel may do two things: turn its event into something :data:`Heard`, and lay out a
:class:`Reply`. Everything else, the understanding of typed words included, happens behind
``Conversation.receive``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from surveys.forms.form import Kind


@dataclass(frozen=True, slots=True)
class Typed:
    """Words as the person typed them, commands such as ``/help`` included.

    ``event`` is the channel's own number of the message, growing within a chat; 0 where it has
    none. Words carry no turn, so a message delivered twice (the process was killed between commit
    and acknowledgement) would be taken for the answer to the next question: the number tells.
    ``amended`` means that message ``event`` was sent before and has been changed now; ``hasty``
    that it was sent before the question now open had been shown.
    """

    text: str
    event: int = field(default=0, compare=False)
    amended: bool = False
    hasty: bool = False


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button was pressed; ``data`` is what :attr:`Button.data` said when it was drawn."""

    data: str


@dataclass(frozen=True, slots=True)
class Located:
    """The person shared a place: degrees (WGS 84), accuracy in metres (0 where unknown)."""

    latitude: float
    longitude: float
    accuracy: float = 0.0
    event: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Handed:
    """The person handed over a file; ``fetch`` brings its bytes, and is called only if wanted.

    ``kind`` is what the channel takes it for: image, audio, video or file. ``size`` is in bytes,
    0 where the channel cannot say before fetching. ``name`` is the person's own, '' for none.
    ``fetch`` takes the most bytes that may come and raises ValueError where there are more.
    """

    kind: Kind
    fetch: Callable[[int], Awaitable[bytes]] = field(repr=False, compare=False)
    name: str = ""
    size: int = 0
    event: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """The person came by a link or a QR code. ``payload`` as in ``/start PAYLOAD``; may be ''."""

    payload: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """The person asks to see where things stand (a page reload). Changes nothing."""


Heard = Typed | Tapped | Located | Handed | Opened | Looked


@dataclass(frozen=True, slots=True)
class Button:
    """A labelled choice. ``data`` is ASCII, at most 64 bytes, meaningful to the core only."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture, sound or film that belongs to a question: ``kind`` is image, audio or video.

    Its bytes are had from ``Conversation.medium(form, name)``.
    """

    kind: str
    form: str
    name: str


@dataclass(frozen=True, slots=True)
class Thanks:
    """Everything that ``wave`` asked of the person is answered: ``text`` may stand instead of what
    asked them for it. Only the channel knows where that is; nothing of this is kept.
    """

    wave: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message, already in the person's language.

    ``rows`` are button rows, top to bottom. ``question`` is True while an interview waits for an
    answer; then ``wants`` says of what kind, so that a channel may offer its own way to give it (a
    date picker, the camera), and ``place`` names the question: the next reply with the same
    ``place`` shows the same question again and may stand where this one stood. ``media`` belong
    above the words. ``thanks`` comes with the last answer of a wave.
    """

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    question: bool = False
    language: str = "zh"
    wants: Kind | None = None
    place: str = ""
    media: tuple[Medium, ...] = ()
    thanks: Thanks | None = None
