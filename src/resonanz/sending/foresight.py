"""What of one mail will be measurable, foreseen from the mail, its recipient's provider, and what was seen before.

It changes nothing about the mail: it tells, beside the figures, why nothing may be seen where somebody reads.
"""

from __future__ import annotations

from resonanz.mail.gateways import Receiver
from resonanz.model import Coverage
from resonanz.store.opens import Past


def foresee(built: Coverage, receiver: Receiver, past: Past) -> Coverage:
    """Return the one thing that limits most what can be measured of a copy.

    `built` is what the mail itself tells, `past` what was seen of the recipient in earlier mails.
    """
    if built in (Coverage.NOT_TRACKED, Coverage.TEXT_ONLY):
        return built
    if receiver.strips:
        return Coverage.STRIPPING_DOMAIN
    if past.private and not past.opened:
        return Coverage.PRIVACY_CLIENT
    if past.blind >= BLIND_CLICKS and not past.opened and not past.private:
        return Coverage.IMAGES_LIKELY_BLOCKED
    if built is Coverage.TRACKABLE and receiver.name:
        return Coverage.GATEWAY_SCANNED
    return built


BLIND_CLICKS = 2  # mails of which a link was followed and no image fetched; one may be chance
