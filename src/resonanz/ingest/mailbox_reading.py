"""Reading one mailbox by IMAP (RFC 3501, IDLE by RFC 2177) or POP3 (RFC 1939), over verified TLS only.

A mail is recorded first, then marked, moved or deleted, and last the place up to which the folder was read moves on: a
crash at any moment means that a mail is looked at again, and its name records it once.
"""

from __future__ import annotations

import imaplib
import poplib
import select
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, cast

import structlog

from resonanz import model
from resonanz.ingest.deliveries import Deliveries
from resonanz.mail.reports import ReportKind
from resonanz.model import TemporaryFailure
from resonanz.store import Database
from resonanz.store import mailboxes as rows
from resonanz.store.mailboxes import MailboxRow

log = structlog.get_logger(__name__)

TIMEOUT = 30.0  # seconds for each answer
MAX_MAIL = 25_000_000  # octets that are read of one mail; what a report says stands at its beginning
POLL_SECONDS = 60.0  # between two looks where the server offers no IDLE
IDLE_SECONDS = 290.0  # RFC 2177 asks to renew IDLE before half an hour is over; NATs forget sooner
poplib._MAXLINE = 1_000_000  # type: ignore[attr-defined]  # mail has longer lines than RFC 1939 allows


class Mailbox(Protocol):
    """An open mailbox."""

    def count(self) -> int: ...
    def has_folder(self, name: str) -> bool: ...
    def new(self, database: Database, row: MailboxRow) -> Iterator[str]: ...
    def fetch(self, name: str) -> tuple[bytes, bool]: ...
    def done(self, database: Database, row: MailboxRow, name: str, *, act: bool) -> None: ...
    def wait(self, ending: threading.Event) -> bool: ...
    def close(self) -> None: ...


class NotLetIn(TemporaryFailure):
    """The server does not accept who we are."""


