"""What happens in the demo: how the partner misbehaves, and which events are unfit for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

#: The mock's rules. A share is of events, not of attempts: an event keeps its fate.
PARTNER_RULES: list[dict[str, Any]] = [
    {"when": {"share": [0.00, 0.02]}, "then": {"status": 422, "body": "unknown asset"}},
    {"when": {"share": [0.02, 0.05], "nth": "<=2"}, "then": {"status": 503}},
    {"when": {"share": [0.05, 0.07], "nth": "<=2"}, "then": {"status": 500}},
    {"when": {"share": [0.07, 0.075], "nth": 1}, "then": {"reset": "after-read"}},
    {"when": {"share": [0.08, 0.12], "nth": 1}, "then": {"delay": [0.3, 1.0]}},
]
#: With an outage: when it begins, in seconds from the partner's start, and when it is over.
_OUTAGE = (6, 26)
#: The demo cannot wait for minutes: backoffs of the three retries, and the longest wait between
#: two probes.
RETRY_BACKOFF_SECONDS = (0.5, 1.0, 2.0)
PROBE_MOST_SECONDS = 4.0
#: How many of the events are unfit for the partner, at most and as a share.
_MOST_UNFIT = 6
_UNFIT_SHARE = 0.02
#: How long the players take, about.
_PRODUCING_SECONDS = 8.0
_LEAST_PER_SECOND = 20.0

_FIT = (
    '"filename":"Programming-WEATHER.webm","startTimestamp":"2026-01-31 09:15:02"'
    ',"endTimestamp":"2026-01-31 09:15:17","siteId":"1202","screenId":"3"'
)


def partner_rules(*, outage: bool) -> list[dict[str, Any]]:
    """Give the mock's rules; with `outage` it refuses everything for 20 s."""
    down = {"when": {"window": list(_OUTAGE)}, "then": {"status": 503}}
    return [down, *PARTNER_RULES] if outage else PARTNER_RULES


@dataclass(frozen=True, slots=True)
class UnfitEvent:
    """A record that no event can be read from: it must be quarantined."""

    key: bytes | None
    value: bytes | None


_UNFIT = (
    # Cut off in the middle, as by a full disk.
    UnfitEvent(b"1202/3", ("{" + _FIT)[:60].encode()),
    # Latin-1.
    UnfitEvent(b"1202/3", ("{" + _FIT + ',"assetId":"caf\u00e9"}').encode("latin-1")),
    # Without assetId.
    UnfitEvent(b"1202/3", ("{" + _FIT + "}").encode()),
    # A list.
    UnfitEvent(b"1202/3", ("[{" + _FIT + "}]").encode()),
    # A number for a text.
    UnfitEvent(b"1202/3", ("{" + _FIT + ',"assetId":7}').encode()),
    # Nothing at all.
    UnfitEvent(b"1202/3", None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Who produces how many of a run's events."""

    players: int
    unfit: int

    @property
    def players_per_second(self) -> float:
        """How fast the players produce, so that there is something to see."""
        return max(_LEAST_PER_SECOND, self.players / _PRODUCING_SECONDS)


def shares_of(events: int) -> Shares:
    """Divide the events of a run: one in fifty is unfit, six at most."""
    unfit = min(_MOST_UNFIT, int(events * _UNFIT_SHARE))
    return Shares(players=events - unfit, unfit=unfit)


def unfit_events(number: int) -> Iterator[UnfitEvent]:
    """Give that many unfit events, each kind in turn."""
    return islice(cycle(_UNFIT), number)
