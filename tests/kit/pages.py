"""The dashboard without a server: real parts on a fresh database, and a browser of httpx's that keeps its cookies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from resonanz.accounts import Passwords
from resonanz.dashboard import DashboardParts, build
from resonanz.model import new_id
from resonanz.notify import Hub
from resonanz.sending.drafts import Limits
from resonanz.sending.submit import submit
from resonanz.sending.transports.outbox import SUFFIX, Outbox
from resonanz.store import Database
from resonanz.store.accounts import Account
from tests.kit.accounts import ADDRESS, NOON, PASSWORD, cheap_passwords, make_account
from tests.kit.openers import opener_on

HOME = "http://localhost:8600"
MAX_MESSAGE = 50_000
MAX_RECIPIENTS = 5

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True)
class Finding:
    """A finding of a check, as the status page shows it."""

    check: str
    state: str
    detail: str
    remedy: str = ""


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    moment: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        """Move on by this timedelta."""
        self.moment += timedelta(**by)


@dataclass
class Site:
    """The dashboard of one instance. `account` is Alice's, made through the set-up."""

    database: Database
    folder: Path
    passwords: Passwords
    clock: Clock
    parts: DashboardParts
    findings: list[Finding] = field(default_factory=list)
    account: Account | None = None

    def with_parts(self, **changes: object) -> Site:
        """The same site with some parts of another kind."""
        return replace(self, parts=replace(self.parts, **changes))  # type: ignore[arg-type]

    def visitor(self, *, peer: str = "192.0.2.1", headers: Mapping[str, str] | None = None) -> Visitor:
        """A browser that is not signed in."""
        client = TestClient(
            build(self.parts), HOME, raise_server_exceptions=False, follow_redirects=False, client=(peer, 50_000)
        )
        client.headers.update(headers or {})
        return Visitor(client)

    def alice(self, **how: object) -> Visitor:
        """A browser in which Alice has signed in."""
        visitor = self.visitor(**how)  # type: ignore[arg-type]
        answer = visitor.submit("/sign-in", {"address": ADDRESS, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return visitor

    def put_mail(self, message: bytes) -> str:
        """Put a mail into the outbox and return its id."""
        mail = new_id()
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{mail}{SUFFIX}").write_bytes(message)
        return str(mail)


@dataclass
class Visitor:
    """A browser: it keeps its cookies and sends a page's own token back with its form."""

    client: TestClient

    def get(self, path: str, **headers: str) -> Response:
        """Ask for a page."""
        return self.client.get(path, headers=headers)  # type: ignore[return-value]

    def submit(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        page: str | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        **headers: str,
    ) -> Response:
        """Open `page` (by default the form's own address), and send its form to `path`."""
        form = {"form_token": self.token(page or path), **fields}
        return self.client.post(path, data=form, files=files, headers=headers)  # type: ignore[return-value, arg-type]

    def token(self, page: str) -> str:
        """The token on a page."""
        found = _TOKEN.search(self.client.get(page).text)
        assert found, f"no form on {page}"
        return found[1]


@pytest.fixture
def empty_site(sqlite_database: Database, tmp_path: Path) -> Site:
    """A site nobody has set up yet."""
    clock, passwords, findings = Clock(), cheap_passwords(), list[Finding]()
    limits = Limits(MAX_MESSAGE, MAX_RECIPIENTS)
    parts = DashboardParts(
        database=sqlite_database,
        passwords=passwords,
        submit=lambda draft, now: submit(sqlite_database, draft, limits=limits, now=now),
        examine=lambda: findings,
        hub=Hub(sqlite_database, poll_seconds=0.01),
        outbox=Outbox(tmp_path / "outbox"),
        dashboard_url=HOME,
        edge_url="http://localhost:8601",
        preview_url="http://localhost:8602",
        secret=bytes(range(32)),
        zone=ZoneInfo("Europe/Berlin"),
        max_message=MAX_MESSAGE,
        opener=opener_on(sqlite_database),
        now=clock,
    )
    return Site(sqlite_database, tmp_path / "outbox", passwords, clock, parts, findings)


@pytest.fixture
def site(empty_site: Site) -> Site:
    """A site with Alice's account."""
    empty_site.account = make_account(empty_site.database, empty_site.passwords)
    return empty_site
