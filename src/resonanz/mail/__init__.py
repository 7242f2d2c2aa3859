"""The letter: mail as bytes. Reading its structure, tracking it without harm, composing it.

>>> from resonanz.mail import Tracking, instrument
"""

from resonanz.mail.address import Address, parse_address, parse_addresses
from resonanz.mail.compiling import Compiled, compile_campaign
from resonanz.mail.compose import compose
from resonanz.mail.documents import Document
from resonanz.mail.instrumenting import instrument, instrument_html
from resonanz.mail.reading import readable_text
from resonanz.mail.structure import Part, Structure, parse
from resonanz.mail.tracking import Caution, Instrumented, Link, LinkReason, PartReport, Reason, Tracking, Untracked
from resonanz.mail.transfer import Splice, undo

__all__ = [
    "Address",
    "Caution",
    "Compiled",
    "Document",
    "Instrumented",
    "Link",
    "LinkReason",
    "Part",
    "PartReport",
    "Reason",
    "Splice",
    "Structure",
    "Tracking",
    "Untracked",
    "compile_campaign",
    "compose",
    "instrument",
    "instrument_html",
    "parse",
    "parse_address",
    "parse_addresses",
    "readable_text",
    "undo",
]
