"""Webhooks on their way: to a real receiver on loopback, and to no place they must not reach."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from desk.audit import Act
from desk.connections import hooks
from desk.connections.hooks import ATTEMPTS, Desired
from desk.store import Hook, Notice, Sought
from storage import SqlStore
from tests.web.console.seats import APP_KEY, Clock
from web.outgoing import Post

ROOT = Path(__file__).parents[2]


@dataclass
class Receiver:
    """Somebody's server: answers with ``statuses``, the last one again and again."""

    statuses: list[int] = field(default_factory=lambda: [204])
    more: bytes = b""
    silent: bool = False
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (each.partition(":") for each in fields)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.lines.append(line)
        self.heard.append((headers, body))
        if self.silent:
            await asyncio.sleep(60)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(self.more)}\r\nConnection: close\r\n"
            f"Location: http://127.0.0.1:{self.port}/elsewhere\r\n\r\n".encode()
            + self.more
        )
        writer.close()


@asynccontextmanager
async def receiving(
    receiver: Receiver, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """``receiver`` on a port of loopback."""
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.writers:  # some were given up on in the middle
            writer.transport.abort()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


@dataclass
class Office:
    """A store with a hook, and a post that delivers to it."""

    store: SqlStore
    clock: Clock
    post: Post
    hook: Hook
    secret: str

    async def announce(self) -> None:
        facts = {"wave": "window.1"}
        now = self.clock()
        await self.store.write(lambda tx: hooks.announce(tx, "wave.opened", facts, now))

    async def notice(self) -> Notice:
        [found] = await self.store.read(lambda tx: tx.notices(self.hook.id))
        return found


Opens = Callable[..., Any]


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[Opens]:
    """Makes an office whose hook leads to ``url``; ``more`` goes to the Post."""
    store, clock = SqlStore(sqlite_url), Clock()

    def act() -> Act:
        return Act("minyi", "minyi", "clock", clock(), APP_KEY)

    async def opened(url: str, *, private: bool = True, **more: Any) -> Office:
        desired = Desired(url, ("wave.opened",), True)
        hook, secret = await store.write(lambda tx: hooks.make(tx, act(), desired, APP_KEY))
        post = Post(store, clock, act, APP_KEY, Random(7), private=private, **more)
        made = Office(store, clock, post, hook, secret)
        await made.announce()
        return made

    yield opened
    await store.close()


def example() -> Callable[..., bool]:
    """The very function that docs/api.md gives to receivers."""
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/api.md", "exec"), names)
    found: Callable[..., bool] = names["genuine"]
    return found


async def test_a_notice_arrives_signed_and_the_manuals_example_believes_it(office: Opens) -> None:
    async with receiving(Receiver()) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/in?a=b")
        delivered = await made.post.deliver()
    assert (delivered.sent, delivered.later, delivered.failed) == (1, 0, 0)
    [(headers, body)] = receiver.heard
    assert receiver.lines == ["POST /in?a=b HTTP/1.1"]
    assert json.loads(body)["data"] == {"wave": "window.1"}
    assert headers["webhook-id"] == json.loads(body)["id"]
    now, genuine = made.clock().timestamp(), example()
    assert genuine(headers, body, made.secret, now)
    assert not genuine(headers, body + b" ", made.secret, now)
    assert not genuine(headers, body, made.secret, now + 301)
    assert not genuine(headers, body, "whsec_" + "A" * 44, now)
    assert not genuine({**headers, "webhook-id": "evt_other"}, body, made.secret, now)
    assert (await made.notice()).state == "sent"
    assert await made.post.deliver() == type(delivered)()


async def test_what_fails_is_tried_again_later_with_the_same_id(office: Opens) -> None:
    async with receiving(Receiver([500, 503, 200])) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        for _ in range(3):
            await made.post.deliver()
            await made.post.deliver()  # nothing is due yet
            made.clock.on(hours=1)
    assert len(receiver.heard) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.heard}) == 3
    notice = await made.notice()
    assert (notice.state, notice.attempts) == ("sent", 3)


async def test_after_a_day_it_has_failed_and_may_be_sent_again(office: Opens) -> None:
    async with receiving(Receiver([500])) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        for _ in range(ATTEMPTS + 3):
            await made.post.deliver()
            made.clock.on(hours=8)
        assert len(receiver.heard) == ATTEMPTS
        notice = await made.notice()
        assert (notice.state, notice.detail) == ("failed", "status 500")
        receiver.statuses = [200]
        act = made.post.act()
        await made.store.write(lambda tx: hooks.send_again(tx, act, made.hook.id, notice.id))
        await made.post.deliver()
    assert (await made.notice()).state == "sent"


