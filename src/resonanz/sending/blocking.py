"""Blocking a submission: its links and documents lead nowhere any more, and what of it was not sent yet is held back.

For a mail that should never have gone out: sent through a stolen password, to the wrong list, with a wrong link. It can
be taken back; who decided what, when and why stays on record.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from resonanz.model import InvalidInput, NotFound
from resonanz.store import Database, Tx, blocks, messages, queue
from resonanz.store.blocks import Block
from resonanz.store.text import storable

MAX_REASON_CHARACTERS = 500

log = structlog.get_logger(__name__)


def block(database: Database, submission_id: UUID, *, reason: str, actor: str, now: datetime) -> Block:
    """Block a submission; one that is blocked stays so, with the new reason. Edges know within seconds.

    `actor` is who decides. Raises NotFound, and InvalidInput without a reason.
    """
    return _decide(database, submission_id, blocked=True, reason=reason, actor=actor, now=now)


def unblock(database: Database, submission_id: UUID, *, reason: str, actor: str, now: datetime) -> Block:
    """Let a submission's links lead to their pages again, and send what was held back. Raises as `block` does."""
    return _decide(database, submission_id, blocked=False, reason=reason, actor=actor, now=now)


def standing(tx: Tx, submission_id: UUID) -> tuple[bool, list[Block]]:
    """Return whether a submission is blocked, and every decision about it, newest first."""
    decisions = blocks.history(tx, submission_id)
    return bool(decisions) and decisions[0].blocked, decisions


def _decide(database: Database, submission_id: UUID, *, blocked: bool, reason: str, actor: str, now: datetime) -> Block:
    reason = " ".join(storable(reason).split())
    if not reason:
        raise InvalidInput("is missing", where="reason", remedy="say why, for whoever looks at this later")
    if len(reason) > MAX_REASON_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_REASON_CHARACTERS} characters", where="reason")
    decision = Block(submission_id, blocked, reason, actor, now)
    with database.write() as tx:
        if messages.get_submission(tx, submission_id) is None:
            raise NotFound("there is no such submission", where="submission")
        was_blocked, _ = standing(tx, submission_id)
        if not blocked and not was_blocked:
            raise InvalidInput("is not blocked", where="submission")
        blocks.add_block(tx, decision)
        if not blocked:
            queue.hasten(tx, submission_id, now)
    log.warning("submission blocked" if blocked else "submission unblocked", submission=str(submission_id), by=actor)
    return decision
