"""A mail with an attachment, sent as a tracked document: from the command line to a download on record."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from resonanz.model import Event, EventKind, Verdict
from resonanz.store import events, messages, open_database
from tests.kit.cast import BROWSER
from tests.kit.instance import Instance
from tests.kit.letters import HTML_PART, multipart
from tests.kit.waiting import wait_for

PDF = b"%PDF-1.7\n" + os.urandom(700_000)
MAIL = multipart(
    HTML_PART,
    b"Content-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''Angebot%20f%C3%BCr%20Sie.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(PDF).replace(b"\n", b"\r\n"),
    extra=b"To: ivo@mail.example\r\n",
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """An instance whose recipients are tracked by name."""
    settings = {
        "RESONANZ_TRACKING_WITHOUT_CHOICE": "individual",
        # This reader is as hasty as a scanner, and nobody wants to wait a minute for the verdict.
        "RESONANZ_JUDGE_WINDOWS": '{"instant_click": 0, "sweep": 0.2, "crowd": 0.2, "pair": 0.2, "grace": 0}',
    }
    with Instance(tmp_path, settings) as instance:
        yield instance


def test_a_document_is_sent_fetched_and_recorded(instance: Instance) -> None:
    """The copy in the outbox has a link in place of the attachment; it gives the same bytes, whole and in part; the
    message's record says that the document was downloaded, once, by its name."""
    sent = instance.run("send", "-", "--documents", "--json", stdin=MAIL)
    assert sent.returncode == 0, sent.stderr
    (message,) = json.loads(sent.stdout)["messages"]

    path = instance.data / "outbox" / f"{message['id']}.eml"
    copy = wait_for(lambda: path.exists() and path.read_bytes(), "the copy in the outbox")
    assert b"application/pdf" not in copy
    found = re.search(rb'href="(http[^"]+/f/[^"]+/Angebot%20f%C3%BCr%20Sie\.pdf)"', copy)
    assert found is not None
    url = found.group(1).decode()
    assert url.startswith(instance.edge)

    reader = {"User-Agent": BROWSER, "Accept-Language": "de"}
    whole = httpx2.get(url, headers=reader)
    assert (whole.status_code, whole.content) == (200, PDF)
    assert whole.headers["content-disposition"].endswith("filename*=UTF-8''Angebot%20f%C3%BCr%20Sie.pdf")
    rest = httpx2.get(url, headers={**reader, "Range": "bytes=500000-", "If-Range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, PDF[500_000:])

    first, second = wait_for(lambda: len(seen := downloads(instance)) == 2 and seen, "both requests on record")
    assert (str(first.message_id), first.recipient) == (message["id"], "ivo@mail.example")
    wait_for(lambda: downloads(instance)[0].verdict is Verdict.HUMAN_LIKELY, "the verdict to settle")
    assert (first.repeat_of, second.repeat_of) == (None, first.id)
    assert (first.link, name_of(instance, first)) == (1, "Angebot für Sie.pdf")


def downloads(instance: Instance) -> list[Event]:
    database = open_database(f"sqlite:///{instance.data}/resonanz.sqlite", create=False)
    try:
        with database.read() as tx:
            return [event for event in events.after(tx, 0, limit=1000) if event.kind is EventKind.DOWNLOADED]
    finally:
        database.close()


def name_of(instance: Instance, event: Event) -> str:
    database = open_database(f"sqlite:///{instance.data}/resonanz.sqlite", create=False)
    try:
        with database.read() as tx:
            assert event.submission_id is not None
            submission = messages.get_submission(tx, event.submission_id)
            assert submission is not None
            return {link.link: link.label for link in messages.list_links(tx, submission.content_id)}[event.link or 0]
    finally:
        database.close()
