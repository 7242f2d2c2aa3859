"""Webhooks going out: where programs of others are told of events, how that goes, and once more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of, read_id, told
from resonanz.model import Conflict, InvalidInput, Who
from resonanz.store import accounts
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.webhook_deliveries import DeliveryState

if TYPE_CHECKING:
    from resonanz.notify.webhooks.endpoints import Wanted
    from resonanz.store.webhook_endpoints import EndpointRow

# What tells others of webhooks is loaded by the first of these pages: most instances have none.

SHOWN = 30
COUNTED = 1_000  # of each state; however many there are, the page costs the same
_USUAL = ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked", "replied")
_FRESH = {"who": "people", **{f"message.{kind}": "yes" for kind in _USUAL}, "event.corrected": "yes"}
_SIDES = {
    "people": frozenset({Who.HUMAN}),
    "unclear": frozenset({Who.HUMAN, Who.INDETERMINATE}),
    "everything": frozenset(Who),
}
_AGAIN = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
_DONE = {
    "changed": "Saved. It holds for what happens from now on.",
    "removed": "Nothing more is told there.",
    "paused": "It is paused. What happens meanwhile is told when it goes on.",
    "resumed": "It goes on where it stopped.",
    "skipped": "It goes on with what happens from now on. What waited was given up, and can be sent again.",
    "test": "A worker posts the test within seconds; what came of it shows below.",
    "again": "It is posted once more within seconds.",
}


def show_list(visit: Visit) -> Response:
    """Every webhook, and the form for another."""
    return _render_list(visit)


def add(visit: Visit) -> Response:
    """Add one, and show its secret, this once."""
    from resonanz.notify.webhooks import endpoints
    from resonanz.notify.webhooks.reach import reach_of

    try:
        fresh = endpoints.add_endpoint(
            visit.parts.database,
            visit.parts.sealer,
            reach_of(visit.parts.private_hosts),
            _wanted(visit),
            account_id=visit.account.id,
            actor=visit.account.address,
            now=visit.now,
        )
    except (InvalidInput, Conflict) as refused:
        return _render_list(visit, _errors(refused), _typed(visit))
    return _render_one(visit, fresh.row, secret=fresh.secret)


def show(visit: Visit) -> Response:
    """One webhook; `part=deliveries` is what it was told last."""
    return _render_one(visit, _found(visit))


def change(visit: Visit) -> Response:
    """Change one."""
    from resonanz.notify.webhooks import endpoints
    from resonanz.notify.webhooks.reach import reach_of

    row, reach = _found(visit), reach_of(visit.parts.private_hosts)
    try:
        endpoints.change_endpoint(visit.parts.database, reach, row.id, _wanted(visit, row.who))
    except InvalidInput as refused:
        return _render_one(visit, row, _errors(refused), _typed(visit))
    return visit.go(f"/webhooks/{row.id}", done="changed")


def act(visit: Visit) -> Response:
    """Pause, resume, test, send again, make a new secret, or remove: what the pressed button says."""
    from resonanz.notify.webhooks import endpoints

    database, row = visit.parts.database, _found(visit)
    here = f"/webhooks/{row.id}"
    match visit.form.text("action"):
        case "pause":
            endpoints.pause(database, row.id, why=f"paused by {visit.account.address}", now=visit.now)
            return visit.go(here, done="paused")
        case "resume":
            endpoints.resume(database, row.id)
            return visit.go(here, done="resumed")
        case "skip":
            endpoints.resume(database, row.id, from_now=True)
            return visit.go(here, done="skipped")
        case "test":
            endpoints.send_test(database, row.id, now=visit.now)
            return visit.go(here, done="test")
        case "again":
            return _again(visit, row)
        case "secret":
            fresh = endpoints.rotate_secret(database, visit.parts.sealer, row.id, now=visit.now)
            return _render_one(visit, fresh.row, secret=fresh.secret)
        case "remove":
            endpoints.remove_endpoint(database, row.id)
            return visit.go("/webhooks", done="removed")
    raise InvalidInput("there is no such button", where="action")


def _again(visit: Visit, row: EndpointRow) -> Response:
    from resonanz.notify.webhooks.endpoints import send_again

    database, text = visit.parts.database, visit.form.text("delivery")
    try:
        if text:
            send_again(database, row.id, now=visit.now, delivery=read_id(text))
            return visit.go(f"/webhooks/{row.id}", done="again")
        since = visit.now - _AGAIN.get(visit.form.text("since"), _AGAIN["day"])
        amount = send_again(database, row.id, now=visit.now, since=since)
    except Conflict as refused:
        return _render_one(visit, row, {"again": told(refused)})
    return visit.go(f"/webhooks/{row.id}", again=str(amount))


def _found(visit: Visit) -> EndpointRow:
    from resonanz.notify.webhooks.endpoints import find_endpoint

    id: UUID = visit.path("webhook")
    with visit.parts.database.read() as tx:
        return find_endpoint(tx, id, visit.account.id)


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wanted(visit: Visit, now_told: frozenset[Who] = _SIDES["people"]) -> Wanted:
    from resonanz.notify.webhooks.endpoints import Wanted
    from resonanz.notify.webhooks.types import TYPES

    form = visit.form
    return Wanted(
        url=form.text("url"),
        types=frozenset(name for name in TYPES if form.text(name)),
        description=form.text("description"),
        who=_SIDES.get(form.text("who"), now_told),
        all_mail=bool(form.text("all_mail")),
    )


def _typed(visit: Visit) -> dict[str, str]:
    from resonanz.notify.webhooks.types import TYPES

    return {name: visit.form.text(name) for name in ("url", "description", "who", "all_mail", *TYPES)}


def _stored(row: EndpointRow) -> dict[str, str]:
    who = next((name for name, sides in _SIDES.items() if sides == row.who), "")
    chosen = dict.fromkeys(row.types, "yes")
    all_mail = "yes" if row.all_mail else ""
    return {"url": row.url, "description": row.description, "who": who, "all_mail": all_mail, **chosen}


def _errors(refused: InvalidInput | Conflict) -> dict[str, str]:
    if isinstance(refused, Conflict):
        return {"url": told(refused)}
    return errors_of(refused, {name: name for name in ("url", "description", "types", "who")}, otherwise="url")


def _render_list(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    from resonanz.notify.webhooks.endpoints import endpoints_of
    from resonanz.notify.webhooks.types import TYPES

    with visit.parts.database.read() as tx:
        known = endpoints_of(tx, visit.account.id)
        others = {one.id: one.address for one in accounts.list_accounts(tx) if one.id != visit.account.id}
    return visit.render(
        "webhooks.html",
        status=422 if errors else 200,
        known=known,
        others=others,
        types=list(TYPES.values()),
        errors=errors or {},
        values=values or {**_FRESH, "all_mail": "yes" if visit.is_operator else ""},
        done=_DONE.get(visit.query("done"), ""),
    )


def _render_one(
    visit: Visit,
    row: EndpointRow,
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    secret: str = "",
) -> Response:
    from resonanz.notify.webhooks.types import TYPES

    state = visit.query("state")
    if state and state not in set(DeliveryState):
        raise InvalidInput(f"`{state[:50]}` is no state of a delivery", where="state")
    only = DeliveryState(state) if state else None
    with visit.parts.database.read() as tx:
        before = read_id(visit.query("before"))
        rows = deliveries.list_deliveries(tx, row.id, limit=SHOWN + 1, before=before, state=only)
        counts = deliveries.count_states(tx, row.id, most=COUNTED)
    return visit.render(
        "_webhook_deliveries.html" if visit.part else "webhook.html",
        status=422 if errors else 200,
        endpoint=row,
        types=list(TYPES.values()),
        errors=errors or {},
        values=values or _stored(row),
        secret=secret,
        deliveries=rows[:SHOWN],
        next=rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        counts={name.value: counts[name] for name in DeliveryState},
        counted=COUNTED,
        only=state,
        first=before is None,
        done=_done(visit),
    )


def _done(visit: Visit) -> str:
    again = visit.query("again")
    if not again.isascii() or not again.isdigit():
        return _DONE.get(visit.query("done"), "")
    return "Nothing had failed since then." if again == "0" else f"{again[:9]} of them are posted once more."
