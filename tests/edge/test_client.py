"""Who is asking: headers are kept sparingly."""

from __future__ import annotations

from resonanz.edge.client import EVIDENCE, IMPERSONAL, evidence


def test_only_headers_that_speak_are_kept() -> None:
    """Cookies and the like are never stored, a Referer only as its origin, long values clipped."""
    headers = [
        (b"cookie", b"secret=1"),
        (b"authorization", b"Basic x"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"referer", b"https://mail.example.org/inbox/42?user=me"),
        (b"sec-purpose", b"prefetch"),
        (b"accept", b"x" * 5000),
    ]
    assert evidence(headers, EVIDENCE) == {
        "referer": "https://mail.example.org",
        "sec-purpose": "prefetch",
        "accept": "x" * 500,
    }
    assert evidence(headers, IMPERSONAL) == {"sec-purpose": "prefetch"}
    assert evidence([(b"referer", b"rubbish")], EVIDENCE) == {"referer": ""}
