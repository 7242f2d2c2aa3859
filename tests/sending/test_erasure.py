"""Erasing a contact: nothing that stays names them, and nothing more is sent or written down of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from resonanz.ingest import rebuild, record_all
from resonanz.journal import encode, whole_row
from resonanz.model import Conflict, EventKind, HitKind, MessageState, NotFound, Place, TemporaryFailure, Verdict
from resonanz.people import Choice, Purpose, reason_for, record_choice
from resonanz.sending.erasure import ForgetMails, erase_contact, no_mails
from resonanz.sending.transports.outbox import Outbox
from resonanz.store import Database, Tx, contacts, events, lists, messages, queue
from resonanz.store.aside import AsideRow, keep_aside, list_aside
from resonanz.store.queue import Attempt
from resonanz.store.strays import Stray, add_strays, list_strays
from resonanz.store.tables import metadata
from resonanz.store.tables import queue as queue_table
from tests.kit.cast import ALMA, BRUNO, NOON, Cast, event, hit
from tests.kit.rows import update_message

REPLY = f"550 5.1.1 <{ALMA}> does not like us"


def everything_said(tx: Tx) -> str:
    """Return every row of every table as text."""
    return "\n".join(
        f"{table.name} {tuple(row)!r}" for table in metadata.sorted_tables for row in tx.execute(select(table))
    )


def erase(database: Database, cast: Cast, who: str = ALMA, forget_mails: ForgetMails = no_mails, **more: bool) -> int:
    """Erase somebody of the cast."""
    return erase_contact(
        database, cast.people[who], forget_mails, now=NOON, source="dashboard", actor="olga@resonanz.example", **more
    )


def test_nothing_that_stays_names_them(database: Database) -> None:
    """Address and name are in no table any more, neither are texts written to them alone; states and counts stay, and a
    rebuild finds them as they should be."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        news = lists.MailingList(cast.account_id, "News", "", is_marketing=True, created_at=NOON)
        lists.add_list(tx, news)
        lists.add_members(tx, news.id, [cast.people[ALMA]], since=NOON, source="form")
        record_choice(tx, cast.people[ALMA], Purpose.OPENS, Choice.GRANTED, now=NOON, source="form")
        alone = cast.mail(tx, subject="Alma Adler, your order")
        _, (together, other) = cast.mailing(tx, [ALMA, BRUNO], subject="News")
        seen = {"verdict": Verdict.HUMAN_DIRECT, "place": Place("DE", "Bavaria", "Ulm")}
        record_all(
            tx,
            [
                event(together, EventKind.OPENED, **seen),
                event(together, EventKind.CLICKED, url=f"https://shop.example/?for={ALMA}", link=0, **seen),
                event(alone, EventKind.BOUNCED, detail={"bounce": "soft", "reply": REPLY}),
            ],
        )
        update_message(tx, together.id, {"gateway": "Proofpoint"})
        queue.add_attempts(tx, [(alone.id, Attempt(1, NOON, NOON, "smtp", EventKind.BOUNCED, REPLY))])
        assert ALMA in everything_said(tx)
    assert erase(database, cast) == 2
    with database.read() as tx:
        said = everything_said(tx)
        for gone in (ALMA, "Alma", "Adler", "Ulm", "does not like us", "for=", "your order"):
            assert gone not in said
        assert contacts.find_contact(tx, ALMA) is None
        assert lists.count_members(tx, news.id) == 0
        kept = messages.get_messages(tx, [alone.id, together.id, other.id])
        assert kept[together.id].recipient == kept[alone.id].recipient
        assert kept[together.id].recipient.endswith("@erased.invalid")
        assert (kept[together.id].state, kept[together.id].opens_human) == (MessageState.DELIVERED, 1)
        assert kept[together.id].gateway == "Proofpoint"  # of a mailing's share, and nobody's in particular
        assert (kept[alone.id].state, kept[alone.id].subject, kept[together.id].subject) == (
            MessageState.BOUNCED,
            "",
            "News",
        )
        assert kept[other.id].recipient == BRUNO
    summary = rebuild(database)
    assert (summary.submissions_changed, summary.buckets_changed, summary.contacts_changed) == (0, 0, 0)


