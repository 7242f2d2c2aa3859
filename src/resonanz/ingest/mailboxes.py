"""Mailboxes at other servers: added, checked, removed, and read again and again while a worker runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from resonanz import model
from resonanz.model import InvalidInput, NotFound, ResonanzError, TemporaryFailure, new_id
from resonanz.store import Database
from resonanz.store import mailboxes as rows
from resonanz.store.mailboxes import MailboxRow
from resonanz.tokens import Keys

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0  # how often it is looked whether a mailbox was added or removed
END_SECONDS = 5.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 10.0, 600.0
PORTS = {("imap", "tls"): 993, ("imap", "starttls"): 143, ("pop3", "tls"): 995, ("pop3", "starttls"): 110}
THEN = ("seen", "move", "delete")


def add_mailbox(
    database: Database,
    sealer: Callable[[], Sealer],
    *,
    protocol: str,
    host: str,
    username: str,
    password: str,
    actor: str,
    now: datetime,
    port: int = 0,
    security: str = "tls",
    folder: str = "INBOX",
    then: str = "seen",
    move_to: str = "",
    others: bool = False,
) -> MailboxRow:
    """Add a mailbox; a running worker reads it from then on. Raises InvalidInput naming what is wrong."""
    host, username, folder, move_to = host.strip(), username.strip(), folder.strip() or "INBOX", move_to.strip()
    problems = [
        InvalidInput(what, where=where)
        for wrong, where, what in (
            ((protocol, security) not in PORTS, "protocol", "imap or pop3, over tls or starttls"),
            (not host or len(host) > 253 or any(map(str.isspace, host)), "host", "not the name of a server"),
            (not username or len(username) > 320, "username", "a user's name is missing"),
            (not password, "password", "a password is missing"),
            (not 0 <= port <= 65535, "port", "not a port"),
            (then not in THEN, "then", "seen, move or delete"),
            (then == "move" and (protocol != "imap" or not move_to), "move_to", "moving needs IMAP and a folder"),
            (
                any(not text.isprintable() for text in (username, password, folder, move_to)),
                "username",
                "one line each",
            ),
        )
        if wrong
    ]
    if problems:
        raise InvalidInput.together(problems)
    id = new_id()
    row = MailboxRow(
        id=id,
        protocol=protocol,
        host=host,
        port=port or PORTS[protocol, security],
        security=security,
        username=username,
        secret=sealer().seal(password, _purpose(id)),
        folder=folder,
        then=then,
        move_to=move_to,
        others=others,
        created_at=now,
        created_by=actor,
    )
    with database.write() as tx:
        rows.add_mailbox(tx, row)
    return row


def remove_mailbox(database: Database, id: UUID) -> None:
    """Read a mailbox no more. Raises NotFound."""
    with database.write() as tx:
        if not rows.remove_mailbox(tx, id):
            raise _gone()


def check_mailbox(database: Database, sealer: Callable[[], Sealer], ca_file: Path | None, id: UUID) -> int:
    """Connect, sign in, and return how many mails lie there; nothing is read. Raises NotFound, TemporaryFailure."""
    from resonanz.ingest.mailbox_reading import opened

    with database.read() as tx:
        row = rows.get_mailbox(tx, id)
    if row is None:
        raise _gone()
    with opened(row, password_of(row, sealer), ca_file) as mailbox:
        return mailbox.count()


def password_of(row: MailboxRow, sealer: Callable[[], Sealer]) -> str:
    """Return a mailbox's password. Raises TemporaryFailure when it cannot be opened."""
    return sealer().open(row.secret, _purpose(row.id))


def _purpose(id: UUID) -> str:
    return f"mailbox {id.hex}"


def _gone() -> NotFound:
    return NotFound("there is no such mailbox", where="mailbox")


# ── Reading while a worker runs ─────────────────────────────────────────────────────────────────────────────────────


class Postmen:
    """One thread for each mailbox; each keeps its connection, and comes back ever more slowly after failures."""

    def __init__(self, database: Database, keys: Keys, sealer: Callable[[], Sealer], ca_file: Path | None) -> None:
        self._database = database
        self._keys = keys
        self._sealer = sealer
        self._ca_file = ca_file
        self._rounds: dict[UUID, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Read every mailbox until told to stop."""
        while not stopping.is_set():
            try:
                self._follow(await asyncio.to_thread(self._known))
            except TemporaryFailure as failure:
                log.error("mailboxes have to wait", error=str(failure))
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
        self._follow([])
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        """Let each finish the mail that it has in hand; what a dead server holds up is left behind."""
        for thread in self._threads:
            thread.join(END_SECONDS)

    def _known(self) -> list[MailboxRow]:
        with self._database.read() as tx:
            return rows.list_mailboxes(tx)

    def _follow(self, known: list[MailboxRow]) -> None:
        wanted = {row.id for row in known}
        for id in [id for id in self._rounds if id not in wanted]:
            self._rounds.pop(id).set()
        for row in known:
            if row.id not in self._rounds:
                ending = self._rounds[row.id] = threading.Event()
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._threads.append(
                    threading.Thread(target=self._serve, args=(row.id, ending), name="mailbox", daemon=True)
                )
                self._threads[-1].start()

    def _serve(self, id: UUID, ending: threading.Event) -> None:
        from resonanz.ingest.mailbox_reading import opened, read_new

        pause = FIRST_RETRY_SECONDS
        while not ending.is_set():
            try:
                with self._database.read() as tx:
                    row = rows.get_mailbox(tx, id)
                if row is None:
                    return
                with opened(row, password_of(row, self._sealer), self._ca_file) as mailbox:
                    while not ending.is_set():
                        read_new(self._database, self._keys, row, mailbox, ending)
                        self._note(id, "")
                        pause = FIRST_RETRY_SECONDS
                        if not mailbox.wait(ending):
                            break
                continue
            except ResonanzError as failure:
                log.warning("a mailbox cannot be read", mailbox=str(id), error=str(failure), in_seconds=pause)
                self._note(id, str(failure))
            except Exception as error:  # a defect of ours must not end the thread unseen
                log.exception("reading a mailbox failed", mailbox=str(id))
                self._note(id, type(error).__name__)
            ending.wait(pause)
            pause = min(pause * 2, LAST_RETRY_SECONDS)

    def _note(self, id: UUID, failure: str) -> None:
        with suppress(TemporaryFailure), self._database.write() as tx:
            rows.note_check(tx, id, now=model.now(), failure=failure)
