"""Reading a form at the door: bounded in size, bound to one browser, sent from our own pages."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import HTTPConnection, Request

from resonanz.dashboard.parts import DashboardParts
from resonanz.model import Forbidden, InvalidInput, TooLarge

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
SMALL_FORM = 64 * 1024
MAX_FIELDS = 400  # a file of contacts can have two hundred columns, each with a choice


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form as text (the first of each name), and the one file it may carry."""

    fields: dict[str, str]
    file: bytes = b""
    file_name: str = ""

    def text(self, name: str) -> str:
        """Return a field, empty when it is missing."""
        return self.fields.get(name, "")


EMPTY = Form({})


async def read_form(request: Request, limit: int) -> Form:
    """Read the body of a POST, never more than `limit` bytes. Raises TooLarge, and InvalidInput for what is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _bounded(request, limit)
    if not kind:
        async for chunk in body:
            if chunk:
                raise InvalidInput("not a form", where="form")
        return EMPTY  # a POST without a body is a form without fields
    try:
        if kind == "multipart/form-data":
            parser = MultiPartParser(request.headers, body, max_files=1, max_fields=MAX_FIELDS, max_part_size=limit)
            return await _values(await parser.parse())
        if kind == "application/x-www-form-urlencoded":
            form = FormParser(request.headers, body, max_fields=MAX_FIELDS, max_part_size=limit)
            return await _values(await form.parse())
    except MultiPartException as error:
        raise InvalidInput(error.message, where="form") from None
    except (UnicodeError, LookupError):  # a charset that nobody knows, or bytes that are none of it
        raise InvalidInput("the form's encoding cannot be read", where="form") from None
    raise InvalidInput("not a form", where="form")


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"more than {limit:,} bytes", where="form")
        yield chunk


async def _values(data: FormData) -> Form:
    fields: dict[str, str] = {}
    file, file_name = b"", ""
    try:
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                file, file_name = await value.read(), value.filename or ""
            else:
                (name + value).encode()  # UTF-7 can spell halves of characters, which no page could show again
                fields.setdefault(name, value)
    finally:
        await data.close()
    return Form(fields, file, file_name)


# ── From our own pages ──────────────────────────────────────────────────────────────────────────────────────────────


def new_form_secret() -> str:
    """Return the secret that binds forms to a browser that is not signed in yet."""
    return secrets.token_urlsafe(32)


def form_token(parts: DashboardParts, cookie: str) -> str:
    """Return the token a form carries, for the browser that holds this cookie (its session's, or its form secret)."""
    return hmac.new(parts.secret, b"form:" + cookie.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def check_origin(parts: DashboardParts, connection: HTTPConnection) -> None:
    """Refuse a POST that another site's page made. Raises Forbidden.

    A browser says where a form comes from; what says nothing still needs the token.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return
    host = urlsplit(origin).netloc.lower()
    same = host != "" and host == connection.headers.get("host", "").lower()
    if not same and origin.lower() != parts.dashboard_url.lower():
        raise Forbidden(
            "this form was sent from another site", where="Origin", remedy=f"open {parts.dashboard_url} and try again"
        )


def check_token(parts: DashboardParts, form: Form, cookie: str) -> None:
    """Refuse a form without this browser's token. Raises Forbidden."""
    expected = form_token(parts, cookie) if cookie else ""
    given = form.text(TOKEN_FIELD).encode("utf-8", "surrogatepass")
    if not cookie or not hmac.compare_digest(expected.encode(), given):
        raise Forbidden(
            "this form does not belong to this browser, or is too old",
            where="form",
            remedy="go back, reload the page and send it again",
        )
