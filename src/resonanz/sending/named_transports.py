"""Named transports: the rules for adding, changing, pausing and removing one. Secrets go in and never come out.

add_transport(database, sealer, Wanted("acme", "smtp.acme.example", senders=("acme.example",)), …)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resonanz.mail import parse_address
from resonanz.model import Conflict, InvalidInput, NotFound, new_id
from resonanz.sending.domains import host_name
from resonanz.store import Database, Tx, queue, transports
from resonanz.store.transports import EVERYBODY, StoredTransport

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

DEFAULT = "default"  # the name of the server in the settings
PORTS = {"none": 25, "starttls": 587, "tls": 465}
AUTHENTICATIONS = ("none", "password", "xoauth2")
PROVIDERS = ("google", "microsoft")
MAX_CONNECTIONS = 200
MAX_RATE = 1_000_000
MAX_SENDERS = 1_000
MAX_OWN = 10  # of one account: a worker keeps each of them ready
MAX_SECRET_CHARACTERS = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}").fullmatch
_TENANT = re.compile(r"[A-Za-z0-9.-]{0,64}").fullmatch
_RESERVED = (DEFAULT, "outbox", "signed-in")
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a transport is to be. Secrets that are None stay as they are; port 0 is the usual one for `security`.

    `provider` (google, microsoft), `client_id`, `client_secret` and `tenant` belong to xoauth2, whose `secret` is a
    refresh token; it may come later, by signing in. `fall_back` lets the instance's transports stand in for an
    account's own one.
    """

    name: str
    host: str
    port: int = 0
    security: str = "starttls"
    authentication: str = "none"
    username: str = ""
    secret: str | None = field(default=None, repr=False)
    provider: str = ""
    client_id: str = ""
    client_secret: str | None = field(default=None, repr=False)
    tenant: str = ""
    senders: Sequence[str] = (EVERYBODY,)
    priority: int = 10
    connections: int | None = None
    rate_per_minute: int | None = None
    fall_back: bool = False


PLAIN = tuple(one.name for one in fields(Wanted) if one.name not in ("secret", "client_secret"))  # no secrets


def add_transport(
    database: Database, sealer: Sealer, wanted: Wanted, *, actor: str, now: datetime, account_id: UUID | None = None
) -> StoredTransport:
    """Store a transport, for the mail of `account_id` alone where given; workers use it within seconds.

    Raises InvalidInput naming every field that is wrong, and Conflict when the name is taken, or the account has as
    many as it may have.
    """
    wanted = _checked(wanted, is_own=account_id is not None)
    blank = StoredTransport(
        new_id(), wanted.name, wanted.host, wanted.port, "", "", now, actor, now, account_id=account_id
    )
    transport = _with(blank, wanted, sealer, now)
    with database.write() as tx:
        if account_id is not None and len(transports_for(tx, account_id)) >= MAX_OWN:
            raise Conflict(f"has {MAX_OWN} transports of its own already", where="account", remedy="remove one first")
        if not transports.add_transport(tx, transport):
            raise Conflict("there is a transport with this name", where="name", remedy="choose another name")
        queue.hasten_transports(tx, now)
    return transport


def change_transport(
    database: Database, sealer: Sealer, name: str, *, now: datetime, **changes: Any
) -> StoredTransport:
    """Change some of a transport's values (the fields of `Wanted` but its name). Mail that waited for it is tried at
    once. Raises InvalidInput, NotFound."""
    with database.write() as tx:
        known = find_transport(tx, name)
        kept = {one: getattr(known, one) for one in PLAIN}
        wanted = _checked(Wanted(**{**kept, **changes, "name": name}), is_own=known.account_id is not None)
        changed = _with(known, wanted, sealer, now)
        if changes.get("secret") is not None:
            changed = replace(changed, sign_in_again=False, trouble="")
        transports.save_transport(tx, changed)
        queue.hasten_transports(tx, now)
    return changed


def pause_transport(database: Database, name: str, *, paused: bool, now: datetime) -> StoredTransport:
    """Take a transport out of service, or back into it. Raises NotFound."""
    with database.write() as tx:
        changed = replace(find_transport(tx, name), paused=paused, changed_at=now)
        transports.save_transport(tx, changed)
        queue.hasten_transports(tx, now)
    return changed


def remove_transport(database: Database, name: str, *, now: datetime) -> None:
    """Remove a transport; mail that waited for it goes by what serves its sender now. Raises NotFound."""
    with database.write() as tx:
        find_transport(tx, name)
        transports.remove_transport(tx, name)
        queue.hasten_transports(tx, now)


def find_transport(tx: Tx, name: str) -> StoredTransport:
    """Return a transport by its name. Raises NotFound."""
    found = transports.get_transport(tx, name)
    if found is None:
        raise NotFound("there is no such transport", where="name", remedy="see `resonanz transport list`")
    return found


def transports_for(tx: Tx, account_id: UUID) -> list[StoredTransport]:
    """Return the transports that are an account's own, in the order in which they are tried."""
    return [one for one in transports.list_transports(tx) if one.account_id == account_id]


def find_own(tx: Tx, name: str, account_id: UUID) -> StoredTransport:
    """Return an account's own transport. Raises NotFound, for those of others alike: nobody learns of them."""
    found = transports.get_transport(tx, name)
    if found is None or found.account_id != account_id:
        raise NotFound("you have no such transport", where="name")
    return found


