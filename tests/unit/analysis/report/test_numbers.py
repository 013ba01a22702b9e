"""Whether a day is complete, and whether it is final."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.report.numbers import Incomplete, Missing, Numbers, Why, count_numbers
from pop_stream.analysis.report.spill import Spill, SpilledNumber


def numbers(*rows: tuple[int, str, int | None, int | None]) -> Numbers:
    """What numbers tell, in whatever order they come: screen, boot, number, day."""
    with Spill() as spill:
        for row in rows:
            spill.add_number(SpilledNumber(*row))
        return count_numbers(spill.by_number())


def of(seqs: Sequence[int], day: int, *, screen: int = 1, boot: str = "b") -> list[
    tuple[int, str, int | None, int | None]
]:  # fmt: skip
    """Numbers of a day."""
    return [(screen, boot, seq, day) for seq in seqs]


def test_a_day_is_final_when_all_of_it_and_what_comes_next_is_here() -> None:
    """The day before begins with number 1; the last has nothing behind it yet."""
    found = numbers(*of(range(1, 10), 1), *of(range(10, 20), 2), *of(range(20, 30), 3))

    assert [found.days[day].is_final for day in (1, 2, 3)] == [True, True, False]
    assert found.days[3].why == {Why.NOTHING_LATER: 1}
    assert (found.seen, found.missing, found.ranges) == (29, 0, [])


def test_a_day_of_which_a_number_is_missing_is_open() -> None:
    """Highest less lowest plus one against what is here; the ranges are told."""
    found = numbers(*of([1, 2, 5, 6, 8], 1), *of([9, 10], 2), *of([11], 3))

    assert found.ranges == [Missing(1, "b", 3, 4, 1, 1), Missing(1, "b", 7, 7, 1, 1)]
    assert (found.missing, found.missing_ranges) == (3, 2)
    assert found.incomplete == [Incomplete(1, "b", 1, 11, 8)]
    day = found.days[1]
    assert (day.seen, day.missing, day.open_screens, day.why) == (5, 3, 1, {Why.MISSING: 1})
    assert found.days[2].is_final


def test_what_is_missing_between_days_keeps_both_open() -> None:
    """Nobody knows of which it is."""
    found = numbers(*of([1, 2], 1), *of([5, 6], 3), *of([7], 4))

    assert [found.days[day].missing_at_edge for day in (1, 2, 3)] == [2, 2, 2]
    assert [found.days[day].missing for day in (1, 2, 3)] == [0, 0, 0]
    assert not found.days[1].is_final
    assert not found.days[3].is_final


def test_a_day_before_which_nothing_is_here_is_open() -> None:
    """What came before may be of it, unless its first number is the first of all."""
    for first in (7, 2):
        found = numbers(*of([first, first + 1], 1), *of([first + 2], 2))
        assert found.days[1].why == {Why.NOTHING_EARLIER: 1}


def test_one_open_screen_keeps_the_day_open() -> None:
    """And it is said why, and of how many."""
    found = numbers(*of([1, 2], 1), *of([3], 2), *of([1, 3], 1, screen=2), *of([4], 2, screen=2),
                    *of([1], 1, screen=3))  # fmt: skip
    day = found.days[1]

    assert (day.screens, day.open_screens) == (3, 2)
    assert day.why == {Why.MISSING: 1, Why.NOTHING_LATER: 1}


def test_a_player_may_go_on_counting_after_it_began_anew() -> None:
    """Then what is missing between two boots is missing."""
    found = numbers(*of([1, 2], 1, boot="z"), *of([4, 5], 1, boot="a"), *of([6], 2, boot="a"))

    assert found.ranges == [Missing(1, "a", 3, 3, 1, 1)]
    assert not numbers(*of([1, 2], 1, boot="z"), *of([3], 2, boot="a")).days[1].why


def test_where_each_boot_begins_with_one_the_end_of_the_old_is_not_known() -> None:
    """So its last day is open for good; nothing is told to be missing."""
    found = numbers(*of([1, 2, 3], 1, boot="a"), *of([1, 2], 1, boot="b"), *of([3], 2, boot="b"))

    assert found.missing == 0
    assert found.days[1].why == {Why.ANEW: 1}


def test_events_without_numbers_keep_their_day_open() -> None:
    """Nothing can be said of them."""
    found = numbers((1, "", None, 1), (1, "", None, 1))

    assert (found.days[1].screens, found.days[1].seen) == (1, 0)
    assert found.days[1].why == {Why.NO_NUMBERS: 1}


def test_what_has_no_readable_time_is_here_all_the_same() -> None:
    """Its number is not missing."""
    assert numbers(*of([1, 3], 1), (1, "b", 2, None), *of([4], 2)).days[1].is_final
    # Before it, more may be missing: of the day of the next that has one.
    found = numbers((1, "b", 5, None), *of([6, 7], 1), *of([8], 2))
    assert found.days[1].why == {Why.NOTHING_EARLIER: 1}


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 20))
def test_missing_is_highest_less_lowest_plus_one_less_what_is_here(
    seqs: set[int], per_day: int
) -> None:
    """A number that comes again counts once; and the ranges hold just what is not here."""
    rows = [(1, "b", seq, seq // per_day) for seq in seqs]
    found = numbers(*rows, *rows)
    missing = {seq for one in found.ranges for seq in range(one.first, one.last + 1)}

    assert found.seen == len(seqs)
    assert found.missing == max(seqs) - min(seqs) + 1 - len(seqs) == len(missing)
    assert missing == set(range(min(seqs), max(seqs) + 1)) - seqs
    assert sum(day.missing for day in found.days.values()) <= found.missing
