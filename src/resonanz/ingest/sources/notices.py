"""What a provider's webhook brings: the delivery as it came in, and the notices that are read from it.

Each provider is one module beside this one with two functions: `verify(delivery, secret)` raises Forbidden unless the
provider has signed the delivery, and returns what of it may be used only once (empty where the signature covers the
body); `read(delivery)` returns its notices. Reading never raises for what a body may hold, except ValueError and its
kin (KeyError, TypeError …) for a body that is not of the provider's form: that is kept as a stray.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from hashlib import blake2b
from typing import Any, Protocol

from resonanz.mail.refusals import Outcome, Reason, understand
from resonanz.model import EventKind
from resonanz.store.text import storable

MAX_NOTICES = 5_000  # in one delivery; providers batch up to 1,000
MAX_RAW = 8_000  # characters of a report that a fact keeps

Json = Mapping[str, Any]
FETCHES = frozenset({EventKind.OPENED, EventKind.CLICKED})
# All that Apple's proxies say of themselves. Where a provider knows that they fetched, and names another program or
# none, this lets the judge come to what it makes of our own pixel: somebody's Apple Mail, reading or not.
PRIVACY_PROXY = "Mozilla/5.0"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST of a provider. `headers` has lower-case names; `url` is the address as the provider was given it.

    `password` is what came by Basic authentication or in the path. `fetch` asks for a file on an https server.
    """

    body: bytes
    headers: Mapping[str, str]
    url: str
    now: datetime
    password: str = ""
    fetch: Callable[[str], bytes] | None = None

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a provider says about one mail to one recipient.

    `kind` is None for a word that nobody knows here; `word` is the provider's own. `silent` marks words that are known
    and say nothing new (that it took the mail over). `key` names the notice for ever. `header_ids` are Message-IDs as
    the mail carried them, `provider_id` the provider's own id, which stands in its reply to the mail; `sender` is the
    envelope's. `dead` is the provider's claim that the address itself does not exist, believed where no words
    contradict it. `address` and `user_agent` are those of who opened or clicked, `bot` that the provider knows a
    machine in it.
    """

    word: str
    kind: EventKind | None
    occurred_at: datetime
    key: str
    recipient: str
    header_ids: tuple[str, ...] = ()
    provider_id: str = ""
    sender: str = ""
    silent: bool = False
    reply: str = ""
    code: int | None = None
    status: str = ""
    dead: bool = False
    url: str = ""
    address: str = ""
    user_agent: str = ""
    bot: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_fetch(self) -> bool:
        """Whether somebody, or something, fetched something: for the judge."""
        return self.kind in FETCHES

    @property
    def raw_text(self) -> str:
        """The provider's own words as JSON, storable."""
        return storable(json.dumps(self.raw, ensure_ascii=False, default=str))

    def detail(self, provider: str) -> dict[str, object]:
        """What a fact keeps of it."""
        detail: dict[str, object] = {"report": "provider", "provider": provider, "word": self.word}
        if self.reply:
            detail["reply"] = self.reply
        if self.kind in (EventKind.BOUNCED, EventKind.DEFERRED):
            refusal = understand(self.reply, code=self.code, status=self.status)
            reason = refusal.reason
            if self.dead and reason is Reason.UNSPECIFIED:
                reason = Reason.UNKNOWN_MAILBOX
            is_dead = refusal.is_dead or (self.dead and reason is Reason.UNKNOWN_MAILBOX)
            detail |= {"status": refusal.status, "reason": reason.value}
            if self.kind is EventKind.BOUNCED:
                detail["bounce"] = (Outcome.HARD if is_dead else Outcome.SOFT).value
        detail["raw"] = self.raw_text[:MAX_RAW]
        return detail


class Source(Protocol):
    """A provider's module."""

    def verify(self, delivery: Delivery, secret: str) -> str: ...
    def read(self, delivery: Delivery) -> list[Notice]: ...


# ── Reading their JSON ──────────────────────────────────────────────────────────────────────────────────────────────


def text(value: object, limit: int = 2_000) -> str:
    """Return a value of foreign JSON as text that can be stored; nothing for nothing, and for what is no text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return storable(str(value))[:limit]


def part(value: object, *names: str) -> Json:
    """Return the object below these names, empty when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Json]:
    """Return a list's objects, or the one object. Raises ValueError for anything else."""
    every = value if isinstance(value, list) else [value]
    found: list[Json] = [item for item in every if isinstance(item, Mapping)]
    if len(found) < len(every):
        raise ValueError("neither an object nor a list of objects")
    return found


def address_of(value: object) -> str:
    """Return the address of `Name <address>` or of a bare one."""
    return parseaddr(text(value, 1_000))[1][:320]


def header_id(value: object) -> tuple[str, ...]:
    """Return a Message-ID with its angle brackets, which some providers leave out; none when there is none."""
    bare = text(value).strip().strip("<>")
    return (f"<{bare}>",) if "@" in bare and len(bare) <= 990 and not any(map(str.isspace, bare)) else ()


def moment(value: object, now: datetime) -> datetime:
    """Return a time given as seconds or milliseconds since the epoch or by ISO 8601; `now` for what is none, and for
    what lies ahead."""
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            parsed = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00"))
            found = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        else:
            seconds = float(value)  # type: ignore[arg-type]
            found = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now
    return min(found.astimezone(UTC), now)


def key_of(*parts: object) -> str:
    """Return a name for a notice, made of what tells it from all others of its provider."""
    joined = "\0".join(json.dumps(part, sort_keys=True, default=str) for part in parts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def number(value: object) -> int | None:
    """Return an SMTP reply code, None for what is none."""
    digits = text(value)
    return int(digits) if digits.isdigit() and 200 <= int(digits[:4]) < 600 else None


def texts(value: object) -> list[str]:
    """Return the texts of a list, or the one text."""
    return [text(one) for one in (value if isinstance(value, list) else [value])[:20]]


def joined(parts: Iterable[object]) -> str:
    """Return texts as one, without repetition."""
    return " ".join(dict.fromkeys(filter(None, (text(one).strip() for one in parts))))[:2_000]
