"""The commands about the domains we send for: keys, and what DNS says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from resonanz.app.cli import cli
from resonanz.mail.dkim import Signer
from tests.kit.nameserver import Zone, nameserver, txt

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on a data folder of this test's own."""

    def run(*arguments: str, **settings: str) -> Result:
        environment = {"RESONANZ_DATA_DIR": str(tmp_path), "RESONANZ_EDGE_URL": "https://t.shop.example", **settings}
        return CliRunner(env=environment).invoke(cli, arguments)

    return run


def test_a_key_from_making_to_removing(run: Run, tmp_path: Path) -> None:
    """Making a key prints what to publish, the list shows it, removing ends it; errors are one line."""
    made = run("dkim", "create", "Shop.Example", "--selector", "k1")
    assert made.exit_code == 0
    assert "name   k1._domainkey.shop.example" in made.output
    assert "PRIVATE" not in made.output
    (key,) = json.loads(run("dkim", "list", "--json").output)
    assert f"value  {key['record']}" in made.output
    assert run("dkim", "create", "shop.example", "--selector", "k1").exit_code == 1
    pem = tmp_path / "own.pem"
    pem.write_bytes(Signer.make("x.example", "x").pem)
    assert run("dkim", "import", "shop.example", str(pem), "--selector", "own").exit_code == 0
    assert run("dkim", "import", "shop.example", str(tmp_path), "--selector", "own").exit_code == 2
    assert run("dkim", "remove", "shop.example", "own").exit_code == 0
    assert run("dkim", "remove", "shop.example", "own").exit_code == 1
    assert [row["selector"] for row in json.loads(run("dkim", "list", "--json").output)] == ["k1"]


def checked(run: Run, zone: Zone, domain: str = "shop.example", **settings: str) -> tuple[int, dict[str, Any]]:
    """Run the check against a zone; return the exit code and the records by purpose and name."""
    with nameserver(zone) as server:
        done = run("doctor", "domain", domain, "--json", RESONANZ_DNS_SERVERS=server, **settings)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, {f"{row['purpose']} {row['name']}": row for row in json.loads(done.output)}


def test_a_domain_in_order(run: Run) -> None:
    """With everything published every record is fine, and the exit code says so."""
    run("dkim", "create", "shop.example", "--selector", "k1")
    (key,) = json.loads(run("dkim", "list", "--json").output)
    zone = {
        (key["name"], "TXT"): [txt(key["record"])],
        ("shop.example", "TXT"): [txt("v=spf1 include:spf.esp.example -all"), txt("unrelated")],
        ("spf.esp.example", "TXT"): [txt("v=spf1 ip4:192.0.2.0/24 -all")],
        ("_dmarc.shop.example", "TXT"): [txt("v=DMARC1; p=reject")],
        ("t.shop.example", "CNAME"): ["edge.example.net."],
        ("edge.example.net", "A"): ["192.0.2.1"],
        ("bounce.shop.example", "MX"): ["10 mail.example.net."],
        ("bounce.shop.example", "TXT"): [txt("v=spf1 ip4:192.0.2.1 ~all")],
        ("mail.example.net", "A"): ["192.0.2.1"],
    }
    code, records = checked(run, zone, RESONANZ_RETURN_PATH_DOMAIN="bounce.shop.example")
    assert {name: row["state"] for name, row in records.items()} == {
        "dkim k1._domainkey.shop.example": "ok",
        "spf bounce.shop.example": "ok",
        "spf shop.example": "ok",
        "dmarc _dmarc.shop.example": "ok",
        "tracking t.shop.example": "ok",
        "return path bounce.shop.example": "ok",
    }
    assert code == 0


def test_a_domain_with_nothing(run: Run) -> None:
    """What is missing is named with what to publish, and the exit code is 1."""
    code, records = checked(run, {}, RESONANZ_RETURN_PATH_DOMAIN="bounce.shop.example")
    assert code == 1
    assert {row["state"] for row in records.values()} == {"missing"}
    assert records["dmarc _dmarc.shop.example"]["wanted"].startswith("v=DMARC1; p=none")
    assert "resonanz dkim create shop.example" in records["dkim *._domainkey.shop.example"]["note"]


LONG = {(f"s{number}.example", "TXT"): [txt(f"v=spf1 include:s{number + 1}.example -all")] for number in range(12)}


