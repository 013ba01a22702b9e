"""Numbers in the rules that are times, or too large for a drill, and what stands for them there.

By an alert's name and severity, or by a record's name: what is replaced in its expression, by what.
A number that no longer stands there is an error.
"""

from collections.abc import Mapping
from typing import Final

NUMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "OldestUndeliveredTooOld/warning": {"> 300": "> 8"},
    "OldestUndeliveredTooOld/critical": {"> 900": "> 15"},
    "FailedEventsAwaitingRedrive/critical": {"24 * 3600": "60"},
    "RetriesLate/warning": {"> 300": "> 2"},
    "BacklogProbeBlind/critical": {"> 300": "> 5"},
    "MemoryHigh/warning": {"768 * 1024 * 1024": "250 * 1024 * 1024"},
    "RebalanceStorm/warning": {"> 5": "> 3"},
    "Saturated/warning": {"> 60": "> 3"},
    "job:pop_stream_delivery_slow:ratio_rate5m": {'le="60.0"': 'le="5.0"'},
    "job:pop_stream_delivery_slow:ratio_rate1h": {'le="60.0"': 'le="5.0"'},
    "NoTraffic/warning": {"> 120": "> 5"},
    "NoWorkers/critical": {"< 120": "< 5"},
}

#: These fire as long as all is well.
NEVER_QUIET: Final = frozenset({"Watchdog/info"})
