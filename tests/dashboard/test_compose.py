"""Writing a mail: what comes of it, and what happens when something is wrong with it."""

from __future__ import annotations

import re

import pytest

from resonanz.model import TrackingMode
from resonanz.store import messages
from resonanz.store.messages import Message
from tests.kit.pages import MAX_MESSAGE, Site

MAIL = {
    "kind": "written",
    "from": "Alice <alice@example.org>",
    "to": "bob@example.org",
    "subject": "Hi",
    "text": "Dear Bob",
    "opens": "individual",
    "clicks": "anonymous",
}
EML = b"From: alice@example.org\r\nTo: bob@example.org\r\nCc: Carol <carol@example.org>\r\nSubject: Ready\r\n\r\nHi\r\n"


def stored(site: Site) -> list[Message]:
    """Every message there is."""
    with site.database.read() as tx:
        return messages.list_messages(tx, limit=100)


def test_a_mail_to_one_recipient_leads_to_its_page(site: Site) -> None:
    """Stored as it was written, with the tracking that was chosen at most."""
    alice = site.alice()
    answer = alice.submit("/compose", MAIL)
    (message,) = stored(site)
    assert answer.headers["location"] == f"/messages/{message.id}"
    assert (message.recipient, message.subject) == ("bob@example.org", "Hi")
    assert (message.track_opens, message.track_clicks) == (TrackingMode.INDIVIDUAL, TrackingMode.ANONYMOUS)
    assert alice.get(answer.headers["location"]).status_code == 200


