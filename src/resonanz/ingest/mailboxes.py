"""Mailboxes at other servers: added, checked, removed, and read again and again while a worker runs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from resonanz import model
from resonanz.ingest.mailbox_access import Access, client_purpose_of, keep_secret, purpose_of
from resonanz.model import InvalidInput, NotFound, ResonanzError, TemporaryFailure, new_id
from resonanz.store import Database
from resonanz.store import mailboxes as rows
from resonanz.store.mailboxes import MailboxRow

if TYPE_CHECKING:
    from resonanz.ingest.deliveries import Deliveries
    from resonanz.outbound.oauth import Ask
    from resonanz.sealing import Sealer

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0  # how often it is looked whether a mailbox was added or removed
END_SECONDS = 5.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 10.0, 600.0
PORTS = {("imap", "tls"): 993, ("imap", "starttls"): 143, ("pop3", "tls"): 995, ("pop3", "starttls"): 110}
THEN = ("seen", "move", "delete")
AUTHENTICATIONS = ("password", "xoauth2")


def add_mailbox(
    database: Database,
    sealer: Callable[[], Sealer],
    *,
    protocol: str,
    host: str,
    username: str,
    actor: str,
    now: datetime,
    port: int = 0,
    security: str = "tls",
    folder: str = "INBOX",
    then: str = "seen",
    move_to: str = "",
    others: bool = False,
    password: str = "",
    authentication: str = "password",
    provider: str = "",
    client_id: str = "",
    client_secret: str = "",
    tenant: str = "",
) -> MailboxRow:
    """Add a mailbox; a running worker reads it from then on. With xoauth2 `password` is a refresh token, empty until
    somebody signs in. Raises InvalidInput naming what is wrong."""
    tokens = authentication == "xoauth2"
    provider, client_id, tenant = (text.strip() if tokens else "" for text in (provider, client_id, tenant))
    host, username, folder, move_to = host.strip(), username.strip(), folder.strip() or "INBOX", move_to.strip()
    problems = [
        InvalidInput(what, where=where)
        for wrong, where, what in (
            ((protocol, security) not in PORTS, "protocol", "imap or pop3, over tls or starttls"),
            (not host or len(host) > 253 or any(map(str.isspace, host)), "host", "not the name of a server"),
            (not username or len(username) > 320, "username", "a user's name is missing"),
            (authentication not in AUTHENTICATIONS, "authentication", "password or xoauth2"),
            (not password and not tokens, "password", "a password is missing"),
            (tokens and provider not in ("google", "microsoft"), "provider", "google or microsoft"),
            (tokens and not client_id, "client_id", "the application that you registered with the provider is missing"),
            (len(tenant) > 64, "tenant", "neither a directory's id nor its domain"),
            (not 0 <= port <= 65535, "port", "not a port"),
            (then not in THEN, "then", "seen, move or delete"),
            (then == "move" and (protocol != "imap" or not move_to), "move_to", "moving needs IMAP and a folder"),
            (
                any(not text.isprintable() for text in (username, password, folder, move_to)),
                "username",
                "one line each",
            ),
            (not all(text.isprintable() for text in (client_id, client_secret, tenant)), "client_id", "one line each"),
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
        secret=sealer().seal(password, purpose_of(id)),
        folder=folder,
        then=then,
        move_to=move_to,
        others=others,
        created_at=now,
        created_by=actor,
        authentication=authentication,
        provider=provider,
        client_id=client_id,
        client_secret=sealer().seal(client_secret, client_purpose_of(id)) if tokens and client_secret else None,
        tenant=tenant,
    )
    with database.write() as tx:
        rows.add_mailbox(tx, row)
    return row


def remove_mailbox(database: Database, id: UUID) -> None:
    """Read a mailbox no more. Raises NotFound."""
    with database.write() as tx:
        if not rows.remove_mailbox(tx, id):
            raise _gone()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a mailbox found: how many mails lie in `folder`, the folder that reports are to be moved to if it
    is `missing`, and when the last report was read from here (None: never)."""

    folder: str
    mails: int
    missing: str
    taken: int
    taken_at: datetime | None


def check_mailbox(
    database: Database, sealer: Callable[[], Sealer], ca_file: Path | None, id: UUID, *, ask: Ask | None = None
) -> Checked:
    """Connect, sign in and count; no mail is read, nothing is marked. Raises NotFound, TemporaryFailure."""
    row = get_mailbox(database, id)
    return _looked_at(row, Access(database, sealer, ask).secret(row), ca_file)


