"""How the pages say what the codes mean: states, kinds, modes, and which colour they are shown in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from resonanz.insight import local_time
from resonanz.model import Client, ClientKind, Event, EventKind, MessageState, Place, TrackingMode, Who
from resonanz.sending.domain_records import State
from resonanz.sending.sender_checks import PURPOSES as RECORD_PURPOSES
from resonanz.store.campaigns import CampaignState


@dataclass(frozen=True, slots=True)
class Word:
    """A word, its tone (`calm`, `good`, `warn`, `bad`, `quiet`), and a sentence on what it means."""

    label: str
    tone: str
    text: str


STATES: Mapping[MessageState, Word] = {
    MessageState.QUEUED: Word("Queued", "calm", "It is stored and waits for its turn."),
    MessageState.SENDING: Word("Sending", "calm", "A worker is handing it over right now."),
    MessageState.DEFERRED: Word("Deferred", "warn", "It was refused for now and will be tried again."),
    MessageState.SENT: Word("Sent", "calm", "The next server accepted it. That it arrived is not proven."),
    MessageState.DELIVERED: Word("Delivered", "good", "There is evidence that it reached the recipient's mail system."),
    MessageState.BOUNCED: Word("Bounced", "bad", "It was refused for good, or came back."),
    MessageState.FAILED: Word("Failed", "bad", "It could not be built or sent, and will not be tried again."),
    MessageState.SUPPRESSED: Word("Suppressed", "quiet", "It was never sent: the address is on the suppression list."),
    MessageState.UNCERTAIN: Word(
        "Uncertain", "warn", "It was being handed over when its worker died. Whether it went out cannot be told."
    ),
}

_KINDS: Mapping[EventKind, Word] = {
    EventKind.QUEUED: Word("Queued", "calm", "Stored, to be sent."),
    EventKind.SENT: Word("Sent", "calm", "The next server accepted it."),
    EventKind.DEFERRED: Word("Deferred", "warn", "Refused for now; it will be tried again."),
    EventKind.DELIVERED: Word("Delivered", "good", "It reached the recipient's mail system."),
    EventKind.BOUNCED: Word("Bounced", "bad", "It was refused for good, or came back."),
    EventKind.FAILED: Word("Failed", "bad", "It will not be tried again."),
    EventKind.SUPPRESSED: Word("Suppressed", "quiet", "Not sent: the address is on the suppression list."),
    EventKind.COMPLAINED: Word("Complained", "bad", "The recipient marked it as spam."),
    EventKind.UNSUBSCRIBED: Word("Unsubscribed", "warn", "The recipient wants no more mail."),
    EventKind.PREFERRED: Word("Chose about tracking", "warn", "The recipient chose how far this mail may be tracked."),
    EventKind.OPENED: Word("Opened", "good", "The image in the mail was fetched."),
    EventKind.SHOWN: Word("Seen in a browser", "good", "The mail was looked at as a web page."),
    EventKind.CLICKED: Word("Clicked", "good", "A link in the mail was followed."),
    EventKind.DOWNLOADED: Word("Downloaded", "good", "A document was fetched."),
    EventKind.VISITED: Word("Visited", "good", "A page of your site was read after a click."),
    EventKind.REPLIED: Word("Replied", "good", "The recipient wrote back."),
    EventKind.AUTORESPONDED: Word("Answered by itself", "quiet", "An out-of-office note or another automatic answer."),
    EventKind.DISPLAYED: Word("Receipt", "good", "The recipient's program sent a read receipt."),
    EventKind.CORRECTED: Word("Judged anew", "quiet", "The verdict on an earlier event changed."),
}

_CAMPAIGN_STATES: Mapping[CampaignState, Word] = {
    CampaignState.DRAFT: Word("Draft", "quiet", "It is being written; nothing has been sent."),
    CampaignState.SCHEDULED: Word("Scheduled", "calm", "It starts by itself when its time has come."),
    CampaignState.SENDING: Word("Sending", "calm", "Its mails go out one after the other."),
    CampaignState.PAUSED: Word("Paused", "warn", "Nothing more goes out until it is resumed."),
    CampaignState.FINISHED: Word(
        "Finished", "good", "Each mail had its first attempt; what was deferred is tried again."
    ),
    CampaignState.CANCELLED: Word("Cancelled", "bad", "It ended before everybody had a mail; nothing more goes out."),
}


def campaign_state(state: CampaignState) -> Word:
    """Return the word for where a campaign is on its way."""
    return _CAMPAIGN_STATES[state]


# With the built-in outbox nothing is proven about a recipient: nothing went near one.
_IN_OUTBOX = "It lies in this instance’s outbox; no mail server was involved."
_HANDED_OVER = (MessageState.SENT, MessageState.DELIVERED)
_HANDED_OVER_BY = (EventKind.SENT, EventKind.DELIVERED)

# What was chosen on the preference page, by the event's detail.
_PREFERRED: Mapping[object, Word] = {
    "off": Word("Tracking switched off", "warn", "The recipient still gets mail, but none of it is tracked any more."),
    "on": Word("Tracking allowed", "good", "The recipient allows that opens and clicks of their mail are recorded."),
}

# A link or document that an operator had blocked when it was asked for.
_BLOCKED: Mapping[EventKind, Word] = {
    EventKind.CLICKED: Word(
        "Followed a blocked link", "warn", "The link was followed after its mail was blocked, and led nowhere."
    ),
    EventKind.DOWNLOADED: Word(
        "Asked for a blocked document", "warn", "The document was asked for after its mail was blocked."
    ),
}

_BY_MACHINE: Mapping[EventKind, str] = {
    EventKind.OPENED: "Fetched by a machine",
    EventKind.SHOWN: "Page fetched by a machine",
    EventKind.CLICKED: "Followed by a machine",
    EventKind.DOWNLOADED: "Downloaded by a machine",
    EventKind.VISITED: "Page loaded by a machine",
}
_BY_NOBODY_KNOWS: Mapping[EventKind, str] = {
    EventKind.OPENED: "Perhaps opened",
    EventKind.CLICKED: "Clicked, not decided yet",
    EventKind.DOWNLOADED: "Perhaps downloaded",
}

TRACKING: Mapping[TrackingMode, Word] = {
    TrackingMode.OFF: Word("Off", "quiet", "No image, original links. Nothing is recorded."),
    TrackingMode.ANONYMOUS: Word("Counted without names", "calm", "How many, never who."),
    TrackingMode.INDIVIDUAL: Word("Per recipient", "calm", "Who, when and with what."),
}


# What a contact chose, by purpose and state; None is who was never asked.
_CHOICES: Mapping[str | None, Word] = {
    "granted": Word("Granted", "good", "They agreed."),
    "unconfirmed": Word("Unconfirmed", "warn", "Asked for, but that it was them is not confirmed yet."),
    "refused": Word("Refused", "bad", "They said no."),
    "withdrawn": Word("Withdrawn", "bad", "They agreed once, and took it back."),
    None: Word("Never asked", "quiet", "Nothing is recorded. Silence is no consent."),
}
PURPOSES: Mapping[str, Word] = {
    "mailing": Word("Mailing", "calm", "Getting mail to lists that count as marketing."),
    "opens": Word("Opens", "calm", "That opening a mail is recorded with their name."),
    "clicks": Word("Clicks", "calm", "That clicks, downloads and visits are recorded with their name."),
}
_SUPPRESSED: Mapping[str, Word] = {
    "bounced": Word("Bounced", "bad", "The mailbox does not exist, by the word of its own mail system."),
    "soft_bounced": Word("Kept bouncing", "warn", "Five mails in a row came back, and none arrived between."),
    "complained": Word("Complained", "bad", "The recipient marked a mail as spam."),
    "unsubscribed": Word("Unsubscribed", "warn", "The recipient asked for no more mail."),
    "manual": Word("By hand", "quiet", "Somebody put it there."),
}
_IMPORTS: Mapping[str, Word] = {
    "uploaded": Word("Not started", "warn", "The file is here; choose what its columns are, and start."),
    "running": Word("Running", "calm", "A worker is taking it in."),
    "finished": Word("Finished", "good", "All of it was read."),
    "failed": Word("Failed", "bad", "It stopped; what was taken stays."),
    "cancelled": Word("Cancelled", "quiet", "It was ended; what was taken stays."),
}
KINDS_OF_ATTRIBUTE: Mapping[str, str] = {
    "text": "Text",
    "number": "Number",
    "date": "Date",
    "yes_no": "Yes or no",
    "choice": "Choice",
}
FIELDS_OF_FILE: Mapping[str, str] = {
    "address": "Address",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "language": "Language",
}


_RECORDS: Mapping[State, Word] = {
    State.OK: Word("in order", "good", "It is published as it should be."),
    State.WEAK: Word("could be better", "calm", "It works."),
    State.MISSING: Word("missing", "bad", "Receivers may refuse the mail, or file it as spam."),
    State.WRONG: Word("wrong", "bad", "Receivers may refuse the mail, or file it as spam."),
    State.UNKNOWN: Word("not known", "warn", "DNS did not answer."),
}


def record(state: State) -> Word:
    """Return how the state of a record in DNS is shown."""
    return _RECORDS[state]


def purpose(name: str) -> str:
    """Return what a record in DNS is for, as a heading."""
    said = RECORD_PURPOSES[name]
    return f"{said[:1].upper()}{said[1:]}"


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """Return values as options of a form that read as they are."""
    return [(value, value) for value in values]


def choice(value: str | None) -> Word:
    """Return how a contact's choice is shown."""
    return _CHOICES[value]


