"""A content handed in as fields, and the form in which it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Fields:
    """A content handed in as fields. `sender` and `reply_to` are mailboxes as a header shows them."""

    sender: str
    subject: str
    text: str | None
    html: str | None
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    preheader: str = ""

    def encode(self) -> bytes:
        """Return the stored form: the same fields are the same bytes."""
        values = asdict(self)
        if not self.preheader:
            del values["preheader"]  # so that mails of before there were preheaders are still the same bytes
        return json.dumps(values, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def decode(cls, body: bytes) -> Fields:
        """Read the stored form."""
        return cls(**json.loads(body))
