"""Mail that an account hands in goes out by the account's own server, over real SMTP on both sides."""

from __future__ import annotations

import pytest

from resonanz import model
from resonanz.outbound import web
from resonanz.sending.named_transports import Wanted, add_transport
from resonanz.sending.transports import SmtpTransport, read_smtp_url
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database
from tests.kit.mails import RAW, draft, hand_in
from tests.kit.openers import SEALER, opener_on
from tests.kit.relays import LOGIN, running_relay
from tests.kit.sinks import running_sink
from tests.kit.workers import EDGE, KEYS, is_empty, run_until


def test_an_accounts_mail_goes_by_its_own_server(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a mail program hands in goes by the account's own server, logged in there, and tracked; everybody else's
    mail by the instance's."""
    monkeypatch.setattr(web, "is_public", lambda address: True)  # the test's own server is on this machine
    with (
        running_sink() as instance,
        running_sink(login=("ada", "p@ss")) as own,
        running_relay(sqlite_database) as relay,
    ):
        wanted = Wanted(
            "mine", "127.0.0.1", own.port, security="none", authentication="password", username="ada", secret="p@ss"
        )
        add_transport(sqlite_database, SEALER, wanted, actor=LOGIN, now=model.now(), account_id=relay.account.id)
        with relay.logged_in() as client:
            assert client.sendmail(LOGIN, ["grace@rcpt.example"], RAW) == {}
        hand_in(sqlite_database, draft(recipients=["bob@rcpt.example"]))
        worker = Worker(
            sqlite_database,
            SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{instance.port}"), helo_name="relay.example"),
            KEYS,
            WorkerSettings(edge_url=EDGE),
            unknown=lambda _tx: model.TrackingMode.INDIVIDUAL,
            open_named=opener_on(sqlite_database).open,
        )
        run_until(worker, is_empty(sqlite_database))
        assert [taken.recipients[0].split()[0] for taken in own.taken] == ["<grace@rcpt.example>"]
        assert [taken.recipients[0].split()[0] for taken in instance.taken] == ["<bob@rcpt.example>"]
        assert EDGE.encode() in own.taken[0].message
