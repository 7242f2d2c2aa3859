"""`resonanz account …`, `sender …` and `mail-password …`: who may sign in, send from where, and with which program."""

from __future__ import annotations

import json
from dataclasses import asdict
from uuid import UUID

import click

from resonanz import model
from resonanz.app.instance import ACTOR, opened, opened_instance


@click.group()
def account() -> None:
    """People who may sign in."""


@account.command("link")
def account_link() -> None:
    """Print a new one-time link that creates the first account."""
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings
    from resonanz.app.wiring import prepare, setup_link

    settings = load_settings()
    configure_logs("account", form=settings.log_format, level=settings.log_level)
    prepare(settings)
    link = setup_link(settings)
    if link is None:
        raise click.ClickException("there is an account already; sign in at " + settings.dashboard_url)
    click.echo(link)


@account.command("create")
@click.argument("address")
@click.option("--name", default="", help="The person's name.")
@click.password_option(help="The password; asked for when it is not given.")
def create(address: str, name: str, password: str) -> None:
    """Create a further account, for ADDRESS. It sends from that address, and from what `resonanz sender add` allows."""
    from resonanz.accounts import Passwords, create_account

    with opened() as database:
        made = create_account(database, Passwords(), address=address, name=name, password=password, now=model.now())
    click.echo(f"Account {made.address} created.")


@account.command("password")
@click.argument("address")
@click.password_option(help="The new password; asked for when it is not given.")
def account_password(address: str, password: str) -> None:
    """Set a new password for the account ADDRESS and sign it out everywhere."""
    from resonanz.accounts import Passwords, reset_password

    with opened() as database:
        reset_password(database, Passwords(), address, password, model.now())
    click.echo(f"New password set for {address}; every browser is signed out.")


@click.group()
def sender() -> None:
    """Addresses and domains that accounts may send from, beside their own address."""


@sender.command("add")
@click.argument("account_address", metavar="ACCOUNT")
@click.argument("pattern", metavar="SENDER")
def add_sender(account_address: str, pattern: str) -> None:
    """Allow ACCOUNT (its address) to send from SENDER: an address, or a domain for every address at it."""
    from resonanz.accounts.senders import allow_sender

    with opened() as database:
        allowed = allow_sender(database, account_address, pattern, actor=ACTOR, now=model.now())
    click.echo(f"{account_address} may send from {allowed.pattern}.")


@sender.command("claim")
@click.argument("account_address", metavar="ACCOUNT")
@click.argument("address", metavar="ADDRESS")
def claim_sender(account_address: str, address: str) -> None:
    """Ask by mail at ADDRESS whether ACCOUNT may send from there. `sender add` allows it without asking."""
    from resonanz.accounts.senders import account_of
    from resonanz.sending.claim_mail import ask_to_confirm

    with opened_instance() as (settings, database):
        owner = account_of(database, account_address).id
        asked = ask_to_confirm(database, owner, address, dashboard_url=settings.dashboard_url, now=model.now())
    click.echo(f"A mail asks {asked.spec} whether {account_address} may send from there.")


@sender.command("remove")
@click.argument("account_address", metavar="ACCOUNT")
@click.argument("pattern", metavar="SENDER")
def remove_sender(account_address: str, pattern: str) -> None:
    """Take it back. Mail that is stored already still goes out."""
    from resonanz.accounts.senders import forbid_sender

    with opened() as database:
        forbid_sender(database, account_address, pattern)
    click.echo(f"{account_address} may no longer send from {pattern}.")


