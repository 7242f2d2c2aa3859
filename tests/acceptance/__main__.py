"""`python -m tests.acceptance [FOLDER]`: run every check against a corpus; exit code 1 when one does not hold."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.acceptance import bounces, clients, letter, render
from tests.acceptance.findings import Findings
from tests.kit.rendering import chromium

DEFAULT = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"


def main() -> int:
    """Say what was read, what was found, and whether all is well."""
    corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not corpus.is_dir():
        print(f"There is no corpus in {corpus}; nothing was checked.")
        return 0
    html, eml = (len(list((corpus / name).glob(f"*.{name}"))) for name in ("html", "eml"))
    reports = len(list((corpus / "bounces").glob("*.eml")))
    print(f"Reading {html} HTML documents, {eml} mails and {reports} reports.")
    findings = Findings()
    clients.run(corpus, findings)
    letter.run(corpus, findings)
    bounces.run(corpus, findings)
    if chromium():
        render.run(corpus, findings)
    else:
        print("Chromium is not installed; pictures were not compared.")
    print("\n".join(findings.lines()))
    print("All checks hold." if not findings.wrong else f"{len(findings.wrong)} checks do not hold.")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
