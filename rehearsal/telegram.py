"""The state of a pretend Telegram: people, private chats, taps, and what waits for the bot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.calls import Calls
from rehearsal.faults import Faults
from rehearsal.limits import Limits, Pace, units
from rehearsal.messages import Chat, Message, User, dump
from rehearsal.refusals import QUERY_TOO_OLD, StageMistake, bad_request
from rehearsal.stored import Place, StoredFile, handed
from rehearsal.updates import UpdateQueue


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates are pushed. Empty ``url``: nowhere, the bot polls."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40


@dataclass(slots=True)
class WebhookTrouble:
    """The latest failed delivery: unix seconds and what happened."""

    at: int = 0
    what: str = ""


@dataclass(slots=True)
class Query:
    """A tap the bot may still answer until ``expires_at``."""

    chat_id: int
    message_id: int
    expires_at: float


@dataclass(slots=True)
class Stage:
    """Everything Telegram would know about one bot. Not thread-safe: one event loop.

    ``now`` gives unix seconds. ``keep_messages`` bounds each chat's memory in a long replay: the
    oldest are forgotten, as if deleted (0 keeps all). ``keep_calls`` keeps that many whole calls.
    """

    token: str
    now: Callable[[], float]
    limits: Limits = field(default_factory=Limits)
    keep_messages: int = 0
    keep_calls: int = 0
    username: str = "rehearsal_bot"
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    webhook: Webhook = field(default_factory=Webhook)
    trouble: WebhookTrouble = field(default_factory=WebhookTrouble)
    on_webhook: Callable[[], None] | None = None
    updates: UpdateQueue = field(init=False)
    calls: Calls = field(init=False)
    bot_json: str = field(init=False)
    _message_id: int = 0
    _query_id: int = 0
    _shown: int = 0

    def __post_init__(self) -> None:
        number, _, secret = self.token.partition(":")
        if not (number.isascii() and number.isdigit() and secret):
            raise StageMistake("a bot's token is a number, a colon and a secret, as in 123456:ABC")
        self.updates = UpdateQueue(self.now)
        self.calls = Calls(self.keep_calls)
        self.bot_json = dump(self.bot)

    @property
    def bot(self) -> dict[str, Any]:
        number = int(self.token.partition(":")[0])
        name = {"first_name": "Rehearsal", "username": self.username}
        return {"id": number, "is_bot": True, **name}

    # People

    def add_user(self, user: User) -> Chat:
        """A new account with an empty chat; a known id is a mistake."""
        if user.id in self.chats:
            raise StageMistake(f"user {user.id} is already on stage")
        private = {"id": user.id, "first_name": user.name, "type": "private"}
        chat = Chat(user, user.json(), dump(private))
        self.chats[user.id] = chat
        return chat

    def chat(self, user_id: int) -> Chat:
        try:
            return self.chats[user_id]
        except KeyError:
            raise StageMistake(f"user {user_id} is not on stage") from None

    def say(self, user_id: int, text: str) -> Message:
        """The person types ``text``; this also unblocks and starts the bot, as in the apps."""
        text = self._typed(text)
        chat = self._writing(user_id)
        message = self.new_message(chat, from_bot=False, text=text, entities=_commands(text))
        return self._tell("message", chat, message)

    def edit(self, user_id: int, text: str, message_id: int | None = None) -> Message:
        """The person changes what they typed: their latest words, or message ``message_id``."""
        chat, text = self._acting(user_id), self._typed(text)
        own = [m for m in chat.messages.values() if not m.from_bot and m.text and m.file is None]
        found = [m for m in own if message_id in (None, m.message_id)]
        if not found:
            raise StageMistake(f"user {user_id} has no such words to change")
        message = found[-1]
        message.text, message.entities = text, _commands(text)
        message.edited = int(self.now())
        return self._tell("edited_message", chat, message)

    def locate(self, user_id: int, place: Place, message_id: int | None = None) -> Message:
        """The person shares a place; or the live one in ``message_id`` moves there."""
        if message_id is not None:
            chat = self._acting(user_id)
            moved = chat.messages.get(message_id)
            if moved is None or moved.place is None or not moved.place.live:
                raise StageMistake(f"user {user_id} shares no live place in {message_id}")
            moved.place, moved.edited = place, int(self.now())
            return self._tell("edited_message", chat, moved)
        chat = self._writing(user_id)
        message = self.new_message(chat, from_bot=False, text="")
        message.place = place
        return self._tell("message", chat, message)

    def hand(
        self,
        user_id: int,
        kind: str,
        content: bytes,
        *,
        name: str = "",
        mime: str = "",
        caption: str = "",
    ) -> Message:
        """The person hands over a file; ``kind`` is one of ``stored.HANDED``."""
        file = handed(len(self.files) + 1, kind, content, name, mime)
        chat = self._writing(user_id)
        for size in (file, file.small):
            if size is not None:
                self.files[size.file_id] = size
        message = self.new_message(chat, from_bot=False, text=caption)
        message.file = file
        return self._tell("message", chat, message)

    def press(
        self,
        user_id: int,
        *,
        label: str | None = None,
        data: str | None = None,
        message_id: int | None = None,
        stale: bool = False,
    ) -> str:
        """The person presses an inline button, found by label or data; returns the query's id.

        Without ``message_id`` the lowest message that has such a button. ``stale`` presses a button
        that the message no longer carries but a slow client still shows.
        """
        chat = self._acting(user_id)
        if label is None and data is None:
            raise StageMistake("press by label or by data")
        message, button = chat.find(label, data, message_id, stale)
        if button.data is None:
            raise StageMistake(f"button {button.text!r} sends nothing to the bot")
        self._query_id += 1
        query_id = str(4_000_000_000_000 + self._query_id)
        self._forget_old_queries()
        until = self.now() + self.limits.callback_kept
        self.queries[query_id] = Query(user_id, message.message_id, until)
        payload = (
            f'{{"id":"{query_id}","from":{chat.user_json},'
            f'"message":{message.json(self.bot_json, chat.chat_json)},'
            f'"chat_instance":"{user_id}","data":{dump(button.data)}}}'
        )
        self.updates.put("callback_query", payload, f"c{user_id}", self.limits.callback_kept)
        return query_id

    def block(self, user_id: int) -> None:
        chat = self._acting(user_id)
        if not chat.user.blocked:
            chat.user.blocked = True
            self._membership(chat, "member", "kicked")

    def unblock(self, user_id: int) -> None:
        chat = self._acting(user_id)
        if chat.user.blocked:
            chat.user.blocked = False
            self._membership(chat, "kicked", "member")

    def deactivate(self, user_id: int) -> None:
        """The account is deleted: it can do nothing any more, and nobody can write to it."""
        self.chat(user_id).user.deactivated = True

    def watch(self, user_id: int, watcher: Callable[[], None] | None) -> None:
        """Call ``watcher`` each time the bot changes what this person sees."""
        self.chat(user_id).watcher = watcher

    # What the bot's methods share

    def new_message(
        self,
        chat: Chat,
        *,
        from_bot: bool,
        text: str,
        entities: list[dict[str, Any]] | None = None,
    ) -> Message:
        """Put a message at the bottom of the chat; ids grow over all chats, as for one account."""
        self._message_id += 1
        message = Message(self._message_id, from_bot, int(self.now()), text, entities)
        chat.messages[message.message_id] = message
        if self.keep_messages and len(chat.messages) > self.keep_messages:
            del chat.messages[next(iter(chat.messages))]
        return message

    def show(self, chat: Chat, message: Message) -> None:
        """The bot's message comes to the person's eye anew."""
        self._shown += 1
        chat.show(message, self._shown)
        self.notify(chat)

    @staticmethod
    def notify(chat: Chat) -> None:
        if chat.watcher is not None:
            chat.watcher()

    def answer(self, query_id: str) -> Query:
        """Take a tap's one answer; a 400 where it was answered or is too old."""
        query = self.queries.pop(query_id, None)
        if query is None or query.expires_at <= self.now():
            raise bad_request(QUERY_TOO_OLD)
        return query

    # Inside

    def _acting(self, user_id: int) -> Chat:
        chat = self.chat(user_id)
        if chat.user.deactivated:
            raise StageMistake(f"user {user_id} is deactivated")
        return chat

    def _writing(self, user_id: int) -> Chat:
        chat = self._acting(user_id)
        self.unblock(user_id)
        chat.user.started = True
        return chat

    def _typed(self, text: str) -> str:
        text = text.strip()
        if not text or units(text) > self.limits.text_units:
            raise StageMistake(f"a message has 1 to {self.limits.text_units} UTF-16 units")
        return text

    def _tell(self, kind: str, chat: Chat, message: Message) -> Message:
        payload = message.json(chat.user_json, chat.chat_json)
        self.updates.put(kind, payload, f"m{chat.user.id}", self.limits.message_kept)
        return message

    def _forget_old_queries(self) -> None:
        now = self.now()
        while self.queries:
            oldest = next(iter(self.queries))
            if self.queries[oldest].expires_at > now:
                return
            del self.queries[oldest]

    def _membership(self, chat: Chat, old: str, new: str) -> None:
        bot = self.bot

        def member(status: str) -> dict[str, Any]:
            banned = {"until_date": 0} if status == "kicked" else {}
            return {"user": bot, "status": status, **banned}

        payload = (
            f'{{"chat":{chat.chat_json},"from":{chat.user_json},"date":{int(self.now())},'
            f'"old_chat_member":{dump(member(old))},"new_chat_member":{dump(member(new))}}}'
        )
        lane = f"b{chat.user.id}"
        self.updates.put("my_chat_member", payload, lane, self.limits.message_kept)


def _commands(text: str) -> list[dict[str, Any]] | None:
    if not text.startswith("/"):
        return None
    length = units(text.split(maxsplit=1)[0])
    return [{"type": "bot_command", "offset": 0, "length": length}]
