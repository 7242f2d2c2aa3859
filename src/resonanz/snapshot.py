"""The snapshot: what an edge has to know beyond its keys, as one small file that a worker writes and edges read.

It holds which mails' recipients allow no tracking (any more), which mails' links an operator has blocked, which custom
domains are ours, and which sites are the sender's own. It is a help, never a condition: without it, or with an old one,
an edge goes on, and ingest checks every hit again.

The file is a line of JSON (what it is, its version, when it was made, domains, sites, how many ids), then the ids, 16
bytes each, sorted, one section after the other, then a digest of everything before. Read with `head -1`, it tells a
person what it is. Ids are kept exactly and as one piece of memory: 16 bytes each, found by bisection.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from resonanz.model import InvalidInput

FORMAT = "resonanz snapshot"
VERSION = 1
MAX_IDS = 1_000_000
"""The bound: with so many ids the file, and what an edge keeps of it, has 16 MB. Beyond it the oldest mails' ids are
left out (`Snapshot.left_out` says how many); their hits are dropped by ingest all the same."""

_ID_BYTES = 16
_DIGEST_BYTES = 16
_MAX_HEAD_BYTES = 4_000_000  # some ten thousand domains
_MAX_BYTES = MAX_IDS * _ID_BYTES + _MAX_HEAD_BYTES + _DIGEST_BYTES
_SECTIONS = ("blocked", "silent", "silent_opens", "silent_clicks")


class IdSet:
    """Ids of mails, immutable: their 16 bytes one after the other, sorted, each once."""

    __slots__ = ("_count", "_ids")

    def __init__(self, ids: bytes = b"") -> None:
        """`ids` is sorted already; `of` sorts."""
        self._ids = ids
        self._count = len(ids) // _ID_BYTES

    @classmethod
    def of(cls, ids: Sequence[bytes]) -> IdSet:
        """Build the set of these ids, in whatever order they come."""
        return cls(b"".join(sorted(set(ids))))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, id: bytes) -> bool:
        ids, low, high = self._ids, 0, self._count
        while low < high:
            middle = (low + high) // 2
            start = middle * _ID_BYTES
            if ids[start : start + _ID_BYTES] < id:
                low = middle + 1
            else:
                high = middle
        start = low * _ID_BYTES
        return low < self._count and ids[start : start + _ID_BYTES] == id

    def __bytes__(self) -> bytes:
        return self._ids


_EMPTY = IdSet()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was so at `made_us` (microseconds since the epoch; 0: never made).

    `blocked` holds messages and submissions whose links lead nowhere. Of the messages in `silent` nothing is recorded
    with their recipient's name, of those in `silent_opens` and `silent_clicks` only that much. `domains` are the hosts
    that recipients reach the edge by, `sites` those (with all below them) where visits after a click are recorded;
    lower case.
    """

    made_us: int = 0
    blocked: IdSet = _EMPTY
    silent: IdSet = _EMPTY
    silent_opens: IdSet = _EMPTY
    silent_clicks: IdSet = _EMPTY
    domains: frozenset[str] = field(default_factory=frozenset)
    sites: frozenset[str] = field(default_factory=frozenset)
    left_out: int = 0


def save_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write the file in one step: readers see the old one or the new one, never half; so does who survives a crash.

    Raises OSError.
    """
    sections = [bytes(getattr(snapshot, name)) for name in _SECTIONS]
    head = {
        "format": FORMAT,
        "version": VERSION,
        "made_us": snapshot.made_us,
        "left_out": snapshot.left_out,
        "domains": sorted(snapshot.domains),
        "sites": sorted(snapshot.sites),
        "ids": {name: len(ids) // _ID_BYTES for name, ids in zip(_SECTIONS, sections, strict=True)},
    }
    parts = [json.dumps(head).encode("ascii") + b"\n", *sections]
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([*parts, digest.digest()])
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def load_snapshot(path: Path) -> Snapshot:
    """Read the file. Raises NotSnapshot when it is damaged, cut off, of another version or something else, OSError when
    it cannot be read at all."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise NotSnapshot("larger than a snapshot can be", where=str(path), remedy=_REMEDY)
        content = file.read(_MAX_BYTES + 1)
    try:
        return _read(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotSnapshot(f"not a whole snapshot: {error}", where=str(path), remedy=_REMEDY) from None


class NotSnapshot(InvalidInput):
    """The file is no snapshot, or not a whole one."""


_REMEDY = "a running worker writes a new one within a minute; see its log if it does not"


def _read(content: bytes) -> Snapshot:
    end = content.find(b"\n", 0, _MAX_HEAD_BYTES)
    if end < 0 or not content.startswith(b"{"):
        raise ValueError("it does not begin like one")
    head = json.loads(content[:end])
    if head.get("format") != FORMAT:
        raise ValueError("it does not begin like one")
    if head["version"] != VERSION:
        raise ValueError(f"version {head['version']!r}, this program reads {VERSION}")
    body = memoryview(content)[: -_DIGEST_BYTES or None]
    if blake2b(body, digest_size=_DIGEST_BYTES).digest() != content[-_DIGEST_BYTES:]:
        raise ValueError("its digest does not match")
    sections, start = {}, end + 1
    for name in _SECTIONS:
        size = int(head["ids"][name]) * _ID_BYTES
        sections[name] = IdSet(content[start : start + size])
        start += size
    if start != len(body):
        raise ValueError("its length does not match")
    domains = frozenset(str(name) for name in head["domains"])
    sites = frozenset(str(name) for name in head["sites"])
    return Snapshot(int(head["made_us"]), domains=domains, sites=sites, left_out=int(head["left_out"]), **sections)
