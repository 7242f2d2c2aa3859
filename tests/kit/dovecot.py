"""A Dovecot of the test's own: one user with maildirs, IMAP and POP3 over TLS on free ports."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.kit.certificates import make_certificate
from tests.kit.instance import free_ports
from tests.kit.waiting import wait_for

DOVECOT = "/usr/sbin/dovecot"
USER, PASSWORD = "reports", "a-password-of-ours"

_CONFIGURATION = """\
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = dovecot
default_login_user = dovenull
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
pop3_uidl_format = %g
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Reports {{
    auto = create
  }}
}}
"""


@dataclass
class Dovecot:
    """Where it listens, its certificate, and its mailbox."""

    folder: Path
    certificate: Path
    imap: int
    imaps: int
    pop3s: int

    def put(self, mail: bytes) -> None:
        """Put a mail into the inbox, as a delivery agent does."""
        uid = pwd.getpwnam("nobody")
        name = f"{uuid4().hex}.test"
        parts = self.folder / "mail" / "tmp" / name
        parts.write_bytes(mail)
        os.chown(parts, uid.pw_uid, uid.pw_gid)
        parts.rename(self.folder / "mail" / "new" / name)

    def lying(self, folder: str = "") -> list[Path]:
        """Return the mails of the inbox, or of another folder."""
        place = self.folder / "mail" / (f".{folder}" if folder else "")
        return [path for part in ("new", "cur") for path in (place / part).glob("*")]


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Run one until the block ends; only root can start it."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Dovecot, and these tests do not run as root")
    assert Path(DOVECOT).exists(), "Dovecot is not installed; `make test` installs it"
    folder = Path(tempfile.mkdtemp(prefix="resonanz-dovecot-"))
    folder.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    for name in ("mail/new", "mail/cur", "mail/tmp", "home"):
        (folder / name).mkdir(parents=True)
    for path in [folder / "mail", folder / "home", *(folder / "mail").iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    certificate, key = make_certificate(folder, "localhost")
    imap, imaps, pop3s = free_ports(3)
    (folder / "dovecot.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            certificate=certificate,
            key=key,
            password=PASSWORD,
            uid=nobody.pw_uid,
            gid=nobody.pw_gid,
            imap=imap,
            imaps=imaps,
            pop3s=pop3s,
        )
    )
    process = subprocess.Popen(
        [DOVECOT, "-F", "-c", str(folder / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        dovecot = Dovecot(folder, certificate, imap, imaps, pop3s)
        wait_for(lambda: process.poll() is None and _is_up(imaps), "Dovecot")
        yield dovecot
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _is_up(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
