"""Reports about a message become facts about it, once, and suppress nobody they should not."""

from __future__ import annotations

import pytest

from resonanz.ingest import record_report
from resonanz.mail.refusals import Outcome, Reason
from resonanz.mail.reports import Report, ReportedRecipient, ReportKind
from resonanz.model import Event, EventKind, MessageState, NotFound, new_id
from resonanz.people import reason_for
from resonanz.store import Database, events, messages
from resonanz.store.messages import Message
from tests.kit.cast import ALMA, BRUNO, NOON, Cast

HARD = ReportedRecipient(ALMA, Outcome.HARD, "5.1.1", 550, Reason.UNKNOWN_MAILBOX, "550 5.1.1 no such user")
SOFT = ReportedRecipient(ALMA, Outcome.SOFT, "5.2.2", 552, Reason.MAILBOX_FULL, "552 5.2.2 mailbox full")
DELAYED = ReportedRecipient(ALMA, Outcome.DELAYED, "4.4.1", None, Reason.NETWORK, "connection timed out")
DELIVERED = ReportedRecipient(ALMA, Outcome.DELIVERED, "2.0.0", 250, None, "250 2.0.0 stored")
NOTHING = ReportedRecipient(ALMA)
OPTED_OUT = Report(ReportKind.COMPLAINT, (NOTHING,), detail="opt-out")


def told(database: Database, report: Report, key: str = "1", to: str = ALMA) -> tuple[Message, list[Event]]:
    """Record a report about a mail to `to`; return the message as it stands then, and the new events."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx, to)
        found = record_report(tx, message_id=message.id, report=report, now=NOON, source="relay", source_key=key)
        now = messages.get_message(tx, message.id)
    assert now is not None
    return now, found


@pytest.mark.parametrize(
    ("report", "kind", "state", "suppressed"),
    [
        (Report(ReportKind.BOUNCE, (HARD,)), EventKind.BOUNCED, MessageState.BOUNCED, "bounced"),
        (Report(ReportKind.BOUNCE, (SOFT,)), EventKind.BOUNCED, MessageState.BOUNCED, None),
        (Report(ReportKind.DELAY, (DELAYED,)), EventKind.DEFERRED, MessageState.SENT, None),
        (Report(ReportKind.DELIVERED, (DELIVERED,)), EventKind.DELIVERED, MessageState.DELIVERED, None),
        (Report(ReportKind.COMPLAINT, (NOTHING,)), EventKind.COMPLAINED, MessageState.DELIVERED, "complained"),
        (Report(ReportKind.COMPLAINT), EventKind.COMPLAINED, MessageState.DELIVERED, "complained"),
        (Report(ReportKind.AUTOREPLY, (NOTHING,)), EventKind.AUTORESPONDED, MessageState.DELIVERED, None),
        (Report(ReportKind.RECEIPT, (NOTHING,), detail="displayed"), EventKind.DISPLAYED, MessageState.DELIVERED, None),
        (OPTED_OUT, EventKind.UNSUBSCRIBED, MessageState.DELIVERED, "unsubscribed"),
        (Report(ReportKind.NONE, detail="reply"), EventKind.REPLIED, MessageState.DELIVERED, None),
        (Report(ReportKind.BOUNCE), EventKind.BOUNCED, MessageState.BOUNCED, None),
        (Report(ReportKind.DELAY), EventKind.DEFERRED, MessageState.SENT, None),
    ],
)  # fmt: skip
def test_what_becomes_of_a_report(
    database: Database, report: Report, kind: EventKind, state: MessageState, suppressed: str | None
) -> None:
    """Each kind of report is one fact, moves the message where it should, and suppresses only for good reasons."""
    message, (event,) = told(database, report)
    assert (event.kind, event.message_id, event.recipient) == (kind, message.id, ALMA)
    assert message.state is state
    with database.read() as tx:
        assert reason_for(tx, ALMA) == suppressed


@pytest.mark.parametrize(
    "report",
    [
        Report(ReportKind.NONE),
        Report(ReportKind.RECEIPT, (NOTHING,), detail="deleted"),
        Report(ReportKind.BOUNCE, (NOTHING,)),
        Report(ReportKind.DELIVERED, ()),
    ],
)
def test_reports_that_say_nothing_record_nothing(database: Database, report: Report) -> None:
    """No report, one that a mail was deleted unread, or one that is silent about the recipient."""
    message, found = told(database, report)
    assert found == []
    assert message.state is MessageState.SENT


def test_what_the_other_side_said_is_kept(database: Database) -> None:
    """The diagnosis stands beside the state, and its code, reason and grade in the fact."""
    message, (event,) = told(database, Report(ReportKind.BOUNCE, (HARD,)))
    assert message.state_note == "550 5.1.1 no such user"
    assert event.detail == {
        "report": "bounce",
        "reply": "550 5.1.1 no such user",
        "status": "5.1.1",
        "reason": "unknown_mailbox",
        "bounce": "hard",
    }


def test_the_same_report_counts_once(database: Database) -> None:
    """A report that arrives again, by whatever way, changes nothing; another about the same message is another fact."""
    message, _ = told(database, Report(ReportKind.DELAY, (DELAYED,)))
    again = {"message_id": message.id, "now": NOON, "source": "relay"}
    with database.write() as tx:
        report = Report(ReportKind.DELAY, (DELAYED,))
        assert record_report(tx, report=report, source_key="1", **again) == []
        assert len(record_report(tx, report=report, source_key="2", **again)) == 1
        assert [event.kind for event in events.of_message(tx, message.id)][2:] == [EventKind.DEFERRED] * 2


def test_of_several_recipients_ours_is_the_one_that_matters(database: Database) -> None:
    """Somebody else's dead mailbox in the same report does not bounce this message."""
    other = ReportedRecipient(BRUNO, Outcome.HARD, "5.1.1", 550, Reason.UNKNOWN_MAILBOX, "no such user")
    ours = ReportedRecipient(ALMA.upper(), Outcome.DELIVERED, "2.0.0")
    message, (event,) = told(database, Report(ReportKind.BOUNCE, (other, ours)))
    assert event.kind is EventKind.DELIVERED
    assert message.state is MessageState.DELIVERED


