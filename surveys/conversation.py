"""One conversation core for every channel."""

from __future__ import annotations

from datetime import datetime

from surveys.people import Address
from surveys.reply import Heard, Reply


class Conversation:
    """PLACEHOLDER SIGNATURE, being written."""

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = "zh"
    ) -> tuple[Reply, ...]:
        """Answer one event of ``address`` at ``now`` (aware).

        When this returns, whatever was answered is on disk: the channel acknowledges after it.
        ``hint`` is the client's language (any BCP 47 tag), used only at first contact.
        """
        raise NotImplementedError
