"""Endpoints: adding, changing, pausing them, their secrets, tests, and sending again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from resonanz.accounts.operators import is_operator
from resonanz.model import Conflict, Forbidden, InvalidInput, NotFound, Who, from_microseconds, new_id, to_microseconds
from resonanz.notify.webhooks.signing import new_secret
from resonanz.notify.webhooks.types import CORRECTED, TEST, TYPES
from resonanz.outbound import check_url
from resonanz.store import Database, Tx, events
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store import webhook_endpoints as rows
from resonanz.store.webhook_deliveries import DeliveryRow
from resonanz.store.webhook_endpoints import EndpointRow

if TYPE_CHECKING:
    from resonanz.notify.webhooks.reach import Reach
    from resonanz.sealing import Sealer

ROTATION = timedelta(days=1)  # how long the secret before the newest one still signs, too
MOST_ENDPOINTS = 20  # of one account
DEFAULT_WHO = frozenset({Who.HUMAN})

_LONGEST_URL = 2_000
_LONGEST_DESCRIPTION = 200
_SKIPPED = "skipped when the endpoint went on from now"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint as its owner wants it. `who` is by whom an event must be caused that has a verdict; `all_mail`: not
    only of mail that the owner's account handed in."""

    url: str
    types: frozenset[str]
    description: str = ""
    who: frozenset[Who] = DEFAULT_WHO
    all_mail: bool = False


@dataclass(frozen=True, slots=True)
class Fresh:
    """An endpoint, and the secret that was just made for it: shown once."""

    row: EndpointRow
    secret: str


# ── Adding, changing, removing ──────────────────────────────────────────────────────────────────────────────────────


def add_endpoint(
    database: Database,
    sealer: Callable[[], Sealer],
    reach: Reach,
    wanted: Wanted,
    *,
    account_id: UUID,
    actor: str,
    now: datetime,
) -> Fresh:
    """Tell `wanted.url` of what happens from now on. Raises InvalidInput for everything that is wrong, Forbidden for
    all mail when the account does not run the instance, Conflict when it has too many."""
    wanted = _checked(wanted, reach)
    id, secret = new_id(), new_secret()
    sealed = _seal(sealer(), id, [(secret, None)])
    with database.write() as tx:
        _check_scope(tx, wanted, account_id)
        if rows.count_endpoints(tx, account_id) >= MOST_ENDPOINTS:
            what = f"an account has {MOST_ENDPOINTS} webhooks at most"
            raise Conflict(what, where="webhook", remedy="remove one, or let one endpoint take several types")
        newest = events.last_id(tx)
        row = EndpointRow(
            id=id,
            account_id=account_id,
            url=wanted.url,
            description=wanted.description,
            types=wanted.types,
            who=wanted.who,
            all_mail=wanted.all_mail,
            secrets=sealed,
            created_at=now,
            created_by=actor,
            begins_after=newest,
            position=newest,
        )
        rows.add_endpoint(tx, row)
    return Fresh(row, secret)


def change_endpoint(database: Database, reach: Reach, id: UUID, wanted: Wanted) -> EndpointRow:
    """Bring an endpoint to what is wanted; it holds for what happens from now on. Raises as `add_endpoint` does."""
    wanted = _checked(wanted, reach)
    with database.write() as tx:
        row = _locked(tx, id)
        _check_scope(tx, wanted, row.account_id)
        rows.change_endpoint(
            tx,
            id,
            url=wanted.url,
            description=wanted.description,
            types=wanted.types,
            who=wanted.who,
            all_mail=wanted.all_mail,
        )
        return _locked(tx, id)


def remove_endpoint(database: Database, id: UUID) -> None:
    """Tell it nothing more, and forget what it was told. Raises NotFound."""
    with database.write() as tx:
        if not rows.remove_endpoint(tx, id):
            raise _gone()


def find_endpoint(tx: Tx, id: UUID, account_id: UUID) -> EndpointRow:
    """Return an endpoint that an account may see: its own, and whoever runs the instance sees all. Raises NotFound."""
    row = rows.get_endpoint(tx, id)
    if row is None or (row.account_id != account_id and not is_operator(tx, account_id)):
        raise _gone()
    return row


def endpoints_of(tx: Tx, account_id: UUID) -> list[EndpointRow]:
    """Return the endpoints that an account may see."""
    return rows.list_endpoints(tx, None if is_operator(tx, account_id) else account_id)


# ── Pausing and going on ────────────────────────────────────────────────────────────────────────────────────────────


def pause(database: Database, id: UUID, *, why: str, now: datetime) -> None:
    """Tell it nothing until it is resumed. Raises NotFound."""
    with database.write() as tx:
        row = _locked(tx, id)
        if row.paused_at is None:
            rows.change_endpoint(tx, id, paused_at=now, note=why)


