"""An event as it was found, on a topic or in a file."""

from collections.abc import Sequence
from dataclasses import dataclass

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One event, and all that is known of its record."""

    #: Where it stands, for people.
    place: str
    value: bytes | None
    #: None: the record has none; see `is_record`.
    key: bytes | None = None
    headers: Headers = ()
    #: When Kafka stored it, in epoch milliseconds; -1: not known.
    stored: int = -1
    #: False: only the event is known, and nothing can be said of its key and its headers.
    is_record: bool = True