async def test_gone_for_good_turns_the_hook_off(office: Opens) -> None:
    async with receiving(Receiver([410])) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        await made.announce()
        await made.post.deliver()
    [hook] = await made.store.read(lambda tx: tx.hooks())
    assert hook.disabled
    notices = await made.store.read(lambda tx: tx.notices(made.hook.id))
    assert {notice.state for notice in notices} == {"failed"}
    entries = await made.store.read(lambda tx: tx.audit(Sought(action="hook.changed")))
    assert [entry.who for entry in entries] == ["minyi"]
    await made.announce()
    assert len(await made.store.read(lambda tx: tx.notices(made.hook.id))) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(office: Opens, status: int) -> None:
    async with receiving(Receiver([status])) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        await made.post.deliver()
    assert receiver.lines == ["POST / HTTP/1.1"]
    assert (await made.notice()).detail == "moved"


async def test_whoever_does_not_answer_is_given_up_on(
    office: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.outgoing.PATIENCE", 0.2)
    async with receiving(Receiver(silent=True)) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        await made.post.deliver()
    notice = await made.notice()
    assert (notice.state, notice.detail) == ("due", "slow")


async def test_an_endless_answer_is_not_read_to_its_end(office: Opens) -> None:
    async with receiving(Receiver(more=b"x" * 5_000_000)) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        await made.post.deliver()
    assert (await made.notice()).state == "sent"


async def test_nobody_there_is_unreachable(office: Opens) -> None:
    async with receiving(Receiver()) as receiver:
        port = receiver.port
    made = await office(f"http://127.0.0.1:{port}/")
    await made.post.deliver()
    assert (await made.notice()).detail == "unreachable"


async def test_proxies_of_the_environment_are_not_used(
    office: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with receiving(Receiver()) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        await made.post.deliver()
    assert len(receiver.heard) == 1


async def test_without_permission_nothing_reaches_loopback(office: Opens) -> None:
    async with receiving(Receiver()) as receiver:
        for host in ("127.0.0.1", "localhost", "localhost.", "0.0.0.0", "[::ffff:127.0.0.1]",
                     "2130706433", "0x7f000001", "127.1"):  # fmt: skip
            # entered while private networks were allowed, or written by another hand
            made = await office("http://127.0.0.1:1/", private=False)
            url = f"https://{host}:{receiver.port}/"
            hook = Hook(made.hook.id, url, made.hook.events, made.hook.secret)
            await made.store.write(lambda tx, hook=hook: tx.put_hook(hook))
            await made.post.deliver()
            assert (await made.notice()).detail == "private", host
    assert not receiver.heard


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["2606:4700::1111", "fd00::1"],
        ["fe80::1%lo"],
    ],
)
async def test_a_name_that_leads_inside_is_not_sent_to(office: Opens, addresses: list[str]) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses

    async with receiving(Receiver()) as receiver:
        made = await office("https://receiver.example/", private=False, resolve=resolve)
        await made.post.deliver()
    assert asked == ["receiver.example"]
    assert (await made.notice()).detail == "private"
    assert not receiver.heard


async def test_a_name_nobody_knows_is_tried_again(office: Opens) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    made = await office("https://receiver.example/", private=False, resolve=resolve)
    await made.post.deliver()
    notice = await made.notice()
    assert (notice.state, notice.detail) == ("due", "unknown")


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(a server's context with a certificate for ``name``, a client's that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.DER))
    return server, client


async def test_the_connection_is_pinned_and_the_certificate_is_the_names(
    office: Opens, tmp_path: Path
) -> None:
    server, client = certified(tmp_path, "receiver.example")
    names: list[str | None] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    looked = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal looked
        looked += 1
        return ["127.0.0.1"]

    async with receiving(Receiver(), server) as receiver:
        url = f"https://receiver.example:{receiver.port}/in"
        made = await office(url, resolve=resolve, trust=client)
        await made.post.deliver()
    assert (await made.notice()).state == "sent"
    assert looked == 1
    assert names == ["receiver.example"]
    [(headers, _)] = receiver.heard
    assert headers["host"] == f"receiver.example:{receiver.port}"


async def test_a_certificate_of_another_name_or_that_nobody_trusts_is_refused(
    office: Opens, tmp_path: Path
) -> None:
    server, client = certified(tmp_path, "other.example")

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with receiving(Receiver(), server) as receiver:
        url = f"https://receiver.example:{receiver.port}/in"
        made = await office(url, resolve=resolve, trust=client)
        await made.post.deliver()
        assert (await made.notice()).detail == "certificate"
        assert not receiver.heard


async def test_two_processes_send_nothing_twice(office: Opens) -> None:
    async with receiving(Receiver()) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        for _ in range(30):
            await made.announce()
        await asyncio.gather(*(made.post.deliver() for _ in range(4)))
    ids = [headers["webhook-id"] for headers, _ in receiver.heard]
    assert len(ids) == len(set(ids)) == 31


async def test_a_secret_that_another_key_sealed_is_told_and_not_used(office: Opens) -> None:
    async with receiving(Receiver()) as receiver:
        made = await office(f"http://127.0.0.1:{receiver.port}/")
        made.post.key = bytes(32)
        await made.post.deliver()
    assert (await made.notice()).detail == "secret"
    assert not receiver.heard
