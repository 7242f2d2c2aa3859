"""Documents on disk: what was taken out of mails, filed under the digest of its content.

The same content lies here once, however many mails carry it. A file is whole or not there at all: it is written beside
its place, made durable, and then put there in one step. The edge reads them; the folder is all the two share.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from resonanz.model import TemporaryFailure, document_place


def keep(folder: Path, key: str, content: bytes) -> None:
    """File a content under its key, durably: when this returns, the document can be served after any crash.

    Raises InvalidInput for what is no key, and TemporaryFailure when the disk does not take it; then nothing is there.
    """
    path = folder / document_place(key)
    try:
        if _is_whole(path, len(content)):
            return
        for one in (folder, path.parent):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_durable(one.parent)
        _write(path, content)
        _make_durable(path.parent)
    except OSError as error:
        raise TemporaryFailure(
            f"a document cannot be stored: {error.strerror or error}",
            where=str(folder),
            remedy="make room on the disk, or give this process the right to write there",
        ) from error


def _is_whole(path: Path, size: int) -> bool:
    """Whether it lies there already. The key names the content, so that its length tells what a damaged disk lost."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _make_durable(folder: Path) -> None:
    """Have the folder's own entries written: without this a file may be whole and yet not be found after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
