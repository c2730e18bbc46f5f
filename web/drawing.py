"""Small drawings as inline SVG. Lengths are percentages, so they fit any width unscaled.

Colours come from the style sheet by class. Every drawing says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape


def _svg(height: int, says: str, parts: Iterable[str], kind: str) -> Markup:
    inside = "".join(parts)
    return Markup(  # noqa: S704 - every part is made of numbers, class names and escaped words
        f'<svg class="drawing {kind}" width="100%" height="{height}" role="img" '
        f'aria-label="{escape(says)}">{inside}</svg>'
    )


def _bar(start: float, end: float, y: int, height: int, kind: str) -> str:
    """A bar from ``start`` to ``end`` percent of the width."""
    return (
        f'<rect class="{kind}" x="{start:.2f}%" y="{y}" '
        f'width="{max(end - start, 0):.2f}%" height="{height}"/>'
    )


def _hatched(start: float, end: float) -> str:
    """The pattern is defined once on the page (``hatch.html``)."""
    return _bar(start, end, 1, 14, "hatched").replace("/>", ' fill="url(#hatch)"/>')


def _mark(at: float, top: int, bottom: int, kind: str) -> str:
    return f'<line class="{kind}" x1="{at:.2f}%" x2="{at:.2f}%" y1="{top}" y2="{bottom}"/>'


def _number(at: float, y: int) -> str:
    """The number ``at`` under its place; the style sheet drops the end where it is too narrow."""
    anchor = "start" if at <= 1 else "end" if at >= 99 else "middle"
    return f'<text class="{anchor}" x="{at:.2f}%" y="{y}" text-anchor="{anchor}">{at:g}</text>'


def scale(
    value: float | None,
    interval: tuple[float, float] | None,
    edges: Sequence[float],
    says: str,
) -> Markup:
    """A value and its interval on 0..100, with the edges of the bands."""
    parts = [_bar(0, 100, 14, 8, "track")]
    parts += [_mark(edge, 7, 29, "edge") for edge in edges]
    if interval:
        parts.append(_bar(*interval, 10, 16, "span"))
    if value is not None:
        parts.append(f'<circle class="dot" cx="{value:.2f}%" cy="18" r="8"/>')
    parts += [_number(at, 44) for at in (0, *edges, 100)]
    return _svg(48, says, parts, "scale")


def share(answered: tuple[float, float] | None, says: str) -> Markup:
    """Who answered of those asked, in percent: surely .. at most; None where it is not said.

    Full: answered. Hatched: either, the exact number is not published. Empty: silent.
    """
    parts = ['<rect class="silent" x="0" y="1" width="100%" height="14"/>']
    if answered is None:
        parts.append(_hatched(0, 100))
    else:
        surely, at_most = answered
        parts.append(_hatched(surely, at_most))
        parts.append(_bar(0, surely, 1, 14, "full"))
    return _svg(16, says, parts, "share")


def step(start: float, end: float, low: float, high: float, says: str) -> Markup:
    """One step of a waterfall, from ``start`` to ``end`` points on an axis ``low``..``high``."""

    def place(points: float) -> float:
        return 100 * (points - low) / (high - low)

    left, right = sorted((place(start), place(end)))
    kind = "more" if end > start else "less"
    parts = [_bar(0, 100, 15, 2, "track"), _mark(place(start), 0, 16, "edge")]
    parts.append(_bar(left, right, 3, 10, kind))
    parts.append(_mark(place(end), 0, 16, "now"))
    return _svg(18, says, parts, "step")


def portion(percent: float, says: str) -> Markup:
    """One bar of a table of shares, 0..100 percent."""
    return _svg(16, says, [_bar(0, 100, 1, 14, "silent"), _bar(0, percent, 1, 14, "full")], "share")


def rate(percent: float, low: float, high: float, says: str) -> Markup:
    """A share and its interval on 0..100 percent."""
    parts = [_bar(0, 100, 7, 4, "track"), _bar(low, high, 4, 10, "span")]
    parts.append(f'<circle class="dot" cx="{percent:.2f}%" cy="9" r="6"/>')
    return _svg(18, says, parts, "rate")