@contextmanager
def opened(row: MailboxRow, secret: str, ca_file: Path | None, *, change: bool = True) -> Iterator[Mailbox]:
    """Connect and sign in, with a password or an access token; without `change` nothing can be marked or taken away.

    Raises TemporaryFailure with the server's words for everything that goes wrong, NotLetIn where signing in does.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    where = f"{row.username} at {row.host}:{row.port}"
    mailbox: Mailbox | None = None
    try:
        mailbox = _connected(row, secret, context, change=change)
        yield mailbox
    except NotLetIn as refused:
        raise NotLetIn(refused.what, where=where, remedy=refused.remedy) from refused
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        raise TemporaryFailure(f"the server's certificate is not accepted: {reason}", where=where) from error
    except (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto, ValueError) as error:
        said = error.args[0] if error.args else type(error).__name__
        plain = getattr(error, "strerror", "") or str(error)  # without the number that an OSError begins with
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else plain
        raise TemporaryFailure(f"the mailbox cannot be read: {text[:300]}", where=where) from error
    finally:
        if mailbox is not None:
            with suppress(OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto):
                mailbox.close()


def _connected(row: MailboxRow, secret: str, context: ssl.SSLContext, *, change: bool) -> Mailbox:
    if row.protocol == "imap":
        return ImapMailbox(row, secret, context, change=change)
    return PopMailbox(row, secret, context)


def bearer(username: str, access: str) -> bytes:
    """Return what XOAUTH2 says first (developers.google.com/workspace/gmail/imap/xoauth2-protocol)."""
    return f"user={username}\x01auth=Bearer {access}\x01\x01".encode()


def _refused(error: Exception, row: MailboxRow) -> NotLetIn:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    remedy = "sign in again" if row.authentication == "xoauth2" else "check user and password"
    return NotLetIn(f"signing in is refused: {text[:300]}", remedy=remedy)


def read_new(
    database: Database, deliveries: Deliveries, row: MailboxRow, mailbox: Mailbox, ending: threading.Event
) -> None:
    """Read what came since, one mail at a time, until told to end."""
    with database.read() as tx:
        now_known = rows.get_mailbox(tx, row.id)
    if now_known is None:
        return
    by = f"from {row.host} by {socket.gethostname()} with {row.protocol.upper()}"
    for name in mailbox.new(database, now_known):
        if ending.is_set():
            return
        content, whole = mailbox.fetch(name)
        taken = deliveries.take(content, whole=whole, by=by, now=model.now())
        mailbox.done(database, now_known, name, act=(taken.is_report or row.others) and not taken.stays)
        if taken.is_report:
            with database.write() as tx:
                rows.count_taken(tx, row.id, model.now())
            log.info("report taken", kind=taken.kind.value, message=str(taken.message_id))
        elif taken.kind is ReportKind.NONE:
            log.debug("a mail that is no report")


class ImapMailbox:
    """A folder of an IMAP server."""

    def __init__(self, row: MailboxRow, secret: str, context: ssl.SSLContext, *, change: bool) -> None:
        if row.security == "tls":
            self._client: imaplib.IMAP4 = imaplib.IMAP4_SSL(row.host, row.port, ssl_context=context, timeout=TIMEOUT)
        else:
            self._client = imaplib.IMAP4(row.host, row.port, timeout=TIMEOUT)
            self._client.starttls(context)
        try:
            self._sign_in(row, secret)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise _refused(error, row) from error
        # What was offered before signing in is not what is offered now (RFC 3501 section 6.1.1).
        self._has = set((self._client.capability()[1][0] or b"").decode("ascii", "replace").upper().split())
        self._select(row, change=change)

    def _sign_in(self, row: MailboxRow, secret: str) -> None:
        if row.authentication != "xoauth2":
            self._client.login(row.username, secret)
            return
        # A token that is refused is answered with an error in a challenge; an empty line asks for the refusal itself.
        said = iter([bearer(row.username, secret)])
        self._client.authenticate("XOAUTH2", lambda _: next(said, b""))

    def _select(self, row: MailboxRow, *, change: bool) -> None:
        status, found = self._client.select(_quoted(row.folder), readonly=not change)
        if status != "OK":
            raise imaplib.IMAP4.error(f"no folder {row.folder}")
        self._count = int(found[0] or 0)
        validity = self._client.response("UIDVALIDITY")[1]
        self._validity = int(validity[0] or 0) if validity else 0

    def count(self) -> int:
        """How many mails lie in the folder."""
        return self._count

    def has_folder(self, name: str) -> bool:
        """Whether there is a folder of this name."""
        return self._client.status(_quoted(name), "(MESSAGES)")[0] == "OK"

    def new(self, database: Database, row: MailboxRow) -> Iterator[str]:
        """Yield the UIDs behind the last one read. A folder that was made anew is read from its beginning."""
        last = row.last_uid if row.uid_validity == self._validity else 0
        self._client.noop()
        self._has_come()  # what came up to here is found below; what comes from here on is told by the next answers
        _, found = self._client.uid("SEARCH", f"UID {last + 1}:*")
        uids = sorted(int(uid) for uid in (found[0] or b"").split())
        for uid in uids:
            if uid > last:  # `*` is the last mail also where that was read before
                yield str(uid)

    def fetch(self, name: str) -> tuple[bytes, bool]:
        """Return a mail, or its first octets, without marking it, and whether that is all of it."""
        _, found = self._client.uid("FETCH", name, f"(BODY.PEEK[]<0.{MAX_MAIL}>)")
        content: bytes = next((part[1] for part in found if isinstance(part, tuple)), b"")
        return content, len(content) < MAX_MAIL

    def done(self, database: Database, row: MailboxRow, name: str, *, act: bool) -> None:
        """Do with a mail that was read what is asked for, and move on behind it."""
        if act and row.then == "move" and "MOVE" in self._has:
            self._sure(self._client.uid("MOVE", name, _quoted(row.move_to)))
        elif act and row.then == "move":
            self._sure(self._client.uid("COPY", name, _quoted(row.move_to)))
            self._delete(name)
        elif act and row.then == "delete":
            self._delete(name)
        elif act:
            self._client.uid("STORE", name, "+FLAGS.SILENT", r"(\Seen)")
        with database.write() as tx:
            rows.move_on(tx, row.id, uid_validity=self._validity, last_uid=int(name))

    def _delete(self, name: str) -> None:
        """Delete this one. Without UIDPLUS the folder's user expunges: EXPUNGE would take what others have marked."""
        self._sure(self._client.uid("STORE", name, "+FLAGS.SILENT", r"(\Seen \Deleted)"))
        if "UIDPLUS" in self._has:
            self._client.uid("EXPUNGE", name)

    @staticmethod
    def _sure(answer: tuple[str, list[bytes]]) -> None:
        """The mail stays where it is, and is looked at again, until what is asked for works."""
        if answer[0] != "OK":
            raise imaplib.IMAP4.error((answer[1][0] or b"").decode("utf-8", "replace") if answer[1] else "refused")

    def wait(self, ending: threading.Event) -> bool:
        """Wait until something new comes, by IDLE where it is offered. Returns whether the connection is of use."""
        if self._has_come():  # told while mails were being read: IDLE would not tell it again
            return True
        if "IDLE" not in self._has:
            ending.wait(POLL_SECONDS)
            return True
        tag: bytes = self._client._new_tag()  # imaplib has no IDLE before Python 3.14
        self._client.send(tag + b" IDLE\r\n")
        # Read past imaplib's buffer, which is empty between commands: what comes with the answer would hide in it.
        answer = self._client.socket().recv(8_192)
        if not answer.startswith(b"+"):
            return False
        waited = IDLE_SECONDS if answer.count(b"\n") > 1 else 0.0
        # Any word of the server ends the wait, "still here" included: one look tells what is new.
        while waited < IDLE_SECONDS and not ending.is_set() and not self._says_something(1.0):
            waited += 1.0
        self._client.send(b"DONE\r\n")
        while line := self._client.readline():
            if line.startswith(tag):
                return True
        return False

    def _has_come(self) -> bool:
        """Whether the server has told of new mail since this was asked last."""
        return self._client.response("EXISTS")[1] != [None]

    def _says_something(self, seconds: float) -> bool:
        connection = self._client.socket()
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        return bool(select.select([connection], [], [], seconds)[0])

    def close(self) -> None:
        """Sign out."""
        self._client.logout()


