"""Outages of the way to Kafka: players go on playing, and send later what they kept."""

import re
from dataclasses import dataclass
from typing import Final

from pop_stream.errors import UsageError

_SECONDS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_LENGTH: Final = r"(\d+(?:\.\d+)?)([smh]?)"
_is_outage = re.compile(f"{_LENGTH}/{_LENGTH}").fullmatch


@dataclass(frozen=True, slots=True)
class Outage:
    """Again and again no contact: at the end of each `every_seconds`, for `length_seconds`."""

    length_seconds: float
    every_seconds: float

    def contact_at(self, seconds: float) -> float:
        """When what was played then can be sent: at once, or when the outage is over.

        Both in seconds since the start.
        """
        within = seconds % self.every_seconds
        if within < self.every_seconds - self.length_seconds:
            return seconds
        return seconds - within + self.every_seconds


def parse_outage(text: str) -> Outage:
    """Read `LENGTH/EVERY`, like 30s/5m. Raises UsageError."""
    found = _is_outage(text)
    if found is None:
        raise UsageError(f"{text!r} is no outage: say LENGTH/EVERY, like 30s/5m")
    length, every = (
        float(found[n]) * _SECONDS[found[n + 1]] for n in (1, 3)
    )  # fmt: skip
    if not 0 < length < every:
        raise UsageError(f"{text!r}: an outage takes some time, and ends before the next begins")
    return Outage(length, every)