def test_behind_an_alias_the_worst_is_told(database: Database) -> None:
    """Where the report names only whom our recipient stands for, one that failed speaks louder than the others."""
    fine = ReportedRecipient("one@elsewhere.example", Outcome.DELIVERED, "2.0.0")
    failed = ReportedRecipient("two@elsewhere.example", Outcome.SOFT, "5.2.2", 552, Reason.MAILBOX_FULL, "full")
    _, (event,) = told(database, Report(ReportKind.BOUNCE, (fine, failed)))
    assert (event.kind, event.detail["bounce"], event.detail["reason"]) == (EventKind.BOUNCED, "soft", "mailbox_full")


def test_a_forward_that_fails_does_not_suppress_whom_we_wrote_to(database: Database) -> None:
    """The mailbox behind a forward is dead, the address that we wrote to is not."""
    behind = ReportedRecipient("list-member@elsewhere.example", Outcome.HARD, "5.1.1", 550, Reason.UNKNOWN_MAILBOX)
    message, (event,) = told(database, Report(ReportKind.BOUNCE, (behind,)))
    assert (message.state, event.detail["bounce"]) == (MessageState.BOUNCED, "soft")
    with database.read() as tx:
        assert reason_for(tx, ALMA) is None


def test_foreign_text_that_no_database_holds_is_cleaned(database: Database) -> None:
    """A diagnosis with a NUL in it is still a diagnosis."""
    odd = ReportedRecipient(ALMA, Outcome.SOFT, "5.0.0", 550, None, "go\0 away \ud800!")
    message, _ = told(database, Report(ReportKind.BOUNCE, (odd,), detail="x\0"))
    assert message.state_note == "go away ?!"


def test_a_report_about_no_message_of_ours_is_refused(database: Database) -> None:
    """Whoever asks is told, and nothing is stored."""
    with pytest.raises(NotFound), database.write() as tx:
        record_report(
            tx,
            message_id=new_id(),
            report=Report(ReportKind.BOUNCE, (HARD,)),
            now=NOON,
            source="relay",
            source_key="1",
        )
