"""What an edge makes of the snapshot: who is left alone, what is blocked; and that no state of the file can stop it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonanz.model import BLOCKED, HitKind, document_place, new_id
from resonanz.snapshot import IdSet, Snapshot, save_snapshot
from resonanz.tokens import Token, TokenKind, mint
from tests.kit.edges import Edge, running_edge
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

PAGE = "https://a.example/page"
KEY = "ab" * 32


class Told:
    """An edge that is told things by a snapshot, and its listener for operators."""

    def __init__(self, edge: Edge, ops: Edge) -> None:
        self.edge = edge
        self.ops = ops
        self.file = edge.folder / "snapshot"

    def tell(self, **what: list[bytes]) -> None:
        """Write a snapshot of now, and wait until it is in use."""
        made = time.time_ns() // 1000
        save_snapshot(self.file, Snapshot(made, **{name: IdSet.of(ids) for name, ids in what.items()}))
        wait_for(lambda: self.metric("resonanz_edge_snapshot_timestamp_seconds") == made / 1e6, "the snapshot")

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        (line,) = [
            line for line in self.ops.ask("GET", "/metrics").body.decode().splitlines() if line.startswith(f"{name} ")
        ]
        return float(line.split()[1])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """An edge with one document, and no snapshot yet."""
    folder, ops_port = tmp_path_factory.mktemp("edge"), free_range(1)
    document = folder / "documents" / document_place(KEY)
    document.parent.mkdir(parents=True)
    document.write_bytes(b"contents")
    with running_edge(folder, ops_port=ops_port) as edge:
        yield Told(edge, Edge(folder, port=ops_port))


def hits_of(edge: Edge, id: bytes) -> list[tuple[HitKind, str]]:
    """What was recorded of one message: kinds, and what their bodies say."""
    return [(hit.kind, hit.body) for hit in edge.hits() if hit.id.bytes == id]


def test_who_allows_no_tracking_leaves_no_trace(told: Told) -> None:
    """Answers are the same; nothing is in the journal but what the person did themselves."""
    edge, quiet, other = told.edge, new_id(), new_id()
    told.tell(silent=[quiet.bytes])
    for id in (quiet, other):
        pixel = edge.ask("GET", edge.path(TokenKind.OPEN, id=id))
        click = edge.ask("GET", edge.path(TokenKind.CLICK, id=id, destination=PAGE))
        document = edge.ask("GET", edge.path(TokenKind.FILE, id=id, destination=KEY) + "/a.pdf")
        assert (pixel.status, click.status, click.header("location"), document.status) == (200, 302, PAGE, 200)
        assert edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=id), body=b"confirm=unsubscribe").status == 200
        assert edge.ask("POST", edge.path(TokenKind.PREFERENCES, id=id), body=b"tracking=on").status == 200
    acts = [HitKind.UNSUBSCRIBE, HitKind.PREFERENCES]
    assert [kind for kind, _ in hits_of(edge, quiet.bytes)] == acts
    assert [kind for kind, _ in hits_of(edge, other.bytes)] == [HitKind.OPEN, HitKind.CLICK, HitKind.FILE, *acts]
    metrics = told.ops.ask("GET", "/metrics").body.decode()
    assert 'resonanz_edge_requests_total{kind="click",outcome="silent"}' in metrics


@pytest.mark.parametrize(
    ("section", "recorded"), [("silent_opens", [HitKind.CLICK]), ("silent_clicks", [HitKind.OPEN])]
)
def test_opens_and_clicks_are_allowed_apart(told: Told, section: str, recorded: list[HitKind]) -> None:
    """Who refuses one of the two is still seen by the other."""
    edge, id = told.edge, new_id()
    told.tell(**{section: [id.bytes]})
    edge.ask("GET", edge.path(TokenKind.OPEN, id=id))
    edge.ask("GET", edge.path(TokenKind.CLICK, id=id, destination=PAGE))
    assert [kind for kind, _ in hits_of(edge, id.bytes)] == recorded


def test_blocked_links_lead_nowhere_and_are_on_record(told: Told) -> None:
    """A click and a document get a page without the destination; pixel and image a GIF; leaving still works; and when
    the block is lifted, all is as before."""
    edge, id = told.edge, new_id()
    click = edge.path(TokenKind.CLICK, id=id, destination=PAGE)
    document = edge.path(TokenKind.FILE, id=id, destination=KEY) + "/a.pdf"
    view = f"/v/{mint(edge.keys, Token(TokenKind.VIEW, id))}"
    image = f"/i/{mint(edge.keys, Token(TokenKind.FILE, id, destination='https://a.example/i.png'))}"
    told.tell(blocked=[id.bytes])
    for path in (click, document, view):
        answer = edge.ask("GET", path)
        assert (answer.status, answer.header("location"), answer.header("cache-control")[:8]) == (410, None, "no-store")  # type: ignore[index]
        assert b"withdrawn" in answer.body
        assert b"a.example" not in answer.body
        head = edge.ask("HEAD", path)
        assert (head.status, head.body) == (410, b"")
    for path in (image, edge.path(TokenKind.OPEN, id=id)):
        assert edge.ask("GET", path).header("content-type") == "image/gif"
    assert edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=id), body=b"confirm=unsubscribe").status == 200
    assert hits_of(edge, id.bytes)[::2] == [
        (HitKind.CLICK, BLOCKED),
        (HitKind.FILE, BLOCKED),
        (HitKind.OPEN, ""),
        (HitKind.UNSUBSCRIBE, "page"),
    ]
    told.tell()
    assert edge.ask("GET", click).header("location") == PAGE
    assert edge.ask("GET", document).body == b"contents"


def test_an_anonymous_mail_is_blocked_by_its_submission(told: Told) -> None:
    """Links without a name carry the submission's id; blocking reaches them too."""
    edge, submission = told.edge, new_id()
    told.tell(blocked=[submission.bytes])
    assert edge.ask("GET", edge.path(TokenKind.CLICK, id=submission, anonymous=True, destination=PAGE)).status == 410


def test_the_last_good_snapshot_outlives_its_file(told: Told) -> None:
    """Damaged, cut off or gone: the edge goes on with what it knows, and says so; a good one is taken up again."""
    edge, id = told.edge, new_id()
    click = edge.path(TokenKind.CLICK, id=id, destination=PAGE)
    told.tell(blocked=[id.bytes])
    content = told.file.read_bytes()
    for damage in (content[:-1], b"something else"):
        told.file.write_bytes(damage)
        wait_for(lambda: told.metric("resonanz_edge_snapshot_usable") == 0, "the damage to be noticed")
        assert edge.ask("GET", click).status == 410
        told.tell(blocked=[id.bytes])
    told.file.unlink()
    wait_for(lambda: told.metric("resonanz_edge_snapshot_usable") == 0, "the loss to be noticed")
    assert edge.ask("GET", click).status == 410
    health = told.ops.ask("GET", "/healthz")
    assert health.status == 200
    assert b"the snapshot cannot be taken up: the file is gone" in health.body
    assert "edge.snapshot_not_usable" in edge.log()
    told.tell()
    assert told.metric("resonanz_edge_snapshot_usable") == 1
    assert told.ops.ask("GET", "/healthz").body == b"ok\n"


def test_an_edge_starts_without_a_snapshot_and_with_a_bad_one(tmp_path: Path) -> None:
    """No file, or one that is none, is no reason not to answer."""
    (tmp_path / "snapshot").mkdir(parents=True)
    with running_edge(tmp_path) as edge:
        assert edge.ask("GET", edge.path(TokenKind.CLICK, destination=PAGE)).status == 302
        assert len(edge.hits()) == 1
