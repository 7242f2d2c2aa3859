"""Custom domains behind a real TLS proxy: ours get a certificate and lead through the edge, others get none."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from tests.kit.edges import Edge
from tests.kit.mails import RAW
from tests.kit.nameserver import nameserver
from tests.kit.ports import free_ports
from tests.kit.proxies import caddy
from tests.kit.roles import Roles
from tests.kit.waiting import wait_for

OURS, FOREIGN, MAIN = "links.sender.example", "links.other.example", "track.example.org"
ZONE = {(OURS, "CNAME"): [f"{MAIN}."], (MAIN, "A"): ["192.0.2.1"], (FOREIGN, "A"): ["192.0.2.1"]}


def test_a_custom_domain_from_dns_to_a_redirect(tmp_path: Path) -> None:
    """Added and found in DNS, a domain gets its certificate when it is first asked for, and a click through it has the
    reader's own address, whatever they claim; an unknown name gets neither."""
    (port,) = free_ports(1)
    with nameserver(ZONE) as dns:
        settings = {
            "RESONANZ_DNS_SERVERS": dns,
            "RESONANZ_EDGE_URL": f"https://{MAIN}",
            "RESONANZ_TRUSTED_PROXIES": "127.0.0.1/32",
            "RESONANZ_TRACKING_WITHOUT_CHOICE": "individual",
        }
        with Roles(tmp_path / "instance", ["edge", "worker"], settings) as roles:
            ops = Edge(tmp_path, port=int(roles.environment["RESONANZ_OPS_PORT"]))
            with caddy(
                tmp_path / "caddy",
                port,
                edge=f"127.0.0.1:{roles.environment['RESONANZ_EDGE_PORT']}",
                ask=f"127.0.0.1:{ops.port}",
            ) as proxy:
                added = roles.run("domain", "add", OURS, "--for", "sender.example")
                assert added.returncode == 0, added.stderr
                assert added.stdout == f"in use  {OURS}  for sender.example: CNAME {MAIN}\n"
                wait_for(lambda: ops.ask("GET", f"/domain?domain={OURS}").status == 200, "the edge to know the domain")
                assert ops.ask("GET", f"/domain?domain={FOREIGN}").status == 404

                link = _link_in_a_mail(roles)
                assert link.startswith(f"https://{OURS}/c/")
                roles.kill("worker")  # what comes now stays in the journal, to be looked at
                spoofed = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.8"}
                answer = proxy.ask(OURS, urlsplit(link).path, spoofed, source="127.0.0.9")
                assert (answer.status, answer.header("location")) == (302, "https://example.org/minutes?a=1&b=2")
                (hit,) = map(json.loads, roles.run("journal", "dump", "--json").stdout.splitlines())
                assert (hit["kind"], hit["address"]) == ("click", "127.0.0.9")
                assert proxy.ask(MAIN, "/healthz").status == 200
                for name in (FOREIGN, "localhost.example"):
                    try:
                        proxy.ask(name, "/healthz")
                    except (ssl.SSLError, ConnectionError):
                        continue
                    raise AssertionError(f"a certificate for {name}")
                assert FOREIGN not in "".join(path.name for path in (tmp_path / "caddy").rglob("*"))


def _link_in_a_mail(roles: Roles) -> str:
    """Send a mail from the domain's sender, and return where its one link leads."""
    sent = roles.run("send", "-", "--json", "--to", "grace@rcpt.example", stdin=RAW)
    assert sent.returncode == 0, sent.stderr
    copy = roles.data / "outbox" / f"{json.loads(sent.stdout)['messages'][0]['id']}.eml"
    wait_for(copy.exists, "the mail")
    (link,) = re.findall(r'href="([^"]+/c/[^"]+)"', copy.read_text())
    return str(link)
