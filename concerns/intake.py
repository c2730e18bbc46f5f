"""The person's side of a concern: raising one, the receipt, reading the answer."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from nacl.public import PublicKey, SealedBox

from concerns.statement import packed, statement
from concerns.store import Entry, State, StoredConcern
from surveys.ballots import SpoiledError, pad, seal, unseal
from surveys.files.attachments import read
from surveys.forms.form import Form
from surveys.keys import Keyring
from surveys.people import Address, Text
from surveys.phrasing import Press
from surveys.reply import Button, Reply
from surveys.store import SealedInterview
from surveys.words import Words

WORDS = Words.of("concerns")
ADDRESS, ANSWER = b"concern-address", b"concern-answer"
BLOCK = 8192  # what people write is padded to a multiple of this
RECEIPT = re.compile(r"[0-9]{16}")
IDENTITY = re.compile(r"[0-9a-f]{12}")
NOWHERE = Address("", "")  # of whoever has been forgotten: nobody is told there


class Intake:
    """Implements :class:`surveys.errands.Errand` for interviews that raise a concern."""

    keeps_files = True

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def owner(self, person: str, row: SealedInterview) -> str:
        """A keyed hash: a dump of the database must not list who has raised a concern."""
        mine = f"{person}\x1f{row.id}".encode()
        key = self._keyring.app_key()
        return hashlib.blake2b(mine, key=key, digest_size=16, person=b"concern-owner").hexdigest()

    def state_key(self, tx: Any, row: SealedInterview, now: datetime) -> bytes | None:
        """Unfinished concerns lie sealed with the application key; they never close."""
        return self._keyring.app_key()

    def context(self, tx: Any, row: SealedInterview) -> Mapping[str, Text]:
        """The form asks everything."""
        return {}

    def preface(self, tx: Any, row: SealedInterview, language: str) -> str:
        """Who may read it, before anything is written."""
        return WORDS.say("preface", language)

    def finish(
        self,
        tx: Any,
        row: SealedInterview,
        form: Form,
        values: Mapping[str, str],
        answers: Mapping[str, str],
        address: Address,
        now: datetime,
        language: str,
    ) -> Reply:
        """Seal words and files for the chosen reader and hand out the receipt."""
        said = {question.name: values.get(question.path, "") for question in form.questions}
        receipt = f"{secrets.randbelow(10**16):016d}"
        concern = StoredConcern(
            id=secrets.token_hex(6),
            receipt_hash=receipt_hash(receipt, self._keyring),
            reader=said["reader"],
            kind=said["kind"],
            state=State.RECEIVED,
            reply_to=self._sealed_address(address, language),
            opened_on=now.date(),
        )
        tx.put_concern(concern)
        public = PublicKey(self._keyring.reader_public(concern.reader))
        whole = statement(form, values, language)
        kept = tuple(token for token in whole.files if tx.keep_attachment(read(token).id))
        box = SealedBox(public).encrypt(pad(packed(replace(whole, files=kept)), BLOCK))
        tx.add_entry(concern.id, "person", bytes(box))
        text = WORDS.say("received", language, receipt=grouped(receipt))
        if kept != whole.files:  # handed over a month ago and swept away meanwhile
            text = f"{text}\n\n{WORDS.say('lost', language)}"
        return Reply(text, language=language)

    def forget(self, tx: Any, person: str, addresses: Sequence[Address], *, own: bool) -> None:
        """What was begun goes; a concern that was raised stays, and leads to no chat any more.

        From then on only its receipt opens the answer.
        """
        loose = tx.loose_interviews("concern")
        mine = [row.id for row in loose if row.person == self.owner(person, row)]
        tx.drop_interviews(mine)
        for concern in tx.concerns() if addresses else ():
            try:
                address, language = reply_address(concern, self._keyring)
            except SpoiledError:
                continue
            if address in addresses:
                tx.put_concern(replace(concern, reply_to=self._sealed_address(NOWHERE, language)))

    def recall(self, tx: Any, address: Address, token: str, language: str) -> Reply | None:
        """The answers to a concern, for the chat that raised it or whoever has the receipt."""
        digits = re.sub(r"[\s\-‐-―]", "", unicodedata.normalize("NFKC", token))
        if RECEIPT.fullmatch(digits):
            concern = tx.concern_by_receipt(receipt_hash(digits, self._keyring))
            if concern is None:
                return Reply(WORDS.say("unknown", language), language=language)
        elif not IDENTITY.fullmatch(token) or (concern := self._own(tx, address, token)) is None:
            return None
        lines = [WORDS.say(f"state.{concern.state}", language)]
        lines += [
            self._answer(entry, language)
            for entry in tx.entries(concern.id)
            if entry.author == "handler"
        ]
        return Reply("\n\n".join(lines), language=language)

    def _own(self, tx: Any, address: Address, token: str) -> StoredConcern | None:
        concern = tx.concern(token)
        if concern is None or reply_address(concern, self._keyring)[0] != address:
            return None
        return concern  # type: ignore[no-any-return]

    def _answer(self, entry: Entry, language: str) -> str:
        try:
            return unseal(entry.box, self._keyring.app_key(), ANSWER).decode()
        except SpoiledError:
            return WORDS.say("unreadable", language)

    def _sealed_address(self, address: Address, language: str) -> bytes:
        plain = json.dumps([address.channel, address.handle, language]).encode()
        return seal(plain, self._keyring.app_key(), ADDRESS)


def receipt_hash(receipt: str, keyring: Keyring) -> bytes:
    """16 keyed bytes of the 16 digits: a dump of the database cannot be searched for them."""
    key = keyring.app_key()
    return hashlib.blake2b(receipt.encode(), key=key, digest_size=16, person=b"receipt").digest()


def grouped(receipt: str) -> str:
    """1234567890123456 as 1234-5678-9012-3456."""
    return "-".join(receipt[at : at + 4] for at in range(0, len(receipt), 4))


def reply_address(concern: StoredConcern, keyring: Keyring) -> tuple[Address, str]:
    """Where its person can be told that there is news, and in which language."""
    channel, handle, language = json.loads(unseal(concern.reply_to, keyring.app_key(), ADDRESS))
    return Address(channel, handle), language


def notice(concern: StoredConcern, language: str) -> Reply:
    """The content-free message that there is news: a button, and nothing about what."""
    button = Button(WORDS.say("notice.button", language), Press("n", concern.id).data())
    return Reply(WORDS.say("notice.text", language), ((button,),), language=language)