def resume(database: Database, id: UUID, *, from_now: bool = False) -> None:
    """Go on where it stopped, or with what happens from now on: what waits is given up then, and can be sent again.
    Raises NotFound."""
    with database.write() as tx:
        _locked(tx, id)
        rows.change_endpoint(tx, id, paused_at=None, note="", failures=0, failing_since=None, rests_until=None)
        if from_now:
            newest = events.last_id(tx)
            rows.change_endpoint(tx, id, position=newest, begins_after=newest)
            deliveries.skip_waiting(tx, id, _SKIPPED)


# ── Secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def rotate_secret(database: Database, sealer: Callable[[], Sealer], id: UUID, *, now: datetime) -> Fresh:
    """Make a new secret. For another day the one before signs as well. Raises NotFound."""
    secret = new_secret()
    with database.write() as tx:
        row = _locked(tx, id)
        newest = next(one for one, until in _open(sealer(), row) if until is None)
        rows.change_endpoint(tx, id, secrets=_seal(sealer(), id, [(secret, None), (newest, now + ROTATION)]))
        return Fresh(_locked(tx, id), secret)


def secrets_of(sealer: Sealer, row: EndpointRow, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises TemporaryFailure when they cannot be opened."""
    return [secret for secret, until in _open(sealer, row) if until is None or until > now]


def _purpose(id: UUID) -> str:
    return f"webhook {id.hex}"


def _seal(sealer: Sealer, id: UUID, found: Iterable[tuple[str, datetime | None]]) -> bytes:
    plain = [[secret, None if until is None else to_microseconds(until)] for secret, until in found]
    return sealer.seal(json.dumps(plain), _purpose(id))


def _open(sealer: Sealer, row: EndpointRow) -> list[tuple[str, datetime | None]]:
    plain = json.loads(sealer.open(row.secrets, _purpose(row.id)))
    return [(secret, None if until is None else from_microseconds(until)) for secret, until in plain]


# ── Tests, and once more ────────────────────────────────────────────────────────────────────────────────────────────


def send_test(database: Database, id: UUID, *, now: datetime) -> UUID:
    """Let a worker post a test, also to a paused endpoint. Returns the delivery's id. Raises NotFound."""
    with database.write() as tx:
        _locked(tx, id)
        row = DeliveryRow(new_id(), id, None, None, TEST, created_at=now, due_at=now)
        deliveries.add_deliveries(tx, [row])
    return row.id


def send_again(
    database: Database, id: UUID, *, now: datetime, delivery: UUID | None = None, since: datetime | None = None
) -> int:
    """Let one delivery be posted once more, or all that were given up and made since a moment; with the id that they
    had. Returns how many. Raises NotFound."""
    with database.write() as tx:
        _locked(tx, id)
        if delivery is None:
            return deliveries.send_again(tx, id, now=now, since=since)
        if deliveries.get_delivery(tx, id, delivery) is None:
            raise NotFound("there is no such delivery", where="delivery", remedy="they are kept for 30 days")
        amount = deliveries.send_again(tx, id, now=now, id=delivery)
    if not amount:
        raise Conflict("it is withheld: the recipient has withdrawn their consent", where="delivery")
    return amount


# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(wanted: Wanted, reach: Reach) -> Wanted:
    problems: list[InvalidInput] = []
    url, description = wanted.url.strip(), wanted.description.strip()
    if len(url) > _LONGEST_URL:
        problems.append(InvalidInput(f"longer than {_LONGEST_URL} characters", where="url"))
    else:
        try:
            check_url(url, reach(url))
        except InvalidInput as problem:
            remedy = "a host in your own network has to be named in RESONANZ_WEBHOOK_PRIVATE_HOSTS first"
            problems.append(InvalidInput(problem.what, where="url", remedy=remedy))
    if len(description) > _LONGEST_DESCRIPTION:
        problems.append(InvalidInput(f"longer than {_LONGEST_DESCRIPTION} characters", where="description"))
    problems += [InvalidInput(f"no event is called `{name[:50]}`", where="types") for name in wanted.types - set(TYPES)]
    if not wanted.types - {CORRECTED}:
        what = "names no event" if not wanted.types else "a correction is told to who was told the event before"
        problems.append(InvalidInput(what, where="types", remedy="choose one or more, such as message.opened"))
    if not wanted.who:
        problems.append(InvalidInput("leaves out everybody", where="who", remedy="human is what most want"))
    if problems:
        raise InvalidInput.together(problems)
    return Wanted(url, wanted.types, description, wanted.who, wanted.all_mail)


def _check_scope(tx: Tx, wanted: Wanted, account_id: UUID) -> None:
    if wanted.all_mail and not is_operator(tx, account_id):
        raise Forbidden(
            "only the account that runs this instance may be told of all mail", remedy="take the mail of the account"
        )


def _locked(tx: Tx, id: UUID) -> EndpointRow:
    row = rows.lock_endpoint(tx, id)
    if row is None:
        raise _gone()
    return row


def _gone() -> NotFound:
    return NotFound("there is no such webhook", where="webhook")
