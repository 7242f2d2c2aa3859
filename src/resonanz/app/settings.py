"""Every setting: read once, from the environment, into one frozen value that wiring hands out in pieces.

Each field's description is its documentation: `resonanz config` prints the values in force, and `docs/settings.md` is
generated from this file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from resonanz.app.supervisor import LIFELINE
from resonanz.app.values import Derived
from resonanz.model import InvalidInput, TrackingMode

PREFIX = "RESONANZ_"
SMTP_SCHEMES = ("smtp://", "smtp+starttls://", "smtps://")
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(Derived, BaseSettings):
    """The settings of one instance. Every field has a default; none has to be set to start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    # Where things are
    data_dir: Path = Field(Path("data"), description="Folder of everything that must survive a restart.")
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Database address: `sqlite:///…` or `postgresql://…`. Empty: a SQLite file in the data folder.",
    )
    listen_host: str = Field("127.0.0.1", description="Address that all public listeners bind to.")
    dashboard_port: Port = Field(8600, description="Port of the dashboard and the API.")
    edge_port: Port = Field(8601, description="Port of the edge: pixels, links, unsubscribe.")
    preview_port: Port = Field(8602, description="Port of the preview of sent mails; an origin of its own.")
    submission_port: Port = Field(
        8587, description="Port where mail clients submit mail (SMTP with AUTH). 0: no submission door."
    )
    submission_tls_port: Port = Field(
        8465,
        description="Port where mail clients submit mail over TLS from the first byte; it opens only with "
        "`RESONANZ_RELAY_CERTIFICATE`. 0: no such door.",
    )
    inbound_port: Port = Field(
        8525,
        description="Port where bounces and replies arrive (SMTP); it opens only with `RESONANZ_RETURN_PATH_DOMAIN`. "
        "0: no inbound door.",
    )
    lmtp_listen: str = Field(
        "",
        description="Where a mail server of this machine hands bounces and replies in by LMTP: a port, `host:port`, or "
        "the whole path of a unix socket; with `RESONANZ_RETURN_PATH_DOMAIN`. Empty: no such door.",
    )
    dashboard_url: str = Field(
        "", description="Address of the dashboard as people reach it. Empty: http://localhost and the port."
    )
    edge_url: str = Field(
        "",
        description="Address of the edge as recipients reach it; it stands in every pixel and link, so choose it "
        "before the first mail. Empty: http://localhost and the port.",
    )
    preview_url: str = Field(
        "", description="Address of the preview listener as people reach it. Empty: http://localhost and the port."
    )
    app_url: str = Field(
        "",
        description="Address at which edges reach the dashboard's listener, for pages that need the database (a mail "
        "in the browser, what is recorded of it). Empty: this machine and the dashboard's port.",
    )
    ops_host: str = Field("127.0.0.1", description="Address the roles' health and metrics listeners bind to.")
    ops_port: Port = Field(
        8610,
        description="First of four ports for `/healthz` and `/metrics`: edge, app, worker, relay (then further edges). "
        "0: none of them.",
    )

    # Sending
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Where mail goes out: `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`. The "
        "certificate is verified. Empty: the built-in outbox, a folder of .eml files.",
    )
    smtp_ca_file: Path | None = Field(None, description="Certificates to trust beside the system's, for `smtp_url`.")
    sending_connections: int = Field(8, ge=1, le=200, description="How many mails may be on the wire at once.")
    resend_uncertain: bool = Field(
        True,
        description="What happens to a mail that was on the wire when its worker died, so that nobody can tell whether "
        "it went out: sent once more with the same Message-ID and marked (`true`), or held and marked (`false`).",
    )
    return_path_domain: str = Field(
        "",
        description="Domain of the return paths that bounces come back to. Empty: bounces go to the sender, and no "
        "server is asked to confirm a delivery, so mail stays `sent` (`docs/reports.md`).",
    )
    delay_notice_hours: float = Field(
        4.0,
        ge=0,
        le=96,
        description="After how many hours the sender of a mail that was handed in over SMTP is told that it is late, "
        "unless the mail program wants otherwise. 0: never.",
    )
    reply_addresses: bool = Field(
        False,
        description="Whether answers to all tracked mail come to an address at `RESONANZ_RETURN_PATH_DOMAIN` first, to "
        "be recorded and passed on (`docs/relay.md`). Otherwise only to mail of accounts whose tracking rules say so. "
        "It needs `RESONANZ_SMTP_URL`, by which they are passed on.",
    )
    dns_servers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="DNS servers to ask, as `host` or `host:port`, separated by commas. Empty: those of the system.",
    )
    max_message: ByteSize = Field(ByteSize(25_000_000), description="Largest mail that is accepted.")
    max_recipients: int = Field(1000, ge=1, description="Most recipients in one submission.")
    relay_certificate: Path | None = Field(
        None,
        description="PEM certificate chain of the SMTP doors. A renewed one is used without a restart.",
    )
    relay_key: Path | None = Field(None, description="PEM private key of the SMTP doors.")

    trusted_submitters: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Networks of mail servers that hand mail in at the submission doors without a login, separated by "
        "commas: a Postfix whose content filter this is (`docs/relay.md`). Whoever is there can send as anybody.",
    )

    # Tracking
    tracking_without_choice: TrackingMode | None = Field(
        None,
        description="How mail to contacts without a recorded choice is tracked: `off`, `anonymous` or `individual`. "
        "Empty: as chosen at set-up or on the account page, `anonymous` until then.",
    )
    sites: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        description="Hosts of your own sites, separated by commas, with all below them: there visits after a click are "
        "recorded (`docs/visits.md`). Empty: as named on the account page.",
    )
    count_own: bool = Field(
        False,
        description="Whether the sender's own opens and clicks count like anybody's: of mail to the address of the "
        "account that sent it, and from a browser that was signed in to that account within a day. Otherwise they are "
        "shown as the sender's.",
    )
    keep_evidence_days: int = Field(
        0,
        ge=0,
        le=400,
        description="How many days address and user agent of each request are kept. 0: judge, then forget; they stay "
        "for as long as other requests may still change the verdict, about half an hour.",
    )
    shadow_rules: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names of judging rules that decide nothing and only show what they would change "
        "(`resonanz shadow`), separated by commas. `docs/accuracy.md` lists them.",
    )
    judge_windows: str = Field(
        "",
        description='The judge\'s windows that shall be others than by default, as JSON: `{"instant_click": 5}`. '
        "`docs/accuracy.md` lists them.",
    )
    place_databases: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Files in MaxMind DB form (of MaxMind, DB-IP, IPinfo or ip-location-db) that know region and city, "
        "separated by commas, the first asked first. Empty: the country alone, from the table in the box.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks of proxies in front of us whose Forwarded headers are believed, separated by commas."
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for",
        description="The header in which those proxies name the client: `x-forwarded-for`, or `forwarded` (RFC 7239). "
        "The other one is ignored, for a proxy passes on what strangers wrote there.",
    )
    edge_processes: int = Field(1, ge=1, le=64, description="How many edge processes share the edge's port.")
    journal_limit: ByteSize = Field(
        ByteSize(2_000_000_000),
        description="Size a journal may grow to while nothing takes it over; then the oldest pixel hits are given up, "
        "clicks and posts never.",
    )

    # Telling others
    webhook_private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts in your own network that webhooks may be posted to, also by http, as `host` or `host:port`, "
        "separated by commas. All others have to be on the Internet and are asked by https (`docs/webhooks.md`).",
    )

    # Presentation and operation
    timezone: str = Field("UTC", description="Time zone of the dashboard, such as `Europe/Berlin`.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Form of the log lines. `auto`: console on a terminal, JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @field_validator(
        "trusted_proxies",
        "trusted_submitters",
        "shadow_rules",
        "dns_servers",
        "place_databases",
        "webhook_private_hosts",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("sites", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        from resonanz.mail.sites import read_sites  # not for the supervisor, which reads no mail

        try:
            return (read_sites(value) or None) if isinstance(value, str) else value
        except InvalidInput:
            raise ValueError("names something that is no host") from None

    @field_validator("tracking_without_choice", "smtp_ca_file", "relay_certificate", "relay_key", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("dns_servers")
    @classmethod
    def _servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            parts = urlsplit(f"//{server}")
            try:
                ip_address(parts.hostname or "")
                _ = parts.port
            except ValueError:
                raise ValueError("must hold IP addresses, such as 192.0.2.53 or [2001:db8::53]:5353") from None
        return value

    @field_validator("lmtp_listen")
    @classmethod
    def _place(cls, value: str) -> str:
        if value and not re.fullmatch(r"/.+|(?:[^/\s]+:)?[1-9]\d{0,4}", value):
            raise ValueError("must be a port, host:port, or the whole path of a unix socket")
        return value

    @field_validator("webhook_private_hosts")
    @classmethod
    def _private_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            parts = urlsplit(f"//{host}")
            try:
                _ = parts.port
            except ValueError:
                parts = urlsplit("")
            if not parts.hostname or parts.path or parts.username:
                raise ValueError("must hold hosts, such as automation.internal or 10.0.0.7:8080")
        return tuple(host.lower() for host in value)

    @field_validator("shadow_rules")
    @classmethod
    def _rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from resonanz.ingest.judge import AFTERWARDS, RULES, WINDOWED

            known = {*(rule.name for rule in RULES), *(rule.name for rule in (*WINDOWED, *AFTERWARDS))}
            if unknown := sorted(set(value) - known):
                raise ValueError(f"there is no rule {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        return value

    @field_validator("judge_windows")
    @classmethod
    def _windows(cls, value: str) -> str:
        if value:
            from resonanz.ingest.judge.windows import Windows

            try:
                Windows.of(json.loads(value))
            except InvalidInput as problem:
                raise ValueError(str(problem)) from None
            except (ValueError, AttributeError):
                raise ValueError('must be a JSON object, such as {"instant_click": 5}') from None
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("not a time zone of this system") from None
        return value

    @field_validator("dashboard_url", "edge_url", "preview_url", "app_url")
    @classmethod
    def _plain_origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must start with http:// or https:// and name a host")
        if parts.query or parts.fragment or parts.username or parts.path.strip("/"):
            raise ValueError("must be a scheme and a host only, such as https://track.example.org")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _known_scheme(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(SMTP_SCHEMES):
            raise ValueError(f"must start with one of {', '.join(SMTP_SCHEMES)}")
        return value

    @field_validator("smtp_ca_file", "relay_certificate", "relay_key")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError("names a file that cannot be read")
        return value

    @model_validator(mode="after")
    def _doors_apart(self) -> Settings:
        """The edge shares no door with anything: not a port, not an address."""
        names = [f"{door}_port" for door in ("dashboard", "edge", "preview", "submission", "inbound")]
        ports = [getattr(self, name) for name in names]
        if self.ops_port:
            names += ["ops_port"] * 4
            ports += range(self.ops_port, self.ops_port + 4)
        for name, port in zip(names, ports, strict=True):
            if port and ports.count(port) > 1:
                raise ValueError(f"{PREFIX}{name.upper()}: two listeners cannot share port {port}")
        if self.edge_url == self.dashboard_url:
            raise ValueError(f"{PREFIX}EDGE_URL: recipients and the dashboard need different addresses")
        if bool(self.relay_certificate) != bool(self.relay_key):
            raise ValueError(f"{PREFIX}RELAY_KEY: certificate and key go together")
        return self

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Any) -> Any:
        """Fill in the addresses that follow from other settings, so that nothing else has to know the rule."""
        ports = {"dashboard": 8600, "edge": 8601, "preview": 8602}
        for name, default in ports.items():
            port = values.get(f"{name}_port", default)
            values[f"{name}_url"] = values.get(f"{name}_url") or f"http://localhost:{port}"
        host = values.get("listen_host") or "127.0.0.1"
        near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        port = values.get("dashboard_port", ports["dashboard"])
        values["app_url"] = values.get("app_url") or f"http://{near}:{port}"
        folder = Path(values.get("data_dir") or "data").expanduser().absolute()
        values["data_dir"] = folder
        database = values.get("database_url")
        secret = database.get_secret_value() if isinstance(database, SecretStr) else database
        values["database_url"] = secret or f"sqlite:///{folder}/resonanz.sqlite"
        return values


def load_settings() -> Settings:
    """Read the settings from the environment. Raises InvalidInput naming each wrong variable, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [_problem(one["loc"], one["msg"]) for one in error.errors(include_input=False)]
        raise InvalidInput(
            "; ".join(problems), where="settings", remedy="`resonanz config --reference` explains each setting"
        ) from None


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings but are none: most likely misspelt, and without effect."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {LIFELINE}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _problem(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


# ── Showing them ────────────────────────────────────────────────────────────────────────────────────────────────────


def in_force(settings: Settings) -> dict[str, str]:
    """Return every variable's value as text; what may hold a password is masked."""
    return {f"{PREFIX}{name.upper()}": _shown(getattr(settings, name)) for name in Settings.model_fields}


def reference() -> str:
    """Return the reference page of all settings, in Markdown."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable with a default; none has to be set. `resonanz config` prints the",
        "values in force. This page is generated: `resonanz config --reference > docs/settings.md`.",
        "",
        "| Variable | Default | What it does |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = f"`{shown}`" if (shown := _shown(field.default)) else "empty"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _masked(value.get_secret_value())
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, ByteSize):
        return str(int(value))
    return "" if value is None else str(value)


def _masked(url: str) -> str:
    """Hide the password of an address, and whatever cannot be read as one."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    if not parts.scheme:
        return "…"
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:…@" if parts.password else f"{parts.username}@" if parts.username else ""
    # Drivers take passwords as parameters too; names are shown, so that one sees what is in force.
    query = "&".join(f"{name}={'…' if 'pass' in name else value}" for name, value in parse_qsl(parts.query))
    return f"{parts.scheme}://{user}{host}{parts.path}{'?' if query else ''}{query}"
