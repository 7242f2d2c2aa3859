"""Blocking a submission's links, and lifting that."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from resonanz import model
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import BlockIn, BlockOut, StandingOut
from resonanz.model import NotFound
from resonanz.sending.blocking import block, standing, unblock
from resonanz.store import messages

router = APIRouter(tags=["Blocking"])


@router.get("/submissions/{submission}/block", response_model=StandingOut, summary="Whether a submission is blocked")
def get_block(submission: UUID, parts: Parts, _caller: Caller) -> StandingOut:
    """Return whether its links are blocked, and every decision about that, newest first."""
    with parts.database.read() as tx:
        if messages.get_submission(tx, submission) is None:
            raise NotFound("there is no such submission", where="submission")
        blocked, decisions = standing(tx, submission)
    return StandingOut(blocked=blocked, decisions=[BlockOut.model_validate(one) for one in decisions])


@router.put("/submissions/{submission}/block", response_model=StandingOut, summary="Block a submission, or unblock it")
def put_block(submission: UUID, wanted: BlockIn, parts: Parts, operator: Operator) -> StandingOut:
    """Let links and documents of all its mails lead nowhere and hold back what was not sent yet, or take that back.

    Edges know within seconds. Only the account that runs the instance may decide; who, when and why stays on record.
    """
    decide = block if wanted.blocked else unblock
    decide(parts.database, submission, reason=wanted.reason, actor=operator.address, now=model.now())
    return get_block(submission, parts, operator)
