"""The built-in outbox: a folder of .eml files, for looking at mail before a real server is set.

A mail is written beside its place, flushed to disk and renamed into it: a crash leaves a whole mail or none. Its name
is the message's id, so that a second delivery of the same message overwrites the first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from resonanz.model import PermanentFailure, TemporaryFailure, from_microseconds
from resonanz.sending.transports.base import Deferred, Delivery, Envelope

SUFFIX = ".eml"


class OutboxTransport:
    """Delivers into the folder: what lies there has arrived."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, envelope: Envelope, message: bytes) -> Delivery:
        """Write the mail into the folder."""
        await envelope.handing_over()
        try:
            await asyncio.to_thread(_write, self._folder, f"{envelope.message_id}{SUFFIX}", message)
        except OSError as error:
            raise Deferred(f"the outbox cannot be written: {error.strerror}") from error
        return Delivery("written to the outbox", delivered=True)

    async def check(self) -> str:
        """Say where the mail goes. Raises PermanentFailure when the folder cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PermanentFailure(
                f"the outbox cannot be created: {error.strerror}", where=str(self._folder)
            ) from error
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise PermanentFailure("the outbox cannot be written", where=str(self._folder))
        return f"mail is written to {self._folder}"

    async def close(self) -> None:
        """Nothing is held open."""


def _write(folder: Path, name: str, message: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"  # does not end like a mail
    try:
        with draft.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)  # the name, too, survives a power cut
        finally:
            os.close(descriptor)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One mail in the outbox. `size` is in bytes."""

    message_id: UUID
    written_at: datetime
    size: int


class Outbox:
    """Reads the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self, *, limit: int, before: UUID | None = None) -> list[OutboxMail]:
        """Return mails, newest first, from the one behind `before`. Ids are ordered by time, so names sort by age."""
        try:
            names = [path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX)]
        except FileNotFoundError:
            return []
        end = f"{before}{SUFFIX}" if before else "~"
        mails: list[OutboxMail] = []
        for name in sorted(names, reverse=True):
            if len(mails) == limit:
                break
            if name < end and (mail := self._describe(name)) is not None:
                mails.append(mail)
        return mails

    def get(self, message_id: UUID) -> bytes | None:
        """Return a mail's bytes as they were sent, or None when it is not there."""
        try:
            return (self._folder / f"{message_id}{SUFFIX}").read_bytes()
        except FileNotFoundError:
            return None

    def forget(self, message_ids: Collection[UUID]) -> None:
        """Delete these mails, as far as they lie here. Raises TemporaryFailure."""
        try:
            for id in message_ids:
                (self._folder / f"{id}{SUFFIX}").unlink(missing_ok=True)
        except OSError as error:
            raise TemporaryFailure(
                f"a mail in the outbox cannot be deleted: {error.strerror}", where=str(self._folder)
            ) from error

    def _describe(self, name: str) -> OutboxMail | None:
        try:
            found = (self._folder / name).stat()
            return OutboxMail(
                UUID(name.removesuffix(SUFFIX)), from_microseconds(found.st_mtime_ns // 1000), found.st_size
            )
        except (FileNotFoundError, ValueError):  # gone since it was listed, or put there by somebody else
            return None
