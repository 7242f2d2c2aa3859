"""Blocking over REST: operators decide, everybody with a key sees."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from starlette.testclient import TestClient

from resonanz.accounts import authenticate_key, create_key
from resonanz.api import ApiParts, build
from resonanz.model import new_id
from resonanz.sending.drafts import Limits
from resonanz.sending.submit import submit
from resonanz.store import Database, accounts
from tests.kit.cast import NOON, Cast
from tests.kit.openers import opener_on


@pytest.fixture
def clients(database: Database) -> Iterator[tuple[TestClient, TestClient, str]]:
    """Whoever runs the instance, somebody else, and a submission."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        other = accounts.Account(new_id(), "other@resonanz.example", "", "no-password", NOON, NOON)
        accounts.add_account(tx, other)
        submission = str(cast.mailing(tx, 2)[0].id)
    parts = ApiParts(
        database=database,
        authenticate=partial(authenticate_key, database),
        submit=lambda draft, now: submit(database, draft, limits=Limits(1000, 5), now=now),
        max_message=1000,
        opener=opener_on(database),
    )
    secrets = [create_key(database, account, "tests", NOON)[0] for account in (cast.account_id, other.id)]
    app = build(parts)
    with (
        TestClient(app, headers={"Authorization": f"Bearer {secrets[0]}"}) as operator,
        TestClient(app, headers={"Authorization": f"Bearer {secrets[1]}"}) as somebody,
    ):
        yield operator, somebody, submission


def test_an_operator_blocks_and_unblocks(clients: tuple[TestClient, TestClient, str]) -> None:
    """Each decision is in force at once and listed with who and why, the submission tells of it."""
    operator, somebody, submission = clients
    path = f"/api/v1/submissions/{submission}"
    assert somebody.get(f"{path}/block").json() == {"blocked": False, "decisions": []}
    answer = operator.put(f"{path}/block", json={"blocked": True, "reason": "a stolen password"})
    assert answer.status_code == 200, answer.text
    assert somebody.get(path).json()["blocked"] is True
    operator.put(f"{path}/block", json={"blocked": False, "reason": "all clear"})
    seen = somebody.get(f"{path}/block").json()
    assert seen["blocked"] is False
    assert [(one["blocked"], one["reason"], one["actor"]) for one in seen["decisions"]] == [
        (False, "all clear", "owner@resonanz.example"),
        (True, "a stolen password", "owner@resonanz.example"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"blocked": True, "reason": ""}, 422, "reason"),
        ({"blocked": True, "reason": "x" * 501}, 422, "reason"),
        ({"blocked": True}, 422, "reason"),
        ({"blocked": "yes", "reason": "x"}, 422, "blocked"),
        ({"blocked": False, "reason": "x"}, 422, "submission"),
    ],
)
def test_wrong_decisions_are_refused(
    clients: tuple[TestClient, TestClient, str], body: dict[str, object], status: int, where: str
) -> None:
    """What is wrong is named, and nothing is decided."""
    operator, _, submission = clients
    answer = operator.put(f"/api/v1/submissions/{submission}/block", json=body)
    assert (answer.status_code, answer.json()["where"]) == (status, where)
    assert operator.get(f"/api/v1/submissions/{submission}/block").json()["decisions"] == []


def test_only_operators_decide(clients: tuple[TestClient, TestClient, str]) -> None:
    """Another account's key may look, not block; what is not there is 404 for both ways."""
    operator, somebody, submission = clients
    refused = somebody.put(f"/api/v1/submissions/{submission}/block", json={"blocked": True, "reason": "x"})
    assert refused.status_code == 403
    nowhere = f"/api/v1/submissions/{new_id()}/block"
    assert operator.put(nowhere, json={"blocked": True, "reason": "x"}).status_code == 404
    assert operator.get(nowhere).status_code == 404
