"""The units and the kinds of panels that dashboards here use: of Grafana's many, few.

Grafana takes a unit that it does not know for a suffix, and draws a panel of an unknown kind as an
error, both without a word when the file is read.
"""

from typing import Final

from grafana_foundation_sdk.models import units

UNITS: Final = frozenset({
    units.NoUnit, units.Short, units.PercentUnit, units.Seconds, units.EventsPerSecond,
    units.BytesIEC, units.DatetimeISO,
})  # fmt: skip
KINDS: Final = frozenset({"row", "stat", "timeseries", "heatmap", "state-timeline", "table"})
