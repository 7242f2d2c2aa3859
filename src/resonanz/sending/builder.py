"""Where copies are built: in a thread beside the worker's loop, or in the loop what is quicker done there.

Handing one mail to a thread costs a tenth of a millisecond and takes the interpreter from the lanes, so what was
claimed together is built in portions, ahead of the lanes that carry it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from resonanz.model import TemporaryFailure
from resonanz.sending import outcomes
from resonanz.sending.building import Work, Workshop, build
from resonanz.sending.loading import SMALL
from resonanz.store import Database, messages
from resonanz.store.messages import Content

log = structlog.get_logger(__name__)


class LastContent:
    """Brings contents, the last one without asking again: the copies of one submission follow each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last: Content | None = None

    def __call__(self, content_id: UUID) -> Content | None:
        """Return a content, None when it is gone. Raises TemporaryFailure."""
        last = self.last
        if last is None or last.id != content_id:
            with self._database.read() as tx:
                last = self.last = messages.get_content(tx, content_id)
        return last


class Builder:
    """Builds copies in a workshop whose `content` is `contents`. A mail that was on the wire when its worker died is
    not built: it is uncertain, and sent again with `resend_uncertain`."""

    def __init__(self, workshop: Workshop, contents: LastContent, *, resend_uncertain: bool) -> None:
        self._workshop = workshop
        self._contents = contents
        self._resend_uncertain = resend_uncertain

    async def build(self, work: Work) -> Work:
        """Build one copy."""
        return self._build(work) if self._is_quick(work) else await asyncio.to_thread(self._build, work)

    async def build_ahead(self, works: Sequence[Work]) -> list[Work]:
        """Build a portion of what `goes_ahead`. They let go of their contents: the copies say it all."""
        return await asyncio.to_thread(self._build_each, works)

    def goes_ahead(self, work: Work) -> bool:
        """Whether a copy may be built before its turn, and had better be: its content, a small one, is here already,
        nothing of it goes to disk, and its lane would have to hand it to a thread."""
        if work.submission.track_documents:
            return False
        if work.content is not None:
            return True
        last = self._contents.last
        is_here = last is not None and last.id == work.submission.content_id and len(last.body) <= SMALL
        return is_here and not self._is_quick(work)

    def _build_each(self, works: Sequence[Work]) -> list[Work]:
        return [replace(self._build(work), content=None) for work in works]

    def _is_quick(self, work: Work) -> bool:
        """Whether building takes less than handing it to a thread would: a tenth of a millisecond, and no disk."""
        last = self._contents.last
        if last is None or last.id != work.submission.content_id:
            return False
        try:
            signs = self._workshop.signers(last.sender.rpartition("@")[2])
        except TemporaryFailure:
            return False  # building tells of it
        return not signs and self._workshop.press.is_ready_for(work.submission)

    def _build(self, work: Work) -> Work:
        """Go through the building steps. A defect of ours must not cost the mail: it is tried again later."""
        if work.claim.on_wire:
            return work.ended(outcomes.uncertain(resend=self._resend_uncertain))
        try:
            return build(self._workshop, work)
        except TemporaryFailure as failure:
            return work.ended(outcomes.deferred(str(failure), work.claim))
        except Exception as error:
            log.exception("a mail could not be built", message=str(work.message.id))
            return work.ended(outcomes.deferred(f"our own failure: {type(error).__name__}", work.claim))
