"""The DKIM keys of the domains we sign for: one file per domain in a folder that only we can read.

They are files and no rows, like the keys of the tokens: a copy of the database, or a query that shows too much, gives
nobody the power to sign.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from resonanz.model import Conflict, InvalidInput, NotFound, TemporaryFailure

if TYPE_CHECKING:
    from resonanz.mail.dkim import Signer


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key and since when we have it."""

    signer: Signer
    created_at: datetime


class SigningKeys:
    """The keys in one folder, read again when a file changes. May be used by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[int, tuple[SigningKey, ...]]] = {}

    def signers_for(self, domain: str) -> tuple[Signer, ...]:
        """Return who signs mail from this domain: the keys of the domain itself, else of the nearest one above it that
        has some, which DMARC takes as aligned (RFC 9989 section 4.4). Empty when there are none.

        Raises TemporaryFailure for a file that cannot be read: the mail had better wait than go out unsigned.
        """
        name = domain.lower().rstrip(".")
        while "." in name:
            if keys := self.of(name):
                return tuple(key.signer for key in keys)
            name = name.partition(".")[2]
        return ()

    def domains(self) -> list[str]:
        """Return the domains that have keys, in order."""
        return sorted(path.name.removesuffix(".json") for path in self._folder.glob("[!.]*.json"))

    def all(self) -> Iterator[SigningKey]:
        """Yield every key, domain by domain."""
        for domain in self.domains():
            yield from self.of(domain)

    def of(self, domain: str) -> tuple[SigningKey, ...]:
        """Return the keys of exactly this domain; all of them sign. Raises TemporaryFailure."""
        path = self._path(domain)
        try:
            changed = path.stat().st_mtime_ns
            known = self._read.get(domain)
            if known is None or known[0] != changed:
                known = self._read[domain] = changed, _load(domain, path)
            return known[1]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise TemporaryFailure(f"the signing keys cannot be read: {error.strerror}", where=str(path)) from error

    def add(self, signer: Signer, now: datetime) -> None:
        """Keep a key; from now on it signs as well. Raises Conflict when its selector is taken."""
        keys = self.of(signer.domain)
        if any(key.signer.selector == signer.selector for key in keys):
            raise Conflict(
                "there is a key with this selector", where=signer.name, remedy="choose another selector, or remove it"
            )
        self._save(signer.domain, (*keys, SigningKey(signer, now)))

    def remove(self, domain: str, selector: str) -> None:
        """Forget a key; mail that it signed still verifies while its record is published. Raises NotFound."""
        keys = self.of(domain)
        left = tuple(key for key in keys if key.signer.selector != selector)
        if len(left) == len(keys):
            raise NotFound("there is no such key", where=f"{selector}._domainkey.{domain}")
        self._save(domain, left)

    def _path(self, domain: str) -> Path:
        if "/" in domain or domain.startswith("."):
            raise InvalidInput("not a domain", where=domain[:100])
        return self._folder / f"{domain}.json"

    def _save(self, domain: str, keys: Sequence[SigningKey]) -> None:
        """Write a domain's file in one step: a crash leaves the old file or the new one, never half."""
        path = self._path(domain)
        if not keys:
            path.unlink()
            return
        rows = [
            {
                "selector": key.signer.selector,
                "created_at": key.created_at.isoformat(),
                "private_key": key.signer.pem.decode(),
            }
            for key in keys
        ]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"keys": rows}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._read.pop(domain, None)


def _load(domain: str, path: Path) -> tuple[SigningKey, ...]:
    from resonanz.mail.dkim import Signer

    try:
        rows = json.loads(path.read_text("ascii"))["keys"]
        return tuple(
            SigningKey(
                Signer.load(domain, row["selector"], row["private_key"].encode()),
                datetime.fromisoformat(row["created_at"]),
            )
            for row in rows
        )
    except (ValueError, KeyError, TypeError, InvalidInput) as error:
        raise TemporaryFailure(
            "the file of signing keys is damaged", where=str(path), remedy="restore it from a backup, or delete it"
        ) from error
