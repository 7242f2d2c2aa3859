"""Writing a mail, or handing in a finished one; either way one message per recipient."""

from __future__ import annotations

import re
from contextlib import suppress

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of, told
from resonanz.mail.address import Address, parse_address, parse_addresses
from resonanz.model import Conflict, Forbidden, InvalidInput, TooLarge, TrackingMode, new_id
from resonanz.sending.drafts import Draft

# Where an error comes from, and which field of the form it is shown beside.
_FIELDS = {
    "sender": "from",
    "From": "from",
    "recipients": "to",
    "Subject": "subject",
    "Reply-To": "reply_to",
    "body": "text",
    "mail": "text",
}
_FIELDS_OF_FILE = {"sender": "from", "recipients": "to"}


def show(visit: Visit) -> Response:
    """The empty form; or filled for an answer to somebody (`to`)."""
    local, _, domain = visit.account.address.rpartition("@")
    blank = {
        "from": str(Address(visit.account.name, local, domain)),
        "to": visit.query("to")[:400],
        "opens": TrackingMode.INDIVIDUAL.value,
        "clicks": TrackingMode.INDIVIDUAL.value,
        "idempotency_key": str(new_id()),
    }
    return _render(visit, blank, {}, written=visit.query("kind") != "file")


def send(visit: Visit) -> Response:
    """Hand the mail in. What is wrong is said beside its field, and everything that was typed is still there."""
    form = visit.form
    written = form.text("kind") != "file"
    try:
        draft = _written(visit) if written else _finished(visit)
        receipt = visit.parts.submit(draft, visit.now)
    except TooLarge as refused:
        field = "to" if refused.where == "recipients" else "text" if written else "file"
        return _render(visit, form.fields, {field: told(refused)}, written=written, status=413)
    except Forbidden as refused:
        return _render(visit, form.fields, {"from": told(refused)}, written=written, status=403)
    except Conflict:
        # Back in the browser, changed, and sent again: with a key of its own it is a mail of its own.
        text = "This form was sent before, with something else in it. Send it once more to send this as a new mail."
        values = form.fields | {"idempotency_key": str(new_id())}
        return _render(visit, values, {"text" if written else "file": text}, written=written, status=409)
    except InvalidInput as refused:
        named = InvalidInput.together([_of_form(problem) for problem in refused.problems])
        fields, otherwise = (_FIELDS, "text") if written else (_FIELDS_OF_FILE, "file")
        return _render(visit, form.fields, errors_of(named, fields, otherwise=otherwise), written=written, status=422)
    if len(receipt.messages) == 1:
        return visit.go(f"/messages/{receipt.messages[0][0]}")
    return visit.go(f"/submissions/{receipt.submission_id}", new="yes")


def _of_form(problem: InvalidInput) -> InvalidInput:
    """The form has one field for all recipients, and one for a whole file: the place within is said in words."""
    what = f"{problem.where}: {problem.what}" if problem.where.startswith("mail, ") else problem.what
    return InvalidInput(what, where=re.sub(r"\[\d+\]$", "", problem.where), remedy=problem.remedy)


def _written(visit: Visit) -> Draft:
    form = visit.form
    return Draft(
        account_id=visit.account.id,
        source="dashboard",
        sender=form.text("from"),
        recipients=_recipients(form.text("to")),
        subject=" ".join(form.text("subject").split()),
        text=form.text("text") if form.text("text").strip() else None,
        html=form.text("html") if form.text("html").strip() else None,
        reply_to=_reply_to(form.text("reply_to")),
        track_opens=_mode(form.text("opens")),
        track_clicks=_mode(form.text("clicks")),
        bulk=form.text("bulk") == "yes",
        idempotency_key=form.text("idempotency_key")[:128] or None,
    )


def _finished(visit: Visit) -> Draft:
    form = visit.form
    if not form.file:
        raise InvalidInput("choose a mail file (.eml)", where="file")
    return Draft(
        account_id=visit.account.id,
        source="dashboard",
        sender=form.text("from").strip(),
        recipients=_recipients(form.text("to")),
        raw=form.file,
        track_opens=_mode(form.text("opens")),
        track_clicks=_mode(form.text("clicks")),
        bulk=form.text("bulk") == "yes",
        documents=form.text("documents") == "yes",
        idempotency_key=form.text("idempotency_key")[:128] or None,
    )


def _recipients(text: str) -> tuple[str, ...]:
    """Read recipients separated by commas or lines. Raises InvalidInput for the first that is no address."""
    joined = ", ".join(line.strip().rstrip(",;") for line in text.splitlines() if line.strip())
    try:
        return tuple(str(address) for address in parse_addresses(joined))
    except InvalidInput as refused:
        raise InvalidInput(refused.what, where="recipients", remedy=refused.remedy) from None


def _reply_to(text: str) -> str | None:
    """Read where answers go. Raises InvalidInput."""
    if not text.strip():
        return None
    try:
        return str(parse_address(text))
    except InvalidInput as refused:
        raise InvalidInput(refused.what, where="Reply-To", remedy=refused.remedy) from None


def _mode(text: str) -> TrackingMode:
    """What was chosen; what is no choice tracks nothing."""
    with suppress(ValueError):
        return TrackingMode(text)
    return TrackingMode.OFF


def _render(
    visit: Visit, values: dict[str, str], errors: dict[str, str], *, written: bool, status: int = 200
) -> Response:
    with visit.parts.database.read() as tx:
        unknown = visit.parts.unknown_mode(tx)
    return visit.render(
        "compose.html",
        status=status,
        values=values,
        errors=errors,
        written=written,
        unknown=unknown,
        modes=list(TrackingMode),
    )
