"""The conversation put together: both errands, and the questionnaire a concern is raised with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from concerns.intake import Intake
from surveys.conversation import Conversation
from surveys.errands import Errand
from surveys.form import Form
from surveys.keys import Keyring
from surveys.rating import Rating
from surveys.store import Store
from surveys.visit import Setting
from surveys.xlsform import load_form

QUESTIONNAIRES = Path(__file__).parent.parent / "questionnaires"


@cache
def concern_form() -> Form:
    """The questionnaire with which a concern is raised."""
    return load_form(QUESTIONNAIRES / "concern.md")


async def settle(store: Store, keyring: Keyring, setting: Setting) -> Conversation:
    """The conversation, with both errands and the concern questionnaire in the store."""
    form = concern_form()

    def work(tx: Any) -> None:
        if tx.form(form.hash) is None:
            tx.put_form(form.hash, form.title, form.source)

    await store.write(work)
    errands: dict[str, Errand] = {"rating": Rating(keyring), "concern": Intake(keyring)}
    return Conversation(store, errands, setting, form.hash)
