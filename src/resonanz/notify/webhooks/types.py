"""The closed list of event types, and what the data of each holds, as JSON Schema (draft 2020-12).

Names are those of `EventKind`, as in every report. Fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resonanz.model import ClientKind, Confidence, EventKind, Verdict, Who

TEST = "webhook.test"
CORRECTED = "event.corrected"

_MOMENT = {"type": "string", "format": "date-time", "description": "In UTC, to the microsecond."}
_UUID = {"type": ["string", "null"], "format": "uuid"}
_TEXT = {"type": "string"}
_VERDICT = {"enum": [*Verdict, None], "description": "Who, by the evidence, caused it."}
_WHO = {"enum": [*Who, None], "description": "The side that the verdict counts for."}
_CONFIDENCE = {"enum": [*Confidence, None], "description": "How far the evidence carries the verdict."}
_REASONS = {"type": "array", "items": _TEXT, "description": "Codes of what spoke for the verdict."}


def _told(schema: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    return {**schema, "description": text}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


FIELDS: Mapping[str, Mapping[str, Any]] = {
    "event": {
        "type": "integer",
        "description": "The event's id. It grows, and stays the same however often it is told.",
    },
    "occurred_at": _told(_MOMENT, "When it happened, in UTC."),
    "recorded_at": _told(_MOMENT, "When Resonanz heard of it, in UTC."),
    "message": _told(
        _UUID, "The mail, as `GET /api/v1/messages/…` has it; null where people are counted without names."
    ),
    "submission": _told(_UUID, "What the mail was handed in with: the same for all mails of a campaign."),
    "recipient": {"type": ["string", "null"], "description": "Null where no person may be named."},
    "source": _told(_TEXT, "Who reported it: `edge`, `worker`, `relay`, `mailbox`, or a provider's name."),
    "verdict": _VERDICT,
    "who": _WHO,
    "confidence": _CONFIDENCE,
    "reasons": _REASONS,
    "client": {
        "type": ["object", "null"],
        "description": "The program; `os` and `device` are empty where they would be a guess.",
        "properties": {"kind": {"enum": list(ClientKind)}, "name": _TEXT, "os": _TEXT, "device": _TEXT},
        "required": ["kind", "name", "os", "device"],
    },
    "country": {"type": ["string", "null"], "description": "ISO 3166-1 alpha-2; null where it would be a proxy's."},
    "link": {"type": ["integer", "null"], "description": "The link's place in the mail, from 0."},
    "url": _told(_TEXT, "Where the link led, or which page was read."),
    "title": _told(_TEXT, "The page's title."),
    "bounce": {"enum": ["hard", "soft"], "description": "`hard`: the address is dead, and gets no more mail."},
    "reason": _told(_TEXT, "Why, as a code such as `mailbox_full`; empty where nobody said."),
    "status": _told(_TEXT, "Enhanced status code (RFC 3463), empty where there was none."),
    "reply": _told(_TEXT, "What the other server said, or why it was not sent."),
    "tracking": {"enum": ["on", "off"], "description": "What the recipient chose."},
}

_ABOUT = ("event", "occurred_at", "recorded_at", "message", "submission", "recipient", "source")
JUDGED = ("verdict", "who", "confidence", "reasons", "client", "country")

_KINDS: Mapping[EventKind, tuple[str, tuple[str, ...]]] = {
    EventKind.QUEUED: ("A mail was stored, to be sent.", ()),
    EventKind.SENT: ("The next server accepted it; that it arrived is not proven.", ("reply",)),
    EventKind.DEFERRED: ("It was refused for now and will be tried again.", ("reason", "status", "reply")),
    EventKind.DELIVERED: ("There is evidence that it reached the recipient's mail system.", ()),
    EventKind.BOUNCED: ("It was refused for good, or came back.", ("bounce", "reason", "status", "reply")),
    EventKind.FAILED: ("It could not be built or sent, and will not be tried again.", ("reply",)),
    EventKind.SUPPRESSED: ("It was not sent: the address is on the suppression list.", ("reply",)),
    EventKind.COMPLAINED: ("The recipient marked it as spam.", ()),
    EventKind.UNSUBSCRIBED: ("The recipient wants no more mail.", ()),
    EventKind.PREFERRED: ("The recipient chose how far they may be tracked.", ("tracking",)),
    EventKind.OPENED: ("The image in the mail was fetched.", JUDGED),
    EventKind.SHOWN: ("The mail was looked at as a web page.", JUDGED),
    EventKind.CLICKED: ("A link was followed.", ("link", "url", *JUDGED)),
    EventKind.DOWNLOADED: ("A document was fetched.", ("link", *JUDGED)),
    EventKind.VISITED: ("A page of your own site was read after a click.", ("url", "title", *JUDGED)),
    EventKind.REPLIED: ("The recipient wrote back.", ()),
    EventKind.AUTORESPONDED: ("An out-of-office note or another automatic answer came.", ()),
    EventKind.DISPLAYED: ("The recipient's program sent a read receipt.", ()),
}


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: its public name, the kind of fact behind it, what it means, and the fields of its data."""

    name: str
    kind: EventKind
    text: str
    fields: tuple[str, ...]

    @property
    def is_judged(self) -> bool:
        """Whether it is told by who caused it."""
        return "verdict" in self.fields

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a whole payload."""
        data = (
            _CORRECTION if self.kind is EventKind.CORRECTED else _object({name: FIELDS[name] for name in self.fields})
        )
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(_envelope(self.name, data))}


def _envelope(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _told(_TEXT, "Of this delivery, as in the header `webhook-id`."),
        "type": {"const": name},
        "timestamp": _told(_MOMENT, "When it happened, in UTC."),
        "data": data,
    }


def name_of(kind: EventKind) -> str:
    """Return the public name of a kind of fact."""
    return CORRECTED if kind is EventKind.CORRECTED else f"message.{kind}"


_CORRECTION = _object(
    {
        **{name: FIELDS[name] for name in (*_ABOUT, "link")},
        "event": _told(FIELDS["event"], "The id of the event whose verdict changed, as it was told before."),
        "of": {"enum": [name_of(kind) for kind in _KINDS], "description": "The type of that event."},
        "before": _told(_object({"verdict": _VERDICT, "who": _WHO}), "What this endpoint was told last."),
        "after": _told(
            _object({"verdict": _VERDICT, "who": _WHO, "confidence": _CONFIDENCE, "reasons": _REASONS}),
            "What holds from now on.",
        ),
    }
)

TYPES: Mapping[str, EventType] = {
    **{name_of(kind): EventType(name_of(kind), kind, text, (*_ABOUT, *more)) for kind, (text, more) in _KINDS.items()},
    CORRECTED: EventType(
        CORRECTED,
        EventKind.CORRECTED,
        "The verdict on an event changed that was told before.",
        (*_ABOUT, "link", "of", "before", "after"),
    ),
}
