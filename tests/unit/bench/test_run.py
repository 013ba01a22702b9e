import pytest

from bench import run
from bench.run import Runner, in_turn
from bench.scenario import COSTS, Row, Scenario
from bench.variants import Topic, Variant
from pop_stream.errors import WorkFailedError


class Stage:
    """Fills nothing, and says nothing."""

    def filled(self, _topic):
        """Every topic has the same name."""
        return "events"

    def say(self, text):
        """Nobody listens."""


def row(name, **more):
    """A row whose topic tells which it is."""
    return Row(name=name, variant=Variant(topic=Topic(len(name))), **more)


def table(*rows):
    """A scenario of these rows."""
    return Scenario(title="", rows=rows, columns=COSTS, minutes=1)


@pytest.fixture
def made(monkeypatch):
    """The runs that were made, by the topics of their rows; those of ten events fail."""
    made = []

    def measure(_stage, variant, name):
        made.append((variant.topic.events, name))
        if variant.topic.events == 10 and len(made) > 2:
            raise WorkFailedError("it fell over")
        return {"events": len(made)}

    monkeypatch.setattr(run, "measure", measure)
    return made


def test_nobody_is_always_the_first():
    """Who comes first in a round meets another machine than who comes last."""
    assert [in_turn("abc", number) for number in range(4)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"],
    ]  # fmt: skip


def test_rows_take_turns_and_each_run_has_a_name_of_its_own(made):
    """A name is a group: used twice, the second run would find nothing left."""
    found = Runner(Stage()).run(table(row("a"), row("bb")), 2)

    assert [events for events, _ in made] == [1, 2, 2, 1]
    assert len({name for _, name in made}) == 4
    assert {name: len(rounds) for name, rounds in found.rounds.items()} == {"a": 2, "bb": 2}
    assert not found.failures


def test_what_is_made_once_is_made_once_for_all_scenarios(made):
    """The second scenario shows the same run."""
    runner = Runner(Stage())
    first = runner.run(table(row("a"), row("bb", once=True)), 3)
    second = runner.run(table(row("bb", once=True)), 1)

    assert [events for events, _ in made].count(2) == 1
    assert first.rounds["bb"] == second.rounds["bb"]


def test_a_row_that_fails_is_out_and_the_others_go_on(made):
    """Its earlier rounds count no more: what fails now and then is not measured."""
    found = Runner(Stage()).run(table(row("a"), row("0123456789")), 3)

    assert found.failures == {"0123456789": "it fell over"}
    assert {name: len(rounds) for name, rounds in found.rounds.items()} == {
        "a": 3,
        "0123456789": 0,
    }
    assert [events for events, _ in made].count(10) == 2


def test_a_topic_that_cannot_be_written_fails_its_rows_only(made, monkeypatch):
    """Five million events may be too many for a disk, and ten thousand not."""

    def filled(_self, topic):
        if topic.events == 2:
            raise WorkFailedError("no room")

    monkeypatch.setattr(Stage, "filled", filled)
    found = Runner(Stage()).run(table(row("a"), row("bb")), 1)

    assert found.failures == {"bb": "no room"}
    assert [events for events, _ in made] == [1]
