"""XOAUTH2: signing in with a provider, access tokens from a refresh token, and logging in with them, against a server
that answers as Google's and Microsoft's do."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resonanz.model import InvalidInput, TrackingMode
from resonanz.outbound import Answer, Rules, oauth, post
from resonanz.outbound.oauth import begin_device, exchange_code, poll_device, sign_in_url
from resonanz.sealing import Sealer
from resonanz.sending import worker as worker_module
from resonanz.sending.access_tokens import AccessTokens
from resonanz.sending.named_transports import Wanted, add_transport, change_transport, secret_of
from resonanz.sending.transports.base import SignInAgain, Unreachable
from resonanz.sending.transports.opening import Opener
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, queue
from resonanz.store.transports import StoredTransport, get_transport
from resonanz.tokens import Key, Keys
from tests.kit.mails import NOW, draft, hand_in
from tests.kit.oauth_server import OAuthServer, running_oauth_server
from tests.kit.sinks import Sink, running_sink
from tests.kit.waiting import until
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until

SEALER = Sealer(Keys([Key(1, bytes(32))]))
BACK = "https://dash.example/transports/signed-in"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OAuthServer]:
    """A provider by the name of `google`, on this machine."""
    with running_oauth_server(tmp_path) as running:
        monkeypatch.setitem(oauth.PROVIDERS, "google", running.provider())
        yield running


def asker(server: OAuthServer) -> oauth.Ask:
    """Ask it by the real way out, with its certificate trusted and this machine allowed."""
    rules = Rules(
        allowed=lambda _: True, trusted=ssl.create_default_context(cafile=str(server.certificate)), seconds=20.0
    )

    def ask(url: str, form: Mapping[str, str]) -> Answer:
        return post(url, form, rules)

    return ask


def tokens_of(server: OAuthServer, refresh: list[str], **named: Any) -> AccessTokens:
    """Access tokens for whoever has this refresh token."""
    return AccessTokens(lambda: (server.client("google"), refresh[-1]), refresh.append, ask=asker(server), **named)


# ── Signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_for_tokens(server: OAuthServer) -> None:
    """Signing in gives a code; it buys a refresh token once, with the verifier that belongs to it and none else."""
    client = server.client("google")
    url = sign_in_url(client, user="ada@x.example", redirect_uri=BACK, state="s", verifier="v" * 50)
    assert "access_type=offline" in url
    assert "login_hint=ada%40x.example" in url
    code, state = server.allow(url)
    assert state == "s"
    with pytest.raises(InvalidInput, match="invalid_grant"):
        exchange_code(client, code, redirect_uri=BACK, verifier="another", ask=asker(server))
    code, _ = server.allow(url)
    tokens = exchange_code(client, code, redirect_uri=BACK, verifier="v" * 50, ask=asker(server))
    assert tokens.refresh in server.refresh_tokens
    assert tokens.refresh not in repr(tokens)
    with pytest.raises(InvalidInput):
        exchange_code(client, code, redirect_uri=BACK, verifier="v" * 50, ask=asker(server))


def test_a_device(server: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code typed elsewhere gives tokens once somebody has typed it; a provider without that way is told so."""
    waits: list[float] = []
    device = begin_device(server.client("google"), ask=asker(server))
    assert (device.user_code, device.url) == ("ABCD-EFGH", f"{server.url}/go")
    tokens = poll_device(server.client("google"), device, ask=asker(server), wait=waits.append)
    assert tokens.refresh in server.refresh_tokens
    assert waits == [1.0, 1.0]
    monkeypatch.setitem(oauth.PROVIDERS, "google", server.provider(device=False))
    with pytest.raises(InvalidInput, match="no mail access to devices"):
        begin_device(server.client("google"), ask=asker(server))


def test_a_wrong_client(server: OAuthServer) -> None:
    """A client that the provider does not know is a setting to be put right, and the secret is in no message."""
    wrong = replace(server.client("google"), secret="not-it")
    with pytest.raises(InvalidInput, match="invalid_client") as refused:
        exchange_code(wrong, "x", redirect_uri=BACK, verifier="v", ask=asker(server))
    assert "not-it" not in str(refused.value)


# ── Access tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_refresh_for_many(server: OAuthServer) -> None:
    """Lanes that need a token at the same time get one by one request; it is kept until shortly before it ends."""
    now = [1000.0]
    tokens = tokens_of(server, [server.new_refresh_token()], clock=lambda: now[0])

    async def main() -> None:
        assert await asyncio.gather(*(tokens.get() for _ in range(20))) == ["access-0"] * 20
        now[0] += server.seconds - 121
        assert await tokens.get() == "access-0"
        now[0] += 2
        assert await tokens.get() == "access-1"

    asyncio.run(main())
    assert len(server.asked) == 2


def test_a_refresh_token_that_is_replaced(server: OAuthServer) -> None:
    """A new refresh token is kept, and used the next time; the old one would be refused."""
    server.rotates = True
    refresh = [server.new_refresh_token()]
    tokens = tokens_of(server, refresh)

    async def main() -> None:
        for _ in range(3):
            tokens.drop(await tokens.get())

    asyncio.run(main())
    assert len(refresh) == 4
    assert server.refresh_tokens == {refresh[-1]}


