"""Site visits in the dashboard: in a mail's timeline, and where the sender's own sites are named."""

from __future__ import annotations

from datetime import timedelta

from resonanz.accounts.instance import own_sites
from resonanz.ingest import record_all
from resonanz.model import EventKind, Verdict
from tests.kit.cast import NOON, Cast, event
from tests.kit.pages import Site


def test_a_visit_tells_page_time_and_what_was_clicked(site: Site) -> None:
    """Title, address, seconds and the element's name stand in the timeline; foreign text stays text."""
    with site.database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
        at = NOON + timedelta(hours=1)
        about = {"link": 0, "url": "https://shop.example/prices", "verdict": Verdict.HUMAN_LIKELY}
        (page,) = record_all(tx, [event(message, EventKind.VISITED, at=at, detail={"title": "<b>Prices"}, **about)])
    with site.database.write() as tx:
        more = [({"seconds": 185}, page.id), ({"element": "order & pay"}, None)]
        record_all(
            tx,
            [
                event(message, EventKind.VISITED, at=at, detail=detail, repeat_of=first, **about)
                for detail, first in more
            ],
        )
    text = site.alice().get(f"/messages/{message.id}").text
    assert "&lt;b&gt;Prices" in text
    assert "<b>Prices" not in text
    assert "https://shop.example/prices" in text
    assert "3 min 5 s on the page" in text
    assert "clicked “<bdi>order &amp; pay</bdi>”" in text


def test_own_sites_are_named_on_the_account_page(site: Site) -> None:
    """Hosts or addresses, one a line; what is no site is told beside the field and changes nothing."""
    alice = site.alice()
    page = alice.get("/account").text
    assert 'src="http://localhost:8601/s.js"' in page.replace("&#34;", '"').replace("&quot;", '"')
    written = "https://www.Shop.example/start\nbücher.example, blog.example"
    answer = alice.submit("/account/sites", {"sites": written}, page="/account")
    assert answer.status_code == 303
    with site.database.read() as tx:
        assert own_sites(tx) == {"www.shop.example", "xn--bcher-kva.example", "blog.example"}
    for wrong in ("https://", "a..b", "-a.example", "x" * 300, " ".join(f"s{n}.example" for n in range(51))):
        refused = alice.submit("/account/sites", {"sites": wrong}, page="/account")
        assert refused.status_code == 422, wrong
    assert alice.submit("/account/sites", {"sites": ""}, page="/account").status_code == 303
    with site.database.read() as tx:
        assert own_sites(tx) == frozenset()


def test_a_setting_outweighs_the_page(site: Site) -> None:
    """Where a setting names the sites, the page shows them and takes no others."""
    fixed = site.with_parts(own_sites=lambda _tx: frozenset({"shop.example"}), sites_are_fixed=True)
    alice = fixed.alice()
    page = alice.get("/account").text
    assert "RESONANZ_SITES" in page
    assert 'name="sites"' not in page
    assert alice.submit("/account/sites", {"sites": "evil.example"}, page="/account").status_code == 403
