"""Importing contacts: hand the file in, look at it, start it, see how far it is, fetch what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.people_shapes import FormOut, ImportOut, ImportPlan, ImportsOut, PreviewOut, RefusedOut
from resonanz.model import InvalidInput, NotFound, TooLarge
from resonanz.people import imports as room
from resonanz.people.exports import refused_file
from resonanz.people.imports import Consent, Plan
from resonanz.store import imports
from resonanz.store.imports import PIECE_BYTES, Import
from resonanz.store.text import storable

router = APIRouter(tags=["Imports"])

CSV = "text/csv"
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post(
    "/imports",
    status_code=201,
    response_model=ImportOut,
    summary="Hand in a file of contacts",
    openapi_extra={
        "requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def post_import(
    request: Request,
    parts: Parts,
    caller: Caller,
    file_name: Annotated[str, Query(max_length=200)] = "",
    encoding: Annotated[str, Query(max_length=20, description="Default: told by the file")] = "",
    delimiter: Annotated[str, Query(max_length=1, description="Default: told by the file")] = "",
) -> ImportOut:
    """Keep a CSV file of at most 100 MB, and tell how it is written and what its columns are. It is not started yet."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (CSV, "application/octet-stream", ""):
        raise InvalidInput(f"no support for {kind[:100]}", where="Content-Type", remedy=f"send {CSV}")
    with SpooledTemporaryFile(PIECE_BYTES) as file:  # what a client sends slowly must not hold the database
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > room.MAX_FILE_BYTES:
                raise TooLarge("the file has more than 100 MB", where="body", remedy="divide it")
            file.write(chunk)
        file.seek(0)

        def hand_in() -> Import:
            pieces = iter(lambda: file.read(PIECE_BYTES), b"")
            made = room.hand_in(
                parts.database, pieces, file_name=file_name or "upload.csv", account_id=caller.id, now=model.now()
            )
            if encoding or delimiter:
                made = room.reread(parts.database, made.id, encoding=encoding, delimiter=delimiter)
            return made

        return _out(await run_in_threadpool(hand_in))


@router.get("/imports", response_model=ImportsOut, summary="Imports, newest first")
def list_imports(parts: Parts, _caller: Caller, limit: Limit = 50, before: UUID | None = None) -> ImportsOut:
    """Return a page of imports."""
    with parts.database.read() as tx:
        rows = imports.list_imports(tx, limit=limit + 1, before=before)
    page = rows[:limit]
    return ImportsOut(imports=[_out(one) for one in page], next=page[-1].id if len(rows) > limit else None)


@router.get("/imports/{import_id}", response_model=ImportOut, summary="How far an import is")
def show_import(import_id: UUID, parts: Parts, _caller: Caller) -> ImportOut:
    """Return one import."""
    return _out(_found(parts, import_id))


@router.get("/imports/{import_id}/preview", response_model=PreviewOut, summary="What an import would do")
def show_preview(import_id: UUID, parts: Parts, _caller: Caller) -> PreviewOut:
    """Look at all rows without taking any."""
    seen = room.preview(parts.database, import_id)
    return PreviewOut(
        heading=list(seen.heading),
        rows=[list(row) for row in seen.rows],
        good=seen.good,
        known=seen.known,
        suppressed=seen.suppressed,
        refused=seen.refused,
        problems=dict(seen.problems),
        examples=[RefusedOut(line=row.line, reason=row.reason, cells=list(row.cells)) for row in seen.examples],
        more=seen.more,
    )


@router.post("/imports/{import_id}/start", status_code=202, response_model=ImportOut, summary="Start an import")
def start_import(import_id: UUID, wanted: ImportPlan, parts: Parts, _caller: Caller) -> ImportOut:
    """Let a worker take the file in. Consent needs a source and a moment; no choice against is turned by a file."""
    plan = Plan.decode(_found(parts, import_id).plan)
    said, consent = wanted.consent, None
    if said is not None:
        consent = Consent(tuple(said.purposes), storable(said.source), said.given_at, storable(said.text_version))
    plan = Plan(
        plan.form if wanted.has_header is None else replace(plan.form, has_header=wanted.has_header),
        plan.columns if wanted.columns is None else tuple(wanted.columns),
        tuple(dict.fromkeys(wanted.lists)),
        consent,
    )
    return _out(room.start(parts.database, import_id, plan, model.now()))


@router.post("/imports/{import_id}/cancel", response_model=ImportOut, summary="End an import where it is")
def cancel_import(import_id: UUID, parts: Parts, _caller: Caller) -> ImportOut:
    """End an import; what was taken stays."""
    return _out(room.cancel(parts.database, import_id, model.now()))


@router.get(
    "/imports/{import_id}/errors",
    summary="The rows that were refused, as CSV",
    response_class=StreamingResponse,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def show_errors(import_id: UUID, parts: Parts, _caller: Caller) -> StreamingResponse:
    """Return line number, reason and cells of each refused row. They are kept for thirty days."""
    lines: Iterator[str] = refused_file(parts.database, _found(parts, import_id).id)
    return StreamingResponse(lines, media_type=CSV)


def _found(parts: Any, import_id: UUID) -> Import:
    with parts.database.read() as tx:
        found: Import | None = imports.get_import(tx, import_id)
    if found is None:
        raise NotFound("there is no such import", where="import")
    return found


def _out(one: Import) -> ImportOut:
    plan = Plan.decode(one.plan)
    return ImportOut(
        id=one.id,
        file_name=one.file_name,
        size=one.size,
        state=one.state,
        form=FormOut(encoding=plan.form.encoding, delimiter=plan.form.delimiter, has_header=plan.form.has_header),
        columns=list(plan.columns),
        created_at=one.created_at,
        finished_at=one.finished_at,
        position=one.position,
        added=one.added,
        updated=one.updated,
        unchanged=one.unchanged,
        refused=one.refused,
        suppressed=one.suppressed,
        kept=one.kept,
        note=one.note,
    )
