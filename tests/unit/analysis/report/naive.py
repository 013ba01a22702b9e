"""A report as somebody would write it who has all the memory and all the time."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pop_stream.analysis.event_view import EventView
from pop_stream.pop.event import REQUIRED_FIELDS

FORM = "%Y-%m-%d %H:%M:%S"


@dataclass
class NaiveReport:
    """What it counts."""

    plays: int = 0
    seconds: int = 0
    excluded: int = 0
    repeats: int = 0
    #: By dimension and name: plays, and seconds.
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    airtime: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, dimension: str, name: str, plays: int, seconds: int) -> None:
        """Count."""
        self.counts.setdefault(dimension, Counter())[name] += plays
        self.airtime.setdefault(dimension, Counter())[name] += seconds


def naive_report(events: Sequence[EventView]) -> NaiveReport:
    """Count events whose zones are not known: seconds are given to hours one by one."""
    report, ids = NaiveReport(), set()
    for event in events:
        times = _times(event.value)
        if times is None:
            report.excluded += 1
            continue
        fields, start, end = times
        length = int((end - start).total_seconds())
        report.plays += 1
        report.seconds += length
        report.repeats += event.pop_id in ids
        ids.add(event.pop_id)
        report.add("asset", fields["assetId"], 1, length)
        order = fields.get("ioNumber")
        report.add("order", order if isinstance(order, str) else "(none)", 1, length)
        report.add("site", fields["siteId"], 1, length)
        report.add("screen", f"{fields['siteId']}/{fields['screenId']}", 1, length)
        report.add("hour", start.strftime("%Y-%m-%d %H:00"), 1, 0)
        for second in range(length):
            at = start + timedelta(seconds=second)
            report.add("hour", at.strftime("%Y-%m-%d %H:00"), 0, 1)
    return report


def _times(value: bytes | None) -> tuple[dict[str, str], datetime, datetime] | None:
    try:
        fields = json.loads(value or b"")
        if not all(isinstance(fields[name], str) and fields[name] for name in REQUIRED_FIELDS):
            return None
        start, end = (datetime.strptime(fields[name], FORM).replace(tzinfo=UTC)
                      for name in ("startTimestamp", "endTimestamp"))  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
    return (fields, start, end) if timedelta() <= end - start <= timedelta(days=1) else None