@sender.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_all(*, as_json: bool) -> None:
    """Print what each account may send from. The account that runs the instance may send from any address."""
    from resonanz.store import accounts, senders

    with opened() as database, database.read() as tx:
        addresses = {one.id: one.address for one in accounts.list_accounts(tx)}
        found = [(addresses[one.account_id], one) for one in senders.list_senders(tx)]
        claims = [(addresses[one.account_id], one) for one in senders.open_claims(tx, model.now())]
    if as_json:
        rows: list[dict[str, str | None]] = [
            {"account": address, "sender": one.pattern, "since": one.created_at.isoformat(), "by": one.created_by}
            for address, one in found
        ]
        rows += [
            {"account": address, "sender": claim.address, "since": claim.created_at.isoformat(), "by": None}
            for address, claim in claims
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for address, one in found:
        click.echo(f"{address}  {one.pattern}")
    for address, claim in claims:
        click.echo(f"{address}  {claim.address}  (not confirmed)")


@click.group("mail-password")
def mail_password() -> None:
    """Passwords with which mail programs hand mail in by SMTP; they open nothing else."""


@mail_password.command("create")
@click.argument("account_address", metavar="ACCOUNT")
@click.option("--name", required=True, help="The program or device that will use it.")
def create_mail_password(account_address: str, name: str) -> None:
    """Make a password for ACCOUNT (its address) and print it, this once."""
    from resonanz.accounts import create_mail_password as make
    from resonanz.accounts.senders import account_of

    with opened() as database:
        secret, _ = make(database, account_of(database, account_address).id, name, model.now())
    click.echo(secret)


@mail_password.command("list")
@click.argument("account_address", metavar="ACCOUNT")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_mail_passwords(account_address: str, *, as_json: bool) -> None:
    """Print the passwords of ACCOUNT by name, never the passwords themselves."""
    from resonanz.accounts.keys import MAIL
    from resonanz.accounts.senders import account_of
    from resonanz.store import accounts

    with opened() as database:
        account_id = account_of(database, account_address).id
        with database.read() as tx:
            found = accounts.list_api_keys(tx, account_id, MAIL)
    if as_json:
        rows = [
            {
                "id": str(one.id),
                "name": one.name,
                "prefix": one.prefix,
                "created_at": one.created_at.isoformat(),
                "used_at": one.used_at.isoformat() if one.used_at else None,
                "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
            }
            for one in found
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id}  {one.prefix}…  {one.name}{'  (revoked)' if one.revoked_at else ''}")


@mail_password.command("revoke")
@click.argument("account_address", metavar="ACCOUNT")
@click.argument("password_id", type=click.UUID)
def revoke_mail_password(account_address: str, password_id: UUID) -> None:
    """End a password by its id, as `list` prints it."""
    from resonanz.accounts.keys import MAIL, revoke_key
    from resonanz.accounts.senders import account_of

    with opened() as database:
        revoke_key(database, account_of(database, account_address).id, password_id, MAIL, model.now())
    click.echo("Revoked.")


@click.group()
def rules() -> None:
    """What of the mail that an account's mail programs hand in is tracked."""


@rules.command("show")
@click.argument("account_address", metavar="ACCOUNT")
def show_rules(account_address: str) -> None:
    """Print the rules of ACCOUNT (its address) as JSON, by sender domain; those under "" are for all its mail."""
    from resonanz.accounts.senders import account_of
    from resonanz.sending.rule_book import rules_of

    with opened() as database:
        account_id = account_of(database, account_address).id
        with database.read() as tx:
            book = rules_of(tx, account_id)
    click.echo(json.dumps({domain: asdict(one) for domain, one in book.items()}, indent=2, ensure_ascii=False))


@rules.command("set")
@click.argument("account_address", metavar="ACCOUNT")
@click.option("--domain", default="", help="Only for mail from this sender domain.")
@click.option("--track", default="all", show_default=True, help="all, none, or marked.")
@click.option("--marker", default="[track]", show_default=True, help="What in a subject marks a mail; it is taken out.")
@click.option("--never", multiple=True, help="An address or domain that is never tracked; repeat it.")
@click.option("--internal", multiple=True, help="A domain of your own, whose recipients are not tracked; repeat it.")
@click.option("--replies", is_flag=True, help="Answers to tracked mail come here first, and are passed on.")
@click.option("--copies", default="instance", show_default=True, help="For several recipients: own, shared, instance.")
def set_rules(
    account_address: str,
    domain: str,
    track: str,
    marker: str,
    never: tuple[str, ...],
    internal: tuple[str, ...],
    copies: str,
    *,
    replies: bool,
) -> None:
    """Set the rules of ACCOUNT (its address), in place of those before."""
    from resonanz.accounts.senders import account_of
    from resonanz.sending.rule_book import set_rules as keep
    from resonanz.sending.rules import read_rules

    wanted = read_rules(track, marker, never, internal, replies=replies, copies=copies)
    with opened() as database:
        keep(database, account_of(database, account_address).id, domain, wanted, model.now())
    click.echo("Set. They hold from the next mail that is handed in.")


@rules.command("copies")
@click.argument("copies", type=click.Choice(["own", "shared"]))
def set_copies(copies: str) -> None:
    """Say what several recipients of one mail get where no account's rules do: own copies, or one that they share."""
    from resonanz.sending.rule_book import set_copies_of_instance

    with opened() as database:
        set_copies_of_instance(database, copies, model.now())
    click.echo("Set. It holds from the next mail that is handed in.")


@rules.command("remove")
@click.argument("account_address", metavar="ACCOUNT")
@click.option("--domain", default="", help="Those for mail from this sender domain.")
def remove_rules(account_address: str, domain: str) -> None:
    """Forget rules; without any, all mail is tracked as far as its recipients allow."""
    from resonanz.accounts.senders import account_of
    from resonanz.sending.rule_book import remove_rules as forget

    with opened() as database:
        forget(database, account_of(database, account_address).id, domain, model.now())
    click.echo("Removed.")


commands = (account, sender, mail_password, rules)
