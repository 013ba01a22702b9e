"""One POST on its way through the mock."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from pop_stream.gstv.mock.attempt import Attempt
from pop_stream.gstv.mock.ledger import LedgerEntry
from pop_stream.gstv.mock.rules import Action


@dataclass(slots=True, eq=False)
class Post:
    """A POST whose body has been read and whose fate is decided, but not yet carried out."""

    attempt: Attempt
    action: Action
    #: Carries out the action towards the client.
    perform: Callable[[Action], None]
    #: Whether the client went away meanwhile.
    gone: bool = False

    def entry(self) -> LedgerEntry:
        """Make the ledger's line, just before the action is carried out."""
        attempt = self.attempt
        status = None if self.gone else self.action.answer_status
        return LedgerEntry(
            id=attempt.id,
            attempt=attempt.number,
            nth=attempt.nth,
            sha256=hashlib.sha256(attempt.body).hexdigest(),
            site_id=_text(attempt.fields.get("siteId")),
            screen_id=_text(attempt.fields.get("screenId")),
            decision="gone" if self.gone else self.action.decision,
            status=status,
            received_at=attempt.received_at,
            answered_at=None if status is None else time.time(),
            size=len(attempt.body),
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
