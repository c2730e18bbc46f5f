"""The buttons below a reply, as a browser and a screen reader need them."""

from __future__ import annotations

from dataclasses import dataclass

from surveys.reply import Button, Reply

MARKS = {"☐": False, "☑": True}


@dataclass(frozen=True, slots=True)
class Key:
    """One button. Its label is ``mark`` and ``words``.

    ``pressed`` is None for a button that does something, else whether what it stands for is chosen:
    a label that begins with a ballot box says so by itself. ``focus`` is True for the one that was
    just pressed.
    """

    data: str
    mark: str
    words: str
    pressed: bool | None
    focus: bool

    @property
    def label(self) -> str:
        """As the core wrote it."""
        return self.mark + self.words


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Rows of keys, top to bottom."""

    rows: tuple[tuple[Key, ...], ...]

    @property
    def focus(self) -> bool:
        """Whether one of the keys has the focus."""
        return any(key.focus for row in self.rows for key in row)


def keyboard(reply: Reply, pressed: str = "") -> Keyboard:
    """The buttons of ``reply``, after the one labelled ``pressed`` ('' for none) was pressed.

    Who ticks box after box stays on the boxes; whatever else was pressed has done its work.
    """
    _, was = split(pressed)
    return Keyboard(tuple(tuple(_key(button, was) for button in row) for row in reply.rows))


def _key(button: Button, was: str) -> Key:
    mark, words = split(button.label)
    pressed = MARKS.get(mark.strip())
    return Key(button.data, mark, words, pressed, pressed is not None and words == was)


def split(label: str) -> tuple[str, str]:
    """A label's ballot box with the blank behind it ('' for none), and the rest."""
    if label[:1] not in MARKS:
        return "", label
    words = label[1:].lstrip()
    return label[: len(label) - len(words)], words
