"""What a refusal means: from reply code, enhanced status and prose to a reason, and whether the address is dead.

`hard` exactly when the address itself is dead: no such mailbox, no such domain, moved away, a domain that accepts no
mail. Everything else, a full mailbox or a policy against the sender, says nothing about the address and is `soft`.
Reports that come back and replies while sending are understood alike, by `understand`.
"""

from resonanz.mail.refusals.reasons import DEAD, MEANINGS, Meaning, Outcome, Reason
from resonanz.mail.refusals.understanding import Refusal, read_code, read_status, understand

__all__ = [
    "DEAD",
    "MEANINGS",
    "Meaning",
    "Outcome",
    "Reason",
    "Refusal",
    "read_code",
    "read_status",
    "understand",
]