def secret_of(transport: StoredTransport, sealer: Sealer) -> str:
    """Return the password or refresh token; empty when there is none. Raises TemporaryFailure."""
    return sealer.open(transport.secret, _purpose(transport, "secret")) if transport.secret is not None else ""


def client_secret_of(transport: StoredTransport, sealer: Sealer) -> str:
    """Return the OAuth client's secret; empty when there is none. Raises TemporaryFailure."""
    sealed = transport.client_secret
    return sealer.open(sealed, _purpose(transport, "client secret")) if sealed is not None else ""


def seal_secret(transport: StoredTransport, secret: str, sealer: Sealer) -> bytes:
    """Return a transport's secret as it is stored."""
    return sealer.seal(secret, _purpose(transport, "secret"))


def _purpose(transport: StoredTransport, what: str) -> str:
    return f"transport {transport.id} {what}"


def _with(known: StoredTransport, wanted: Wanted, sealer: Sealer, now: datetime) -> StoredTransport:
    """Return the stored form of what is wanted."""
    values: dict[str, Any] = {one: getattr(wanted, one) for one in PLAIN}
    if wanted.secret is not None:
        values["secret"] = seal_secret(known, wanted.secret, sealer)
    if wanted.client_secret is not None:
        values["client_secret"] = sealer.seal(wanted.client_secret, _purpose(known, "client secret"))
    return replace(known, **{**values, "senders": tuple(wanted.senders), "changed_at": now})


# ── What is allowed ─────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(wanted: Wanted, *, is_own: bool) -> Wanted:
    """Return it in normal form. Raises InvalidInput with everything that is wrong."""
    problems: list[InvalidInput] = []

    def attempt(check: Any, *given: Any, otherwise: Any = None) -> Any:
        try:
            return check(*given)
        except InvalidInput as problem:
            problems.append(problem)
            return otherwise

    def wrong(where: str, what: str, remedy: str = "") -> None:
        problems.append(InvalidInput(what, where=where, remedy=remedy))

    name = wanted.name.strip().lower()
    if not _NAME(name) or name in _RESERVED:
        wrong(
            "name",
            "is no name for a transport",
            "use letters, digits, dots and dashes; `default` and `outbox` are taken",
        )
    host = attempt(_host, wanted.host, otherwise="")
    if wanted.security not in PORTS:
        wrong("security", "is unknown", f"use one of {', '.join(PORTS)}")
    if wanted.authentication not in AUTHENTICATIONS:
        wrong("authentication", "is unknown", f"use one of {', '.join(AUTHENTICATIONS)}")
    if not 0 <= wanted.port <= 65_535:
        wrong("port", "is no port")
    if wanted.authentication != "none":
        if not wanted.username.strip():
            wrong("username", "is missing")
        if wanted.security == "none" and host not in _LOCAL:
            wrong("security", "would send the secret in clear text", "use starttls or tls")
    if wanted.authentication == "xoauth2":
        if wanted.provider not in PROVIDERS:
            wrong("provider", "is unknown", f"use one of {', '.join(PROVIDERS)}")
        if not wanted.client_id.strip():
            wrong("client_id", "is missing", "register an application with the provider: docs/sending.md says how")
    for where in ("username", "client_id", "secret", "client_secret"):
        value = getattr(wanted, where) or ""
        if len(value) > MAX_SECRET_CHARACTERS or not value.isprintable():
            wrong(where, "is too long, or has characters that cannot be shown")
    if len(wanted.username) > 320:
        wrong("username", "is too long")
    if not _TENANT(wanted.tenant):
        wrong("tenant", "is neither a directory's id nor its domain")
    if not -1_000 <= wanted.priority <= 1_000:
        wrong("priority", "is not between -1000 and 1000")
    if wanted.connections is not None and not 1 <= wanted.connections <= MAX_CONNECTIONS:
        wrong("connections", f"is not between 1 and {MAX_CONNECTIONS}")
    if wanted.rate_per_minute is not None and not 1 <= wanted.rate_per_minute <= MAX_RATE:
        wrong("rate_per_minute", f"is not between 1 and {MAX_RATE:,}")
    if wanted.fall_back and not is_own:
        wrong("fall_back", "is for an account's own transports", "those of the instance stand in for each other")
    senders = attempt(_senders, wanted.senders, otherwise=())
    if problems:
        raise InvalidInput.together(problems)
    port = wanted.port or PORTS[wanted.security]
    return replace(wanted, name=name, host=host, port=port, senders=senders, username=wanted.username.strip())


def _host(text: str) -> str:
    from ipaddress import ip_address

    text = text.strip()
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return text.lower() if text.lower() == "localhost" else host_name(text, "host")


def _senders(given: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for text in given:
        text = text.strip().lower()
        if text in ("", EVERYBODY):
            found.update([text] if text else [])
        elif "@" in text.strip("@"):
            found.add(parse_address(text).normalised)
        else:
            found.add(host_name(text.lstrip("@"), "senders"))
    if not found:
        raise InvalidInput(
            "are missing", where="senders", remedy="name addresses or domains, or * for everybody's mail"
        )
    if len(found) > MAX_SENDERS or any(len(one) > 320 for one in found):
        raise InvalidInput("are too many, or one is too long", where="senders")
    return tuple(sorted(found))
