"""A Dovecot of the test's own: users with maildirs, IMAP and POP3 over TLS, and LMTP in, on free ports."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.kit.certificates import make_certificate
from tests.kit.oauth_server import OAuthServer
from tests.kit.ports import free_ports
from tests.kit.waiting import wait_for

DOVECOT = "/usr/sbin/dovecot"
USER, PASSWORD = "reports", "a-password-of-ours"

_CONFIGURATION = """\
protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = dovecot
default_login_user = dovenull
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
pop3_uidl_format = %g
auth_username_format = %Ln
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_mechanisms = plain login{mechanisms}
submission_host = 127.0.0.1:{submission}
mail_plugins = quota
plugin {{
  quota = count:all
  quota_vsizes = yes
  sieve = file:{folder}/sieve/%n.sieve
  sieve_extensions = +editheader
}}
protocol lmtp {{
  mail_plugins = quota sieve
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
{oauth}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
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
    """Where it listens, its certificate, and its mailboxes."""

    folder: Path
    certificate: Path
    imap: int
    imaps: int
    pop3s: int
    lmtp: int

    def put(self, mail: bytes) -> None:
        """Put a mail into the inbox, as a delivery agent does."""
        uid = pwd.getpwnam("nobody")
        name = f"{uuid4().hex}.test"
        parts = self.folder / "mail" / USER / "tmp" / name
        parts.write_bytes(mail)
        os.chown(parts, uid.pw_uid, uid.pw_gid)
        parts.rename(self.folder / "mail" / USER / "new" / name)

    def lying(self, folder: str = "", *, user: str = USER) -> list[Path]:
        """Return the mails of a user's inbox, or of another folder."""
        place = self.folder / "mail" / user / (f".{folder}" if folder else "")
        return [path for part in ("new", "cur") for path in (place / part).glob("*")]

    def log(self) -> str:
        """Return what Dovecot has logged so far."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def running_dovecot(
    users: Mapping[str, str] | None = None,
    *,
    sieve: Mapping[str, str] | None = None,
    submission: int = 25,
    oauth: OAuthServer | None = None,
) -> Iterator[Dovecot]:
    """Run one until the block ends; only root can start it. `make test` installs it.

    `users` are mailboxes beside `USER`, each with the settings that are its own (`userdb_…`); `sieve` are scripts of
    users, and what those send goes to this machine's port `submission`; `oauth` says whose an access token is.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can start Dovecot, and these tests do not run as root")
    assert Path(DOVECOT).exists(), "Dovecot is not installed; `make test` installs it"
    folder = Path(tempfile.mkdtemp(prefix="resonanz-dovecot-"))
    folder.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    inbox = folder / "mail" / USER
    for path in (inbox / "new", inbox / "cur", inbox / "tmp", folder / "home", folder / "sieve"):
        path.mkdir(parents=True)
    known = {USER: "", **(users or {})}
    for name in known:
        (folder / "home" / name).mkdir()
    for name, script in (sieve or {}).items():
        (folder / "sieve" / f"{name}.sieve").write_text(script)
    for path in [inbox.parent, inbox, *inbox.iterdir(), folder / "sieve", *(folder / "home").iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    (folder / "users").write_text(
        "".join(
            f"{name}:{{PLAIN}}{PASSWORD}:{nobody.pw_uid}:{nobody.pw_gid}::{folder}/home/{name}::{own}\n"
            for name, own in known.items()
        )
    )
    certificate, key = make_certificate(folder, "localhost")
    imap, imaps, pop3s, lmtp = free_ports(4)
    (folder / "dovecot.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            certificate=certificate,
            key=key,
            mechanisms=" xoauth2" if oauth else "",
            submission=submission,
            oauth=_oauth(folder, oauth) if oauth else "",
            lmtp=lmtp,
            imap=imap,
            imaps=imaps,
            pop3s=pop3s,
        )
    )
    process = subprocess.Popen(
        [DOVECOT, "-F", "-c", str(folder / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        dovecot = Dovecot(folder, certificate, imap, imaps, pop3s, lmtp)
        wait_for(lambda: process.poll() is None and _is_up(imaps), "Dovecot")
        yield dovecot
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _oauth(folder: Path, server: OAuthServer) -> str:
    """Ask a provider whose an access token is (doc.dovecot.org: Open Authentication v2.0 database)."""
    trusted = folder / "provider.pem"
    trusted.write_bytes(server.certificate.read_bytes())  # to where Dovecot's own user may read it
    (folder / "oauth2.conf").write_text(
        f"tokeninfo_url = {server.url}/tokeninfo?access_token=\n"
        f"username_attribute = email\ntls_ca_cert_file = {trusted}\n"
    )
    return f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {folder}/oauth2.conf\n}}\n"


def _is_up(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
