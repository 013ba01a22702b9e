"""Which lines of a plan are done, and how they ended."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.replay.done import FAILED, SENT, Done, Ended, Lines, together

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)))


@given(spans)
def test_lines_are_a_set_of_numbers_that_takes_none_twice(
    given_spans: list[tuple[int, int]],
) -> None:
    """Whatever the order in which they come, and however they touch."""
    lines, numbers = Lines(), set[int]()
    for begin, length in given_spans:
        new = set(range(begin, begin + length))
        if new and not new & numbers:
            lines.add(begin, begin + length)
            numbers |= new
        else:
            with pytest.raises(ValueError, match="lines"):
                lines.add(begin, begin + length)
    assert {number for number in range(40) if number in lines} == numbers
    assert len(lines) == len(numbers)
    ends = [end for _, end in lines.spans()]
    assert not {begin for begin, _ in lines.spans()} & set(ends), "where two touch, they are one"


@given(st.dictionaries(st.integers(0, 20), st.sampled_from([SENT, "settled"])))
def test_outcomes_laid_together_are_the_outcomes(outcomes: dict[int, str]) -> None:
    """Nothing is added, and nothing falls between."""
    ended = together(sorted(outcomes.items()))
    again = {n: one.outcome for one in ended for n in range(one.begin, one.end)}

    assert again == outcomes
    assert sum(one.end - one.begin for one in ended) == len(outcomes)


def test_no_line_ends_twice() -> None:
    """Not even in another way."""
    done = Done()
    done.add(Ended(SENT, 0, 10))
    with suppress(ValueError):
        done.add(Ended(SENT, 9, 11))
        raise AssertionError("it was taken")
    assert (len(done), 9 in done, 10 in done) == (10, True, False)


def test_what_failed_can_be_forgotten() -> None:
    """And nothing else."""
    done = Done()
    for outcome, begin in ((SENT, 0), (f"{FAILED}: 500", 2), (f"{FAILED}: timeout", 4)):
        done.add(Ended(outcome, begin, begin + 2))
    assert done.errors == 4
    done.forget_errors()

    assert done.counts == {SENT: 2}
    assert done.errors == 0
