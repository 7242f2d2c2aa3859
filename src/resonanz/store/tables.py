"""Every table, with what its rows mean. Migrations bring a database to this state; `tests/store` checks it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from resonanz.model import (
    ClientKind,
    Confidence,
    Coverage,
    EventKind,
    HitKind,
    MessageState,
    TrackingMode,
    Verdict,
    Who,
)
from resonanz.store.types import Id, Json, Moment, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A 64-bit key that SQLite still takes as its rowid.
BigKey = BigInteger().with_variant(Integer(), "sqlite")

# ── Who may use this instance ───────────────────────────────────────────────────────────────────────────────────────

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", String(320), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("password_changed_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie: a stolen table signs nobody in
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("user_agent", Text, nullable=False),
)

api_keys = Table(  # of programs, and passwords of mail programs
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", String(16), nullable=False),  # the first characters, so that a person can tell keys apart
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Column("kind", String(16), nullable=False, server_default="api"),  # api: every door; mail: SMTP alone
)

senders = Table(  # what an account may send from beside its own address
    "senders",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("pattern", String(320), primary_key=True),  # a normalised address, or `@` and a domain
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),  # the account's address, or `command line`
)

sender_claims = Table(  # addresses that an account says are its own, until a link in a mail to there was followed
    "sender_claims",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(320), primary_key=True),  # normalised
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of what the link carries
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # Empty: open. Else withdrawn or refused, and kept for a while so that nobody is asked again and again.
    Column("ended", String(16), nullable=False, server_default=""),
)

throttles = Table(  # attempts per bucket (an address, a network) inside one window
    "throttles",
    metadata,
    Column("bucket", String(200), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("window_ends_at", Moment, nullable=False),
)

choices = Table(  # what was decided in the dashboard, by name; everything else is a setting of the process
    "choices",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Json, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# ── Who is written to, and what they allow ──────────────────────────────────────────────────────────────────────────

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", String(320), nullable=False, unique=True),  # normalised
    Column("name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("language", String(35), nullable=False, server_default=""),  # a tag of RFC 5646, such as de or pt-BR
    Column("attributes", Json, nullable=False, server_default=text("'{}'")),  # by name; what each is says `attributes`
    Column("changed_at", Moment),
    # A projection: mails that bounced softly since the last one arrived, counted from `softly_since` on.
    Column("soft_bounces", Integer, nullable=False, server_default="0"),
    Column("softly_since", Moment),  # when the address was put back on, or changed; null: count everything
)

attributes = Table(  # what this instance wants to know of contacts, beside address, name and language
    "attributes",
    metadata,
    Column("name", String(40), primary_key=True),  # as placeholders write it
    Column("label", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # text, number, date, yes_no, choice
    Column("choices", Json, nullable=False),  # a list of texts, empty for other kinds
    Column("created_at", Moment, nullable=False),
)

lists = Table(
    "lists",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("is_marketing", Boolean, nullable=False),  # whether mail to it needs the contact's consent to mailing
    Column("created_at", Moment, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("list_id", Id, ForeignKey("lists.id", ondelete="CASCADE"), primary_key=True),
    Column("contact_id", Id, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("since", Moment, nullable=False),
    Column("source", Text, nullable=False),
)

consents = Table(  # append-only; what was chosen last per contact and purpose is in force
    "consents",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("contact_id", Id, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("purpose", String(32), nullable=False),  # mailing, opens, clicks
    Column("state", String(16), nullable=False),  # granted, unconfirmed, refused, withdrawn
    Column("occurred_at", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("actor", Text, nullable=False, server_default=""),  # who entered it: empty for the contact's own act
    Index("ix_consents_contact_id_purpose", "contact_id", "purpose", "id"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address", String(320), primary_key=True),  # normalised; kept apart from contacts so that erasure keeps it
    Column("reason", String(32), nullable=False),
    Column("since", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
)

suppression_changes = Table(  # append-only: how an address came on the list, and off it again
    "suppression_changes",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("address", String(320), nullable=False, index=True),
    Column("change", String(16), nullable=False),  # added, removed
    Column("reason", String(32), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),  # the account's address, `command line`, or empty: nobody, it happened
)

imports = Table(  # files of contacts on their way in; `position` and what is counted move with each portion
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("file_name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("state", String(16), nullable=False),  # uploaded, running, finished, failed, cancelled
    Column("plan", Json, nullable=False),  # how the file is read, and what becomes of its columns and rows
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("position", BigInteger, nullable=False),  # bytes that are read
    Column("line", Integer, nullable=False),  # lines that are read
    Column("added", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False),  # rows of addresses that get no mail and stay so
    Column("kept", Integer, nullable=False),  # choices against, which an import does not turn
    Column("note", Text, nullable=False),  # why it failed
    Index("ix_imports_state", "state"),
)

import_pieces = Table(  # the file itself, until it is read: whichever worker goes on with it finds it here
    "import_pieces",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

import_errors = Table(
    "import_errors",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),  # where the row begins in the file
    Column("reason", Text, nullable=False),
    Column("cells", Json, nullable=False),
)

# ── What is sent ────────────────────────────────────────────────────────────────────────────────────────────────────

contents = Table(  # a mail as its author handed it in, stored once however many recipients it has
    "contents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("form", String(16), nullable=False),  # rfc822: the bytes of a mail; composed, template: JSON of fields
    Column("body", LargeBinary, nullable=False),
    Column("sender", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

submissions = Table(  # what a client handed us in one go; the unit of anonymous counting
    "submissions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("content_id", Id, ForeignKey("contents.id"), nullable=False),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("source", String(16), nullable=False),  # dashboard, api, cli, relay
    Column("track_opens", Word(TrackingMode), nullable=False),  # the most the sender asked for
    Column("track_clicks", Word(TrackingMode), nullable=False),
    Column("track_documents", Boolean, nullable=False, server_default=text("false")),  # attachments become links
    Column("idempotency_key", String(128)),
    Column("recipients", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("anonymous_opens", Integer, nullable=False, server_default="0"),
    Column("anonymous_clicks", Integer, nullable=False, server_default="0"),
    Column("bulk", Boolean, nullable=False, server_default=text("false")),  # says so in its headers, and how to leave
    # Its recipients share one copy: opens and clicks belong to all of them together.
    Column("shared", Boolean, nullable=False, server_default=text("false")),
    # Goes out without a return path (RFC 5321 section 4.5.5): it is itself a report, nobody is told about it.
    Column("null_path", Boolean, nullable=False, server_default=text("false")),
    Column("replies", Boolean, nullable=False, server_default=text("false")),  # answers to it come here first
    Index("uq_submissions_idempotency", "account_id", "idempotency_key", unique=True),
)

campaigns = Table(  # one content for the contacts of some lists; from `started_at` on content and audience stand
    "campaigns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("name", Text, nullable=False),
    Column("sender", Text, nullable=False),  # a mailbox, with or without a display name
    Column("reply_to", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),  # empty: made from the HTML
    Column("track_opens", Word(TrackingMode), nullable=False),
    Column("track_clicks", Word(TrackingMode), nullable=False),
    Column("per_minute", Integer),  # mails; null: as fast as it goes
    Column("state", String(16), nullable=False),  # draft, scheduled, sending, paused, finished, cancelled
    Column("state_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("start_at", Moment),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("submission_id", Id, ForeignKey("submissions.id"), unique=True),
    # How far its audience has become mails; moved by the transaction that makes them.
    Column("cursor", Id),  # the last contact that was looked at
    Column("expanded", Boolean, nullable=False),  # everybody was; of a cancelled one, that its queue is put away
    Column("release_at", Moment),  # when the next mail may go out
    Column("audience", Integer, nullable=False),  # contacts with a mail
    Column("suppressed", Integer, nullable=False),  # contacts without, because of the suppression list
    Column("unwilling", Integer, nullable=False),  # contacts without, for want of consent to mailing
    Index("ix_campaigns_state", "state"),
)

campaign_lists = Table(
    "campaign_lists",
    metadata,
    Column("campaign_id", Id, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("list_id", Id, ForeignKey("lists.id", ondelete="CASCADE"), primary_key=True, index=True),
)

blocks = Table(  # append-only: an operator blocked or unblocked a submission's links; the last row is in force
    "blocks",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),  # the account's address, or `command line`
    Column("occurred_at", Moment, nullable=False),
    Index("ix_blocks_submission_id", "submission_id", "id"),
)

domains = Table(  # hosts beside the edge's own that links may carry
    "domains",
    metadata,
    Column("name", String(253), primary_key=True),  # lower case, without a final dot
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("confirmed_at", Moment),  # when it was first known to lead here; the edge answers for it from then on
    Column("in_use", Boolean, nullable=False, server_default=text("false")),  # whether new mails carry it
    Column("checked_at", Moment),
    Column("check_note", Text, nullable=False, server_default=""),  # what the last check saw
)

domain_senders = Table(  # mail from which domains carries which host; a sender domain has one
    "domain_senders",
    metadata,
    Column("sender", String(253), primary_key=True),
    Column("domain", String(253), ForeignKey("domains.name", ondelete="CASCADE"), nullable=False, index=True),
)

sender_checks = Table(  # what DNS said of a domain that mail is sent from, when it was last looked at
    "sender_checks",
    metadata,
    Column("domain", String(253), primary_key=True),  # lower case, in A-labels
    Column("checked_at", Moment, nullable=False),
    Column("checked_by", Text, nullable=False),  # the account's address, or `command line`
    Column("records", Json, nullable=False),  # a list of `sending.domain_records.Record`, by its fields
)

messages = Table(  # one mail to exactly one recipient; everything after created_at is a projection of its events
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("contact_id", Id, ForeignKey("contacts.id", ondelete="SET NULL"), index=True),
    Column("recipient", String(320), nullable=False, index=True),
    Column("sender", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("header_id", Text, index=True),  # the Message-ID it carries
    Column("created_at", Moment, nullable=False),
    Column("track_opens", Word(TrackingMode), nullable=False),  # as decided when it was built
    Column("track_clicks", Word(TrackingMode), nullable=False),
    Column("coverage", Word(Coverage), nullable=False),
    Column("untracked_reason", String(64), nullable=False, server_default=""),
    Column("state", Word(MessageState), nullable=False),
    Column("state_at", Moment, nullable=False),
    Column("state_note", Text, nullable=False, server_default=""),  # what the other server said
    Column("opens_human", Integer, nullable=False, server_default="0"),
    Column("opens_indeterminate", Integer, nullable=False, server_default="0"),
    Column("opens_machine", Integer, nullable=False, server_default="0"),
    Column("clicks_human", Integer, nullable=False, server_default="0"),
    Column("clicks_indeterminate", Integer, nullable=False, server_default="0"),
    Column("clicks_machine", Integer, nullable=False, server_default="0"),
    Column("first_opened_at", Moment),
    Column("last_opened_at", Moment),
    Column("first_clicked_at", Moment),
    Column("last_clicked_at", Moment),
    # Who scans the recipient's mail or takes tracking out of it, by name; empty: nobody, null: not known (yet).
    Column("gateway", String(48)),
    Column("answers", SmallInteger, nullable=False, server_default="0"),  # `standings.Answer`, added up
    Column("bounce", String(80), nullable=False, server_default=""),  # of what bounced: `hard no_such_user`
    Column("followed", Text, nullable=False, server_default=""),  # the links people followed: `0 3 17`
    Index("ix_messages_submission_id", "submission_id", "id"),
    Index("ix_messages_state", "state", "id"),
    postgresql_with={"fillfactor": 70},  # room in each page, so that counting an open rewrites no index
)

wanted_reports = Table(  # what the sender of a relayed mail is to be told of its fate (RFC 3461); gone when all is told
    "wanted_reports",
    metadata,
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("on_failure", Boolean, nullable=False),
    Column("on_delay", Boolean, nullable=False),
    Column("on_success", Boolean, nullable=False),
    Column("whole", Boolean, nullable=False),  # the mail comes back whole, not only its header
    Column("envelope_id", Text, nullable=False),  # ENVID and ORCPT as the client wrote them
    Column("original_recipient", Text, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("due", String(16)),  # what there is to tell: failed, delayed, delivered, relayed
    Index("ix_wanted_reports_due", "due", "message_id"),
)

links = Table(  # where each link of a content leads and how it reads, by its index in that content
    "links",
    metadata,
    Column("content_id", Id, ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True),
    Column("link", Integer, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("label", Text, nullable=False),
)

queue = Table(  # messages that still have to be carried out; a row goes when its message is settled
    "queue",
    metadata,
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("due_at", Moment, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("claimed_by", String(64)),
    Column("claimed_until", Moment),
    Column("on_wire", Boolean, nullable=False, server_default=text("false")),  # set just before DATA
    # Why it was put off without an attempt: `transport <name>` or `domain <name>`; empty when nothing holds it.
    Column("waits_for", String(300), nullable=False, server_default=""),
    Index("ix_queue_due_at", "due_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", SmallInteger, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("transport", String(64), nullable=False),
    Column("outcome", Word(EventKind), nullable=False),
    Column("reply", Text, nullable=False),
)

transports = Table(  # servers that mail goes out by, beside the one in the settings
    "transports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(48), nullable=False, unique=True),
    # Whose mail alone it carries; empty: everybody's.
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("host", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", String(16), nullable=False),  # none, starttls, tls
    Column("authentication", String(16), nullable=False),  # none, password, xoauth2
    Column("username", String(320), nullable=False),
    Column("secret", LargeBinary),  # sealed: the password, or the refresh token
    Column("provider", String(16), nullable=False, server_default=""),  # whose tokens: google, microsoft
    Column("client_id", Text, nullable=False, server_default=""),
    Column("client_secret", LargeBinary),  # sealed
    Column("tenant", String(64), nullable=False, server_default=""),  # Microsoft's directory
    Column("priority", SmallInteger, nullable=False),  # the lowest goes first among those for the same senders
    Column("connections", SmallInteger),  # at once; empty: as many as the worker has
    Column("rate_per_minute", Integer),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("sign_in_again", Boolean, nullable=False, server_default=text("false")),  # its refresh token is dead
    Column("trouble", Text, nullable=False, server_default=""),  # what kept it from working last; empty: nothing
    # Of an account's own: whether the instance's carry its mail when it cannot be reached. Else that mail waits.
    Column("fall_back", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

transport_senders = Table(  # whose mail a transport carries: an address, a domain, or * for everybody's
    "transport_senders",
    metadata,
    Column("transport_id", Id, ForeignKey("transports.id", ondelete="CASCADE"), primary_key=True),
    Column("sender", String(320), primary_key=True),
)

destinations = Table(  # what was set for one recipient domain, or learned about it
    "destinations",
    metadata,
    Column("domain", String(253), primary_key=True),
    Column("connections", SmallInteger),  # empty: as the built-in table says
    Column("rate_per_minute", Integer),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("slow_until", Moment),  # it asked us to slow down
    Column("slow_steps", SmallInteger, nullable=False, server_default="0"),  # how often in a row
    Column("note", Text, nullable=False, server_default=""),  # its words, or who paused it
)

# ── What happened ───────────────────────────────────────────────────────────────────────────────────────────────────

events = Table(  # append-only facts; the only update ever made is to the verdict columns, by a correction
    "events",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("kind", Word(EventKind), nullable=False),
    Column("message_id", Id),
    Column("submission_id", Id),
    Column("recipient", String(320), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("source", String(32), nullable=False),
    Column("source_key", String(255), nullable=False),
    Column("verdict", Word(Verdict)),
    Column("confidence", Word(Confidence)),
    Column("reasons", Json, nullable=False),
    Column("client_kind", Word(ClientKind)),
    Column("client_name", Text, nullable=False),
    Column("client_os", Text, nullable=False),
    Column("client_device", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("region", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("link", Integer),
    Column("url", Text, nullable=False),
    Column("repeat_of", BigInteger),
    Column("detail", Json, nullable=False),
    Column("timezone", String(64), nullable=False, server_default=""),  # of the place, such as Europe/Berlin
    # One index for a message's timeline and for what later hits are compared with: its events that repeat nothing stand
    # together, so that a pixel which is fetched a million times is still one row to read; and by kind and time, because
    # a click only ever repeats one of the last minute.
    Index("ix_events_message_id", "message_id", "repeat_of", "kind", "occurred_at"),
    Index(  # the feed of what happened last, however many repeats came in since
        "ix_events_news",
        "id",
        sqlite_where=text("repeat_of IS NULL"),
        postgresql_where=text("repeat_of IS NULL"),
    ),
    Index(  # who unsubscribed from a submission
        "ix_events_leavings",
        "message_id",
        sqlite_where=text("kind = 'unsubscribed'"),
        postgresql_where=text("kind = 'unsubscribed'"),
    ),
    Index(
        "uq_events_source_key",
        "source",
        "source_key",
        unique=True,
        sqlite_where=text("source_key <> ''"),
        postgresql_where=text("source_key <> ''"),
    ),
    sqlite_autoincrement=True,  # an id is never used twice, so that a watcher's position stays true
)

evidence = Table(  # who asked, of hits whose verdict other hits may still change; rows go when that time is over
    "evidence",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # of the event
    Column("message_id", Id, nullable=False, index=True),
    Column("kind", Word(HitKind), nullable=False),
    Column("link", Integer),
    Column("occurred_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("method", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("headers", Json, nullable=False),  # those that say that something is fetched ahead
    Column("own", Boolean, nullable=False),
    Column("source", BigInteger, nullable=False),  # a short digest of address and user agent: who reached many mails
    Column("due_at", Moment),  # when it is judged together with the others; NULL once it has been
    Index("ix_evidence_source", "source", "occurred_at"),
    Index(
        "ix_evidence_due_at",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
)

shadows = Table(  # what would have been said of hits with a network or rule that is only being tried
    "shadows",
    metadata,
    Column("name", String(128), primary_key=True),  # the network's owner and kind, or that it is a rule
    Column("was", Word(Verdict), primary_key=True),
    Column("would", Word(Verdict), primary_key=True),
    Column("events", BigInteger, nullable=False),
)

own_sources = Table(  # browsers that were signed in to the dashboard: whose own opens and clicks do not count
    "own_sources",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("source", LargeBinary(16), primary_key=True),  # a keyed digest of address and user agent
    Column("seen_at", Moment, nullable=False, index=True),
)

strays = Table(  # what others told us that became no fact: of a kind nobody knows, about no mail of ours, unreadable
    "strays",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("source", String(32), nullable=False),  # relay, mailbox, or a provider's name
    Column("source_key", String(255), nullable=False),
    Column("reason", String(32), nullable=False),  # no_message, unknown_kind, unreadable
    Column("kind", String(64), nullable=False),  # as the source calls it
    Column("recipient", String(320), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it came in; of a long one its beginning
    Index("uq_strays_source_key", "source", "source_key", unique=True),
)

mailboxes = Table(  # mailboxes at other servers that reports come back to, and how far each was read
    "mailboxes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("protocol", String(8), nullable=False),  # imap, pop3
    Column("host", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", String(16), nullable=False),  # tls, starttls
    Column("username", String(320), nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("folder", Text, nullable=False),
    Column("then", String(16), nullable=False),  # what happens to a report that was read: seen, move, delete
    Column("move_to", Text, nullable=False),
    Column("others", Boolean, nullable=False),  # whether that happens to mail, too, that is no report
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("uid_validity", BigInteger),
    Column("last_uid", BigInteger, nullable=False, server_default="0"),
    Column("taken", BigInteger, nullable=False, server_default="0"),
    Column("checked_at", Moment),
    Column("failure", Text, nullable=False, server_default=""),  # why it could not be read last
    Column("authentication", String(16), nullable=False, server_default="password"),  # password, xoauth2
    Column("provider", String(16), nullable=False, server_default=""),  # google, microsoft; with xoauth2
    Column("client_id", Text, nullable=False, server_default=""),
    Column("client_secret", LargeBinary),  # sealed
    Column("tenant", String(64), nullable=False, server_default=""),
    Column("taken_at", Moment),  # when the last report was read
)

mailbox_seen = Table(  # what was read of a POP3 mailbox and still lies in it
    "mailbox_seen",
    metadata,
    Column("mailbox_id", Id, ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    Column("uidl", String(128), primary_key=True),
)

providers = Table(  # whose webhooks are let in, one row for each address that somebody was given
    "providers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("label", String(80), nullable=False),
    Column("secrets", LargeBinary),  # sealed; without one nothing is let in
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("taken", BigInteger, nullable=False, server_default="0"),  # reports that were understood
    Column("kept", BigInteger, nullable=False, server_default="0"),  # strays
    Column("last_at", Moment),
    Column("refused_at", Moment),
    Column("refusal", Text, nullable=False, server_default=""),
)

provider_nonces = Table(  # what may be used once, where a signature does not cover the body
    "provider_nonces",
    metadata,
    Column("provider_id", Id, ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # of the body it came with
    Column("seen_at", Moment, nullable=False, index=True),
)

webhook_endpoints = Table(  # where programs of others are told of facts, and how far each has been
    "webhook_endpoints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", Json, nullable=False),  # of events, as `notify.webhooks.types` names them
    Column("who", Json, nullable=False),  # sides of verdicts; what carries no verdict is told in any case
    Column("all_mail", Boolean, nullable=False),  # of this instance, or only what its account handed in
    Column("secrets", LargeBinary, nullable=False),  # sealed: the newest, and those that are running out
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("begins_after", BigInteger, nullable=False),  # the newest fact when it was made, or went on from then
    Column("position", BigInteger, nullable=False),  # the last fact that has become deliveries, or none
    Column("paused_at", Moment),
    Column("note", Text, nullable=False, server_default=""),  # why it is paused
    Column("failures", Integer, nullable=False, server_default="0"),  # tries in a row
    Column("failing_since", Moment),
    Column("rests_until", Moment),  # it asked for it, or fails again and again
    Column("delivered_at", Moment),
)

webhook_deliveries = Table(  # the outbox: one event for one endpoint; rows go some weeks after their end
    "webhook_deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("endpoint_id", Id, ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", BigInteger),  # the fact that made it; null for a test
    Column("about", BigInteger),  # the event that is told of: another one when a correction brought it up
    Column("type", String(64), nullable=False),
    Column("told", Json, nullable=False),  # the judgement as it was then, which may change until the last try
    Column("state", String(16), nullable=False),  # waiting, delivered, failed, withheld
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment),  # of the next try, or when a worker that took it is taken for dead; null at its end
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("tried_at", Moment),
    Column("status", SmallInteger),  # of HTTP
    Column("response", Text, nullable=False, server_default=""),  # its beginning
    Column("milliseconds", Integer),  # that the last try took
    Column("failure", Text, nullable=False, server_default=""),
    Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
    Index("ix_webhook_deliveries_state", "endpoint_id", "state", "id"),
    Index("uq_webhook_deliveries_about", "endpoint_id", "about", "event_id", unique=True),
    Index(
        "ix_webhook_deliveries_due_at",
        "endpoint_id",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
)

cursors = Table(  # how far each journal has been taken over
    "cursors",
    metadata,
    Column("journal", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("moved_at", Moment, nullable=False),
)

aside = Table(  # hits that could not be turned into events, word for word, until they are tried again
    "aside",
    metadata,
    Column("journal", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hit", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("set_aside_at", Moment, nullable=False),
)

# What follows is counted per submission, in the transaction that moves a message. Small submissions have only their
# `nameless` links here: their messages are counted when they are asked about (`store.tallies`).

tallies = Table(  # how many messages of a submission stand alike; every figure and rate of it is a sum of these
    "tallies",
    metadata,
    Column("submission_id", Id, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Word(MessageState), primary_key=True),
    Column("track_opens", Word(TrackingMode), primary_key=True),
    Column("track_clicks", Word(TrackingMode), primary_key=True),
    Column("coverage", Word(Coverage), primary_key=True),
    Column("gateway", String(48), primary_key=True),  # as with messages; `?`: not known
    Column("acts", SmallInteger, primary_key=True, autoincrement=False),  # `standings.Act`, added up
    Column("bounce", String(80), primary_key=True),
    Column("messages", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50},  # the same few rows are written again and again
)

link_tallies = Table(  # who followed the links of a submission
    "link_tallies",
    metadata,
    Column("submission_id", Id, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("link", Integer, primary_key=True, autoincrement=False),
    Column("clickers", BigInteger, nullable=False, server_default="0"),  # recipients, by name and proof
    Column("nameless", BigInteger, nullable=False, server_default="0"),  # clicks that belong to no message
    postgresql_with={"fillfactor": 50},
)

moments = Table(  # when a submission's recipients first opened and clicked, by quarter of an hour
    "moments",
    metadata,
    Column("submission_id", Id, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("bucket", Moment, primary_key=True),
    Column("opened", BigInteger, nullable=False, server_default="0"),  # recipients, by name and proof
    Column("clicked", BigInteger, nullable=False, server_default="0"),
    Column("nameless_opens", BigInteger, nullable=False, server_default="0"),  # that belong to no message
    Column("nameless_clicks", BigInteger, nullable=False, server_default="0"),
    postgresql_with={"fillfactor": 50},
)

workers = Table(  # queue workers at work: limits are shared among them
    "workers",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

rollup = Table(  # first events (repeats folded) by quarter of an hour: every time zone's day is made of whole ones
    "rollup",
    metadata,
    Column("bucket", Moment, primary_key=True),
    Column("kind", Word(EventKind), primary_key=True),
    Column("who", Word(Who), primary_key=True),  # `human` for kinds that carry no verdict
    Column("events", BigInteger, nullable=False),
)
