from math import inf

import pytest

from grafana.lint.promql import (
    Binary,
    Call,
    Literal,
    Matcher,
    NotUnderstoodError,
    Selector,
    parse,
)
from grafana.lint.results import labels_of, most_series

LAG = "pop_stream_topic_lag_events"
ATTEMPTS = "pop_stream_delivery_attempts_total"


def test_a_selector_has_its_matchers_and_its_span() -> None:
    """Variables may stand in both."""
    assert parse('m{a=~"$job", b!="}"}[$__rate_interval] offset 5m') == Selector(
        "m", (Matcher("a", "=~", "$job"), Matcher("b", "!=", "}")), "$__rate_interval"
    )


def test_a_grouping_may_stand_before_or_after() -> None:
    """Prometheus takes both."""
    assert parse("sum by (a, b) (m)") == parse("sum(m) by (a, b)")
    assert parse("sum by (a, b) (m)") == Call("sum", (Selector("m", ()),), ("a", "b"))


def test_times_binds_more_than_plus() -> None:
    """And a function's arguments are read for themselves."""
    assert parse("a + 2 * time()") == Binary(
        "+", Selector("a", ()), Binary("*", Literal("2"), Call("time", ()))
    )


def test_the_labels_of_a_match_are_kept() -> None:
    """Those of `on` and of `group_left`."""
    match parse("a * on (x) group_left (y) b and on () c"):
        case Binary("and", Binary("*", labels=("x", "y")), labels=()):
            pass
        case other:
            pytest.fail(str(other))


@pytest.mark.parametrize(
    "broken", ["", "sum(", "a b", "m{a=}", "m{", "rate(m[5m)", "(m", "m)", "1 +", "{a='b'}", "m;"]
)
def test_what_is_no_promql_is_told_of(broken: str) -> None:
    """An error, never half a tree."""
    with pytest.raises(NotUnderstoodError):
        parse(broken)


@pytest.mark.parametrize(
    ("expression", "labels", "most"),
    [
        (f"sum({LAG})", set(), 1),
        (f"sum by (topic) ({LAG})", {"topic"}, 3),
        (f'sum by (topic) ({LAG}{{topic!~".*-failure"}})', {"topic"}, 2),
        (f"max by (topic, partition) ({LAG})", {"topic", "partition"}, inf),
        (f"topk(7, max by (partition) ({LAG}))", {"partition"}, 7),
        (f'sum by (outcome) (rate({ATTEMPTS}{{outcome!="delivered"}}[1m]))', {"outcome"}, 12),
        (f'sum by (outcome) (rate({ATTEMPTS}{{outcome=~"reset|auth"}}[1m]))', {"outcome"}, 2),
        ("pop_stream_in_flight_limit", {"job", "instance"}, inf),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])))", set(), 1),
        ("up and on (job) sum by (job) (up)", {"job", "instance"}, inf),
        ("1 - max(up)", set(), 1),
    ],
)
def test_labels_and_number_of_a_result_are_known_beforehand(
    expression: str, labels: set[str], most: float
) -> None:
    """As far as the table of metrics says what labels can be."""
    node = parse(expression)

    assert labels_of(node) == labels
    assert most_series(node) == most
