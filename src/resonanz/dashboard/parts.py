"""What the dashboard is made of; wiring fills it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from resonanz import model
from resonanz.accounts import Passwords, tracking_without_choice
from resonanz.accounts.instance import own_sites
from resonanz.dashboard.operations import Operations
from resonanz.model import TemporaryFailure, TrackingMode
from resonanz.notify.hub import Hub
from resonanz.proxies import Proxies
from resonanz.sending.domains import Check, not_checked
from resonanz.sending.drafts import Draft, Receipt
from resonanz.sending.erasure import ForgetMails, no_mails
from resonanz.sending.sender_checks import LookUp, nobody_to_ask
from resonanz.sending.transports.opening import Opener
from resonanz.sending.transports.outbox import Outbox
from resonanz.store import Database, Tx

if TYPE_CHECKING:
    from resonanz.sealing import Sealer


def no_sealer() -> Sealer:
    """Seal nothing. Raises TemporaryFailure."""
    raise TemporaryFailure("there is nothing to seal secrets with here", where="secret")


class Finding(Protocol):
    """One line of the status page: what was checked, how it is (`ok`, `warning`, `broken`), and the remedy."""

    @property
    def check(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def remedy(self) -> str: ...


def not_noted(_account: UUID, _address: str, _user_agent: str, _now: datetime) -> None:
    """Note no browser."""


@dataclass(frozen=True, slots=True)
class DashboardParts:
    """Everything the pages work with.

    `submit` takes a draft and the time; `examine` runs the checks of the status page and may take seconds; `secret` (32
    bytes) is behind forms and previews; addresses are scheme and host without a path. `outbox` is None when mail
    goes out by SMTP. `unknown_mode` tells how contacts without a recorded choice are tracked, and `mode_is_fixed` that
    a setting says so and the account page cannot; `own_sites` and `sites_are_fixed` are the same for the sites where
    visits are recorded. `submission` and `submission_over_tls` are where mail clients hand mail in (`host:port`), empty
    when nothing listens for them; `return_path_domain` is where reports come to (empty: to the senders, and nobody is
    asked to confirm a delivery). `check_domain` finds out whether a host leads to the edge, `look_up` what a sender's
    domain publishes, `operations` how the instance is doing, `sealer` seals other systems' secrets, `opener` makes the
    stored transports, and webhooks may be posted to `private_hosts` of one's own network. `note_own` is told
    account, address and user agent of each signed-in browser, and the time; `forget_mails` deletes copies of messages
    from the built-in outbox, also from one that is not in use any more. `now` is the clock at this door.
    """

    database: Database
    passwords: Passwords
    submit: Callable[[Draft, datetime], Receipt]
    examine: Callable[[], Sequence[Finding]]
    hub: Hub
    outbox: Outbox | None
    dashboard_url: str
    edge_url: str
    preview_url: str
    secret: bytes
    zone: ZoneInfo
    max_message: int  # bytes
    opener: Opener
    proxies: Proxies = Proxies(())  # noqa: RUF009  # holds nothing that changes
    unknown_mode: Callable[[Tx], TrackingMode] = tracking_without_choice
    mode_is_fixed: bool = False
    own_sites: Callable[[Tx], frozenset[str]] = own_sites
    sites_are_fixed: bool = False
    submission: str = ""
    submission_over_tls: str = ""
    return_path_domain: str = ""
    check_domain: Check = not_checked
    look_up: LookUp = nobody_to_ask
    operations: Callable[[], Operations] = Operations
    note_own: Callable[[UUID, str, str, datetime], None] = not_noted
    sealer: Callable[[], Sealer] = no_sealer
    private_hosts: frozenset[str] = frozenset()
    forget_mails: ForgetMails = no_mails
    now: Callable[[], datetime] = model.now

    @property
    def secure(self) -> bool:
        """Whether people reach the dashboard over https; cookies are bound to it then."""
        return urlsplit(self.dashboard_url).scheme == "https"