def change_password(
    database: Database, sealer: Callable[[], Sealer], ca_file: Path | None, id: UUID, password: str, *, now: datetime
) -> Checked:
    """Sign in with another password, and keep it where that works; a running worker reads with it from its next look
    on. Nothing is changed otherwise.

    Raises InvalidInput (`password`) when the server does not take it or the mailbox has none, NotFound, and
    TemporaryFailure when the server cannot be reached.
    """
    from resonanz.ingest.mailbox_reading import NotLetIn

    row = get_mailbox(database, id)
    if row.authentication != "password":
        raise InvalidInput("is not what this mailbox is signed in to by", where="password", remedy="sign in again")
    if not password or not password.isprintable():
        raise InvalidInput("is missing, or not one line", where="password")
    try:
        found = _looked_at(row, password, ca_file)
    except NotLetIn as refused:
        raise InvalidInput(f"is not kept: {refused.what}", where="password", remedy=refused.remedy) from refused
    keep_secret(database, sealer(), id, password)
    with database.write() as tx:
        rows.note_check(tx, id, now=now, failure="")
    return found


def _looked_at(row: MailboxRow, secret: str, ca_file: Path | None) -> Checked:
    from resonanz.ingest.mailbox_reading import opened

    with opened(row, secret, ca_file, change=False) as mailbox:
        folder = row.folder if row.protocol == "imap" else "INBOX"
        missing = row.move_to if row.then == "move" and not mailbox.has_folder(row.move_to) else ""
        return Checked(folder, mailbox.count(), missing, row.taken, row.taken_at)


def get_mailbox(database: Database, id: UUID) -> MailboxRow:
    """Return a mailbox. Raises NotFound."""
    with database.read() as tx:
        row = rows.get_mailbox(tx, id)
    if row is None:
        raise _gone()
    return row


def _gone() -> NotFound:
    return NotFound("there is no such mailbox", where="mailbox")


# ── Reading while a worker runs ─────────────────────────────────────────────────────────────────────────────────────


class Postmen:
    """One thread for each mailbox; each keeps its connection, and comes back ever more slowly after failures."""

    def __init__(
        self,
        database: Database,
        deliveries: Callable[[], Deliveries],
        sealer: Callable[[], Sealer],
        ca_file: Path | None,
        *,
        ask: Ask | None = None,
    ) -> None:
        """`deliveries` makes what takes their mails; it is not made before there is a mailbox."""
        self._ask = ask
        self._database = database
        self._deliveries = deliveries
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
        from resonanz.ingest.mailbox_reading import NotLetIn, opened, read_new

        access, deliveries = Access(self._database, self._sealer, self._ask), self._deliveries()
        pause = FIRST_RETRY_SECONDS
        while not ending.is_set():
            try:
                with self._database.read() as tx:
                    row = rows.get_mailbox(tx, id)
                if row is None:
                    return
                with opened(row, access.secret(row), self._ca_file) as mailbox:
                    while not ending.is_set():
                        read_new(self._database, deliveries, row, mailbox, ending)
                        self._note(id, "")
                        pause = FIRST_RETRY_SECONDS
                        if not mailbox.wait(ending):
                            break
                continue
            except ResonanzError as failure:
                if isinstance(failure, NotLetIn):
                    access.drop()  # withdrawn before its time: the next one may be taken
                log.warning("a mailbox cannot be read", mailbox=str(id), error=str(failure), in_seconds=pause)
                self._note(id, str(failure))
            except Exception as error:  # a defect of ours must not end the thread unseen
                log.exception("reading a mailbox failed", mailbox=str(id))
                self._note(id, type(error).__name__)
            self._rest(id, ending, pause)
            pause = min(pause * 2, LAST_RETRY_SECONDS)

    def _rest(self, id: UUID, ending: threading.Event, seconds: float) -> None:
        """Wait before the next try, but no longer than until somebody has signed in again."""
        until, failed_with = time.monotonic() + seconds, self._secret_of(id)
        while (left := until - time.monotonic()) > 0 and not ending.wait(min(left, LOOK_SECONDS)):
            if self._secret_of(id) != failed_with:
                return

    def _secret_of(self, id: UUID) -> bytes | None:
        with suppress(TemporaryFailure), self._database.read() as tx:
            row = rows.get_mailbox(tx, id)
            return row.secret if row is not None else None
        return None

    def _note(self, id: UUID, failure: str) -> None:
        with suppress(TemporaryFailure), self._database.write() as tx:
            rows.note_check(tx, id, now=model.now(), failure=failure)
