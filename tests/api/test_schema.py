"""The API keeps to its own description: what it allows and what it forbids gets a described answer."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from resonanz import model
from resonanz.accounts import authenticate_key, create_key
from resonanz.api import ApiParts, build
from resonanz.sealing import Sealer
from resonanz.sending.drafts import Limits
from resonanz.sending.submit import submit
from resonanz.store import open_database
from resonanz.store.migrate import migrate
from tests.kit.cast import Cast
from tests.kit.openers import opener_on
from tests.kit.workers import KEYS

DESCRIPTION = "/api/v1/openapi.json"
OPERATIONS = {
    "GET /api/v1/campaigns",
    "POST /api/v1/campaigns",
    "GET /api/v1/campaigns/{campaign}/report",
    "GET /api/v1/campaigns/{campaign}/recipients.csv",
    "GET /api/v1/campaigns/ranking",
    "GET /api/v1/campaigns/{campaign}",
    "PUT /api/v1/campaigns/{campaign}",
    "DELETE /api/v1/campaigns/{campaign}",
    "GET /api/v1/campaigns/{campaign}/check",
    "GET /api/v1/campaigns/{campaign}/audience",
    "GET /api/v1/campaigns/{campaign}/preview",
    "POST /api/v1/campaigns/{campaign}/test",
    "POST /api/v1/campaigns/{campaign}/send",
    "POST /api/v1/campaigns/{campaign}/unschedule",
    "POST /api/v1/campaigns/{campaign}/pause",
    "POST /api/v1/campaigns/{campaign}/resume",
    "POST /api/v1/campaigns/{campaign}/cancel",
    "POST /api/v1/messages",
    "GET /api/v1/messages",
    "GET /api/v1/messages/{message}",
    "GET /api/v1/messages/{message}/events",
    "GET /api/v1/submissions/{submission}",
    "GET /api/v1/submissions/{submission}/block",
    "PUT /api/v1/submissions/{submission}/block",
    "GET /api/v1/domains",
    "POST /api/v1/domains",
    "DELETE /api/v1/domains/{name}",
    "POST /api/v1/domains/{name}/check",
    "GET /api/v1/sender-domains/{name}",
    "POST /api/v1/sender-domains/{name}/check",
    "GET /api/v1/mail-passwords",
    "POST /api/v1/mail-passwords",
    "DELETE /api/v1/mail-passwords/{password}",
    "GET /api/v1/rules",
    "PUT /api/v1/rules",
    "DELETE /api/v1/rules",
    "PUT /api/v1/rules/copies",
    "GET /api/v1/senders",
    "POST /api/v1/senders",
    "DELETE /api/v1/senders/{account}/{sender}",
    "POST /api/v1/senders/claims",
    "DELETE /api/v1/senders/claims/{sender}",
    "GET /api/v1/events",
    "GET /api/v1/mailboxes",
    "POST /api/v1/mailboxes",
    "DELETE /api/v1/mailboxes/{mailbox}",
    "POST /api/v1/mailboxes/{mailbox}/check",
    "PUT /api/v1/mailboxes/{mailbox}/password",
    "GET /api/v1/providers",
    "POST /api/v1/providers",
    "PUT /api/v1/providers/{provider}/secret",
    "DELETE /api/v1/providers/{provider}",
    "GET /api/v1/strays",
    "GET /api/v1/transports",
    "POST /api/v1/transports",
    "GET /api/v1/transports/{name}",
    "PATCH /api/v1/transports/{name}",
    "DELETE /api/v1/transports/{name}",
    "POST /api/v1/transports/{name}/check",
    "POST /api/v1/transports/{name}/test",
    "POST /api/v1/transports/{name}/pause",
    "POST /api/v1/transports/{name}/resume",
    "GET /api/v1/queue",
    "PUT /api/v1/queue",
    "PATCH /api/v1/queue/domains/{domain}",
    "GET /api/v1/contacts",
    "POST /api/v1/contacts",
    "GET /api/v1/contacts/{contact}",
    "PATCH /api/v1/contacts/{contact}",
    "DELETE /api/v1/contacts/{contact}",
    "GET /api/v1/contacts/{contact}/export",
    "GET /api/v1/contacts/{contact}/mail",
    "GET /api/v1/contacts/{contact}/lists",
    "GET /api/v1/contacts/{contact}/consents",
    "POST /api/v1/contacts/{contact}/consents",
    "GET /api/v1/attributes",
    "POST /api/v1/attributes",
    "PATCH /api/v1/attributes/{name}",
    "DELETE /api/v1/attributes/{name}",
    "GET /api/v1/lists",
    "POST /api/v1/lists",
    "GET /api/v1/lists/{list}",
    "PATCH /api/v1/lists/{list}",
    "DELETE /api/v1/lists/{list}",
    "POST /api/v1/lists/{list}/contacts",
    "DELETE /api/v1/lists/{list}/contacts/{contact}",
    "GET /api/v1/suppressions",
    "POST /api/v1/suppressions",
    "GET /api/v1/suppressions/{address}",
    "DELETE /api/v1/suppressions/{address}",
    "GET /api/v1/imports",
    "POST /api/v1/imports",
    "GET /api/v1/imports/{import_id}",
    "GET /api/v1/imports/{import_id}/preview",
    "GET /api/v1/imports/{import_id}/errors",
    "POST /api/v1/imports/{import_id}/start",
    "POST /api/v1/imports/{import_id}/cancel",
    "GET /api/v1/webhooks",
    "POST /api/v1/webhooks",
    "GET /api/v1/webhooks/types",
    "GET /api/v1/webhooks/{webhook}",
    "PATCH /api/v1/webhooks/{webhook}",
    "DELETE /api/v1/webhooks/{webhook}",
    "POST /api/v1/webhooks/{webhook}/secret",
    "POST /api/v1/webhooks/{webhook}/pause",
    "POST /api/v1/webhooks/{webhook}/resume",
    "POST /api/v1/webhooks/{webhook}/test",
    "GET /api/v1/webhooks/{webhook}/deliveries",
    "POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/again",
    "POST /api/v1/webhooks/{webhook}/again",
}


@schemathesis.serializer("message/rfc822", "text/csv")
def _raw(_context: SerializationContext, value: object) -> bytes:
    """A generated raw mail or file is its bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(tmp_path: Path, mode: GenerationMode) -> None:
    """No generated request gets a 500, an undocumented status, or a body of another shape than described."""
    database = open_database(f"sqlite:///{tmp_path}/schema.sqlite")
    migrate(database)
    with database.write() as tx:
        account = Cast.enter(tx).account_id
    secret, _ = create_key(database, account, "schema", model.now())
    app = build(
        ApiParts(
            database=database,
            authenticate=partial(authenticate_key, database),
            submit=lambda draft, now: submit(database, draft, limits=Limits(100_000, 5), now=now),
            max_message=100_000,
            sealer=lambda: Sealer(KEYS),
            opener=opener_on(database),
        )
    )
    operations = [result.ok() for result in schemathesis.openapi.from_asgi(DESCRIPTION, app).get_all_operations()]
    assert {f"{operation.method.upper()} {operation.path}" for operation in operations} == OPERATIONS
    for operation in operations:

        @given(operation.as_strategy(generation_mode=mode))
        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def holds(case: Case) -> None:
            response = case.call(headers={"Authorization": f"Bearer {secret}"})
            assert response.status_code < 500, response.text
            case.validate_response(
                response, checks=[status_code_conformance, content_type_conformance, response_schema_conformance]
            )

        holds()
    database.close()
