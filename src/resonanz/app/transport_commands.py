"""`resonanz transport …` and `resonanz queue …`: what mail goes out by, and holding it back."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import click

from resonanz import model
from resonanz.app.instance import ACTOR, opened, opened_instance

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.store import Database
    from resonanz.store.mailboxes import MailboxRow
    from resonanz.store.transports import StoredTransport

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_name = click.argument("name")


@click.group()
def transport() -> None:
    """Servers that mail goes out by, beside the one in RESONANZ_SMTP_URL. Workers follow within seconds."""


def _values(command: Any) -> Any:
    """The options that say what a transport is."""
    for option in (
        click.option("--security", type=click.Choice(["none", "starttls", "tls"]), help="Default: starttls."),
        click.option("--port", type=click.IntRange(1, 65_535), help="Default: 587, 465 with tls, 25 with none."),
        click.option("--auth", "authentication", type=click.Choice(["none", "password", "xoauth2"])),
        click.option("--user", "username", help="The name to log in with."),
        click.option("--secret-file", type=click.File("r"), help="Password or refresh token; - for standard input."),
        click.option("--provider", type=click.Choice(["google", "microsoft"]), help="Whose tokens, with xoauth2."),
        click.option("--client-id", help="Id of the application that is registered with the provider."),
        click.option("--client-secret-file", type=click.File("r"), help="Its secret, where it has one."),
        click.option("--tenant", help="Directory of a Microsoft account; default: any."),
        click.option("--sender", "senders", multiple=True, help="Address or domain whose mail it carries; * for all."),
        click.option("--priority", type=int, help="The lowest goes first among those for the same senders."),
        click.option("--connections", type=int, help="Mails at once at most."),
        click.option("--rate", "rate_per_minute", type=int, help="Mails a minute at most."),
        click.option(
            "--fall-back/--no-fall-back",
            default=None,
            help="Whether the instance's transports stand in for an account's own.",
        ),
    ):
        command = option(command)
    return command


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return what was typed, secrets read from their files."""
    given = {name: value for name, value in values.items() if value not in (None, ())}
    for field in ("secret", "client_secret"):
        file = given.pop(f"{field}_file", None)
        if file is not None:
            given[field] = file.read().strip()
    return given


@transport.command("add")
@_name
@click.argument("host")
@click.option("--account", help="Address of the account whose mail alone it carries; default: it is the instance's.")
@_values
def add(name: str, host: str, account: str | None, **values: Any) -> None:
    """Add the server HOST under NAME. Without --sender it carries everybody's mail, or all of its account's."""
    from resonanz.accounts.senders import account_of
    from resonanz.app.wiring import sealer_of
    from resonanz.sending.named_transports import Wanted, add_transport

    given = _given(values)
    if given.get("authentication") == "password" and "secret" not in given:
        given["secret"] = click.prompt("Password", hide_input=True)
    with opened_instance() as (settings, database):
        wanted = Wanted(name, host, **given)
        owner = account_of(database, account).id if account else None
        added = add_transport(database, sealer_of(settings)(), wanted, actor=ACTOR, now=model.now(), account_id=owner)
    click.echo(f"Added {added.name}: {added.host}:{added.port}, for mail from {', '.join(added.senders)}.")
    click.echo(f"Try it: resonanz transport check {added.name}")


@transport.command("change")
@_name
@click.option("--host", help="Another server.")
@_values
def change(name: str, **values: Any) -> None:
    """Change what is given of the transport NAME; the rest stays."""
    from resonanz.app.wiring import sealer_of
    from resonanz.sending.named_transports import change_transport

    with opened_instance() as (settings, database):
        change_transport(database, sealer_of(settings)(), name, now=model.now(), **_given(values))
    click.echo(f"Changed {name}.")


