"""In which zone each site is."""

import pytest

from pop_stream.analysis.report.site_zones import parse_site_zones
from pop_stream.errors import UsageError


def test_a_list_names_the_zones_of_sites() -> None:
    """With a head or without one; others have the one of the flag, or none."""
    lines = ["siteId,zone", "1202,America/Chicago", '"0007", America/Denver ,Utah', ""]
    zones = parse_site_zones(lines, "America/New_York")

    named = [zones.clock(site) for site in ("1202", "0007", "9")]
    assert [clock and clock.zone.key for clock in named] == [
        "America/Chicago", "America/Denver", "America/New_York"
    ]  # fmt: skip
    assert len(zones.clocks) == 3
    assert zones.told() == "2 sites by a list, America/New_York for all others"
    assert parse_site_zones(lines, None).clock("9") is None


def test_sites_of_one_zone_share_a_clock() -> None:
    """Nothing is found out twice."""
    zones = parse_site_zones(["1,America/Chicago", "2,America/Chicago"], "America/Chicago")

    assert zones.clock("1") is zones.clock("2") is zones.clock("3")
    assert parse_site_zones(None, None).told() == "none is known"
    assert parse_site_zones(None, "UTC").told() == "UTC for all"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["1202"], "line 1: write siteId,zone"),
        (["siteId,zone", ",UTC"], "line 2: write siteId,zone"),
        (["1202,Mars"], "--sites, line 1: 'Mars' is no zone"),
        (["1202,UTC", "1202,America/Chicago"], "line 2: site '1202' has another zone above"),
        (['"1202,UTC'], "no CSV"),
    ],
)
def test_a_list_that_is_wrong_is_refused(lines: list[str], says: str) -> None:
    """With the line, before anything is read."""
    with pytest.raises(UsageError, match=says):
        parse_site_zones(lines, None)
