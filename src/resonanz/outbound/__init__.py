"""Questions that Resonanz asks of others: names in DNS. Nothing here is ever asked while a reader waits."""

from resonanz.outbound.dns import Resolver

__all__ = ["Resolver"]
