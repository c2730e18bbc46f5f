"""minyi links: deep links and QR codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    complain,
    fill,
    open_store,
    run,
    say,
    settings,
    show,
    table,
)

if TYPE_CHECKING:
    from desk.linking import Link
    from minyi.settings import Settings

FEW = 3  # links whose QR codes still fit on a screen


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command()(links)
    app.command()(visit)


def links(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="unit, staff or campaign.", show_default=False)],
    targets: Annotated[list[str] | None, typer.Argument(help="Ids; none: all.")] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make another link. Of staff it replaces the old.")
    ] = False,
    qr: Annotated[bool | None, typer.Option(help="QR codes here; else for up to 3 links.")] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Write QR codes for print to this folder.")
    ] = None,
) -> None:
    """Print the links that people open, for windows, for staff, for a campaign."""
    used = settings(ctx)
    drawn = run(_draw(used, kind, targets or [], new))
    bot = _bot(used)
    addresses = [each.telegram(bot) if bot else each.browser(used.public_url) for each in drawn]
    listing = table("", "id", "name", "browser", *(["telegram"] if bot else []))
    for each in drawn:
        telegram = [each.telegram(bot)] if bot else []
        fill(listing, each.invite.target, each.name, each.browser(used.public_url), *telegram)
    show(listing)
    if kind == "staff":
        say("A staff link binds whoever opens it first, once. Hand it to that person alone.")
    if qr or (qr is None and len(drawn) <= FEW):
        for each, address in zip(drawn, addresses, strict=True):
            say(f"\n{each.invite.target} {each.name}\n{_terminal_qr(address)}")
    if svg is not None:
        _write_svg(svg, drawn, addresses)
        say(f"{len(drawn)} QR code(s) in {svg}.")


def visit(
    ctx: typer.Context,
    unit: Annotated[str, typer.Argument(help="The unit that served.", show_default=False)],
    hours: Annotated[int, typer.Option(help="So long it can be opened, to the full hour.")] = 336,
) -> None:
    """Print a link for somebody who was just served: one visit, one rating."""
    used = settings(ctx)
    made = run(_made(used, unit, hours))
    bot = _bot(used)
    address = made.telegram(bot) if bot else made.browser(used.public_url)
    assert made.invite.expires_at is not None
    until = made.invite.expires_at.astimezone(used.timezone)
    say(f"{unit} {made.name}, once, until {until:%Y-%m-%d %H:%M}")
    say(made.browser(used.public_url))
    if bot:
        say(address)
    say(_terminal_qr(address))


async def _made(settings: Settings, unit: str, hours: int) -> Link:
    from desk.linking import LinkError
    from desk.visiting import make_visit_link
    from minyi.opening import keyring

    key = keyring(settings).app_key()
    async with open_store(settings) as store:
        by = act(settings)
        try:
            return await store.write(lambda tx: make_visit_link(tx, by, key, unit, hours))
        except LinkError as error:
            raise CommandError(str(error)) from None


async def _draw(settings: Settings, kind: str, targets: list[str], new: bool) -> list[Link]:
    from desk.linking import LinkError, draw

    async with open_store(settings) as store:
        by = act(settings)
        try:
            return await store.write(lambda tx: draw(tx, by, kind, targets, new=new))
        except LinkError as error:
            raise CommandError(str(error)) from None


def _bot(settings: Settings) -> str | None:
    from minyi.telegram_api import TelegramError, who_am_i

    if settings.token is None:
        return None
    try:
        return who_am_i(settings.telegram_api_url, settings.token)
    except TelegramError as error:
        complain(f"Browser links only. {error}.")
        return None


def _terminal_qr(address: str) -> str:
    from io import StringIO

    import segno

    drawn = StringIO()
    segno.make(address, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _write_svg(folder: Path, drawn: list[Link], addresses: list[str]) -> None:
    from urllib.parse import quote

    import segno

    folder.mkdir(parents=True, exist_ok=True)
    for each, address in zip(drawn, addresses, strict=True):
        file = folder / f"{each.invite.kind}-{quote(each.invite.target, safe='')}.svg"
        segno.make(address, error="m", micro=False).save(str(file), scale=8, title=each.name)
