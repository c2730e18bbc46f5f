"""One question to the Bot API: whose token is this? Both bot libraries take seconds to import."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

PATIENCE = 5.0  # seconds


class TelegramError(Exception):
    """The Bot API did not say who we are; the text says why, without the token."""


def who_am_i(api_url: str, token: str, patience: float = PATIENCE) -> str:
    """The bot's user name without @. Blocks for up to ``patience`` seconds."""
    try:
        # the settings let http and https through, nothing else
        with urlopen(f"{api_url}/bot{token}/getMe", timeout=patience) as answer:  # noqa: S310
            said: Any = json.load(answer)
        return str(said["result"]["username"])
    except HTTPError as error:
        meaning = {401: "the token is not valid", 404: "the token is not valid"}
        why = meaning.get(error.code, f"it answered {error.code}")
        error.close()
    except (URLError, OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        why = f"it cannot be reached ({type(cause).__name__})"
    except (ValueError, KeyError, TypeError):
        why = "it does not answer like a Bot API server"
    raise TelegramError(f"{api_url}: {why}")
