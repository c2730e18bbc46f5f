"""The conversation put together: its errands, and the questionnaire a concern is raised with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from concerns.intake import Intake
from surveys.attendant import Attendant
from surveys.consenting import keep_text
from surveys.conversation import Conversation
from surveys.errands import Errand
from surveys.files.attachments import Vault
from surveys.forms.form import Form
from surveys.forms.label_media import load_media, media_names, put_questionnaire
from surveys.forms.xlsform import load_form
from surveys.keys import Keyring
from surveys.rating import Rating
from surveys.store import Store
from surveys.visit import Setting
from surveys.visiting import Visiting

QUESTIONNAIRES = Path(__file__).parent.parent / "questionnaires"
CONCERN = QUESTIONNAIRES / "concern.md"


@cache
def concern_form() -> Form:
    """The questionnaire with which a concern is raised."""
    return load_form(CONCERN)


async def settle(
    store: Store,
    keyring: Keyring,
    setting: Setting,
    vault: Vault | None = None,
    rating: Errand | None = None,
    attendant: Attendant | None = None,
) -> Conversation:
    """The conversation, with its errands and the concern questionnaire in the store.

    Without a ``vault`` nobody can hand over a file. ``rating`` stands in for the errand of a wave.
    ``attendant`` hears commands first.
    """
    form = concern_form()
    media = load_media(CONCERN, media_names(form))

    def furnish(tx: Any) -> None:
        put_questionnaire(tx, form, media)
        keep_text(tx)

    await store.write(furnish)
    errands: dict[str, Errand] = {
        "rating": rating or Rating(keyring),
        "visit": Visiting(keyring),
        "concern": Intake(keyring),
    }
    return Conversation(store, errands, setting, form.hash, vault, attendant)
