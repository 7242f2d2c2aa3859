"""`resonanz domain …`: custom domains for links and pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from resonanz import model
from resonanz.app.instance import ACTOR, opened_instance

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.sending.domains import Check
    from resonanz.store import Database
    from resonanz.store.domains import Domain


@contextmanager
def _opened() -> Iterator[tuple[Settings, Database, Check]]:
    from resonanz.outbound import Resolver
    from resonanz.sending.domain_check import dns_check

    with opened_instance() as (settings, database):
        yield settings, database, dns_check(Resolver(settings.dns_servers), settings.edge_url)


@click.group()
def domain() -> None:
    """Custom tracking domains: hosts of your own that the links in a sender's mail carry."""


@domain.command()
@click.argument("name")
@click.option("--for", "senders", multiple=True, required=True, help="Domain mail is sent from; repeat it.")
@click.option("--unchecked", is_flag=True, help="Use it at once, without looking at DNS: you know that it leads here.")
def add(name: str, senders: tuple[str, ...], *, unchecked: bool) -> None:
    """Add NAME, such as links.example.org, for links in mail from a sender's domain and those below it."""
    from resonanz.sending.domains import add_domain

    with _opened() as (settings, database, check):
        added = add_domain(
            database,
            name,
            senders,
            edge_url=settings.edge_url,
            actor=ACTOR,
            now=model.now(),
            check=None if unchecked else check,
        )
    _show(added)


@domain.command("check")
@click.argument("name")
def check_one(name: str) -> None:
    """Look again whether NAME leads here. Exit code 1 when new mails do not carry it."""
    from resonanz.sending.domains import check_domain

    with _opened() as (_, database, check):
        checked = check_domain(database, name, now=model.now(), check=check)
    _show(checked)
    raise SystemExit(not checked.in_use)


@domain.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_all(*, as_json: bool) -> None:
    """Print every custom domain, whose mail carries it, and what the last check saw."""
    from resonanz.store import domains

    with _opened() as (_, database, _check), database.read() as tx:
        found = domains.list_domains(tx)
    if as_json:
        click.echo(json.dumps([_row(one) for one in found], indent=2))
        return
    for one in found:
        _show(one)


@domain.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget NAME. Mails that are out keep links with it: they end when its certificate does."""
    from resonanz.sending.domains import host_name, remove_domain

    with _opened() as (_, database, _check):
        remove_domain(database, name)
    click.echo(f"{host_name(name, 'name')} is not ours any more.")


def _row(one: Domain) -> dict[str, object]:
    return {
        "name": one.name,
        "senders": list(one.senders),
        "in_use": one.in_use,
        "confirmed_at": one.confirmed_at.isoformat() if one.confirmed_at else None,
        "checked_at": one.checked_at.isoformat() if one.checked_at else None,
        "check_note": one.check_note,
    }


def _show(one: Domain) -> None:
    click.echo(f"{'in use' if one.in_use else 'not used'}  {one.name}  for {', '.join(one.senders)}: {one.check_note}")


commands = (domain,)
