"""Telling other programs' servers what has happened here."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from minyi.house import House

log = structlog.get_logger("minyi")


async def tell(house: House) -> None:
    """Send the notices that are due."""
    if not await house.store.read(lambda tx: tx.hooks()):
        return  # and no HTTP library is loaded
    from web.outgoing import Post

    post = Post(
        house.store,
        house.clock,
        house.act,
        house.keyring.app_key(),
        SystemRandom(),
        private=house.settings.private_hooks,
    )
    done = await post.deliver()
    if done.sent or done.failed:
        log.info("hooks told", sent=done.sent, failed=done.failed, later=done.later)
