"""From a decision to every edge: what an operator blocks, and what a recipient withdraws, through files alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from resonanz.tokens import Token, TokenKind, load_keys, mint
from tests.kit.edges import Edge
from tests.kit.mails import RAW
from tests.kit.roles import Roles
from tests.kit.waiting import wait_for

PAGE = "https://example.org/minutes?a=1&b=2"


def test_edges_learn_of_blocks_and_withdrawals(tmp_path: Path) -> None:
    """A blocked mail's link answers 410 and leads to its page again once unblocked; who switches tracking off is soon
    not even written down."""
    with Roles(tmp_path, ["edge", "worker"], {"RESONANZ_TRACKING_WITHOUT_CHOICE": "individual"}) as roles:
        edge = Edge(tmp_path, port=int(roles.environment["RESONANZ_EDGE_PORT"]))
        ops = Edge(tmp_path, port=int(roles.environment["RESONANZ_OPS_PORT"]))
        sent = json.loads(roles.run("send", "-", "--json", "--to", "grace@rcpt.example", stdin=RAW).stdout)
        copy = roles.data / "outbox" / f"{sent['messages'][0]['id']}.eml"
        wait_for(copy.exists, "the mail")
        (click,) = re.findall(r'href="([^"]+/c/[^"]+)"', copy.read_text())
        link = urlsplit(click).path
        assert edge.ask("GET", link).header("location") == PAGE

        assert roles.run("submission", "block", sent["submission"], "--reason", "stolen").returncode == 0
        wait_for(lambda: edge.ask("GET", link).status == 410, "the block")
        assert roles.run("submission", "unblock", sent["submission"], "--reason", "all clear").returncode == 0
        wait_for(lambda: edge.ask("GET", link).status == 302, "the end of the block")

        keys = load_keys(roles.data / "keys.json")
        choice = mint(keys, Token(TokenKind.PREFERENCES, UUID(sent["messages"][0]["id"])))
        assert edge.ask("POST", f"/p/{choice}", body=b"tracking=off").status == 200

        def clicks_in_silence() -> bool:
            assert edge.ask("GET", link).header("location") == PAGE
            return b'kind="click",outcome="silent"' in ops.ask("GET", "/metrics").body

        wait_for(clicks_in_silence, "the withdrawal")