@pytest.mark.parametrize(
    ("zone", "record", "state"),
    [
        ({("shop.example", "TXT"): [txt("v=spf1 -all"), txt("v=spf1 mx -all")]}, "spf shop.example", "wrong"),
        ({("shop.example", "TXT"): [txt("v=spf1 +all")]}, "spf shop.example", "wrong"),
        ({("shop.example", "TXT"): [txt("v=spf1 mx ?all")]}, "spf shop.example", "weak"),
        ({("shop.example", "TXT"): [txt("v=spf1 redirect=s11.example")], **LONG}, "spf shop.example", "ok"),
        ({("shop.example", "TXT"): [txt("v=spf1 include:s0.example -all")], **LONG}, "spf shop.example", "wrong"),
        ({("shop.example", "TXT"): [txt("v=spf1 include:shop.example -all")]}, "spf shop.example", "ok"),
        ({("shop.example", "TXT"): [txt("v=spf10 -all")]}, "spf shop.example", "missing"),
        ({("_dmarc.shop.example", "TXT"): [txt("v=DMARC1; p=none")]}, "dmarc _dmarc.shop.example", "weak"),
        ({("_dmarc.shop.example", "TXT"): [txt("v=DMARC1; sp=none")]}, "dmarc _dmarc.shop.example", "wrong"),
        ({("_dmarc.shop.example", "TXT"): [txt("v=DMARC1; p=none")] * 2}, "dmarc _dmarc.shop.example", "weak"),
        ({("bounce.example", "MX"): ["0 ."]}, "return path bounce.example", "wrong"),
        ({("bounce.example", "MX"): ["10 nowhere.example."]}, "return path bounce.example", "wrong"),
        ({("x._domainkey.shop.example", "TXT"): [txt("v=DKIM1; p=")]}, "dkim x._domainkey.shop.example", "wrong"),
    ],
)
def test_what_is_wrong_is_told_apart(run: Run, zone: Zone, record: str, state: str) -> None:
    """Each common mistake is found and told apart from what merely could be better."""
    run("dkim", "create", "shop.example", "--selector", "x")
    _, records = checked(run, zone, RESONANZ_RETURN_PATH_DOMAIN="bounce.example")
    assert records[record]["state"] == state


def test_the_policy_of_the_domain_above_counts(run: Run) -> None:
    """A subdomain without a policy of its own is under that of the domain above it."""
    _, records = checked(run, {("_dmarc.shop.example", "TXT"): [txt("v=DMARC1; p=reject")]}, "a.b.shop.example")
    assert records["dmarc _dmarc.shop.example"]["state"] == "ok"


def test_silence_of_dns_is_not_taken_for_an_answer(run: Run) -> None:
    """When DNS fails, the record is unknown and the failure is shown; nobody is told to publish what may be there."""
    with nameserver({("shop.example", "TXT"): [txt("v=spf1 -all")]}, failing=["_dmarc.shop.example"]) as server:
        shown = run("doctor", "domain", "shop.example", RESONANZ_DNS_SERVERS=server)
    assert shown.exit_code == 1
    assert "unknown" in shown.output
    assert "RESONANZ_DNS_SERVERS" in shown.output


@pytest.mark.parametrize("domain", ["nodots", "a/b.example", "me@shop.example"])
def test_no_domain(run: Run, domain: str) -> None:
    """What is no domain is refused with a line that says how to give one."""
    done = run("doctor", "domain", domain)
    assert done.exit_code == 1
    assert "not a domain" in done.output


def test_a_look_is_kept_for_the_pages(run: Run) -> None:
    """Where there is an instance, what was seen is kept: a campaign from there is warned about it."""
    assert run("setup").exit_code == 0
    checked(run, {("shop.example", "TXT"): [txt("v=spf1 -all")]})
    assert run("lists", "create", "Readers").exit_code == 0
    made = run(
        "campaign", "create", "--name", "May", "--from", "news@shop.example", "--subject", "x", "--list", "Readers"
    )
    assert "shop.example is not ready to send" in made.stderr
    assert "SPF" not in made.stderr


@pytest.mark.parametrize(
    ("edge", "state"), [("http://localhost:8601", "wrong"), ("http://127.0.0.1", "wrong"), ("http://192.0.2.1", "weak")]
)
def test_an_edge_without_a_public_name(run: Run, edge: str, state: str) -> None:
    """An address is not looked up as if it were a name, and a host that only this machine can reach is wrong."""
    _, records = checked(run, {}, RESONANZ_EDGE_URL=edge)
    assert {row["purpose"]: row["state"] for row in records.values()}["tracking"] == state


def test_without_a_return_path(run: Run) -> None:
    """That bounces come back to nobody, and that no delivery is confirmed, is said where records are."""
    _, records = checked(run, {})
    assert records["return path "]["state"] == "weak"
    assert "RESONANZ_RETURN_PATH_DOMAIN" in records["return path "]["note"]


def test_a_record_that_names_no_host(run: Run) -> None:
    """A slip of the pen inside a record is told as a wrong record, and keeps nothing else from being looked at."""
    _, records = checked(run, {("shop.example", "TXT"): [txt("v=spf1 include:a..example -all")]})
    assert [row["state"] for row in records.values() if row["purpose"] == "spf"] == ["wrong"]
    assert records["dmarc _dmarc.shop.example"]["state"] == "missing"


@pytest.mark.parametrize(
    ("host", "wanted"),
    [("localhost", ""), ("localhost.localdomain", ""), ("mx1", ""), ("mx.shop.example", "10 mx.shop.example")],
)
def test_nobody_is_told_to_publish_a_machines_nickname(
    run: Run, monkeypatch: pytest.MonkeyPatch, host: str, wanted: str
) -> None:
    """What the return path's MX is to say is shown where this machine knows its name in DNS, else it is left open."""
    monkeypatch.setattr("socket.getfqdn", lambda: host)
    _, records = checked(run, {}, RESONANZ_RETURN_PATH_DOMAIN="bounce.example")
    assert records["return path bounce.example"]["wanted"] == wanted
