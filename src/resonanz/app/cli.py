"""The command line. Each command is thin: it reads its arguments, calls one room, and prints; `--json` for programs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from resonanz import __version__
from resonanz.app.account_commands import commands as account_commands
from resonanz.app.campaign_commands import commands as campaign_commands
from resonanz.app.contact_commands import commands as contact_commands
from resonanz.app.domain_commands import check as check_domain
from resonanz.app.domain_commands import commands as domain_commands
from resonanz.app.evidence_commands import commands as evidence_commands
from resonanz.app.journal_commands import commands as journal_commands
from resonanz.app.judge_commands import commands as judge_commands
from resonanz.app.letter_commands import commands as letter_commands
from resonanz.app.list_commands import commands as list_commands
from resonanz.app.mailbox_commands import commands as mailbox_commands
from resonanz.app.network_commands import commands as network_commands
from resonanz.app.operator_commands import commands as operator_commands
from resonanz.app.provider_commands import commands as provider_commands
from resonanz.app.tracking_commands import commands as tracking_commands
from resonanz.app.transport_commands import commands as transport_commands
from resonanz.app.webhook_commands import commands as webhook_commands
from resonanz.model import InvalidInput, ResonanzError, TrackingMode

if TYPE_CHECKING:
    from resonanz.app.settings import Settings

# Rooms are imported inside the commands: `resonanz token read` should not wait for a web framework to load.


class _Group(click.Group):
    """Turns our own errors into a line each on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ResonanzError as error:
            for problem in error.problems if isinstance(error, InvalidInput) else (error,):
                click.echo(f"resonanz: {problem}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="resonanz")
def cli() -> None:
    """Self-hosted e-mail tracking that weighs evidence instead of counting hits."""


for _command in (
    *account_commands,
    *campaign_commands,
    *contact_commands,
    *domain_commands,
    *evidence_commands,
    *journal_commands,
    *judge_commands,
    *letter_commands,
    *list_commands,
    *mailbox_commands,
    *network_commands,
    *operator_commands,
    *provider_commands,
    *tracking_commands,
    *transport_commands,
    *webhook_commands,
):
    cli.add_command(_command)


# ── Running ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@cli.command()
def setup() -> None:
    """Create the data folder, keys and database, or bring them up to date."""
    from resonanz.app.wiring import prepare

    settings = _start("setup")
    revision = prepare(settings)
    click.echo(f"Ready: {settings.data_dir} (database revision {revision})")


@cli.command()
def up() -> None:
    """Set up, then run all roles under one supervisor until SIGTERM or Ctrl-C."""
    settings = _start_role("up")
    from resonanz.app.everything import run_all

    sys.exit(run_all(settings))


@cli.command()
@click.option("--number", type=click.IntRange(0, 63), default=0, help="Which of several edge processes on this host.")
def edge(number: int) -> None:
    """Run the edge alone: pixels, links, unsubscribe. Needs keys and journal, no database."""
    settings = _start_role("edge")
    from resonanz.app.running import run_edge

    run_edge(settings, number)


@cli.command()
def app() -> None:
    """Run the dashboard and the API alone."""
    settings = _start_role("app")
    from resonanz.app.running import run_app

    run_app(settings)


@cli.command()
def worker() -> None:
    """Run the worker alone: takes hits from the journals, sends what is queued."""
    settings = _start_role("worker")
    from resonanz.app.running import run_worker

    run_worker(settings)


@cli.command()
def relay() -> None:
    """Run the SMTP doors alone: submission for mail clients, inbound for bounces and replies."""
    settings = _start_role("relay")
    from resonanz.app.running import run_relay

    run_relay(settings)


# ── Using ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_modes = click.Choice([mode.value for mode in TrackingMode])


@cli.command()
@click.argument("mail", type=click.File("rb"))
@click.option("--to", "recipients", multiple=True, help="Recipient; repeat it. Default: the mail's To, Cc and Bcc.")
@click.option("--from", "sender", help="Envelope sender. Default: the mail's From.")
@click.option("--opens", type=_modes, default="individual", show_default=True, help="The most opens may be tracked.")
@click.option("--clicks", type=_modes, default="individual", show_default=True, help="The most clicks may be tracked.")
@click.option("--documents", is_flag=True, help="Attachments become tracked documents; links stand in their place.")
@click.option("--bulk", is_flag=True, help="Say in the headers that it is bulk mail, and how to leave.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def send(
    mail: Any,
    recipients: tuple[str, ...],
    sender: str | None,
    opens: str,
    clicks: str,
    *,
    documents: bool,
    bulk: bool,
    as_json: bool,
) -> None:
    """Hand in MAIL, a file in RFC 822 form (- for standard input): one message per recipient."""
    from resonanz.app.wiring import submit_raw

    settings = _start("send")
    try:
        receipt = submit_raw(
            settings,
            mail.read(),
            recipients=recipients,
            sender=sender,
            opens=TrackingMode(opens),
            clicks=TrackingMode(clicks),
            documents=documents,
            bulk=bulk,
        )
    except ResonanzError as error:
        for problem in error.problems if isinstance(error, InvalidInput) else (error,):
            problem.where = _as_typed(problem.where)
        raise
    if as_json:
        _print_json(
            {
                "submission": str(receipt.submission_id),
                "messages": [{"id": str(message), "recipient": to} for message, to in receipt.messages],
            }
        )
        return
    for message, to in receipt.messages:
        click.echo(f"queued  {message}  {to}")


@cli.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Check everything this instance leans on, one line each with the remedy. Exit code 1 when something is broken."""
    if ctx.invoked_subcommand:
        return
    from resonanz.app.doctor import examine

    findings = examine(_start("doctor"))
    if as_json:
        _print_json([{"check": f.check, "state": f.state, "detail": f.detail, "remedy": f.remedy} for f in findings])
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        colours = {"ok": "green", "warning": "yellow", "broken": "red"}
        for finding in findings:
            line = Text(f"{finding.state:8}", style=colours[finding.state])
            line.append(f" {finding.check:12} {finding.detail}", style="default")
            console.print(line, soft_wrap=True)
            if finding.remedy:
                console.print(Text(f"{'':21} → {finding.remedy}"), soft_wrap=True)
    sys.exit(any(finding.state == "broken" for finding in findings))


doctor.add_command(check_domain)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reference", is_flag=True, help="Print the reference page of all settings instead.")
def config(*, as_json: bool, reference: bool) -> None:
    """Print the settings in force, secrets masked."""
    from resonanz.app import settings as room

    if reference:
        click.echo(room.reference(), nl=False)
        return
    shown = room.in_force(_start("config"))
    if as_json:
        _print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}={value}")


# ── Looking after it ────────────────────────────────────────────────────────────────────────────────────────────────


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rebuild(*, as_json: bool) -> None:
    """Recompute every projection (states, counters, rollups) from the facts."""
    from resonanz.app.wiring import database_of
    from resonanz.ingest import rebuild as rebuild_projections

    database = database_of(_start("rebuild"))
    summary = rebuild_projections(database)
    database.close()
    if as_json:
        _print_json(asdict(summary))
    else:
        for name, amount in asdict(summary).items():
            click.echo(f"{amount:>12,}  {name.replace('_', ' ')}")


@cli.group()
def keys() -> None:
    """The signing keys of pixels, links and return paths."""


@keys.command("rotate")
def rotate_keys() -> None:
    """Put a fresh key in front: it signs from now on, the older ones still verify."""
    from resonanz.tokens import load_keys, save_keys

    settings = _start("keys")
    rotated = load_keys(settings.keys_file).rotated()
    save_keys(settings.keys_file, rotated)
    click.echo(
        f"Key {rotated.signing.id} signs from now on; {len(list(rotated))} keys verify. "
        "A running edge takes it up by itself; restart worker and relay, so that they sign with it."
    )


# Commands that tell of misspelt settings; the roles, which `up` starts, need not say it again.
_BEGINNINGS = ("up", "setup", "config", "doctor", "send")

# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_typed(where: str) -> str:
    """Name a place by the option: a draft's `recipients[2]` is what was typed as the third `--to`."""
    return {"sender": "--from", "recipients": "--to"}.get(where.partition("[")[0], where)


def _start(name: str) -> Settings:
    """Read the settings and set up this process's logs."""
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings, unknown_settings

    settings = load_settings()
    configure_logs(name, form=settings.log_format, level=settings.log_level)
    if name in _BEGINNINGS:
        _warn_of(unknown_settings(os.environ))
    return settings


def _start_role(name: str) -> Settings:
    """As `_start`, for processes that stay: they get the settings as plain values."""
    from resonanz.app.aside import aside
    from resonanz.app.logs import configure_logs
    from resonanz.app.values import read_values

    values, unknown = aside(read_values)
    settings = cast("Settings", values)
    configure_logs(name, form=settings.log_format, level=settings.log_level, stays=True)
    if name in _BEGINNINGS:
        _warn_of(unknown)
    return settings


def _warn_of(unknown: list[str]) -> None:
    for name in unknown:
        click.echo(f"resonanz: there is no setting {name}; `resonanz config --reference` lists them", err=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def main() -> None:
    """Entry point of `resonanz`."""
    cli(prog_name="resonanz")
