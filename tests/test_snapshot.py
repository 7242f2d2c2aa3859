"""The snapshot file: read back as it was written, and refused whenever it is not whole."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz import snapshot as room
from resonanz.model import new_id
from resonanz.snapshot import IdSet, NotSnapshot, Snapshot, load_snapshot, save_snapshot

IDS = st.lists(st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16, "big")), max_size=40)


def whole() -> Snapshot:
    """A snapshot with something in every section."""
    fresh = [new_id().bytes for _ in range(8)]
    return Snapshot(
        made_us=1_763_985_600_000_000,
        blocked=IdSet.of(fresh[:2]),
        silent=IdSet.of(fresh[2:5]),
        silent_opens=IdSet.of(fresh[5:6]),
        silent_clicks=IdSet.of(fresh[6:]),
        domains=frozenset({"links.example.org", "go.example.com"}),
        left_out=3,
    )


def as_plain(snapshot: Snapshot) -> object:
    """What two snapshots are compared by."""
    sections = [bytes(getattr(snapshot, name)) for name in ("blocked", "silent", "silent_opens", "silent_clicks")]
    return snapshot.made_us, snapshot.domains, snapshot.left_out, sections


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Every section comes back; the file is its owner's alone, its first line tells a person what it is."""
    path, saved = tmp_path / "snapshot", whole()
    save_snapshot(path, saved)
    assert as_plain(load_snapshot(path)) == as_plain(saved)
    assert path.stat().st_mode & 0o777 == 0o600
    head = json.loads(path.read_bytes().split(b"\n")[0])
    assert (head["format"], head["version"], head["ids"]["silent"]) == ("resonanz snapshot", 1, 3)
    assert [file.name for file in tmp_path.iterdir()] == ["snapshot"]


@given(IDS, IDS)
def test_membership_is_exact(ids: list[bytes], others: list[bytes]) -> None:
    """Each id that was put in is found, and nothing else is."""
    found = IdSet.of(ids)
    assert len(found) == len(set(ids))
    assert all(id in found for id in ids)
    assert [id in found for id in others] == [id in set(ids) for id in others]


def test_every_cut_and_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """A file that ends anywhere too early, goes on too long or has one byte changed is refused by name."""
    path = tmp_path / "snapshot"
    save_snapshot(path, whole())
    content = path.read_bytes()
    damaged = [content[:end] for end in range(len(content))]
    damaged += [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(len(content))]
    damaged.append(content + b"\0")
    for one in damaged:
        path.write_bytes(one)
        with pytest.raises(NotSnapshot, match="snapshot"):
            load_snapshot(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}\n", b"[]\n" + bytes(16), b'{"keys": []}\n' + bytes(16), b"\x89PNG\r\n\x1a\n" * 9, b"{" * 100_000],
)
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Something else under the name is an error of its own kind, never a crash."""
    path = tmp_path / "snapshot"
    path.write_bytes(content)
    with pytest.raises(NotSnapshot):
        load_snapshot(path)


def test_another_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a downgrade the older program says which version it cannot read."""
    monkeypatch.setattr(room, "VERSION", 2)
    save_snapshot(tmp_path / "snapshot", whole())
    monkeypatch.undo()
    with pytest.raises(NotSnapshot, match="version 2, this program reads 1"):
        load_snapshot(tmp_path / "snapshot")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    """What is larger than the bound is refused before it takes memory."""
    path = tmp_path / "snapshot"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole: it takes no room on the disk
    with pytest.raises(NotSnapshot, match="larger"):
        load_snapshot(path)


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses, the last snapshot stays whole, and no draft is left beside it."""
    path, first = tmp_path / "snapshot", whole()
    save_snapshot(path, first)

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        save_snapshot(path, Snapshot(made_us=1, silent=IdSet.of([UUID(int=1).bytes])))
    monkeypatch.undo()
    assert as_plain(load_snapshot(path)) == as_plain(first)
    assert [file.name for file in tmp_path.iterdir()] == ["snapshot"]
