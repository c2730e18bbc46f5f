"""The desk in an administrator's own chat, put together from the settings."""

from __future__ import annotations

from desk.attention import Item
from desk.audit import seal_key
from desk.chatting import ChatDesk
from minyi.settings import Settings
from surveys.keys import Keyring


def chat_desk(settings: Settings, keyring: Keyring) -> ChatDesk:
    """Who answers administrators' commands."""
    zone = settings.timezone

    def tell(item: Item, language: str) -> str:
        from web.console.telling import sentence  # the pages are loaded when first needed

        return sentence(item, language, zone)

    return ChatDesk(
        seal_key(keyring.app_key()),
        settings.second_factor_roles,
        zone,
        tell,
        f"{settings.public_url}/desk",
        settings.approval_above,
    )
