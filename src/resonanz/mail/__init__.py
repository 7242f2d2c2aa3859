"""The letter: mail as bytes. Reading its structure, tracking it without harm, composing it.

>>> from resonanz.mail import Tracking, instrument
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resonanz.mail.address import Address, parse_address, parse_addresses
    from resonanz.mail.compiling import Compiled, compile_campaign
    from resonanz.mail.composing import compose
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

_FILES = {
    "address": ("Address", "parse_address", "parse_addresses"),
    "compiling": ("Compiled", "compile_campaign"),
    "composing": ("compose",),
    "documents": ("Document",),
    "instrumenting": ("instrument", "instrument_html"),
    "reading": ("readable_text",),
    "structure": ("Part", "Structure", "parse"),
    "tracking": ("Caution", "Instrumented", "Link", "LinkReason", "PartReport", "Reason", "Tracking", "Untracked"),
    "transfer": ("Splice", "undo"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load the file of a name when it is asked for (PEP 562): the edge needs three small functions of this room."""
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILE_OF[name]}"), name)
