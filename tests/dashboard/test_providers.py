"""Provider webhooks on their page: an address for each, a secret, what was turned away, and what became no fact."""

from __future__ import annotations

import re

from resonanz.ingest.providers import secrets_of
from resonanz.sealing import Sealer
from resonanz.store.providers import ProviderRow, list_providers, note_refused
from resonanz.store.strays import Stray, add_strays
from tests.dashboard.test_blocking import other_account
from tests.kit.accounts import NOON
from tests.kit.pages import Site
from tests.kit.workers import KEYS

SEALER = Sealer(KEYS)


def stored(site: Site) -> list[ProviderRow]:
    """Every provider."""
    with site.database.read() as tx:
        return list_providers(tx)


def secrets(site: Site) -> list[str]:
    """The secrets of the one provider that are in force."""
    (row,) = stored(site)
    return secrets_of(lambda: SEALER, row, NOON)


def test_a_password_is_made_shown_once_and_changed(site: Site) -> None:
    """The address with its password stands on the page that made it, and on no other; a new one replaces it."""
    alice = site.with_parts(sealer=lambda: SEALER).alice()
    made = alice.submit("/providers", {"provider": "brevo", "label": "<news>", "secret": ""})
    (password,) = secrets(site)
    (row,) = stored(site)
    assert f"/api/v1/hooks/{row.id}/{password}</code>" in made.text
    page = alice.get("/providers").text
    assert password not in page
    assert "&lt;news&gt;" in page
    again = alice.submit("/providers/secret", {"id": str(row.id), "secret": ""}, page="/providers")
    assert secrets(site)[1:] == [password]
    assert secrets(site)[0] in again.text
    assert alice.submit("/providers/remove", {"id": str(row.id)}, page="/providers").status_code == 303
    assert stored(site) == []
    assert alice.submit("/providers/remove", {"id": str(row.id)}, page="/providers").status_code == 404
    assert alice.submit("/providers/remove", {"id": "x"}, page="/providers").status_code == 404


def test_a_secret_follows_the_address(site: Site) -> None:
    """Until it is set the page says that nothing is let in; what cannot be a secret is refused beside its field."""
    alice = site.with_parts(sealer=lambda: SEALER).alice()
    alice.submit("/providers", {"provider": "sendgrid", "label": "", "secret": ""})
    (row,) = stored(site)
    assert "no secret" in alice.get("/providers").text
    wrong = alice.submit("/providers/secret", {"id": str(row.id), "secret": "no key"}, page="/providers")
    assert wrong.status_code == 422
    assert re.search(rf'id="secret-{row.id}-note" role="alert">[^<]*public key', wrong.text)
    alice.submit("/providers", {"provider": "mailgun", "label": "x" * 81, "secret": "a"})
    assert len(stored(site)) == 1
    assert alice.submit("/providers", {"provider": "pigeon", "label": "", "secret": ""}).status_code == 422


def test_what_was_turned_away_and_what_became_no_fact(site: Site) -> None:
    """Both are shown, their foreign words escaped."""
    alice = site.with_parts(sealer=lambda: SEALER).alice()
    alice.submit("/providers", {"provider": "mailgun", "label": "", "secret": "a-signing-key"})
    (row,) = stored(site)
    with site.database.write() as tx:
        note_refused(tx, row.id, why="the signature is <wrong>", now=NOON)
        add_strays(tx, [Stray("mailgun", "1", "unknown_kind", "<levitated>", "a@b.example", NOON, b"{}")])
    page = alice.get("/providers").text
    assert "turned away" in page
    assert "the signature is &lt;wrong&gt;" in page
    assert "&lt;levitated&gt;" in page


def test_only_operators_see_it(site: Site) -> None:
    """Addresses and secrets are for whoever runs the instance."""
    bob = other_account(site)
    assert bob.get("/providers").status_code == 403
    assert bob.submit("/providers", {"provider": "brevo"}, page="/account").status_code == 403
    assert "/providers" not in bob.get("/account").text
