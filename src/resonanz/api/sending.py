"""Handing in mail."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.shapes import Accepted, AcceptedMessage, MessageIn, SubmissionOut
from resonanz.insight import opens_of, rates_of
from resonanz.insight.submissions import group_of
from resonanz.model import InvalidInput, NotFound, ResonanzError, TooLarge, TrackingMode
from resonanz.sending.blocking import standing
from resonanz.sending.drafts import Draft, Receipt
from resonanz.store import messages as rows

router = APIRouter(tags=["Sending"])

RAW = "message/rfc822"


@router.post(
    "/messages",
    status_code=202,
    response_model=Accepted,
    summary="Send a mail to one or several recipients",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": MessageIn.model_json_schema(ref_template="#/components/schemas/{model}")
                },
                RAW: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
async def send(
    request: Request,
    parts: Parts,
    caller: Caller,
    to: Annotated[list[str] | None, Query(description="Recipients of a raw mail; empty: its To, Cc and Bcc")] = None,
    opens: Annotated[TrackingMode, Query(description="For a raw mail: the most that opens may be tracked")] = (
        TrackingMode.INDIVIDUAL
    ),
    clicks: Annotated[TrackingMode, Query(description="For a raw mail: the most that clicks may be tracked")] = (
        TrackingMode.INDIVIDUAL
    ),
    documents: Annotated[
        bool, Query(description="For a raw mail: attachments become tracked documents, links stand in their place")
    ] = False,
    bulk: Annotated[
        bool, Query(description="For a raw mail: say in the headers that it is bulk mail, and how to leave")
    ] = False,
    idempotency_key: Annotated[str | None, Header(max_length=128, description="The same key sends once")] = None,
) -> Accepted:
    """Accept a mail as JSON fields, or as raw bytes (`Content-Type: message/rfc822`). 202 means: stored, will be sent.

    One message per recipient is made. Nothing is stored unless everything in the request is right.
    """
    body = await _read(request, parts.max_message)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (RAW, "application/json", ""):
        raise InvalidInput(f"no support for {kind}", where="Content-Type", remedy=f"send application/json or {RAW}")

    def hand_in() -> Receipt:
        if kind == RAW:
            draft = _raw_draft(body, to, caller.id, idempotency_key, opens, clicks, documents=documents, bulk=bulk)
        else:
            draft = _composed_draft(_decode(body), caller.id, idempotency_key)
        return parts.submit(draft, model.now())

    try:
        receipt = await run_in_threadpool(hand_in)  # reading a large mail takes a while, too: never on the loop
    except ResonanzError as error:
        for problem in error.problems if isinstance(error, InvalidInput) else (error,):
            problem.where = _as_asked(problem.where)
        raise
    return Accepted(
        submission=receipt.submission_id,
        repeated=receipt.repeated,
        messages=[AcceptedMessage(id=message, recipient=recipient) for message, recipient in receipt.messages],
    )


@router.get("/submissions/{submission}", response_model=SubmissionOut, summary="What was handed in at one time")
def submission(submission: UUID, parts: Parts, _caller: Caller) -> SubmissionOut:
    """Return a submission and its messages (the first thousand)."""
    with parts.database.read() as tx:
        found = rows.get_submission(tx, submission)
        if found is None:
            raise NotFound("there is no such submission", where="submission")
        blocked, _ = standing(tx, submission)
        opens, rates = opens_of(tx, submission), rates_of(tx, submission)
        return SubmissionOut.of(
            found,
            rows.of_submission(tx, submission),
            opens,
            rates,
            blocked=blocked,
            group=group_of(tx, found),
        )


# ── From request to draft ───────────────────────────────────────────────────────────────────────────────────────────


async def _read(request: Request, limit: int) -> bytes:
    """Read the body, but not past the limit: whoever sends more is told before it is all here."""
    # JSON escapes can double a text; the mail itself is measured again when it is submitted.
    allowed = limit if request.headers.get("content-type", "").startswith(RAW) else 2 * limit
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > allowed:
            raise TooLarge(
                f"the request is larger than {limit} bytes", where="body", remedy="the limit is RESONANZ_MAX_MESSAGE"
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _decode(body: bytes) -> MessageIn:
    try:
        return MessageIn.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False, include_input=False)]
        ) from None


def _composed_draft(message: MessageIn, account: UUID, idempotency_key: str | None) -> Draft:
    return Draft(
        account_id=account,
        source="api",
        sender=message.sender,
        recipients=tuple(message.to),
        subject=message.subject,
        text=message.text,
        html=message.html,
        reply_to=message.reply_to,
        headers=message.headers,
        track_opens=message.tracking.opens,
        track_clicks=message.tracking.clicks,
        bulk=message.bulk,
        idempotency_key=idempotency_key,
    )


def _raw_draft(
    body: bytes,
    to: list[str] | None,
    account: UUID,
    idempotency_key: str | None,
    opens: TrackingMode,
    clicks: TrackingMode,
    *,
    documents: bool,
    bulk: bool,
) -> Draft:
    return Draft(
        account_id=account,
        source="api",
        sender="",  # this and, unless they are told, the recipients are read from the mail
        recipients=tuple(to or ()),
        raw=body,
        track_opens=opens,
        track_clicks=clicks,
        documents=documents,
        bulk=bulk,
        idempotency_key=idempotency_key,
    )


def _as_asked(where: str) -> str:
    """Name a place by the API's own field: a draft's `recipients[2]` is what the caller wrote as `to[2]`."""
    for inside, outside in (("sender", "from"), ("recipients", "to"), ("idempotency_key", "Idempotency-Key")):
        if where == inside or where.startswith(f"{inside}["):
            return outside + where.removeprefix(inside)
    return where
