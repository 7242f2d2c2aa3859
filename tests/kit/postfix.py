"""A Postfix of the test's own: configuration, queue, mailboxes and ports apart from whatever the machine runs.

It takes mail for one domain into maildirs and knows only some mailboxes, or hands all mail on by LMTP, and answers with
delivery status notifications, which it hands to the door for reports.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.ports import free_ports
from tests.kit.waiting import wait_for

POSTFIX = "/usr/sbin/postfix"

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n -    0 cleanup
qmgr      unix n - n 1    1 qmgr
rewrite   unix - - n -    - trivial-rewrite
bounce    unix - - n -    0 bounce
defer     unix - - n -    0 bounce
trace     unix - - n -    0 bounce
verify    unix - - n -    1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n -    - proxymap
smtp      unix - - n -    - smtp
relay     unix - - n -    - smtp
lmtp      unix - - n -    - lmtp
error     unix - - n -    - error
retry     unix - - n -    - error
virtual   unix - n n -    - virtual
anvil     unix - - n -    1 anvil
scache    unix - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Where it listens, and what lies in its mailboxes."""

    def __init__(self, folder: Path, port: int, domain: str) -> None:
        self.folder = folder
        self.port = port
        self.domain = domain

    @property
    def url(self) -> str:
        """The address to send mail to, as a setting."""
        return f"smtp://127.0.0.1:{self.port}"

    def mails(self, mailbox: str) -> list[bytes]:
        """Return what has arrived in a mailbox, as Postfix stored it."""
        new = self.folder / "mail" / mailbox / "new"
        return [path.read_bytes() for path in sorted(new.iterdir())] if new.is_dir() else []

    def log(self) -> str:
        """Return what Postfix has logged so far."""
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def running_postfix(
    *,
    domain: str,
    mailboxes: Sequence[str] = (),
    reports_domain: str = "",
    reports_port: int = 0,
    port: int = 0,
    more: Mapping[str, str] | None = None,
    services: str = "",
) -> Iterator[Postfix]:
    """Run one until the block ends. Mail for `reports_domain` goes to this machine's `reports_port`; `more` are
    settings that take the place of the usual ones, `services` further lines of master.cf.

    Only root can start Postfix: its parts run under users of their own. `make test` installs it.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can start Postfix, and these tests do not run as root")
    assert Path(POSTFIX).exists(), "Postfix is not installed; `make test` installs it"
    # Not below pytest's folders: those are for root alone, and Postfix drops its rights.
    folder = Path(tempfile.mkdtemp(prefix="resonanz-postfix-"))
    postfix = Postfix(folder, port or free_ports(1)[0], domain)
    _configure(postfix, mailboxes, reports_domain, reports_port, more or {})
    with (folder / "etc" / "master.cf").open("a") as file:
        file.write(services)
    try:
        _control(postfix, "start")
        wait_for(lambda: _is_up(postfix), "Postfix")
        yield postfix
    finally:
        _control(postfix, "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _configure(
    postfix: Postfix, mailboxes: Sequence[str], reports_domain: str, reports_port: int, more: Mapping[str, str]
) -> None:
    folder = postfix.folder
    folder.chmod(0o755)
    etc, nobody, owner = folder / "etc", pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    for name in ("etc", "queue", "data", "mail"):
        (folder / name).mkdir(mode=0o755)
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    os.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
    known = ", ".join(f"{{{name}@{postfix.domain} = {name}/}}" for name in mailboxes)
    routes = f"{{{reports_domain} = smtp:[127.0.0.1]:{reports_port}}}" if reports_domain else ""
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": folder / "queue",
        "data_directory": folder / "data",
        "maillog_file": folder / "maillog",
        "maillog_file_prefixes": folder,
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "myhostname": f"mx.{postfix.domain}",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "virtual_mailbox_domains": postfix.domain,
        "virtual_mailbox_base": folder / "mail",
        "virtual_mailbox_maps": f"inline:{{ {known} }}",
        "virtual_minimum_uid": "1",
        "virtual_uid_maps": f"static:{nobody.pw_uid}",
        "virtual_gid_maps": f"static:{nobody.pw_gid}",
        # An unknown mailbox is taken at first and reported back later, as by a gateway that does not know its users.
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_recipient_restrictions": "permit_mynetworks, reject",
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "transport_maps": f"inline:{{ {routes} }}" if routes else "",
        "default_process_limit": "20",
        "biff": "no",
        "message_size_limit": "50000000",
        "mailbox_size_limit": "0",
        "virtual_mailbox_limit": "0",
        **more,
    }
    (etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (etc / "master.cf").write_text(MASTER.format(port=postfix.port))


def _control(postfix: Postfix, command: str) -> None:
    done = subprocess.run(
        [POSTFIX, "-c", str(postfix.folder / "etc"), command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"postfix {command}: {done.stderr}\n{postfix.log()}"


def _is_up(postfix: Postfix) -> bool:
    import smtplib

    try:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=5) as client:
            return client.noop()[0] == 250
    except OSError:
        return False