@transport.command("list")
@_as_json
def list_all(*, as_json: bool) -> None:
    """Print every transport, in the order in which they are tried."""
    from resonanz.store.transports import list_transports

    with opened_instance() as (settings, database):
        with database.read() as tx:
            found = list_transports(tx)
        default = settings.smtp_url.get_secret_value()
    if as_json:
        click.echo(json.dumps([_shown(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(f"{one.name:16} {_state(one):14} {one.host}:{one.port}  from {', '.join(one.senders)}")
    click.echo(
        f"{'default':16} {'in use':14} {'RESONANZ_SMTP_URL' if default else 'the built-in outbox'}  from anybody else"
    )


@transport.command("show")
@_name
@_as_json
def show(name: str, *, as_json: bool) -> None:
    """Print everything about a transport but its secrets."""
    from resonanz.sending.named_transports import find_transport

    with opened() as database, database.read() as tx:
        found = _shown(find_transport(tx, name))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for field, value in found.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{field:16} {'' if shown is None else shown}")


@transport.command("check")
@_name
def check(name: str) -> None:
    """Connect and log in, without sending anything, and say what was found."""
    from resonanz.app.wiring import opener_of
    from resonanz.sending.named_transports import find_transport

    with opened_instance() as (settings, database):
        with database.read() as tx:
            stored = find_transport(tx, name)
        click.echo(asyncio.run(opener_of(settings, database).open(stored).check()))


@transport.command("test")
@_name
@click.option("--to", required=True, metavar="ADDRESS", help="Who gets it.")
def send_test(name: str, to: str) -> None:
    """Send a test mail by this transport, at once and past the queue, and print what the server said."""
    from resonanz.app.wiring import opener_of
    from resonanz.sending.named_transports import find_transport
    from resonanz.sending.probe import send_test_mail

    with opened_instance() as (settings, database):
        with database.read() as tx:
            stored = find_transport(tx, name)
        said = asyncio.run(send_test_mail(opener_of(settings, database).open(stored), stored, to, model.now()))
    click.echo(f"Taken for {to}: {said}")


@transport.command("sign-in")
@_name
def sign_in(name: str) -> None:
    """Sign in with the transport's provider: on another device, or in a browser whose address you paste here."""
    from resonanz.sending.named_transports import find_transport

    with opened_instance() as (settings, database):
        with database.read() as tx:
            stored = find_transport(tx, name)
        sign_in_by_hand(settings, database, stored)
    click.echo(f"Signed in: {name} sends as {stored.username}.")


def sign_in_by_hand(settings: Settings, database: Database, stored: StoredTransport | MailboxRow) -> None:
    """Let whoever sits at the terminal sign in for a transport or a mailbox, and keep the refresh token."""
    from resonanz.app.wiring import sealer_of, secret_of
    from resonanz.outbound.oauth import begin_device, poll_device
    from resonanz.sending.sign_in import PATH, begin_sign_in, client_for, finish_sign_in, keep_refresh_token

    sealer = sealer_of(settings)()
    client = client_for(stored, sealer)
    if client.at.device_url:
        device = begin_device(client)
        click.echo(f"Open {device.url} and type {device.user_code}")
        tokens = poll_device(client, device)
        keep_refresh_token(database, sealer, stored, tokens.refresh, now=model.now())
        return
    secret, session, back = secret_of(settings), secrets.token_urlsafe(16), f"{settings.dashboard_url}{PATH}"
    click.echo("Open this address, sign in, and paste the address that you come to:\n")
    click.echo(begin_sign_in(stored, sealer, secret=secret, session=session, redirect_uri=back, now=model.now()))
    query = parse_qs(urlsplit(click.prompt("\nAddress")).query)
    finish_sign_in(
        database,
        sealer,
        code=query.get("code", [""])[0],
        state=query.get("state", [""])[0],
        secret=secret,
        session=session,
        redirect_uri=back,
        now=model.now(),
    )


@transport.command("pause")
@_name
def pause(name: str) -> None:
    """Take a transport out of service: others for the same senders carry their mail, or it waits."""
    from resonanz.sending.named_transports import pause_transport

    with opened() as database:
        pause_transport(database, name, paused=True, now=model.now())
    click.echo(f"Paused {name}.")


@transport.command("resume")
@_name
def resume(name: str) -> None:
    """Put a transport back into service."""
    from resonanz.sending.named_transports import pause_transport

    with opened() as database:
        pause_transport(database, name, paused=False, now=model.now())
    click.echo(f"Resumed {name}.")


@transport.command("remove")
@_name
def remove(name: str) -> None:
    """Forget a transport; mail that waits for it goes by what serves its sender then."""
    from resonanz.sending.named_transports import remove_transport

    with opened() as database:
        remove_transport(database, name, now=model.now())
    click.echo(f"Removed {name}.")


def _state(one: StoredTransport) -> str:
    if one.sign_in_again:
        return "sign in again"
    return "paused" if one.paused else "in trouble" if one.trouble else "in use"


def _shown(one: StoredTransport) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": _state(one),
        "trouble": one.trouble,
        "host": one.host,
        "port": one.port,
        "security": one.security,
        "authentication": one.authentication,
        "username": one.username,
        "has_secret": one.secret is not None,
        "provider": one.provider,
        "client_id": one.client_id,
        "tenant": one.tenant,
        "senders": list(one.senders),
        "account": str(one.account_id) if one.account_id else None,
        "fall_back": one.fall_back,
        "priority": one.priority,
        "connections": one.connections,
        "rate_per_minute": one.rate_per_minute,
        "created_at": one.created_at.isoformat(),
        "created_by": one.created_by,
    }


# ── The queue ───────────────────────────────────────────────────────────────────────────────────────────────────────


@click.group("queue")
def queue_group() -> None:
    """Mail that still has to go out: look at it, hold it, let it go."""


@queue_group.command("show")
@_as_json
def show_queue(*, as_json: bool) -> None:
    """Print how many mails wait, and for what."""
    from resonanz.sending.queue_control import queue_state

    with opened() as database, database.read() as tx:
        state = queue_state(tx, model.now())
    standing = state.standing
    if as_json:
        numbers = {"due": standing.due, "under_way": standing.claimed, "later": standing.later}
        domains = [
            {
                "domain": one.domain,
                "connections": one.connections,
                "rate_per_minute": one.rate_per_minute,
                "paused": one.paused,
                "slow_until": one.slow_until.isoformat() if one.slow_until else None,
                "note": one.note,
            }
            for one in state.destinations
        ]
        document = {"paused": state.paused, **numbers, "waiting": standing.waiting, "domains": domains}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    if state.paused:
        click.echo(f"The queue is paused by {state.paused_by}: resonanz queue resume")
    click.echo(f"{standing.messages:>9,}  in the queue")
    rows = [("due now", standing.due), ("on their way", standing.claimed), ("at a later time", standing.later)]
    for what, number in rows + [(f"wait for {what}", number) for what, number in standing.waiting.items()]:
        click.echo(f"{number:>9,}  {what}")
    for one in state.destinations:
        if one.paused or one.slow_until:
            click.echo(
                f"{one.domain}: {'paused' if one.paused else f'slow until {one.slow_until:%H:%M:%S}'}  {one.note}"
            )


_domain = click.option("--domain", default="", help="Only mail to this domain.")


@queue_group.command("pause")
@_domain
def pause_all(domain: str) -> None:
    """Send nothing more, or nothing more to one domain."""
    from resonanz.sending import queue_control

    with opened() as database:
        if domain:
            domain = queue_control.pause_domain(database, domain, paused=True, actor=ACTOR, now=model.now()).domain
        else:
            queue_control.pause_queue(database, actor=ACTOR, now=model.now())
    click.echo(f"Paused {domain or 'the queue'}.")


@queue_group.command("resume")
@_domain
def resume_all(domain: str) -> None:
    """Go on sending."""
    from resonanz.sending import queue_control

    with opened() as database:
        if domain:
            domain = queue_control.pause_domain(database, domain, paused=False, actor=ACTOR, now=model.now()).domain
        else:
            queue_control.resume_queue(database, actor=ACTOR)
    click.echo(f"Resumed {domain or 'the queue'}.")


@queue_group.command("limit")
@click.argument("domain")
@click.option("--connections", type=int, help="Mails at once; default: as the built-in table has it.")
@click.option("--rate", "rate_per_minute", type=int, help="Mails a minute; default: as the built-in table has it.")
def limit(domain: str, connections: int | None, rate_per_minute: int | None) -> None:
    """Say how fast mail to DOMAIN may go; without options, as the built-in table has it."""
    from resonanz.sending.queue_control import limit_domain

    with opened() as database:
        set_for = limit_domain(
            database, domain, connections=connections, rate_per_minute=rate_per_minute, now=model.now()
        )
    click.echo(f"Limits of {set_for.domain} are set.")


commands = (transport, queue_group)
