"""A report: what was asked for, what was read, and what was counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pop_stream.analysis.period import Played
from pop_stream.analysis.report.site_zones import SiteZones
from pop_stream.analysis.report.survey import Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read."""

    #: Topics or files, for people.
    name: str
    #: Offsets of topics, or lines of files.
    places: int
    #: Records that the selection does not mean.
    not_meant: int

    #: What `places` are.
    unit: str = "offsets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    source: Source
    asked: Sequence[str]
    period: Played | None
    zones: SiteZones
    gap_seconds: int
    counted: Counted
    made_at: datetime
    #: Why gaps and completeness are not told; None: they are.
    is_partial_because: str | None = None

    @property
    def empty_places(self) -> int:
        """Offsets that hold no record: deleted, or of transactions; empty lines of files."""
        return self.source.places - self.source.not_meant - self.counted.records

    @property
    def is_balanced(self) -> bool:
        """Whether every record is counted once, as one thing, and by every dimension."""
        counted = self.counted
        tallies = (
            counted.assets, counted.orders, counted.sites, counted.screens, counted.states,
            counted.hours, counted.utc_hours,
        )  # fmt: skip
        sums = {
            (sum(row.plays for row in tally.rows()), sum(row.seconds for row in tally.rows()))
            for tally in tallies
        }
        return (
            counted.is_balanced
            and sums <= {(counted.plays, counted.seconds)}
            and self.empty_places >= 0
        )
