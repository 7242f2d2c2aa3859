"""Reports that mail systems send about mail: what kind of report it is, whom it is about, what became of the mail.

Read in layers, the surest first: feedback reports (RFC 5965), read receipts (RFC 8098), delivery status notifications
(RFC 3464), notifications by providers, then the words of mail systems that follow no standard, and automatic replies
(RFC 3834). Whose mail it was is read apart from that: from a return path of ours, else from the Message-ID or a
tracking link of the returned copy. A report is foreign text: nothing in it is believed beyond what it says, and reading
one never raises.
"""

from resonanz.mail.reports.parts import MAX_BYTES
from resonanz.mail.reports.reading import read_report
from resonanz.mail.reports.report import OPT_OUT, REPLY, Report, ReportedRecipient, ReportKind
from resonanz.mail.reports.whose import find_message, find_token

__all__ = [
    "MAX_BYTES",
    "OPT_OUT",
    "REPLY",
    "Report",
    "ReportKind",
    "ReportedRecipient",
    "find_message",
    "find_token",
    "read_report",
]
