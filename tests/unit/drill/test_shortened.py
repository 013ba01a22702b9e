"""How rules are made quick for a drill."""

import pytest

from drill.shortened import NotThereError, in_expression, key_of, seconds_of, shortened


@pytest.mark.parametrize(
    ("written", "quick"),
    [
        ("rate(x[5m])", "rate(x[5000ms])"),
        ("increase(x[1h]) > 100", "increase(x[60000ms]) > 100"),
        ("x[30m] offset 7d", "x[30000ms] offset 60000ms"),
        ("max_over_time(x[3d:1m])", "max_over_time(x[60000ms:1s])"),
        ("max_over_time(x[10m:])", "max_over_time(x[10000ms:])"),
        ("rate(x[10s])", "rate(x[5000ms])"),
        (
            'x{path="[5m]"} > 5 and job:ratio_rate5m > 1',
            'x{path="[5m]"} > 5 and job:ratio_rate5m > 1',
        ),
        ("x offset 1h30m", "x offset 60000ms"),
    ],
)
def test_times_become_a_sixtieth_within_bounds(written: str, quick: str) -> None:
    """And nothing else changes: no number, no name, no text."""
    assert in_expression(written) == quick


def test_durations_are_read_as_prometheus_reads_them() -> None:
    """In any of its units, also several together."""
    assert [seconds_of(text) for text in ("1h30m", "7d", "250ms", "1w")] == [
        5400, 604_800, 0.25, 604_800,
    ]  # fmt: skip


ALERT = {
    "alert": "Old",
    "expr": "age > 900 and rate(x[5m]) > 0",
    "for": "2m",
    "keep_firing_for": "1h",
    "labels": {"severity": "critical"},
}
RULES = {
    "groups": [
        {"name": "g", "interval": "30s", "rules": [ALERT, {"record": "r", "expr": "y[10m] > 60"}]}
    ]
}


def test_a_file_of_rules_is_made_quick_as_a_whole() -> None:
    """Waits and windows; and what is a time in disguise, where it is named."""
    quick = shortened(RULES, {"Old/critical": {"> 900": "> 15"}, "r": {"> 60": "> 1"}})

    assert quick == {
        "groups": [
            {
                "name": "g",
                "interval": "1s",
                "rules": [
                    {
                        **ALERT,
                        "expr": "age > 15 and rate(x[5000ms]) > 0",
                        "for": "2000ms",
                        "keep_firing_for": "15000ms",
                    },
                    {"record": "r", "expr": "y[10000ms] > 1"},
                ],
            }
        ]
    }
    assert ALERT["for"] == "2m", "what was read stays as it is"


def test_a_number_that_is_no_longer_there_is_an_error() -> None:
    """The list would else change nothing, and the alert never fire in a drill."""
    with pytest.raises(NotThereError, match=r"Old/critical: '> 800'"):
        shortened(RULES, {"Old/critical": {"> 800": "> 15"}})


def test_alerts_of_one_name_are_told_apart_by_their_severity() -> None:
    """A record has only its name."""
    assert key_of(ALERT) == "Old/critical"
    assert key_of({"record": "r", "expr": "1"}) == "r"