def suppressed(reason: str) -> Word:
    """Return how a reason for suppression is shown."""
    return _SUPPRESSED.get(reason, Word(reason, "quiet", ""))


def importing(state: str) -> Word:
    """Return how an import's state is shown."""
    return _IMPORTS[state]


def state(value: MessageState, outbox: object = None) -> Word:
    """Return how a message's state is shown, of an instance or a mail with the built-in outbox if there is one."""
    word = STATES[value]
    return replace(word, text=_IN_OUTBOX) if outbox and value in _HANDED_OVER else word


def happened(event: Event, outbox: object = None) -> Word:
    """Return how an event is shown: what a machine did is never worded or coloured like what a person did."""
    word = _KINDS[event.kind]
    if outbox and event.kind in _HANDED_OVER_BY:
        return replace(word, text=_IN_OUTBOX)
    if event.kind is EventKind.PREFERRED:
        return _PREFERRED.get(event.detail.get("tracking"), word)
    who = event.verdict.who if event.verdict is not None else None
    if event.detail.get("blocked") is True and who is not Who.MACHINE:
        return _BLOCKED.get(event.kind, word)
    if who is Who.MACHINE:
        return Word(_BY_MACHINE.get(event.kind, word.label), "quiet", word.text)
    if who is Who.INDETERMINATE:
        return Word(_BY_NOBODY_KNOWS.get(event.kind, word.label), "calm", word.text)
    return word


