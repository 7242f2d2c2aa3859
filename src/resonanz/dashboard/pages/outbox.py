"""The built-in outbox: the mails that were sent into it, each as its recipient would see it."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.preview import preview_token
from resonanz.dashboard.visit import Visit, not_found, read_id
from resonanz.mail.structure import Structure, parse
from resonanz.sending.drafts import NOTICE
from resonanz.sending.transports.outbox import Outbox
from resonanz.store import messages

PAGE = 50
MAX_SOURCE_CHARACTERS = 300_000
SHOWN_HEADERS = ("From", "To", "Cc", "Subject", "Date")


def show_list(visit: Visit) -> Response:
    """The mails in the outbox, newest first. Raises InvalidInput for a `before` that is no mail's id."""
    if visit.parts.outbox is None:
        return visit.render("outbox_off.html")
    before = read_id(visit.query("before"))
    mails = visit.parts.outbox.list(limit=PAGE + 1, before=before)
    page = mails[:PAGE]
    with visit.parts.database.read() as tx:
        about = messages.get_messages(tx, [mail.message_id for mail in page])
    next_id = page[-1].message_id if len(mails) > PAGE else None
    return visit.render("outbox.html", mails=page, about=about, next_id=next_id, before=before)


def show_mail(visit: Visit) -> Response:
    """One mail in a sandboxed frame on the preview's origin; `images=off` shows it as whoever blocks them sees it."""
    mail, structure = _mail(visit)
    images = visit.query("images") != "off"
    token = preview_token(visit.parts.secret, mail, visit.now, images=images)
    return visit.render(
        "outbox_mail.html",
        mail=mail,
        structure=structure,
        headers=[(name, value) for name in SHOWN_HEADERS if (value := structure.header(name))],
        images=images,
        frame=f"{visit.parts.preview_url}/{token}",
    )


def show_source(visit: Visit) -> Response:
    """The mail's bytes as text, cut where a browser would suffer."""
    mail, structure = _mail(visit)
    text = structure.message.decode("utf-8", "replace")
    return visit.render(
        "outbox_source.html",
        mail=mail,
        structure=structure,
        source=text[:MAX_SOURCE_CHARACTERS],
        is_cut=len(text) > MAX_SOURCE_CHARACTERS,
    )


def download(visit: Visit) -> Response:
    """The mail as a file. Never shown in place: whatever it holds would run on our origin."""
    mail, structure = _mail(visit)
    headers = {
        "content-disposition": f'attachment; filename="{mail}.eml"',
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return visit.finish(Response(structure.message, media_type="message/rfc822", headers=headers))


def _mail(visit: Visit) -> tuple[UUID, Structure]:
    outbox: Outbox | None = visit.parts.outbox
    mail: UUID = visit.path("mail")
    message = outbox.get(mail) if outbox is not None and _may_open(visit, mail) else None
    if message is None:
        raise not_found("mail in the outbox")
    return mail, parse(message)


def _may_open(visit: Visit, mail: UUID) -> bool:
    """Whether it is the visitor's to read. What the instance writes by itself may hold a link that confirms something
    in its recipient's name, such as a sender address that somebody else claims."""
    if visit.is_operator:
        return True
    with visit.parts.database.read() as tx:
        message = messages.get_message(tx, mail)
        submission = messages.get_submission(tx, message.submission_id) if message is not None else None
    if message is None or submission is None or submission.source != NOTICE:
        return True
    return message.recipient == visit.account.address
