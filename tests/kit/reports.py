"""Reports as mail systems write them, with the fields a test cares about."""

from __future__ import annotations

from textwrap import dedent


def report(text: str) -> bytes:
    """Turn indented text into a message with CRLF line endings."""
    return dedent(text).lstrip("\n").replace("\n", "\r\n").encode()


def dsn(
    address: str, action: str, status: str, *, diagnostic: str = "", message_id: str = "<1@sender.example>"
) -> bytes:
    """A delivery status notification as Postfix writes it."""
    said = f"\n        Diagnostic-Code: smtp; {diagnostic}" if diagnostic else ""
    return report(
        f"""
        From: MAILER-DAEMON@mx.rcpt.example (Mail Delivery System)
        Subject: Delivery Status
        Message-ID: <report-{action}-{status}@mx.rcpt.example>
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

        --b1
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at host mx.rcpt.example.

        --b1
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.rcpt.example
        X-Postfix-Queue-ID: 4XyZ
        Arrival-Date: Mon,  4 May 2026 12:00:00 +0000 (UTC)

        Final-Recipient: rfc822; {address}
        Original-Recipient: rfc822;{address}
        Action: {action}
        Status: {status}{said}

        --b1
        Content-Type: text/rfc822-headers

        From: ada@sender.example
        To: {address}
        Message-ID: {message_id}
        Subject: Minutes

        --b1--
        """
    )
