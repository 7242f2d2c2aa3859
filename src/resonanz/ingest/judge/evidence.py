"""What the judge looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from uuid import UUID

from resonanz.ingest.judge.clients import Identity
from resonanz.ingest.judge.network import Network
from resonanz.ingest.judge.reasons import Reason
from resonanz.model import Confidence, HitKind, Verdict, value

MailKey = UUID | str
HitId = int | str


@value
class Evidence:
    """One hit as the judge sees it.

    `headers` has lower-case names; `at` is microseconds, from any beginning that all evidence on one mail shares. `id`
    tells hits apart and orders those of one moment. `mail` is None for an anonymous hit, which is judged by itself.
    `own` means that it came from a browser or an address of the sending account.
    """

    kind: HitKind
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = ""
    identity: Identity = field(default_factory=Identity)
    network: Network | None = None
    address: str = ""
    at: int = 0
    id: HitId = 0
    mail: MailKey | None = None
    link: int | None = None
    own: bool = False

    @property
    def source(self) -> tuple[str, str]:
        """Who asked, as far as an address and a user agent name somebody."""
        return self.address, self.user_agent


@value
class Mail:
    """What is known of the mail that hits belong to. Times in microseconds; `delivered_at` from a report or 250 reply.

    `links` is how many links it has, 0 when that is not known. `replies` are the times at which somebody answered it.
    """

    sent_at: int | None = None
    delivered_at: int | None = None
    links: int = 0
    replies: tuple[int, ...] = ()


UNKNOWN_MAIL = Mail()


@value
class Judgement:
    """A verdict with its confidence and the reasons for it."""

    verdict: Verdict
    confidence: Confidence
    reasons: tuple[Reason, ...]
