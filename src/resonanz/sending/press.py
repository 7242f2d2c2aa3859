"""One content for many: composed, planned and encoded once, then printed copy by copy.

Building each copy of a newsletter by itself takes ten times as long, and all copies but for names and tokens are the
same. The plate of the last content is kept, because the copies of one submission follow each other in the queue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from resonanz.mail import Tracking, compile_campaign, instrument
from resonanz.mail.compiling import Compiled
from resonanz.mail.tracking import Instrumented
from resonanz.model import InvalidInput, TrackingMode
from resonanz.sending.copies import Copy, Further, compose_copy, header_id_for
from resonanz.sending.fields import Fields
from resonanz.sending.placeholders import Template
from resonanz.store.contacts import Contact
from resonanz.store.messages import Content, Message, Submission
from resonanz.tokens import Keys

WORTHWHILE_RECIPIENTS = 4  # making a plate costs about as much as three copies

Modes = tuple[TrackingMode, TrackingMode]


@dataclass(slots=True)
class _Plate:
    """A content made ready, or what is known not to be fit for it (`compiled` is None). A sample for each pair of
    modes tells what every copy with them is: its links, its coverage, and why it is not tracked."""

    content_id: UUID
    base_url: str
    base: bytes = b""
    given: frozenset[str] = frozenset()  # the names of the author's own header fields
    template: Template | None = None
    compiled: Compiled | None = None
    samples: dict[Modes, Instrumented] = field(default_factory=dict)


class Printed(NamedTuple):
    """A finished copy, what was done to it, and what tells a destination as its author wrote it."""

    copy: Copy
    built: Instrumented
    tell: Callable[[str], str]


def as_it_is(text: str) -> str:
    """Tell a destination that holds no placeholders."""
    return text


class Press:
    """Prints copies of composed contents. Used by several threads at once."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._plate: _Plate | None = None
        self._lock = threading.Lock()

    def is_ready_for(self, submission: Submission) -> bool:
        """Whether copies of this content need no more than printing."""
        plate = self._plate
        return plate is not None and plate.content_id == submission.content_id and plate.compiled is not None

    def print(
        self,
        message: Message,
        submission: Submission,
        content: Content,
        to: str,
        modes: Modes,
        base_url: str,
        further: Further,
        contact: Contact | None = None,
    ) -> Printed | None:
        """Return one recipient's finished copy, or None when this content is to be built copy by copy.

        `modes` are how far (opens, clicks) may be tracked, `base_url` is where links and pixel lead, `further` tells
        which header fields this copy gets on top. Placeholders are filled for `contact`; raises InvalidInput where
        they cannot be.
        """
        if content.form == "rfc822" or submission.recipients < WORTHWHILE_RECIPIENTS:
            return None
        with self._lock:
            plate = self._plate
            if plate is None or (plate.content_id, plate.base_url) != (content.id, base_url):
                plate = self._plate = self._make(submission, content, base_url)
            if plate.compiled is None:
                return None
            sample = plate.samples.get(modes)
            if sample is None:
                resolve = plate.template.later if plate.template is not None else None
                tracking = replace(
                    self._tracking(submission, base_url), opens=modes[0], clicks=modes[1], resolve=resolve
                )
                sample = plate.samples[modes] = instrument(plate.base, tracking)
            header_id = header_id_for(message.id, message.sender.rpartition("@")[2])
            printed = plate.compiled.render(
                message.id,
                values=plate.template.values(contact) if plate.template is not None else None,
                headers={"To": to, "Message-ID": header_id, **further(plate.given)},
                opens=modes[0],
                clicks=modes[1],
            )
        tell = plate.template.told if plate.template is not None else as_it_is
        return Printed(Copy(printed, header_id), replace(sample, message=printed), tell)

    def _make(self, submission: Submission, content: Content, base_url: str) -> _Plate:
        fields, template = Fields.decode(content.body), None
        if content.form == "template":
            template = Template(fields)
            if not template.is_simple:
                return _Plate(content.id, base_url)
            fields = template.pressed
        tracking = self._tracking(submission, base_url)
        if template is not None:
            tracking = replace(tracking, resolve=template.later)
        try:
            base = compose_copy(
                fields,
                to=fields.sender,  # each copy has its own
                header_id=header_id_for(submission.id, content.sender.rpartition("@")[2]),
                date=submission.created_at,
            )
            compiled = compile_campaign(base.message, tracking, fields=template.names if template else ())
        except InvalidInput:
            return _Plate(content.id, base_url)
        fit = compiled if compiled.reason is None else None
        return _Plate(content.id, base_url, base.message, frozenset(fields.headers), template, fit)

    def _tracking(self, submission: Submission, base_url: str) -> Tracking:
        return Tracking(base_url, self._keys, message=submission.id, campaign=submission.id)
