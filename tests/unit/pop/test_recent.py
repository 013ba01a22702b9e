import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.recent import Failed, Recent
from pop_stream.pop.verdict import Reason

COUNTED = st.sampled_from([Reason.TRANSIENT, Reason.REJECTED, Reason.SLOW_DOWN])


def enter(recent: Recent, ended: Failed | None) -> None:
    """Enter one attempt; None stands for a success."""
    if ended is None:
        recent.succeeded()
    else:
        recent.failed(ended)


def after(*ended: Failed | None) -> Recent:
    """The last attempts, once these have ended."""
    recent = Recent()
    for one in ended:
        enter(recent, one)
    return recent


def failures(
    count: int,
    *,
    screens: int = 99,
    reason: Reason = Reason.TRANSIENT,
    status: int | None = None,
) -> list[Failed]:
    """Failures of the events of so many screens."""
    return [Failed(b"%d" % (n % screens), reason, status) for n in range(count)]


def test_nearly_everything_fails_when_gstv_is_down() -> None:
    """Fifteen failures of the last sixteen are an outage; fourteen are not."""
    assert after(*failures(14)).trouble is None
    assert after(*failures(15)).trouble is Reason.TRANSIENT
    assert after(*failures(8), None, *failures(7)).trouble is Reason.TRANSIENT
    assert after(*failures(8), None, None, *failures(7)).trouble is None


@pytest.mark.parametrize("screens", [1, 2])
def test_one_screens_events_may_all_be_bad(screens: int) -> None:
    """However many fail: with one screen or two it is their events that are bad."""
    assert after(*failures(200, screens=screens)).trouble is None


@pytest.mark.parametrize("status", [404, 410])
def test_on_everything_a_404_means_a_wrong_address(status: int) -> None:
    """Nobody's events are there: somebody has to mend the URL."""
    refused = failures(16, reason=Reason.REJECTED, status=status)

    assert after(*refused).trouble is Reason.MISCONFIGURED
    assert after(*refused[:14], None, None).trouble is None


@pytest.mark.parametrize("reason", [Reason.TRANSIENT, Reason.REJECTED, Reason.SLOW_DOWN])
def test_the_trouble_is_what_all_failures_have_in_common(reason: Reason) -> None:
    """Of several reasons together none is the whole truth: something fails for now."""
    same = failures(15, reason=reason, status=422)

    assert after(*same).trouble is reason
    assert after(*same, Failed(b"x", Reason.TRANSIENT)).trouble in {reason, Reason.TRANSIENT}


@settings(deadline=None)
@given(st.lists(st.none() | st.builds(Failed, st.just(b"screen"), COUNTED, st.just(500)),
                max_size=200))  # fmt: skip
def test_a_single_screens_failures_are_never_an_outage(ended: list[Failed | None]) -> None:
    """Whatever succeeds or fails in whatever order."""
    recent = Recent()
    for one in ended:
        enter(recent, one)
        assert recent.trouble is None


@settings(deadline=None)
@given(st.lists(st.none() | st.builds(Failed, st.binary(max_size=1), COUNTED, st.just(500)),
                max_size=100))  # fmt: skip
def test_the_failures_counted_are_those_of_the_last_sixteen(ended: list[Failed | None]) -> None:
    """No more and no fewer, so that a success need not be entered while there is none."""
    assert after(*ended).failures == sum(one is not None for one in ended[-16:])


@settings(deadline=None)
@given(
    st.lists(
        st.integers(1, 40) | st.builds(Failed, st.binary(max_size=1), COUNTED, st.just(500)),
        max_size=60,
    )
)
def test_successes_in_a_row_count_as_one_by_one(ended: list[int | Failed]) -> None:
    """However many are entered at once."""
    together, one_by_one = Recent(), Recent()
    for one in ended:
        if isinstance(one, Failed):
            together.failed(one)
            one_by_one.failed(one)
        else:
            together.succeeded(one)
            for _ in range(one):
                one_by_one.succeeded()
        assert together.failures == one_by_one.failures
        assert together.trouble == one_by_one.trouble
