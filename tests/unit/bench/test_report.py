from dataclasses import replace

import orjson

from bench.bars import Bar
from bench.report import Measured, as_json, as_markdown, as_rows
from bench.results import keep
from bench.scenario import COSTS, Row, Scenario
from bench.variants import Topic, Variant

ROWS = [
    Row(name=system, variant=Variant(system=system, topic=Topic(200_000)), base="naive-faust")
    for system in ("pop-stream", "naive-faust")
]
SCENARIO = Scenario(
    title="a backlog",
    rows=ROWS,
    columns=COSTS,
    bars=[Bar(what="CPU, us", figure="cpu_us_per_event", row="pop-stream", at_most=20)],
    notes=["On one core."],
    minutes=1,
)


def round_of(*, cpu_us, rate=1000.0, rss_mb=100.0, receiver_load=0.2, **more):
    """A round as a run may give it."""
    return {
        "events": 9000,
        "events_per_second": rate,
        "cpu_us_per_event": cpu_us,
        "rss_mb": rss_mb,
        "receiver_load": receiver_load,
        "other_load": 0.5,
        **more,
    }


def measured(*, failures=None, **rounds):
    """What was measured."""
    found = {name.replace("_", "-"): list(each) for name, each in rounds.items()}
    return Measured(
        key="a",
        scenario=SCENARIO,
        rounds={row.name: found.get(row.name, []) for row in ROWS},
        failures=failures or {},
        receivers=["nginx 1.2.3, one process"],
        seconds=90,
        versions={"python": "3.11.7"},
        machine={"cores": 2},
    )


def both():
    """Two rounds of both systems."""
    return measured(
        pop_stream=[round_of(cpu_us=20, rss_mb=90), round_of(cpu_us=30, rss_mb=95)],
        naive_faust=[round_of(cpu_us=200), round_of(cpu_us=300)],
    )


def test_every_row_is_one_object_with_the_promised_fields():
    """Scripts read `bench/results/latest.json`: its names are a contract."""
    found = as_rows(both())

    assert [one["system"] for one in found] == ["pop-stream", "naive-faust"]
    assert (
        found[0].items()
        >= {
            "scenario": "a",
            "row": "pop-stream",
            "events_per_second": 1000,
            "cpu_us_per_event": 25.0,
            "rss_mb": 92.5,
            "cpu_against_naive": 0.1,
            "cpu_times_the_base": 0.1,
            "cpu_us_per_event_spread": [20, 30],
            "in_flight": 64,
            "cores": 1,
            "receiver": "nginx 1.2.3, one process",
            "machine": {"cores": 2},
        }.items()
    )


def test_the_object_of_a_scenario_says_what_was_asked_and_whether_it_was_met():
    """Nobody has to compare by eye."""
    told = as_json(both())

    assert told["asked"] == [
        {"what": "CPU, us", "asked": "at most 20", "measured": 25.0, "met": False}
    ]
    assert [row["row"] for row in told["rows"]] == ["pop-stream", "naive-faust"]
    assert [len(row["rounds"]) for row in told["rows"]] == [2, 2]


def test_the_table_says_how_many_times_less():
    """The comparison is what the bench is there for."""
    table = as_markdown(both())

    assert "| pop-stream | 25.0 [20.0 to 30.0] | 1,000 [1,000 to 1,000] | 92 [90 to 95]" in table
    assert "| 10.0 times less than naive-faust |" in table
    assert "200,000 events in 12 partitions, 64 in flight." in table
    assert "Median of 2 interleaved rounds" in table


def test_the_table_says_what_was_not_met():
    """A limit that was missed stands out."""
    table = as_markdown(both())

    assert "| CPU, us | at most 20 | 25 | **no** |" in table
    assert "- On one core." in table
    assert "kept 0.50 to 0.50 cores busy" in table


def test_a_row_that_was_not_measured_is_compared_with_nothing():
    """A system may fail; the others are told all the same."""
    found = measured(
        naive_faust=[round_of(cpu_us=200)],
        failures={"pop-stream": "pop-stream ended by itself; it said:\nno broker answers"},
    )

    table = as_markdown(found)

    assert "| pop-stream | - | - | - | - |" in table
    assert "- Failed: pop-stream: pop-stream ended by itself." in table
    assert "| CPU, us | at most 20 | - | not measured |" in table
    ours = as_rows(found)[0]
    assert (ours["cpu_us_per_event"], ours["events_per_second"], ours["rss_mb"]) == (None,) * 3
    assert "cpu_times_the_base" not in ours


def test_a_receiver_that_held_systems_back_is_told():
    """Else a bottleneck elsewhere would be read as the worker's rate."""
    free = measured(pop_stream=[round_of(cpu_us=20, receiver_load=0.6)])
    busy = measured(pop_stream=[round_of(cpu_us=20, receiver_load=0.97)])

    assert "held the fastest system back" not in as_markdown(free)
    assert "held the fastest system back" in as_markdown(busy)


def test_a_scenario_is_kept_in_two_files(tmp_path):
    """One for programs, one for people."""
    told, table = keep(both(), tmp_path / "results")

    assert (told.name, table.name) == ("a.json", "a.md")
    assert orjson.loads(told.read_bytes()) == as_json(both())
    assert table.read_text() == as_markdown(both()) + "\n"


def test_the_table_names_who_was_left_out_and_why():
    """A table without a peer must not look as if nobody had thought of it."""
    made = replace(both(), left_out={"in-java": "there is no Java"})

    assert "- `in-java` was left out: there is no Java." in as_markdown(made)
    assert as_json(made)["left_out"] == {"in-java": "there is no Java"}
