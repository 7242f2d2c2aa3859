"""The door for providers' webhooks. It takes no API key: each delivery proves itself, as its provider does that."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from resonanz import model
from resonanz.api.access import Parts
from resonanz.ingest.providers import address
from resonanz.model import NotFound, TooLarge

router = APIRouter(include_in_schema=False)

MAX_BODY = 5_000_000  # octets; a batch of a thousand events takes about one million

Password = Annotated[str, Path(max_length=300)]


@router.head("/hooks/{provider}")
@router.head("/hooks/{provider}/{password}")
def exists(provider: str, password: str = "") -> Response:
    """Answer those who look whether somebody is here before they tell their secret."""
    return Response(status_code=200)


@router.post("/hooks/{provider}")
async def take(provider: UUID, request: Request, parts: Parts) -> JSONResponse:
    """Take a delivery that is signed, or brings its password by Basic authentication."""
    return await _take(provider, request, parts, _basic_password(request.headers.get("authorization", "")))


@router.post("/hooks/{provider}/{password}")
async def take_by_path(provider: UUID, password: Password, request: Request, parts: Parts) -> JSONResponse:
    """Take a delivery whose password stands in the address."""
    return await _take(provider, request, parts, password)


async def _take(provider: UUID, request: Request, parts: Parts, password: str) -> JSONResponse:
    if parts.take_delivery is None:
        raise NotFound("nobody reports to this address", where="address")
    body = await _read(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = address(parts.dashboard_url, provider)
    recorded = await run_in_threadpool(parts.take_delivery, provider, body, headers, url, password, model.now())
    return JSONResponse({"recorded": recorded})


async def _read(request: Request) -> bytes:
    """Read the body, but not past the limit."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge(f"the delivery is larger than {MAX_BODY} bytes", where="body", remedy="send smaller batches")
        chunks.append(chunk)
    return b"".join(chunks)


def _basic_password(header: str) -> str:
    """The password of Basic authentication (RFC 7617), whatever the name beside it."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
