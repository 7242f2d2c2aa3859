"""`resonanz dkim …` and `resonanz doctor domain`: the keys of the domains we send for, and what they publish."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from resonanz import model
from resonanz.app.instance import ACTOR
from resonanz.model import InvalidInput, TemporaryFailure

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.sending.domain_records import Record
    from resonanz.sending.signing import SigningKeys

_algorithms = click.Choice(["rsa", "ed25519"])
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _settings() -> Settings:
    from resonanz.app.settings import load_settings

    return load_settings()


def _signing_keys(settings: Settings) -> SigningKeys:
    from resonanz.sending.signing import SigningKeys

    return SigningKeys(settings.signing_keys_dir)


@click.group()
def dkim() -> None:
    """The keys that sign mail (DKIM). A running worker takes a change up by itself."""


@dkim.command("create")
@click.argument("domain")
@click.option("--selector", help="Name of the key in DNS. Default: rz and year and month, such as rz202601.")
@click.option("--algorithm", type=_algorithms, default="rsa", show_default=True, help="Few receivers verify ed25519.")
def create_key(domain: str, selector: str | None, algorithm: str) -> None:
    """Make a key for DOMAIN and print the record to publish. It signs at once: publish it before the next mail."""
    from resonanz.mail.dkim import Algorithm, Signer

    now = model.now()
    chosen = Algorithm.RSA if algorithm == "rsa" else Algorithm.ED25519
    default = f"rz{now:%Y%m}{'' if chosen is Algorithm.RSA else 'e'}"
    _keep(Signer.make(domain, selector or default, chosen))


@dkim.command("import")
@click.argument("domain")
@click.argument("key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--selector", required=True, help="Name under which the public key is published.")
def import_key(domain: str, key: Path, selector: str) -> None:
    """Take over an existing private KEY, a PEM file without a password."""
    from resonanz.mail.dkim import Signer

    _keep(Signer.load(domain, selector, key.read_bytes()))


@dkim.command("list")
@_as_json
def list_keys(*, as_json: bool) -> None:
    """Print every key with the record that belongs to it."""
    keys = list(_signing_keys(_settings()).all())
    if as_json:
        rows = [
            {
                "domain": key.signer.domain,
                "selector": key.signer.selector,
                "algorithm": key.signer.algorithm.value,
                "created_at": key.created_at.isoformat(),
                "name": key.signer.name,
                "record": key.signer.record,
            }
            for key in keys
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for key in keys:
        click.echo(f"{key.signer.name}  {key.signer.algorithm}  since {key.created_at:%Y-%m-%d}")
    if not keys:
        click.echo("No keys: mail goes out unsigned. Make one: resonanz dkim create example.org")


@dkim.command("remove")
@click.argument("domain")
@click.argument("selector")
def remove_key(domain: str, selector: str) -> None:
    """Forget a key. Leave its record published for a week: mail on its way still needs it."""
    _signing_keys(_settings()).remove(domain.lower(), selector.lower())
    click.echo(f"{selector}._domainkey.{domain} signs no more.")


def _keep(signer: object) -> None:
    from resonanz.mail.dkim import Signer, zone_line

    assert isinstance(signer, Signer)
    _signing_keys(_settings()).add(signer, model.now())
    click.echo("Publish this TXT record:\n")
    click.echo(f"name   {signer.name}")
    click.echo(f"value  {signer.record}\n")
    click.echo("As a line of a zone file:\n")
    click.echo(zone_line(signer))
    click.echo(f"\nThen check it: resonanz doctor domain {signer.domain}")


# ── doctor domain ───────────────────────────────────────────────────────────────────────────────────────────────────


@click.command("domain")
@click.argument("domain")
@_as_json
def check(domain: str, *, as_json: bool) -> None:
    """Check what DOMAIN publishes for its mail: SPF, DKIM, DMARC, tracking host, return path.

    Exit code 1 when something is missing or wrong.
    """
    from resonanz.sending.domain_records import State

    records = _looked_up(_settings(), domain)
    if as_json:
        click.echo(json.dumps([asdict(record) for record in records], indent=2))
    else:
        _show(records)
    bad = (State.MISSING, State.WRONG, State.UNKNOWN)
    raise SystemExit(any(record.state in bad for record in records))


def _looked_up(settings: Settings, domain: str) -> list[Record]:
    """Return what this domain has to publish, held against DNS, and keep it for the dashboard.

    A domain may be looked at before there is an instance, and while its database is away; then nothing is kept, and the
    edge's own host is taken for that of the links.
    """
    from resonanz.app.wiring import database_of, look_up_with
    from resonanz.sending.sender_checks import look, read_domain

    look_up = look_up_with(settings)
    try:
        database = database_of(settings)
    except (TemporaryFailure, InvalidInput):
        return look_up(read_domain(domain), urlsplit(settings.edge_url).hostname or "")
    try:
        found = look(database, domain, edge_url=settings.edge_url, look_up=look_up, actor=ACTOR, now=model.now())
    finally:
        database.close()
    return list(found.records)


def _show(records: list[Record]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    colours = {"ok": "green", "weak": "yellow"}
    for record in records:
        line = Text(f"{record.state:8}", style=colours.get(record.state, "red"))
        line.append(f" {record.purpose:12} {record.kind:4} {record.name}", style="default")
        console.print(line, soft_wrap=True)
        for label, text in (("found", " | ".join(record.found)), ("publish", record.wanted), ("→", record.note)):
            if text and not (label == "publish" and record.state == "ok"):
                console.print(Text(f"{'':21} {label:8} {text}"), soft_wrap=True)


commands = (dkim,)
