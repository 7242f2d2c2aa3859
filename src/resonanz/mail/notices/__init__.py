"""Notices to senders about what became of their mail: delivery status notifications (RFC 3464), plain words first."""

from resonanz.mail.notices.composing import Fate, Notice, compose_notice
from resonanz.mail.notices.wording import language_of

__all__ = ["Fate", "Notice", "compose_notice", "language_of"]
