"""Building the API from what wiring hands over: the operations, their description, and the errors' form."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from resonanz import __version__
from resonanz.api import (
    blocking,
    campaigns,
    contacts,
    domains,
    hooks,
    imports,
    lists,
    mail_passwords,
    mailboxes,
    problems,
    providers,
    reading,
    rules,
    senders,
    sending,
    transports,
    webhooks,
)
from resonanz.api.access import ApiParts

DESCRIPTION = """
Hand in mail and read what it set in motion.

Every request carries an API key, made on the dashboard's account page: `Authorization: Bearer rz_…`.
Errors are RFC 9457 problem documents that say what is wrong, where, and what to do about it.
"""


def build(parts: ApiParts) -> FastAPI:
    """Return the API as an ASGI app whose paths start with `/api/v1`."""
    app = FastAPI(
        title="Resonanz",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # its page loads scripts from a CDN; the description itself is served
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    app.state.parts = parts
    problems.install(app)
    for room in (
        sending,
        reading,
        contacts,
        lists,
        imports,
        blocking,
        domains,
        mail_passwords,
        mailboxes,
        rules,
        senders,
        providers,
        hooks,
        campaigns,
        transports,
        webhooks,
    ):
        app.include_router(room.router, prefix="/api/v1", responses=problems.DOCUMENTED)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with our problem shape in place of FastAPI's validation error."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.SCHEMA
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
