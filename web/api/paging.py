"""Lists in pages: a cursor marks a place among the ids, so what is added moves nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from web.api.problems import WORDS, Fault, ProblemError

T = TypeVar("T")
Key = tuple[str | int, ...]


class Page(BaseModel, Generic[T]):
    """One page of a list, and where the next begins."""

    items: list[T] = Field(description="What stands on this page.")
    next: str | None = Field(
        description="The address of the next page; null where this is the last."
    )


@dataclass(frozen=True, slots=True)
class Window:
    """Which page is wanted: ``limit`` items behind ``after``."""

    request: Request
    limit: int
    after: Key | None

    def cut(self, items: Iterable[T], key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
        """The page's items in the order of their (unique) ``key``, and the next page's address."""
        after = self.after
        behind = [(key(item), item) for item in items]
        if after is not None:
            self._fits(behind, after)
            behind = [pair for pair in behind if pair[0] > after]
        chosen = nsmallest(self.limit + 1, behind, key=lambda pair: pair[0])
        page = [item for _, item in chosen[: self.limit]]
        return page, self.onward(chosen[self.limit - 1][0] if len(chosen) > self.limit else None)

    def onward(self, last: Key | None) -> str | None:
        """The address of the page behind ``last``; None for no ``last``."""
        if last is None:
            return None
        text = json.dumps(last, ensure_ascii=False, separators=(",", ":"))
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        url = self.request.url.include_query_params(cursor=cursor)
        return f"{url.path}?{url.query}"

    def refuse(self) -> ProblemError:
        """The problem of a cursor that marks no place here."""
        return ProblemError(
            "refused", faults=[Fault(WORDS.all_of("invalid.cursor"), None, "cursor")]
        )

    def _fits(self, behind: Sequence[tuple[Key, T]], after: Key) -> None:
        if behind and [type(part) for part in behind[0][0]] != [type(part) for part in after]:
            raise self.refuse()


def window_of(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200, description="Most items on the page.")] = 50,
    cursor: Annotated[
        str,
        Query(
            max_length=600,
            pattern=r"^[A-Za-z0-9_-]+$",
            description="Where the page begins: take `next` of the page before as it is.",
        ),
    ] = "",
) -> Window:
    """The page that ``request`` asks for."""
    window = Window(request, limit, None)
    if not cursor:
        return window
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise window.refuse() from None
    if not isinstance(after, list) or not all(type(part) in (str, int) for part in after):
        raise window.refuse()
    return Window(request, limit, tuple(after))


Paged = Annotated[Window, Depends(window_of)]
