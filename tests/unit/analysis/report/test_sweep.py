"""Gaps, overlaps, and the same play twice."""

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.report.spill import Spill, SpilledPlay
from pop_stream.analysis.report.sweep import MOST_TOLD, Longest, Span, Swept, repeats, sweep

GAP = 100


def play(
    screen: int, start: int, length: int = 15, *, site: int = 1, asset: int = 1, pop_id: int = 0,
    is_sure: bool = True,
) -> SpilledPlay:  # fmt: skip
    """A play; each has an id of its own, unless one is given."""
    name = pop_id or hash((site, screen, start, asset)) % 2**64
    return SpilledPlay(site, screen, start, start + length, asset, 1, 1, name.to_bytes(16), is_sure)


def swept(*plays: SpilledPlay) -> Swept:
    """What is found in plays, in whatever order they come."""
    with Spill() as spill:
        for each in plays:
            spill.add_play(each)
        return sweep(spill.by_time(), gap_seconds=GAP)


def through(screen: int, begin: int, end: int, *, site: int = 1) -> list[SpilledPlay]:
    """Plays one after the other."""
    return [play(screen, start, 20, site=site) for start in range(begin, end, 20)]


def test_a_screen_without_a_play_while_others_play_has_a_gap() -> None:
    """From the end of its last play to the start of its next."""
    found = swept(*through(1, 0, 1000), *through(2, 0, 200), *through(2, 600, 1000))

    assert found.gaps.told() == [Span(2, 200, 600, 400)]
    assert found.overlaps.number == 0


def test_what_begins_late_or_ends_early_has_a_gap() -> None:
    """As measured by the first and the last play of its site."""
    found = swept(*through(1, 0, 1000), *through(2, 200, 600))

    assert set(found.gaps.told()) == {Span(2, 0, 200, 200), Span(2, 600, 1000, 400)}


def test_a_pause_of_the_whole_site_is_nobodys_gap() -> None:
    """It is closed; the first screen to play again makes no gap of the others' night."""
    found = swept(*through(1, 0, 400), *through(2, 0, 420), *through(1, 9000, 9400),
                  *through(2, 9060, 9400))  # fmt: skip

    assert found.gaps.number == 0


def test_of_a_night_only_the_time_counts_in_which_others_played() -> None:
    """A screen that is dark since before closing, and past opening."""
    found = swept(*through(1, 0, 400), *through(1, 9000, 9400), *through(2, 0, 200),
                  *through(2, 9200, 9400))  # fmt: skip

    assert found.gaps.told() == [Span(2, 200, 9200, 400)]


def test_other_sites_are_not_looked_at() -> None:
    """Each is open when it is open."""
    assert swept(*through(1, 0, 1000), *through(2, 600, 1000, site=2)).gaps.number == 0


def test_a_screen_alone_on_its_site_has_no_gap() -> None:
    """Nobody can tell it from a site that was closed."""
    assert swept(*through(1, 0, 200), *through(1, 600, 1000)).gaps.number == 0


def test_plays_that_overlap_on_one_screen_are_told() -> None:
    """By how much; one that ends where the next begins does not."""
    found = swept(play(1, 0), play(1, 15), play(1, 25), play(2, 20), play(1, 100, 50),
                  play(1, 110, 5))  # fmt: skip

    assert found.overlaps.told() == [Span(1, 25, 30, 5), Span(1, 110, 115, 5)]


def test_what_may_have_been_at_another_time_neither_overlaps_nor_leaves_a_gap() -> None:
    """It may have been there."""
    maybe = [play(2, start, 20, is_sure=False) for start in range(200, 600, 20)]
    found = swept(*through(1, 0, 1000), *through(2, 0, 200), *maybe, *through(2, 590, 990))

    assert found.gaps.number == found.overlaps.number == found.twice == 0


def test_the_same_play_twice_is_told_once_a_further_record() -> None:
    """With the same id or under another; another asset at the same time is no such thing."""
    found = swept(play(1, 0, pop_id=1), play(1, 0, pop_id=1), play(1, 0, pop_id=2),
                  play(1, 0, asset=2, pop_id=3))  # fmt: skip

    assert (found.twice, found.twice_under_another_id) == (2, 1)
    assert found.overlaps.number == 1


def test_a_repeat_is_whatever_has_an_id_that_was_there() -> None:
    """Wherever it was played."""
    with Spill() as spill:
        for each in (play(1, 0, pop_id=1), play(2, 50, pop_id=2), play(3, 99, pop_id=1)):
            spill.add_play(each)
        assert len(list(repeats(spill.repeated()))) == 1


def test_only_the_longest_are_kept_and_all_are_counted() -> None:
    """A year of gaps takes no more memory than a day of them."""
    spans = Longest()
    for seconds in range(MOST_TOLD + 50):
        spans.add(Span(1, 0, seconds, seconds))

    assert spans.number == MOST_TOLD + 50
    assert [span.seconds for span in spans.told()] == list(range(MOST_TOLD + 49, 49, -1))


_PLAYS = st.lists(
    st.builds(play, st.integers(1, 3), st.integers(0, 700), st.integers(0, 90),
              asset=st.integers(1, 2)),
    max_size=30,
)  # fmt: skip


@given(_PLAYS)
def test_gaps_are_those_that_a_look_at_every_second_finds(plays: Sequence[SpilledPlay]) -> None:
    """A second counts when its site plays, or pauses for no longer than a gap."""
    naive: set[Span] = set()
    ends = [each.end for each in plays]
    first, last = min((each.start for each in plays), default=0), max(ends, default=0)
    covered = {second for each in plays for second in range(each.start, each.end)}
    starts = {each.start for each in plays}
    closed: set[int] = set()
    pause: list[int] = []
    for second in range(first, last + 1):
        if second in covered or second in starts or second == last:
            if len(pause) > GAP:
                closed.update(pause)
            pause = []
        if second not in covered:
            pause.append(second)
    for screen in {each.screen for each in plays}:
        mine = sorted((each.start, each.end) for each in plays if each.screen == screen)
        reach = first
        for start, end in [*mine, (last, last)]:
            missed = len(set(range(reach, start)) - closed)
            if missed > GAP:
                naive.add(Span(screen, reach, start, missed))
            reach = max(reach, end)

    assert set(swept(*plays).gaps.told()) == naive


@given(_PLAYS)
def test_without_overlaps_no_two_plays_share_a_second(plays: Sequence[SpilledPlay]) -> None:
    """And with one, some do."""
    shares = any(
        a.screen == b.screen and (a.start, a.asset) != (b.start, b.asset)
        and a.start < b.end and b.start < a.end and a.end > a.start and b.end > b.start
        for a, b in combinations(plays, 2)
    )  # fmt: skip

    assert (swept(*plays).overlaps.number > 0) is shares
