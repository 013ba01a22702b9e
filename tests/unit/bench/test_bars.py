import pytest

from bench.bars import Bar, judge

CPU = "cpu_us_per_event"
ROUNDS = {
    "ours": [{CPU: 20.0}, {CPU: 90.0}, {CPU: 19.0}],
    "theirs": [{CPU: 300.0}, {CPU: 1350.0}, {CPU: 190.0}],
    "failed": [],
}


@pytest.mark.parametrize(("limit", "met"), [(20, True), (19.9, False)])
def test_the_median_of_the_rounds_is_what_counts(limit, met):
    """One round that was disturbed decides nothing."""
    judged = judge(Bar(what="CPU", figure=CPU, row="ours", at_most=limit), ROUNDS)

    assert (judged.measured, judged.met) == (20, met)
    assert judged.asked == f"at most {limit}"


@pytest.mark.parametrize(("limit", "met"), [(15, True), (15.1, False)])
def test_a_ratio_is_the_median_of_those_within_a_round(limit, met):
    """So many times less than another row."""
    bar = Bar(what="times less", figure=CPU, row="theirs", against="ours", at_least=limit)

    judged = judge(bar, ROUNDS)

    assert (judged.measured, judged.met) == (pytest.approx(15), met)
    assert judged.asked == f"at least {limit}"


@pytest.mark.parametrize(
    ("row", "against", "figure"),
    [
        ("failed", None, CPU),
        ("absent", None, CPU),
        ("ours", "failed", CPU),
        ("ours", "absent", CPU),
        ("ours", None, "growth_mb"),
    ],
)
def test_what_was_not_measured_is_neither_met_nor_missed(row, against, figure):
    """A row that failed or was not asked for must not look like a success."""
    bar = Bar(what="it", figure=figure, row=row, against=against, at_most=1e9)

    judged = judge(bar, ROUNDS)

    assert (judged.measured, judged.met) == (None, None)


def test_large_limits_are_told_in_full():
    """40,000, not 4e+04."""
    assert Bar(what="", figure="", row="", at_least=40_000).asked == "at least 40,000"
