"""In which zone each site is, as a file or a flag says."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pop_stream.analysis.period import parse_zone
from pop_stream.analysis.report.local_time import SiteClock
from pop_stream.errors import UsageError


@dataclass(frozen=True, slots=True)
class SiteZones:
    """The clocks of sites. Sites of one zone share one."""

    by_site: Mapping[str, SiteClock] = field(default_factory=dict)
    #: Of every site that is not named; None: their zones are not known.
    otherwise: SiteClock | None = None

    def clock(self, site: str) -> SiteClock | None:
        """The clock of a site; None when its zone is not known."""
        return self.by_site.get(site, self.otherwise)

    @property
    def clocks(self) -> list[SiteClock]:
        """Every clock once."""
        every = [*self.by_site.values(), *([self.otherwise] if self.otherwise else [])]
        return list({id(clock): clock for clock in every}.values())

    def told(self) -> str:
        """What is known, for people."""
        named = len(self.by_site)
        sites = f"{named:,} site{'' if named == 1 else 's'} by a list"
        if self.otherwise is None:
            return sites if named else "none is known"
        rest = f"{self.otherwise.zone.key} for all{' others' if named else ''}"
        return f"{sites}, {rest}" if named else rest


def parse_site_zones(lines: Iterable[str] | None, zone: str | None) -> SiteZones:
    """Read lines of CSV, `siteId,zone`, and the zone of all other sites. Raises UsageError."""
    clocks: dict[str, SiteClock] = {}

    def clock(name: str, option: str) -> SiteClock:
        if name not in clocks:
            clocks[name] = SiteClock(parse_zone(name, option))
        return clocks[name]

    by_site: dict[str, SiteClock] = {}
    try:
        rows = list(csv.reader(lines or (), strict=True))
    except csv.Error as error:
        raise UsageError(f"--sites: no CSV: {error}") from error
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() == "siteid"):
            continue
        if len(cells) < 2 or not cells[0]:
            raise UsageError(f"--sites, line {number}: write siteId,zone like 1202,America/Chicago")
        found = clock(cells[1], f"--sites, line {number}:")
        if by_site.setdefault(cells[0], found) is not found:
            raise UsageError(f"--sites, line {number}: site {cells[0]!r} has another zone above")
    return SiteZones(by_site, clock(zone, "--site-zone") if zone else None)