def test_several_recipients_lead_to_the_submission(site: Site) -> None:
    """Commas and lines separate them; each gets a message of their own, nobody two."""
    to = "bob@example.org, Carol <carol@example.org>\r\ndora@example.org;\r\n\r\nBOB@example.org"
    alice = site.alice()
    answer = alice.submit("/compose", MAIL | {"to": to})
    assert {message.recipient for message in stored(site)} == {
        "bob@example.org",
        "carol@example.org",
        "dora@example.org",
    }
    page = alice.get(answer.headers["location"])
    assert "3 messages are stored" in page.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "bob@example.org, nobody"}, "to"),
        ({"to": ",".join(f"p{number}@example.org" for number in range(6))}, "to"),
        ({"from": "nobody"}, "from"),
        ({"from": "a@example.org, b@example.org"}, "from"),
        ({"text": "", "html": ""}, "text"),
        ({"reply_to": "nowhere"}, "reply_to"),
        ({"text": "x" * (MAX_MESSAGE + 1)}, "text"),
        ({"subject": "a\x00b"}, "subject"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_nothing_is_lost(
    site: Site, changes: dict[str, str], field: str
) -> None:
    """Nothing is stored; everything that was typed is in the form again."""
    mail = MAIL | {"html": "<p>kept & escaped</p>"} | changes
    answer = site.alice().submit("/compose", mail)
    assert answer.status_code in (413, 422)
    assert stored(site) == []
    assert f'id="{field}-note" role="alert"' in answer.text
    if "html" not in changes:
        assert "&lt;p&gt;kept &amp; escaped&lt;/p&gt;" in answer.text


def test_sending_the_form_twice_sends_one_mail(site: Site) -> None:
    """A double click, or a reload of the answer: the form's own key sends once."""
    alice = site.alice()
    form = MAIL | {"idempotency_key": "once", "form_token": alice.token("/compose")}
    first = alice.client.post("/compose", data=form)
    second = alice.client.post("/compose", data=form)
    assert first.headers["location"] == second.headers["location"]
    assert len(stored(site)) == 1


def test_a_form_that_was_changed_and_sent_again_can_become_a_mail_of_its_own(site: Site) -> None:
    """Going back and sending something else is said to be just that; sending once more sends it."""
    alice = site.alice()
    form = MAIL | {"idempotency_key": "once", "form_token": alice.token("/compose")}
    alice.client.post("/compose", data=form)
    changed = alice.client.post("/compose", data=form | {"subject": "Another"})
    assert changed.status_code == 409
    assert "sent before" in changed.text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', changed.text)
    assert key is not None
    assert len(stored(site)) == 1
    alice.client.post("/compose", data=form | {"subject": "Another", "idempotency_key": key.group(1)})
    assert len(stored(site)) == 2


def test_a_file_whose_names_are_encoded_words_is_read(site: Site) -> None:
    """A comma in an encoded name separates nothing; a field that holds no address is named, each of them."""
    alice = site.alice()
    name = b"=?utf-8?q?M=C3=BCller=2C_Anna?="
    good = b"From: %b <anna@example.org>\r\nTo: %b <bob@example.org>\r\n\r\nHello\r\n" % (name, name)
    form = {"kind": "file", "to": "", "from": ""}
    alice.submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", good)})
    assert [(message.sender, message.recipient) for message in stored(site)] == [
        ("anna@example.org", "bob@example.org")
    ]
    bad = b"From: anna@example.org\r\nTo: nobody\r\nCc: nowhere\r\n\r\nHello\r\n"
    answer = alice.submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", bad)})
    assert answer.status_code == 422
    assert "To field" in answer.text
    assert "Cc field" in answer.text


def test_a_finished_mail_goes_out_as_it_is(site: Site) -> None:
    """Its bytes are what is stored; its own To and Cc are the recipients unless others are named."""
    alice = site.alice()
    form = {"kind": "file", "to": "", "from": "", "opens": "off", "clicks": "off"}
    alice.submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", EML)})
    assert {message.recipient for message in stored(site)} == {"bob@example.org", "carol@example.org"}
    with site.database.read() as tx:
        submission = messages.get_submission(tx, stored(site)[0].submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
    assert content is not None
    assert content.body == EML


@pytest.mark.parametrize(
    ("mode", "said", "label"),
    [
        (TrackingMode.INDIVIDUAL, "is tracked as chosen here", "Per recipient<"),
        (TrackingMode.ANONYMOUS, "is counted without a name, even with “per recipient”", "Per recipient, where they"),
        (TrackingMode.OFF, "is not tracked at all, even with “per recipient”", "Per recipient, where they"),
    ],
)
def test_the_form_says_what_will_be_tracked(site: Site, mode: TrackingMode, said: str, label: str) -> None:
    """For people without a recorded choice, whatever is chosen in the menu above."""
    page = site.with_parts(unknown_mode=lambda _tx: mode).alice().get("/compose").text
    assert said in page
    assert label in page


def test_mistakes_are_said_in_sentences(site: Site) -> None:
    """With a capital, a verb and an end; what to do about it is a sentence of its own."""
    answer = site.alice().submit("/compose", MAIL | {"to": ""})
    assert ">No recipient.</p>" in answer.text
    answer = site.alice().submit("/compose", MAIL | {"to": ",".join(f"p{number}@example.org" for number in range(6))})
    assert ">6 recipients, but 5 are the limit. The limit is RESONANZ_MAX_RECIPIENTS.</p>" in answer.text


@pytest.mark.parametrize("file", [b"", b"\0\0\0", b"not a mail", b"Subject: no sender\r\n\r\nx", b"From: ?\r\n\r\nx"])
def test_a_file_that_is_no_mail_is_refused(site: Site, file: bytes) -> None:
    """Said beside the fields; nothing is stored."""
    form = {"kind": "file", "to": "bob@example.org"}
    answer = site.alice().submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", file)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert stored(site) == []


def test_more_than_the_limit_is_not_even_read(site: Site) -> None:
    """A body far over the limit is refused while it comes in."""
    form = {"kind": "file"}
    big = b"From: a@example.org\r\n\r\n" + b"x" * (3 * MAX_MESSAGE)
    answer = site.alice().submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", big)})
    assert answer.status_code == 413
    assert stored(site) == []


@pytest.mark.parametrize(("ticked", "documents"), [({}, False), ({"documents": "yes"}, True)])
def test_attachments_of_a_file_become_documents_where_it_is_ticked(
    site: Site, ticked: dict[str, str], documents: bool
) -> None:
    """The box is empty at first; what was ticked is stored, and still ticked when something else was wrong."""
    alice = site.alice()
    assert 'name="documents" value="yes" aria' in alice.get("/compose?kind=file").text
    good = b"From: anna@example.org\r\nTo: bob@example.org\r\n\r\nHello\r\n"
    form = {"kind": "file", "to": "nobody", "from": ""} | ticked
    refused = alice.submit("/compose", form, page="/compose?kind=file", files={"file": ("mail.eml", good)})
    assert ('name="documents" value="yes" checked' in refused.text) is documents
    alice.submit("/compose", form | {"to": ""}, page="/compose?kind=file", files={"file": ("mail.eml", good)})
    (message,) = stored(site)
    with site.database.read() as tx:
        submission = messages.get_submission(tx, message.submission_id)
    assert submission is not None
    assert submission.track_documents is documents
