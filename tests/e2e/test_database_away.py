"""The database gone for a while: readers notice nothing, people are told to come back, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import smtplib
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from resonanz.accounts import create_key
from resonanz.accounts.sessions import start_session
from resonanz.journal import JournalReader
from resonanz.model import now
from resonanz.store import Database, accounts, open_database
from resonanz.tokens import Token, TokenKind, load_keys, mint, mint_return_path
from tests.kit.databases import OwnPostgresql
from tests.kit.instance import START_SECONDS, Instance
from tests.kit.readers import Readers, check_facts, is_taken_over, write_mails
from tests.kit.waiting import until, wait_for

CLICKS = 1000  # answered while the database is away
OUTAGE_SECONDS = 60.0  # how long PostgreSQL is away at least: past every timeout, and into the slowest retries
BOUNCES = "bounces.resonanz.example"
MAIL = {"from": "ada@example.org", "to": ["ben@example.org"], "subject": "Hi", "text": "Hi"}


class House:
    """A whole instance with mails that were sent, readers, and somebody who works with it."""

    def __init__(self, instance: Instance, database: Database) -> None:
        self.instance = instance
        self.database = database
        with database.write() as tx:
            self.messages, submission = write_mails(tx, 1000)
            account = accounts.find_account(tx, "owner@resonanz.example")
        assert account is not None
        secret, _ = create_key(database, account.id, "tests", now())
        session = start_session(database, account.id, user_agent="tests", now=now())
        self.api = httpx2.Client(base_url=instance.dashboard, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
        self.browser = httpx2.Client(base_url=instance.dashboard, cookies={"resonanz-session": session}, timeout=60)
        self.secret = secret
        self.keys = load_keys(instance.data / "keys.json")
        port = int(instance.environment["RESONANZ_EDGE_PORT"])
        self.readers = Readers(port, self.keys, self.messages, submission, random.Random(4), pace=0.003)

    def health(self, role: str) -> int:
        """What a role says of itself."""
        port = int(self.instance.environment["RESONANZ_OPS_PORT"]) + ("edge", "app", "worker", "relay").index(role)
        return answers(f"http://127.0.0.1:{port}/healthz")

    def send(self) -> int:
        """Hand in a mail at the API; the status."""
        return self.api.post("/api/v1/messages", json=MAIL).status_code

    def log_in(self) -> int:
        """Log in at the submission door; the reply code."""
        with smtplib.SMTP(
            "localhost", int(self.instance.environment["RESONANZ_SUBMISSION_PORT"]), timeout=60
        ) as client:
            try:
                return client.login("owner@resonanz.example", self.secret)[0]
            except smtplib.SMTPResponseException as refused:
                return refused.smtp_code

    def bounce(self) -> int:
        """Bring a report back; the reply code."""
        to = f"{mint_return_path(self.keys, UUID(str(self.messages[0])))}@{BOUNCES}"
        with smtplib.SMTP("localhost", int(self.instance.environment["RESONANZ_INBOUND_PORT"]), timeout=60) as client:
            try:
                client.sendmail("", [to], "Subject: Re: Hi\r\n\r\nThank you!\r\n")
            except smtplib.SMTPResponseException as refused:
                return refused.smtp_code
            return 250

    async def read_through(self, outage: Callable[[], None]) -> None:
        """Have people read before, during and after what `outage` does."""
        stopping = asyncio.Event()
        reading = asyncio.create_task(self.readers.run(stopping))
        try:
            await until(lambda: self.readers.clicks > 100, "clicks before")
            await asyncio.to_thread(outage)
            clicks = self.readers.clicks
            await until(lambda: self.readers.clicks > clicks + 100, "clicks afterwards")
        finally:
            stopping.set()
            await asyncio.wait_for(reading, 30)

    def check(self) -> None:
        """Hold everything against what was answered, once it has been taken over."""
        journals = JournalReader(self.instance.data / "journal")
        wait_for(lambda: is_taken_over(self.database, journals), "the journals to be taken over", seconds=60)
        journals.close()
        print(f"{self.readers.total} answered; longest wait for a redirect {self.readers.longest_wait:.2f} s")
        assert self.readers.odd == []
        assert self.readers.unanswered.total() == 0
        check_facts(self.database, self.readers)
        for alarm in ("role died", "Traceback", "page failed", "request failed"):
            assert not [line for line in self.instance.log.splitlines() if alarm in line]

    def outlast(self, clicks: int) -> None:
        """Wait until so many more have been answered."""
        wait_for(lambda: self.readers.clicks >= clicks + CLICKS, "clicks without the database", seconds=60)


@pytest.mark.timeout(900)
def test_postgresql_stops_and_comes_back(tmp_path: Path) -> None:
    """All clicks redirect, all pixels and POSTs are answered while PostgreSQL is down, and none is missing afterwards.

    Meanwhile API and pages answer 503, SMTP doors 4xx; afterwards every role works again without having been restarted.
    Started without PostgreSQL, the edge serves all the same, and everything else comes up when the database does.
    """
    with OwnPostgresql() as server:
        settings = {"RESONANZ_DATABASE_URL": server.url, "RESONANZ_RETURN_PATH_DOMAIN": BOUNCES}
        with Instance(tmp_path, settings) as instance:
            house = House(instance, open_database(server.url))
            assert (house.send(), house.browser.get("/messages").status_code) == (202, 200)

            def outage() -> None:
                begun, clicks = time.monotonic(), house.readers.clicks
                server.stop_at_once()
                for role in ("app", "worker", "relay"):
                    wait_for(lambda role=role: house.health(role) == 503, f"{role} to notice")  # type: ignore[misc]
                wait_for(lambda: "taking hits over has to wait" in instance.log, "ingest to notice")
                assert house.health("edge") == 200
                assert house.send() == 503
                page = house.browser.get("/messages")
                assert (page.status_code, "Not available right now" in page.text) == (503, True)
                assert 400 <= house.log_in() < 500
                assert 400 <= house.bounce() < 500
                house.outlast(clicks)
                house.readers.pace, fast = 0.2, house.readers.pace  # for the rest of the minute some clicks are enough
                wait_for(lambda: time.monotonic() - begun >= OUTAGE_SECONDS, "the minute's end", seconds=OUTAGE_SECONDS)
                house.readers.pace = fast
                server.start()
                for role in ("app", "worker", "relay"):
                    wait_for(lambda role=role: house.health(role) == 200, f"{role} to be well again")  # type: ignore[misc]

            asyncio.run(house.read_through(outage))
            assert (house.send(), house.browser.get("/messages").status_code) == (202, 200)
            assert (house.log_in(), house.bounce()) == (235, 250)
            outbox = instance.data / "outbox"
            wait_for(lambda: len(list(outbox.rglob("*.eml"))) == 2, "both mails to go out", seconds=60)
            house.check()
            house.database.close()

        server.stop_at_once()
        late = Instance(tmp_path, settings)
        late.launch()
        try:
            path = f"/c/{mint(house.keys, Token(TokenKind.CLICK, house.messages[0], destination='https://a.example/'))}"
            wait_for(lambda: answers(f"{late.edge}{path}") == 302, "a redirect", seconds=START_SECONDS)
            wait_for(lambda: late.log.count("waiting for the database") >= 3, "others to wait", seconds=START_SECONDS)
            server.start()
            late.wait_for_greeting()
            assert "role died" not in late.log
        finally:
            assert late.stop() == 0


def answers(url: str) -> int:
    """The status that comes from an address, 0 when nobody listens."""
    try:
        return httpx2.get(url, follow_redirects=False, timeout=30).status_code
    except httpx2.TransportError:
        return 0


@pytest.mark.timeout(900)
def test_sqlite_is_locked_for_long(tmp_path: Path) -> None:
    """Another program that holds SQLite's write lock for longer than anybody waits costs no hit and stops no role."""
    with Instance(tmp_path) as instance:
        house = House(instance, open_database(f"sqlite:///{instance.data}/resonanz.sqlite"))
        assert house.send() == 202

        def outage() -> None:
            clicks = house.readers.clicks
            with house.database.write() as tx:
                tx.execute(text("UPDATE accounts SET name = name"))
                assert house.send() == 503
                assert house.browser.get("/messages").status_code == 200, "reading goes on"
                wait_for(lambda: "taking hits over has to wait" in instance.log, "ingest to notice", seconds=60)
                house.outlast(clicks)

        asyncio.run(house.read_through(outage))
        assert house.send() == 202
        house.check()
        house.database.close()