def test_what_lies_aside_goes_too(database: Database, tmp_path: Path) -> None:
    """Hits that were not understood, reports that became no fact, copies in the built-in outbox: theirs go, however the
    address is written in them; others' stay."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        mine, other = cast.mail(tx), cast.mail(tx, BRUNO)
        hits = [whole_row(hit(message, HitKind.OPEN, address="203.0.113.7")) for message in (mine, other)]
        texts = [encode(hits[:1]), encode(hits[1:]), f"not readable: {mine.id.hex}", "not readable at all"]
        keep_aside(tx, [AsideRow("j", number, text, "x", NOON) for number, text in enumerate(texts, 1)])
        bodies = [b"To: ALMA@Example.org\n", b"alma=40exam=\nple.org", b"about bruno@example.org", b"\xff\0"]
        told = [("", body) for body in bodies] + [("Alma@example.org", b""), ("somebody@example.org", b"")]
        add_strays(
            tx,
            [Stray("relay", f"{n}", "no_message", "x", to, NOON, body) for n, (to, body) in enumerate(told)],
        )
    for message in (mine, other):
        (tmp_path / f"{message.id}.eml").write_bytes(b"To: somebody")
    erase(database, cast, ALMA, Outbox(tmp_path).forget)
    with database.read() as tx:
        assert [row.position for row in list_aside(tx)] == [2, 4]
        assert {stray.source_key for stray in list_strays(tx, limit=10)} == {"2", "3", "5"}
    assert [path.stem for path in tmp_path.glob("*.eml")] == [str(other.id)]


def test_nobody_is_erased_by_half(database: Database) -> None:
    """While the outbox cannot be changed nothing is, and the erasure can be asked for again."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)

    def cannot(ids: Collection[UUID]) -> None:
        assert list(ids) == [message.id]
        raise TemporaryFailure("read-only")

    with pytest.raises(TemporaryFailure):
        erase(database, cast, ALMA, cannot)
    with database.read() as tx:
        assert contacts.find_contact(tx, ALMA) is not None
        assert ALMA in everything_said(tx)
    assert erase(database, cast) == 1


def test_what_comes_in_later_names_them_as_little(database: Database) -> None:
    """A bounce or an unsubscribe that arrives after the erasure is a fact about nobody, and suppresses nobody."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    erase(database, cast)
    with database.write() as tx:
        late = [
            event(message, EventKind.UNSUBSCRIBED),
            event(message, EventKind.BOUNCED, detail={"bounce": "hard", "reply": REPLY}),
        ]
        record_all(tx, late)
        assert ALMA not in everything_said(tx)
        facts = events.of_message(tx, message.id)
        assert [fact.kind for fact in facts][-2:] == [EventKind.UNSUBSCRIBED, EventKind.BOUNCED]
        assert dict(facts[-1].detail) == {"bounce": "hard"}


def test_mail_that_waits_is_taken_back(database: Database) -> None:
    """What is queued is not sent any more, and is told as failed; what is on the wire is waited for."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx, state=MessageState.QUEUED)
        queue.enqueue_each(tx, {message.id: NOON})
        tx.execute(update(queue_table).values(on_wire=True))
    with pytest.raises(Conflict, match="right now"):
        erase(database, cast)
    with database.write() as tx:
        tx.execute(update(queue_table).values(on_wire=False))
    assert erase(database, cast) == 1
    with database.read() as tx:
        assert queue.depth(tx) == 0
        found = messages.get_message(tx, message.id)
        assert found is not None
        assert (found.state, found.contact_id) == (MessageState.FAILED, None)


def test_their_address_stays_suppressed_where_that_was_asked_for(database: Database) -> None:
    """The list keeps what is on it; who asks for it is put on it with the erasure; the others can come back."""
    with database.write() as tx:
        cast = Cast.enter(tx)
    erase(database, cast, suppressed=True)
    erase(database, cast, BRUNO)
    with database.read() as tx:
        assert (reason_for(tx, ALMA), reason_for(tx, BRUNO)) == ("manual", None)
    with pytest.raises(NotFound):
        erase(database, cast)
