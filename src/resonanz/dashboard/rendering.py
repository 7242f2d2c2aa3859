"""Turning values into pages: the templates, and how times, numbers and words are written in them.

Everything is escaped unless a template's author made it; nothing foreign is ever marked safe. What strangers wrote goes
through `foreign`, or `visible` where no markup can stand (attributes, the title): its direction ends with it, what is
invisible in it is seen, and its length is bounded.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from resonanz import __version__
from resonanz.dashboard import words
from resonanz.insight import Interval
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


def percent(part: int, whole: int) -> str:
    """Return a share in whole per cent, and never none or all where it is not."""
    if not 0 < part < whole:
        return f"{100 if part else 0} %"
    return f"{min(max(round(100 * part / whole), 1), 99)} %"


def share(value: float) -> str:
    """Return a share (0…1) in per cent with one decimal: places in a ranking often differ by less than one."""
    return f"{100 * value:.1f} %"


def within(around: Interval) -> str:
    """Return an interval of shares in per cent, its ends rounded outwards."""
    return f"{math.floor(100 * around.low)}–{math.ceil(100 * around.high)} %"


def people(interval: Interval) -> str:
    """Return an interval in whole people, its ends rounded outwards."""
    return f"{number(math.floor(interval.low))} to {number(math.ceil(interval.high))}"


def size(octets: int) -> str:
    """Return a size in the unit it is read best in."""
    if octets < 1000:
        return f"{octets} bytes"
    if octets < 1_000_000:
        return f"{octets / 1000:.0f} kB"
    return f"{octets / 1e6:.1f} MB" if octets < 1_000_000_000 else f"{octets / 1e9:.1f} GB"


def rate(value: float) -> str:
    """Return a number of things a second, no more exact than it is worth reading."""
    return number(round(value)) if value >= 10 else f"{value:.1f}"


def seconds(value: float) -> str:
    """Return a duration in the unit it is read best in."""
    if value < 60:
        return f"{value:.0f} s"
    if value < 3600:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h" if value < 86_400 else f"{value / 86_400:.1f} days"


# Controls and line separators, and the characters that turn the direction of text around (UAX #9 section 2). Those
# that only hint at a direction (U+200E, U+200F, U+061C) belong into Hebrew and Arabic text and stay.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u206a-\u206f]")
# How errors begin that say something about the field they stand beside.
_ABOUT_A_FIELD = ("is ", "has ", "holds ", "must ", "needs ", "would ", "does ", "cannot ", "may ")
# From this length on a text may not fit its place in a list; all of it is in its title then.
FITS_CHARACTERS = 40
TITLE_CHARACTERS = 1000


def visible(text: str, limit: int = TITLE_CHARACTERS) -> str:
    """Return foreign text of at most `limit` characters, with each character that hides or turns text as its number."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return _INVISIBLE.sub(lambda found: f"[U+{ord(found[0]):04X}]", cut)


def foreign(text: str, limit: int = 300) -> Markup:
    """Return foreign text as an element that keeps its direction to itself, the whole of it in its title."""
    if len(text) <= FITS_CHARACTERS:
        return Markup("<bdi>{}</bdi>").format(visible(text))
    return Markup('<bdi title="{}">{}</bdi>').format(visible(text), visible(text, limit))


def sentence(text: str) -> str:
    """Return an error's words as a sentence: what begins with its verb is about the field beside it."""
    whole = f"This {text}" if text.startswith(_ABOUT_A_FIELD) else f"{text[:1].upper()}{text[1:]}"
    return whole if not whole or whole.endswith((".", "!", "?")) else f"{whole}."


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
        percent=percent,
        share=share,
        within=within,
        people=people,
        size=size,
        rate=rate,
        seconds=seconds,
        visible=visible,
        foreign=foreign,
        sentence=sentence,
        country=words.country,
    )
    environment.globals.update(words=words, Who=Who, version=__version__, static_version=_static_version())
    return environment


templates = _environment()
