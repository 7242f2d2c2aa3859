"""Sealed secrets: open for whoever has the key and the purpose, for nobody else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.model import TemporaryFailure
from resonanz.sealing import Sealer, open_sealer
from resonanz.tokens import Key, Keys

OLD, NEW = Key(1, bytes(range(32))), Key(2, bytes(range(1, 33)))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens(secret: str, purpose: str) -> None:
    """A secret comes back as it was, and its seal neither shows it nor repeats."""
    sealer = Sealer(Keys([OLD]))
    sealed = sealer.seal(secret, purpose)
    assert sealer.open(sealed, purpose) == secret
    assert sealer.seal(secret, purpose) != sealed
    assert len(secret) < 4 or secret.encode() not in sealed


def test_a_rotation_keeps_old_secrets() -> None:
    """A new key in front seals from now on; what the old one sealed still opens."""
    sealed = Sealer(Keys([OLD])).seal("hunter2", "here")
    rotated = Sealer(Keys([NEW, OLD]))
    assert rotated.open(sealed, "here") == "hunter2"
    with pytest.raises(TemporaryFailure):
        Sealer(Keys([OLD])).open(rotated.seal("hunter2", "here"), "here")


@given(st.data())
def test_nothing_else_opens(data: st.DataObject) -> None:
    """Another purpose, a changed or shortened seal, or foreign bytes open nothing, and say what to do."""
    sealer = Sealer(Keys([OLD]))
    sealed = sealer.seal("hunter2", "here")
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for broken in (changed, sealed[:at], data.draw(st.binary(max_size=60))):
        with pytest.raises(TemporaryFailure):
            sealer.open(broken, "here")
    with pytest.raises(TemporaryFailure) as failed:
        sealer.open(sealed, "there")
    assert "backup" in failed.value.remedy


def test_the_key_file_is_made_once(tmp_path: Path) -> None:
    """The file is for its owner only, and every later start reads the same key."""
    path = tmp_path / "sealing.json"
    sealed = open_sealer(path).seal("hunter2", "here")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_sealer(path).open(sealed, "here") == "hunter2"