def test_a_dead_refresh_token(server: OAuthServer) -> None:
    """When the provider has withdrawn it, somebody has to sign in; without one nobody has signed in yet."""
    for refresh in ("withdrawn", ""):
        with pytest.raises(SignInAgain):
            asyncio.run(tokens_of(server, [refresh]).get())


@pytest.mark.parametrize("failure", [(500, ""), (503, "temporarily_unavailable"), (429, "slow_down"), (400, "")])
def test_a_provider_in_trouble(server: OAuthServer, failure: tuple[int, str]) -> None:
    """Mail waits while the provider gives no token; it is asked again after a while, not for each mail."""
    now = [0.0]
    server.fail_with = failure
    tokens = tokens_of(server, [server.new_refresh_token()], clock=lambda: now[0])

    async def main() -> None:
        for _ in range(5):
            with pytest.raises(Unreachable) as waits:
                await tokens.get()
            assert not isinstance(waits.value, SignInAgain)
        server.fail_with = None
        now[0] += 6
        assert await tokens.get() == "access-0"

    asyncio.run(main())
    assert len(server.asked) == 2


# ── Sending with them ───────────────────────────────────────────────────────────────────────────────────────────────


def test_mail_goes_out_by_token(sqlite_database: Database, server: OAuthServer) -> None:
    """The access token logs in; one that the mail server refuses (a 334 challenge, then 535) is replaced once."""
    server.seconds = 100_000
    with running_sink() as sink:
        stored = _stored(sqlite_database, sink, server.new_refresh_token())
        sink.bearers = {_bearer("access-1")}  # access-0 was withdrawn
        hand_in(sqlite_database, draft())
        run_until(_worker(sqlite_database, server), is_empty(sqlite_database))
        assert len(sink.taken) == 1
        assert sink.verbs().count("AUTH") == 2
    with sqlite_database.read() as tx:
        assert get_transport(tx, stored.name) == stored


def test_sign_in_again(sqlite_database: Database, server: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a dead refresh token mail waits without an attempt, the transport says so, and a new one lets it go."""
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.02)
    with running_sink() as sink:
        _stored(sqlite_database, sink, "withdrawn")
        receipt = hand_in(sqlite_database, draft())

        def stored() -> StoredTransport:
            with sqlite_database.read() as tx:
                found = get_transport(tx, "work")
            assert found is not None
            return found

        async def main() -> None:
            stopping = asyncio.Event()
            running = asyncio.create_task(_worker(sqlite_database, server).run(stopping))
            await until(lambda: stored().sign_in_again, "the transport to say so")
            sink.bearers = {_bearer("access-0")}
            fresh = server.new_refresh_token()
            await asyncio.to_thread(lambda: change_transport(sqlite_database, SEALER, "work", now=NOW, secret=fresh))
            await until(is_empty(sqlite_database))
            stopping.set()
            await running

        asyncio.run(main())
        assert len(sink.taken) == 1
    assert (stored().sign_in_again, stored().trouble) == (False, "")
    with sqlite_database.read() as tx:
        assert len(queue.list_attempts(tx, receipt.messages[0][0])) == 1


def test_a_replaced_token_is_sealed(sqlite_database: Database, server: OAuthServer) -> None:
    """A refresh token that the provider replaces while mail goes out is the one in the database afterwards, sealed."""
    server.rotates = True
    with running_sink() as sink:
        _stored(sqlite_database, sink, server.new_refresh_token())
        sink.bearers = {_bearer("access-0")}
        hand_in(sqlite_database, draft())
        run_until(_worker(sqlite_database, server), is_empty(sqlite_database))
    with sqlite_database.read() as tx:
        stored = get_transport(tx, "work")
    assert stored is not None
    assert {secret_of(stored, SEALER)} == server.refresh_tokens
    assert secret_of(stored, SEALER).encode() not in (stored.secret or b"")


def _stored(database: Database, sink: Sink, refresh: str) -> StoredTransport:
    wanted = Wanted(
        "work",
        "localhost",
        port=sink.port,
        security="none",
        authentication="xoauth2",
        username="ada@sender.example",
        secret=refresh,
        provider="google",
        client_id="our-app",
        client_secret="our-secret",
        senders=("sender.example",),
    )
    return add_transport(database, SEALER, wanted, actor="test", now=NOW)


def _worker(database: Database, server: OAuthServer) -> Worker:
    opener = Opener(database, lambda: SEALER, ask=asker(server))
    return Worker(
        database,
        ScriptedTransport(),
        KEYS,
        WorkerSettings(edge_url=EDGE, connections=2),
        unknown=lambda _tx: TrackingMode.OFF,
        open_named=opener.open,
    )


def _bearer(access: str) -> str:
    return b64encode(f"user=ada@sender.example\x01auth=Bearer {access}\x01\x01".encode()).decode()