class PopMailbox:
    """A POP3 mailbox: one session reads what is new, and its end makes deletions true."""

    def __init__(self, row: MailboxRow, secret: str, context: ssl.SSLContext) -> None:
        if row.security == "tls":
            self._client: poplib.POP3 = poplib.POP3_SSL(row.host, row.port, context=context, timeout=TIMEOUT)
        else:
            self._client = poplib.POP3(row.host, row.port, timeout=TIMEOUT)
            self._client.stls(context)
        self._ended = False
        try:
            self._sign_in(row, secret)
        except poplib.error_proto as error:
            raise _refused(error, row) from error

    def _sign_in(self, row: MailboxRow, secret: str) -> None:
        if row.authentication != "xoauth2":
            self._client.user(row.username)
            self._client.pass_(secret)
            return
        self._say("AUTH XOAUTH2")  # RFC 5034; poplib knows no AUTH
        if self._say(b64encode(bearer(row.username, secret)).decode("ascii")).startswith(b"+ "):
            self._say("")  # the error in the challenge; an empty line asks for the refusal itself

    def _say(self, line: str) -> bytes:
        return self._client._shortcmd(line)  # type: ignore[attr-defined,no-any-return]

    def count(self) -> int:
        """How many mails lie in it."""
        return self._client.stat()[0]

    def has_folder(self, name: str) -> bool:
        """POP3 knows one folder."""
        return False

    def new(self, database: Database, row: MailboxRow) -> Iterator[str]:
        """Yield number and unique name of each mail that was not read yet."""
        listed = [line.decode("ascii", "replace").split() for line in self._client.uidl()[1]]
        present = {parts[1][:128]: parts[0] for parts in listed if len(parts) == 2}
        with database.write() as tx:
            seen = rows.seen_in(tx, row.id)
            rows.forget_seen(tx, row.id, seen - present.keys())
        for uidl, number in present.items():
            if uidl not in seen:
                yield f"{number} {uidl}"

    def fetch(self, name: str) -> tuple[bytes, bool]:
        """Return a mail, of one that is too large its head and what follows it, and whether that is all of it."""
        number = int(name.split()[0])
        size = int(cast(bytes, self._client.list(number)).split()[2])  # one line where one is asked for
        lines = self._client.retr(number)[1] if size <= MAX_MAIL else self._client.top(number, 2_000)[1]
        return b"\r\n".join(lines) + b"\r\n", size <= MAX_MAIL

    def done(self, database: Database, row: MailboxRow, name: str, *, act: bool) -> None:
        """Delete a mail where that is asked for, and remember it until it is gone."""
        number, uidl = name.split(" ", 1)
        if act and row.then == "delete":
            self._client.dele(int(number))
        with database.write() as tx:
            rows.note_seen(tx, row.id, uidl)

    def wait(self, ending: threading.Event) -> bool:
        """End the session: a POP3 server shows what is new only to the next one."""
        self.close()
        ending.wait(POLL_SECONDS)
        return False

    def close(self) -> None:
        """End the session, which deletes what was to be deleted. It may have ended already."""
        if not self._ended:
            self._ended = True
            self._client.quit()


def _quoted(folder: str) -> str:
    """Return a folder's name as a quoted string, in modified UTF-7 where it is not ASCII (RFC 3501 section 5.1.3)."""
    pieces: list[str] = []
    foreign = ""
    for character in folder + "\0":
        if not " " <= character <= "~" and character != "\0":
            foreign += character
            continue
        if foreign:
            pieces.append("&" + foreign.encode("utf-7").decode("ascii").strip("+-").replace("/", ",") + "-")
            foreign = ""
        pieces.append({"&": "&-", "\0": "", '"': '\\"', "\\": "\\\\"}.get(character, character))
    return f'"{"".join(pieces)}"'
