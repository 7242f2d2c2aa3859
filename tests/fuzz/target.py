"""The fuzz target: `python -m tests.fuzz.target [libFuzzer options] [folders of inputs]`.

Every input is taken as a mail, as a document and as a report. Nothing may raise, undoing must be exact, and our own
verification must find no fault: a fault there is a defect of ours that the verification hid. libFuzzer writes what it
finds into the first folder.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["resonanz.mail"]):
    from resonanz.mail import Reason, instrument, instrument_html, readable_text, undo
    from resonanz.mail.instrumenting import html_structure, instrument_structure
    from resonanz.mail.reports import read_report
    from resonanz.mail.structure import parse

from tests.kit.letters import tracking


def check(data: bytes) -> None:
    """Hold one input against everything that must be true of all."""
    settings = tracking(text_links=True, documents=lambda part: True)
    for structure in (parse(data), html_structure(data, None)):
        result = instrument_structure(structure, settings)
        assert result.reason is not Reason.VERIFICATION_FAILED, "our own verification found a difference"
        assert undo(result.message, result.splices) == data, "undoing is not exact"
    assert instrument(data, settings).reason is not Reason.INTERNAL_FAILURE
    assert instrument_html(data, settings).reason is not Reason.INTERNAL_FAILURE
    readable_text(data)
    read_report(data)


def main() -> None:
    """Hand over to libFuzzer."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
