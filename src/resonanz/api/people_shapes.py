"""What goes in and out of the API about contacts, lists, imports and the suppression list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from resonanz.api.figure_shapes import UnmeasuredOut
from resonanz.api.shaping import Incoming, Line, Outgoing
from resonanz.insight.contacts import History
from resonanz.people import Choice, Purpose, Reason
from resonanz.people.attributes import Attribute, Kind
from resonanz.store.contacts import ConsentRow, Contact

Value = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=10_000)]
Values = Annotated[dict[Annotated[str, Field(max_length=40)], Value | None], Field(max_length=100)]


class ContactIn(Incoming):
    """A contact to be added. Attributes are named as they are defined; dates are text such as 2026-03-18."""

    address: Line
    name: Line | None = None
    language: Line | None = Field(None, description="A tag of RFC 5646, such as de or pt-BR")
    attributes: Values = Field(default_factory=dict)
    lists: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(max_length=1_000)] = Field(default_factory=list)


class ContactChange(Incoming):
    """What is to change of a contact; what is left out stays, an attribute that is null goes."""

    address: Line | None = None
    name: Line | None = None
    language: Line | None = None
    attributes: Values = Field(default_factory=dict)


class ContactOut(Outgoing):
    """A person who is known."""

    id: UUID
    address: str
    name: str
    language: str
    attributes: dict[str, Any]
    created_at: datetime
    changed_at: datetime | None
    gateway: str | None = Field(
        description="Who scans their mail or takes tracking out of it, by the newest mail to them; empty for nobody, "
        "null as long as it is not known."
    )

    @classmethod
    def of(cls, row: Contact, gateway: str | None = None) -> ContactOut:
        """The shape of a stored contact."""
        return cls(
            id=row.id,
            address=row.address,
            name=row.name,
            language=row.language,
            attributes=dict(row.attributes),
            created_at=row.created_at,
            changed_at=row.changed_at,
            gateway=gateway,
        )


class ContactPage(Outgoing):
    """Contacts, newest first; `next` continues the list, null at its end."""

    contacts: list[ContactOut]
    next: UUID | None


class ContactMailOut(Outgoing):
    """What came of all mail to a contact. `opened` and `clicked` are mails that people opened or clicked, by proof."""

    messages: int
    arrived: int = Field(description="Handed over, and did not come back.")
    bounced: int
    opened: int
    perhaps_opened: int = Field(description="Fetched by somebody or nobody: Apple's privacy protection hides which.")
    clicked: int
    gateway: str | None = Field(description="Who scans their mail or takes tracking out of it; null for nobody known.")
    gateway_text: str = Field(description="What that means, in words.")
    unmeasured: list[UnmeasuredOut] = Field(description="Of the mails that arrived; the most frequent reason first.")

    @classmethod
    def of(cls, found: History) -> ContactMailOut:
        """The shape of a contact's history."""
        return cls(
            messages=found.messages,
            arrived=found.arrived,
            bounced=found.bounced,
            opened=found.opened,
            perhaps_opened=found.perhaps,
            clicked=found.clicked,
            gateway=found.gateway.title if found.gateway is not None else None,
            gateway_text=found.gateway.text if found.gateway is not None else "",
            unmeasured=[UnmeasuredOut.of(each) for each in found.unmeasured],
        )


class ConsentIn(Incoming):
    """What a contact chose, entered for them."""

    purpose: Annotated[Purpose, Field(strict=False)]
    state: Annotated[Choice, Field(strict=False, description="`unconfirmed` is for mailing alone")]
    source: Line = Field(description="Where the contact said so; must not be empty")
    occurred_at: Annotated[AwareDatetime, Field(strict=False)] | None = Field(None, description="Default: now")
    text_version: Line = Field("", description="Which wording they had before them")


class ConsentOut(Outgoing):
    """One recorded choice."""

    purpose: Purpose
    state: Choice
    occurred_at: datetime
    source: str
    text_version: str
    actor: str = Field(description="Who entered it; empty when the contact did")

    @classmethod
    def of(cls, row: ConsentRow) -> ConsentOut:
        """The shape of a stored choice."""
        return cls(
            purpose=Purpose(row.purpose),
            state=Choice(row.state),
            occurred_at=row.occurred_at,
            source=row.source,
            text_version=row.text_version,
            actor=row.actor,
        )


class ConsentsOut(Outgoing):
    """What is in force for each purpose (null: never asked), and every choice, oldest first."""

    in_force: dict[Purpose, Choice | None]
    history: list[ConsentOut]


class MembershipOut(Outgoing):
    """A list that a contact is on."""

    list: UUID
    name: str
    since: datetime
    source: str


class MembershipsOut(Outgoing):
    """The lists that a contact is on, by name."""

    lists: list[MembershipOut]


