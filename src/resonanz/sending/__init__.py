"""Sending: taking mail in, the queue worker, and the transports that carry it out."""

from resonanz.sending.submit import Draft, Limits, Receipt, submit

__all__ = ["Draft", "Limits", "Receipt", "submit"]
