import pytest

from bench.report import COLUMNS
from bench.scenario import Choice, minutes
from bench.scenarios import SCENARIOS, scenario
from bench.systems import BASE
from bench.variants import ALL_CORES, OURS, How
from pop_stream.settings import Settings

each_scenario = pytest.mark.parametrize("key", SCENARIOS)
#: Systems that a limit names, and that may not be there.
ELSEWHERE = ("parallel-consumer-vertx",)


@each_scenario
def test_names_are_those_of_rows(key):
    """A limit or a comparison of a row that is not there would never be seen to fail."""
    made = scenario(key, Choice())
    names = [row.name for row in made.rows]

    assert len(set(names)) == len(names)
    assert {row.base for row in made.rows if row.base} <= set(names)
    for bar in made.bars:
        for name in (bar.row, bar.against):
            assert name is None or name in names or name.startswith(ELSEWHERE)
        assert (bar.at_most is None) != (bar.at_least is None)


@each_scenario
def test_columns_have_headings(key):
    """A figure without one would end a run of minutes at its very end."""
    assert set(scenario(key, Choice()).columns) <= set(COLUMNS)


@each_scenario
def test_settings_are_those_of_pop_stream(key):
    """An unknown name would end the worker."""
    for row in scenario(key, Choice()).rows:
        assert {name for name, _ in row.variant.settings} <= set(Settings.model_fields)


@each_scenario
def test_no_topic_gets_more_than_was_wanted(key):
    """`--events` makes a run short, also where backlogs are compared."""
    made = scenario(key, Choice(events=20_000))

    assert max(row.variant.topic.events for row in made.rows) <= 20_000


@each_scenario
def test_all_cores_are_for_everything(key):
    """`--all-cores` leaves no row on one."""
    made = scenario(key, Choice(all_cores=True))

    assert {row.variant.cores for row in made.rows} == {ALL_CORES}
    assert len({row.variant for row in made.rows}) == len(made.rows)


@each_scenario
def test_ours_alone_can_be_measured(key):
    """`--systems pop-stream` is allowed everywhere."""
    rows = scenario(key, Choice(systems=(OURS,))).rows

    assert {row.variant.system for row in rows} == {OURS}


@pytest.mark.parametrize("key", ["a", "b", "c", "i"])
def test_others_stand_beside_us(key):
    """Our own figures alone tell little."""
    systems = {row.variant.system for row in scenario(key, Choice()).rows}

    assert {OURS, BASE} <= systems


def test_the_largest_backlog_and_the_memory_are_one_run():
    """Five million events take minutes."""
    (memory,) = scenario("j", Choice()).rows
    backlogs = [row for row in scenario("f", Choice()).rows if row.once]

    assert [row.variant for row in backlogs] == [memory.variant]
    assert memory.once
    assert memory.variant.topic.events == 5_000_000
    assert memory.variant.until == 1


def test_the_time_that_is_told_counts_a_run_once():
    """Scenario j alone takes its time; after f it takes none."""
    made = {key: scenario(key, Choice()) for key in "afj"}

    assert minutes([made["j"]]) == made["j"].minutes > 0
    assert minutes(made.values()) == made["a"].minutes + made["f"].minutes


def test_all_scenarios_take_less_than_an_hour():
    """Nobody would run them else."""
    assert minutes(scenario(key, Choice()) for key in SCENARIOS) <= 45


def test_a_backlog_that_is_taken_in_at_once_is_measured_as_a_whole():
    """What was taken in before the measuring would seem to cost nothing."""
    kinds = {row.name: row.variant.how for row in scenario("f", Choice()).rows}

    assert [name for name, how in kinds.items() if how is How.BURST] == ["10,000 events"]


def test_a_backlog_is_not_compared_with_itself():
    """Such a limit would always be met."""
    bars = scenario("f", Choice(events=10_000)).bars

    assert all(bar.row != bar.against for bar in bars)


def test_receipts_are_offered_once_there_are_some():
    """A scenario of a setting that is not there would fail."""
    assert ("h" in SCENARIOS) == ("receipts" in Settings.model_fields)
