"""Documents on disk: whole or not at all, for their owner only, once for each content."""

from __future__ import annotations

import stat
import threading
from hashlib import blake2b
from pathlib import Path

import pytest

from resonanz.model import InvalidInput, TemporaryFailure, document_place, is_document_key
from resonanz.store.documents import keep

CONTENT = b"%PDF-1.7 offer"
KEY = blake2b(CONTENT, digest_size=32).hexdigest()


def test_a_document_lies_under_its_key_for_its_owner_only(tmp_path: Path) -> None:
    """Two levels, nothing beside the file, and nobody else on this machine may read it or list the folders."""
    folder = tmp_path / "data" / "documents"
    keep(folder, KEY, CONTENT)
    path = folder / KEY[:2] / KEY
    assert path.read_bytes() == CONTENT
    assert [found for found in folder.rglob("*") if found.is_file()] == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in (folder, path.parent)} == {0o700}


def test_the_same_document_is_written_once(tmp_path: Path) -> None:
    """A second copy of a mail finds it there; what a damaged disk cut short is written anew."""
    keep(tmp_path, KEY, CONTENT)
    path = tmp_path / document_place(KEY)
    first = path.stat().st_ino
    keep(tmp_path, KEY, CONTENT)
    assert path.stat().st_ino == first
    path.write_bytes(CONTENT[:3])
    keep(tmp_path, KEY, CONTENT)
    assert path.read_bytes() == CONTENT


def test_many_may_store_the_same_at_once(tmp_path: Path) -> None:
    """Workers side by side do not stand in each other's way, and leave no drafts behind."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            keep(tmp_path / "documents", KEY, CONTENT * 10_000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    (path,) = [found for found in tmp_path.rglob("*") if found.is_file()]
    assert path.read_bytes() == CONTENT * 10_000


def test_what_the_disk_does_not_take_is_a_temporary_failure(tmp_path: Path) -> None:
    """The place and the remedy are named, and no half of a document is left."""
    (tmp_path / "documents").write_text("a file in the folder's place")
    with pytest.raises(TemporaryFailure, match=r"cannot be stored.*make room"):
        keep(tmp_path / "documents", KEY, CONTENT)


@pytest.mark.parametrize("key", ["", "..", "../" * 21 + "x", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "g" * 64])
def test_only_a_key_becomes_a_path(tmp_path: Path, key: str) -> None:
    """64 hexadecimal digits, lower case; anything else is refused before any path is made of it."""
    assert not is_document_key(key)
    with pytest.raises(InvalidInput):
        keep(tmp_path / "documents", key, CONTENT)
    assert list(tmp_path.iterdir()) == []
