"""What goes in and out of the API about where reports come from: providers, mailboxes, and what became no fact."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from resonanz.api.shaping import Incoming, Line, Outgoing, Text
from resonanz.store.providers import ProviderRow
from resonanz.store.strays import Stray


class ProviderIn(Incoming):
    """A provider whose webhooks are to be let in."""

    provider: Line = Field(description="brevo, mailersend, mailgun, mailjet, mandrill, postal, postmark, resend, "
                           "sendgrid, ses or sparkpost")  # fmt: skip
    label: Line = ""
    secret: Text = Field("", description="What the provider proves itself with, where it is known already.")


class SecretIn(Incoming):
    """A provider's secret; empty: made here, where the provider signs nothing."""

    secret: Text = ""


class ProviderOut(Outgoing):
    """A provider that reports to this instance."""

    id: UUID
    provider: str
    label: str
    address: str = Field(description="Where it posts to.")
    has_secret: bool = Field(description="Without one nothing is let in.")
    created_at: datetime
    created_by: str
    taken: int = Field(description="Reports that were understood.")
    kept: int = Field(description="Reports that became no fact and were kept.")
    last_at: datetime | None
    refused_at: datetime | None
    refusal: str

    @classmethod
    def of(cls, row: ProviderRow, address: str) -> ProviderOut:
        """The shape of a stored provider."""
        return cls(
            id=row.id,
            provider=row.provider,
            label=row.label,
            address=address,
            has_secret=row.secrets is not None,
            created_at=row.created_at,
            created_by=row.created_by,
            taken=row.taken,
            kept=row.kept,
            last_at=row.last_at,
            refused_at=row.refused_at,
            refusal=row.refusal,
        )


class ProviderAdded(ProviderOut):
    """A provider, and the address with its password in it, shown this once."""

    secret_address: str | None


class ProvidersOut(Outgoing):
    """Every provider, in the order they were added."""

    providers: list[ProviderOut]


class StrayOut(Outgoing):
    """A report that became no fact."""

    id: int
    source: str
    reason: str
    kind: str
    recipient: str
    received_at: datetime
    body: str

    @classmethod
    def of(cls, stray: Stray) -> StrayOut:
        """The shape of a stored one."""
        return cls(
            id=stray.id,
            source=stray.source,
            reason=stray.reason,
            kind=stray.kind,
            recipient=stray.recipient,
            received_at=stray.received_at,
            body=stray.body.decode("utf-8", "replace"),
        )


class StraysOut(Outgoing):
    """How many reports became no fact, and the newest."""

    total: int
    strays: list[StrayOut]


class MailboxIn(Incoming):
    """A mailbox to read reports from."""

    protocol: Literal["imap", "pop3"]
    host: Line
    port: Annotated[int, Field(ge=0, le=65535, description="0: the protocol's own.")] = 0
    security: Literal["tls", "starttls"] = "tls"
    username: Line
    password: Text = Field("", description="With xoauth2 a refresh token of the provider; empty: sign in afterwards.")
    authentication: Literal["password", "xoauth2"] = "password"
    provider: Literal["", "google", "microsoft"] = Field("", description="Whose tokens, with xoauth2.")
    client_id: Line = Field("", description="Of the application that is registered with the provider.")
    client_secret: Text = Field("", description="Its secret, where it has one.")
    tenant: Line = Field("", description="Directory of a Microsoft account; empty: any.")
    folder: Line = "INBOX"
    then: Annotated[Literal["seen", "move", "delete"], Field(description="What happens to a report that was read.")] = (
        "seen"
    )
    move_to: Line = ""
    others: bool = Field(False, description="Let the same happen to mail that is no report.")


class MailboxPasswordIn(Incoming):
    """What a mailbox is signed in to by from now on."""

    password: Text


class MailboxOut(Outgoing):
    """A mailbox that reports are read from."""

    id: UUID
    protocol: str
    host: str
    port: int
    security: str
    username: str
    folder: str
    then: str
    move_to: str
    others: bool
    created_at: datetime
    created_by: str
    authentication: str
    provider: str
    client_id: str
    tenant: str
    taken: int = Field(description="Reports and answers that were read.")
    taken_at: datetime | None = Field(description="When the last of them was read.")
    checked_at: datetime | None
    failure: str = Field(description="Why it could not be read last; empty when it could.")


class MailboxFoundOut(Outgoing):
    """What a look at a mailbox found."""

    folder: str
    mails: int = Field(description="How many lie in the folder.")
    missing: str = Field(description="The folder that reports are to be moved to, where it does not exist.")
    taken: int
    taken_at: datetime | None = Field(description="When the last report was read from here; null: never.")


class MailboxesOut(Outgoing):
    """Every mailbox, in the order they were added."""

    mailboxes: list[MailboxOut]