class AttributeIn(Incoming):
    """An attribute to be defined."""

    name: Line = Field(description="As placeholders write it: small letters, digits, underscores")
    label: Line = ""
    kind: Annotated[Kind, Field(strict=False)]
    choices: Annotated[list[Line], Field(max_length=200)] = Field(default_factory=list)


class AttributeChange(Incoming):
    """What is to change of an attribute; its kind never does."""

    label: Line | None = None
    choices: Annotated[list[Line], Field(max_length=200)] | None = None


class AttributeOut(Outgoing):
    """What this instance wants to know of contacts."""

    name: str
    label: str
    kind: Kind
    choices: list[str]

    @classmethod
    def of(cls, one: Attribute) -> AttributeOut:
        """The shape of an attribute."""
        return cls(name=one.name, label=one.label, kind=one.kind, choices=list(one.choices))


class AttributesOut(Outgoing):
    """Every attribute."""

    attributes: list[AttributeOut]


class ListIn(Incoming):
    """A list to be created."""

    name: Line
    description: Line = ""
    is_marketing: bool = Field(True, description="Whether mail to it needs the contact's consent to mailing")


class ListChange(Incoming):
    """What is to change of a list."""

    name: Line | None = None
    description: Line | None = None
    is_marketing: bool | None = None


class ListOut(Outgoing):
    """A list of contacts."""

    id: UUID
    name: str
    description: str
    is_marketing: bool
    members: int
    created_at: datetime


class ListsOut(Outgoing):
    """Every list, by name."""

    lists: list[ListOut]


class MembersIn(Incoming):
    """Contacts to be put on a list."""

    contacts: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(min_length=1, max_length=10_000)]
    source: Line = ""


class MembersOut(Outgoing):
    """How many came on the list; the others were on it."""

    added: int


class SuppressionIn(Incoming):
    """An address that is to get no mail."""

    address: Line
    note: Line = ""


class SuppressionOut(Outgoing):
    """An address that gets no mail."""

    address: str
    reason: Reason
    since: datetime
    source: str
    note: str


class SuppressionChangeOut(Outgoing):
    """How an address came on the list, or off it."""

    change: str
    reason: str
    occurred_at: datetime
    source: str
    note: str
    actor: str


class SuppressionDetail(Outgoing):
    """Whether an address is on the list (null: it is not), and how it came there and off."""

    suppression: SuppressionOut | None
    history: list[SuppressionChangeOut]


class SuppressionPage(Outgoing):
    """Suppressed addresses in order; `next` continues behind it, null at the end."""

    suppressions: list[SuppressionOut]
    next: str | None


class FormOut(Outgoing):
    """How a file is read."""

    encoding: str
    delimiter: str
    has_header: bool


class ImportConsent(Incoming):
    """What the people in a file agreed to."""

    purposes: Annotated[list[Annotated[Purpose, Field(strict=False)]], Field(min_length=1, max_length=3)]
    source: Line = Field(description="Where they said so; must not be empty")
    given_at: Annotated[AwareDatetime, Field(strict=False)]
    text_version: Line = ""


class ImportPlan(Incoming):
    """What is to be done with a file. What is left out stays as it was told when the file was handed in."""

    columns: Annotated[list[Line], Field(max_length=200)] | None = Field(
        None,
        description="What each column is: address, name, first_name, last_name, language, the name of an attribute, or "
        "empty to leave it out",
    )
    has_header: bool | None = None
    lists: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(max_length=100)] = Field(default_factory=list)
    consent: ImportConsent | None = None


class ImportOut(Outgoing):
    """An import and how far it is."""

    id: UUID
    file_name: str
    size: int = Field(description="Bytes")
    state: str = Field(description="uploaded, running, finished, failed or cancelled")
    form: FormOut
    columns: list[str]
    created_at: datetime
    finished_at: datetime | None
    position: int = Field(description="Bytes that are read")
    added: int
    updated: int
    unchanged: int
    refused: int
    suppressed: int = Field(description="Rows of addresses that get no mail, and stay so")
    kept: int = Field(description="Contacts who have chosen against what the file says they agreed to; that stays")
    note: str


class ImportsOut(Outgoing):
    """Imports, newest first."""

    imports: list[ImportOut]
    next: UUID | None


class RefusedOut(Outgoing):
    """One row that cannot be taken."""

    line: int
    reason: str
    cells: list[str]


class PreviewOut(Outgoing):
    """What an import would do."""

    heading: list[str]
    rows: list[list[str]]
    good: int
    known: int = Field(description="Of the good rows: contacts already")
    suppressed: int = Field(description="Of the good rows: addresses that get no mail, and stay so")
    refused: int
    problems: dict[str, int]
    examples: list[RefusedOut]
    more: bool = Field(description="Only the first 200,000 rows were looked at")
