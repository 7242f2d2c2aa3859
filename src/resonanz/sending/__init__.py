"""Sending: taking mail in, the queue worker, and the transports that carry it out."""

from resonanz.sending.drafts import Draft, Limits, Receipt
from resonanz.sending.submit import submit

__all__ = ["Draft", "Limits", "Receipt", "submit"]
