"""Turning values into pages: the templates, and how times, numbers and words are written in them.

Everything is escaped unless a template's author made it; nothing foreign is ever marked safe.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from resonanz import __version__
from resonanz.dashboard import words
from resonanz.model import Who

_HERE = Path(__file__).parent


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Return the time of day, to the second."""
    return moment.astimezone(zone).strftime("%H:%M:%S")


def day(moment: datetime, zone: ZoneInfo) -> str:
    """Return the date in words, without a leading zero."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def short(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a moment as briefly as can be understood: the time today, else the day, with its year if it is another."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local.day} {local:%b}, {local:%H:%M}"
    return f"{local.day} {local:%b %Y}"


def date(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return the date as briefly as can be understood, with its year if it is another than this."""
    local = moment.astimezone(zone)
    this_year = local.year == now.astimezone(zone).year
    return f"{local.day} {local:%b}" if this_year else f"{local.day} {local:%b %Y}"


def full(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment without anything left out, its zone included."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M:%S %Z}"


def iso(moment: datetime) -> str:
    """Return a moment for a machine (the `datetime` attribute)."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: int) -> str:
    """Return a number with thin spaces between its thousands."""
    return f"{value:,}".replace(",", "\u202f")


def size(octets: int) -> str:
    """Return a size in the unit it is read best in."""
    if octets < 1000:
        return f"{octets} bytes"
    return f"{octets / 1000:.0f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def _static_version() -> str:
    """A digest of our own files: their addresses change with them, so that browsers may keep them for ever."""
    digest = sha256()
    for path in sorted((_HERE / "static").rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        clock=clock,
        day=day,
        short=short,
        date=date,
        full=full,
        iso=iso,
        number=number,
        size=size,
        country=words.country,
    )
    environment.globals.update(words=words, Who=Who, version=__version__, static_version=_static_version())
    return environment


templates = _environment()
