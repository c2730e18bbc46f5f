"""The administrators' desk, put together from the settings and the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from minyi.auditing import head_file
from minyi.auditing import keys as keys_of
from minyi.configuration import Configuration
from minyi.house import House, setting_of
from minyi.settings import PREFIX, Settings

if TYPE_CHECKING:
    from web.console.console import Check, Console, KeyFact, OpenId, Setting


def console_of(house: House) -> Console:
    """The desk of ``house``."""
    from minyi.rehearsing import rehearser
    from minyi.trials import RoomForTrials
    from web.console.console import Console

    settings = house.settings
    trials = RoomForTrials(setting_of(settings))
    house.closing.append(trials.close)

    async def examine() -> Sequence[Check]:
        return await _examined(house)

    async def keys() -> Sequence[KeyFact]:
        return await keys_of(house)

    return Console(
        store=house.store,
        clock=house.clock,
        app_key=house.keyring.app_key(),
        zone=settings.timezone,
        k=settings.k,
        language=settings.language,
        second_factor=settings.second_factor_roles,
        approval_above=settings.approval_above,
        settings=_settings(house),
        examine=examine,
        trials=trials,
        keys=keys,
        keyring=house.keyring,
        kept_head=head_file(settings).noted,
        rehearse=rehearser(settings),
        openid=_openid(settings),
        private_hooks=settings.private_hooks,
    )


def _settings(house: House) -> Sequence[Setting]:
    from web.console.console import Setting

    return [
        Setting(
            PREFIX + name.upper(),
            house.settings.shown(name),
            house.sources.get(name, ""),
            str(field.description),
        )
        for name, field in Settings.model_fields.items()
    ]


def _openid(settings: Settings) -> OpenId | None:
    from web.console.console import OpenId

    secret = settings.openid_client_secret
    if not settings.openid_issuer or not settings.openid_client_id:
        return None
    hidden = "" if secret is None else secret.get_secret_value()
    return OpenId(settings.openid_issuer, settings.openid_client_id, hidden, settings.openid_name)


async def _examined(house: House) -> Sequence[Check]:
    from minyi.doctor import examine
    from web.console.console import Check

    configuration = Configuration(house.settings, house.sources, house.settings_file)
    found = await examine(configuration, house.clock())
    return [Check(each.state.value, each.name, each.what, each.mend) for each in found]
