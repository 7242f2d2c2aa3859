"""Errors as RFC 9457 problem documents: what happened, where, and the remedy. Never a trace, never a secret."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from resonanz.model import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PermanentFailure,
    ResonanzError,
    TooLarge,
    TooMany,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUS: dict[type[ResonanzError], tuple[int, str]] = {
    TooLarge: (413, "Too large"),
    NotFound: (404, "Not found"),
    Forbidden: (403, "Forbidden"),
    TooMany: (429, "Too many requests"),
    Conflict: (409, "Conflict"),
    InvalidInput: (422, "Invalid input"),
    PermanentFailure: (502, "Permanent failure"),
}

# What the validator calls by its own insider's words.
_WORDING = {"extra_forbidden": "no such field"}

# What every operation may answer beside its result; FastAPI's own 422 shape is replaced by it.
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"description": title, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, title in {
        400: "Bad request",
        401: "No valid API key",
        403: "Forbidden",
        404: "Not found",
        409: "It contradicts what there is, such as an Idempotency-Key that was used for another mail",
        413: "Too large",
        422: "Invalid input",
        429: "Too many requests",
        502: "Another server refused for good; its words are in the detail",
        503: "Temporarily unavailable",
    }.items()
}

SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "where": {"type": "string", "description": "The field or part that is wrong."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "description": "Everything that is wrong with what was handed in, the first as above.",
            "items": {
                "type": "object",
                "required": ["where", "detail"],
                "properties": {
                    "where": {"type": "string"},
                    "detail": {"type": "string"},
                    "remedy": {"type": "string"},
                },
            },
        },
    },
}


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """Return one problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body.update({key: value for key, value in more.items() if value})
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn everything that can go wrong in `app` into problem documents."""
    app.add_exception_handler(ResonanzError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ResonanzError)
    for kind in type(error).__mro__:
        if kind in _STATUS:
            status, title = _STATUS[kind]
            break
    else:
        status, title = 503, "Temporarily unavailable"
    if status == 503:
        # Where the database is and what its driver says is for the log, not for whoever asks.
        log.error("answered 503", what=error.what, where=error.where, why=error.remedy)
        return problem(status, title, error.what, {"retry-after": "5"})
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooMany) else None
    errors = [_entry(each) for each in error.problems] if isinstance(error, InvalidInput) else None
    return problem(status, title, error.what, headers, where=error.where, remedy=error.remedy, errors=errors)


def _entry(error: InvalidInput) -> dict[str, str]:
    entry = {"where": error.where, "detail": error.what}
    return {**entry, "remedy": error.remedy} if error.remedy else entry


def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"where": _path(item["loc"]), "detail": _WORDING.get(item["type"], item["msg"])} for item in error.errors()
    ]
    malformed = any(item["type"] == "json_invalid" for item in error.errors())
    status, title = (400, "Bad request") if malformed else (422, "Invalid input")
    first = errors[0] if errors else {"where": "", "detail": "the request does not fit"}
    return problem(status, title, first["detail"], where=first["where"], errors=errors)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, str(error.detail), str(error.detail), headers)


def _path(location: tuple[int | str, ...]) -> str:
    """`("body", "to", 2)` reads `to[2]`."""
    parts = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or str(location[0] if location else "")