def tracking(mode: TrackingMode) -> Word:
    """Return how a tracking mode is shown."""
    return TRACKING[mode]


def program(client: Client | None) -> str:
    """Return what something was done with, such as `Apple Mail on iOS` or `Edge on a phone`; empty when not known."""
    if client is None or not client.name or client.kind is ClientKind.UNKNOWN:
        return ""
    where = client.os or (f"a {client.device}" if client.device else "")
    return f"{client.name} on {where}" if where else client.name


def place(value: Place | None) -> str:
    """Return where something was done, the nearest name first; empty when it is not known."""
    if value is None:
        return ""
    return ", ".join(part for part in (value.city, value.region, country(value.country)) if part)


def there(event: Event, zone: ZoneInfo) -> str:
    """Return the time of day where something was done, such as `14:05 there`; empty where it is not known, or no other
    than in the zone that the page is written in."""
    local = local_time(event)
    here = event.occurred_at.astimezone(zone)
    if local is None or local.utcoffset() == here.utcoffset():
        return ""
    days = (local.date() - here.date()).days
    return f"{local:%H:%M} there{'' if not days else ', the next day' if days > 0 else ', the day before'}"


def duration(seconds: int) -> str:
    """Return a time span as it is said: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def country(code: str) -> str:
    """Return a country's code as it is written; the box holds no list of names."""
    return code.upper()


def span(seen: int, possible: int) -> str:
    """Return a range from what is proven to what is possible: `12`, or `12–17`."""
    return str(seen) if possible <= seen else f"{seen}–{possible}"


_NETWORKS = {
    "mail_proxy": "a mail provider’s image proxies",
    "apple_egress": "Apple’s privacy relay",
    "scanner": "a security gateway’s scanners",
    "security": "a security vendor’s network",
    "provider": "a mail provider’s network",
    "preview": "a service that builds link previews",
    "hosting": "rented machines",
}


def network(kind: object) -> str:
    """Return what class of network an event came from; one of another version as it calls itself."""
    return _NETWORKS.get(str(kind), str(kind).replace("_", " "))
