"""Mail of domains that we hold keys for goes out signed, whatever way it came in."""

from __future__ import annotations

import stat
from pathlib import Path

import dkim
import pytest

from resonanz.mail.dkim import Signer
from resonanz.model import Conflict, MessageState, NotFound, TemporaryFailure
from resonanz.sending.signing import SigningKeys
from resonanz.store import Database, messages
from tests.kit.mails import NOW, RAW, draft, hand_in, raw_draft
from tests.kit.workers import EDGE, ScriptedTransport, is_empty, run_until, worker_on

PIXEL = f"{EDGE}/o/".encode()  # whole: "/o/" alone may stand in any signature


def sent(database: Database, folder: Path) -> list[bytes]:
    """Run the worker with the keys in `folder` and return what went out."""
    transport = ScriptedTransport()
    run_until(worker_on(database, transport, signing_keys_folder=folder), is_empty(database))
    return [message for _, message in transport.taken]


def verifies(message: bytes, signer: Signer) -> bool:
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: signer.record.encode()))


@pytest.mark.parametrize("recipients", [1, 6], ids=["one copy", "from the press"])
def test_every_copy_is_signed(sqlite_database: Database, tmp_path: Path, recipients: int) -> None:
    """Each copy carries a signature over the tracked bytes, as they went out."""
    signer = Signer.make("sender.example", "k1")
    SigningKeys(tmp_path).add(signer, NOW)
    hand_in(sqlite_database, draft(recipients=[f"a{number}@rcpt.example" for number in range(recipients)]))
    mails = sent(sqlite_database, tmp_path)
    assert len(mails) == recipients
    assert all(PIXEL in mail and verifies(mail, signer) for mail in mails)


def test_a_key_of_the_domain_above_signs(sqlite_database: Database, tmp_path: Path) -> None:
    """Mail from a subdomain is signed by the nearest domain above it that has a key."""
    signer = Signer.make("sender.example", "k1")
    SigningKeys(tmp_path).add(signer, NOW)
    hand_in(sqlite_database, raw_draft(RAW.replace(b"ada@sender", b"ada@news.sender")))
    (mail,) = sent(sqlite_database, tmp_path)
    assert b"d=sender.example;" in mail
    assert verifies(mail, signer)


def test_others_domains_are_not_signed_for(sqlite_database: Database, tmp_path: Path) -> None:
    """A mail whose From is of a domain without a key goes out unsigned."""
    SigningKeys(tmp_path).add(Signer.make("other.example", "k1"), NOW)
    hand_in(sqlite_database, raw_draft())
    (mail,) = sent(sqlite_database, tmp_path)
    assert b"DKIM-Signature" not in mail


def test_a_signature_of_ours_is_renewed(sqlite_database: Database, tmp_path: Path) -> None:
    """A mail that came in signed by our own domain is tracked and signed anew, with no broken signature left; one
    signed by somebody else stays untracked."""
    ours = Signer.make("sender.example", "k1")
    SigningKeys(tmp_path).add(ours, NOW)
    old = b"DKIM-Signature: v=1; a=rsa-sha256; d=%b; s=old; h=from; bh=abc=; b=def=\r\n"
    hand_in(sqlite_database, raw_draft((old % b"sender.example") + RAW))
    hand_in(sqlite_database, raw_draft((old % b"esp.example") + RAW))
    tracked, untracked = sorted(sent(sqlite_database, tmp_path), key=lambda mail: mail.count(b"DKIM-Signature"))
    assert verifies(tracked, ours)
    assert b"s=old" not in tracked
    assert PIXEL in tracked
    assert b"d=esp.example" in untracked
    assert PIXEL not in untracked


def test_damaged_keys_make_mail_wait(sqlite_database: Database, tmp_path: Path) -> None:
    """While the keys of its domain cannot be read, a mail is deferred: unsigned it might be taken for forged."""
    (tmp_path / "sender.example.json").write_text("{")
    receipt = hand_in(sqlite_database, draft())
    transport = ScriptedTransport()

    def deferred() -> bool:
        with sqlite_database.read() as tx:
            message = messages.get_message(tx, receipt.messages[0][0])
        return message is not None and message.state is MessageState.DEFERRED

    run_until(worker_on(sqlite_database, transport, signing_keys_folder=tmp_path), deferred)
    assert transport.taken == []


def test_keys_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    """Folder and files can be read by nobody else; a change shows at once to whoever read them before."""
    folder = tmp_path / "dkim"
    reader = SigningKeys(folder)
    assert reader.signers_for("shop.example") == ()
    first = Signer.make("shop.example", "k1")
    SigningKeys(folder).add(first, NOW)
    assert [signer.name for signer in reader.signers_for("Shop.Example")] == [first.name]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "shop.example.json").stat().st_mode) == 0o600
    with pytest.raises(Conflict):
        SigningKeys(folder).add(Signer.make("shop.example", "k1"), NOW)
    SigningKeys(folder).add(Signer.make("shop.example", "k2"), NOW)
    assert [key.signer.selector for key in reader.of("shop.example")] == ["k1", "k2"]
    for selector in ("k1", "k2"):
        SigningKeys(folder).remove("shop.example", selector)
    assert reader.signers_for("shop.example") == ()
    with pytest.raises(NotFound):
        reader.remove("shop.example", "k1")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Whoever repairs it is told which file it is."""
    path = tmp_path / "shop.example.json"
    path.write_text('{"keys": [{"selector": "k1", "created_at": "2026-01-01", "private_key": "none"}]}')
    with pytest.raises(TemporaryFailure) as failed:
        SigningKeys(tmp_path).of("shop.example")
    assert failed.value.where == str(path)
