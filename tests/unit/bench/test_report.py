from bench.figures import Round
from bench.report import Measured, as_json, as_markdown
from bench.scenarios import SCENARIOS


def round_of(*, cpu_us, rate=1000.0, rss_mb=100.0, receiver_load=0.2):
    """A round as a run may give it."""
    return Round(
        events=9000,
        events_per_second=rate,
        cpu_us_per_event=cpu_us,
        rss_mb=rss_mb,
        receiver_load=receiver_load,
        broker_cpu_us_per_event=3.0,
    )


def measured(**rounds):
    """What was measured, in scenario a."""
    return Measured(
        key="a",
        scenario=SCENARIOS["a"],
        receiver="nginx 1.2.3",
        rounds={name.replace("_", "-"): list(each) for name, each in rounds.items()},
        versions={"python": "3.11.7"},
        machine={"cores": 2},
    )


def test_every_system_is_one_object_with_the_promised_fields():
    """Scripts read `bench/results/latest.json`: its names are a contract."""
    found = as_json(
        measured(
            pop_stream=[round_of(cpu_us=20, rss_mb=90), round_of(cpu_us=30, rss_mb=95)],
            naive_faust=[round_of(cpu_us=200), round_of(cpu_us=300)],
        )
    )

    assert [one["system"] for one in found] == ["pop-stream", "naive-faust"]
    assert (
        found[0].items()
        >= {
            "scenario": "a",
            "events_per_second": 1000,
            "cpu_us_per_event": 25.0,
            "rss_mb": 95,
            "cpu_against_naive": 0.1,
            "cpu_us_per_event_spread": [20, 30],
            "in_flight": 64,
            "receiver": "nginx 1.2.3",
            "machine": {"cores": 2},
        }.items()
    )


def test_the_table_says_how_many_times_less():
    """The comparison is what the bench is there for."""
    table = as_markdown(
        measured(pop_stream=[round_of(cpu_us=20)], naive_faust=[round_of(cpu_us=250)])
    )

    assert "| pop-stream | 20.0 [20.0 to 20.0] | 12.5 times less |" in table
    assert "| naive-faust | 250.0 [250.0 to 250.0] | 1.00 times |" in table


def test_a_system_alone_is_compared_with_nothing():
    """`--systems pop-stream` is allowed."""
    alone = measured(pop_stream=[round_of(cpu_us=20)])

    assert "| pop-stream | 20.0 [20.0 to 20.0] | - |" in as_markdown(alone)
    assert as_json(alone)[0]["cpu_against_naive"] is None


def test_a_receiver_that_held_systems_back_is_told():
    """Else a bottleneck elsewhere would be read as the worker's rate."""
    free = measured(pop_stream=[round_of(cpu_us=20, receiver_load=0.6)])
    busy = measured(pop_stream=[round_of(cpu_us=20, receiver_load=0.97)])

    assert "held the fastest system back" not in as_markdown(free)
    assert "held the fastest system back" in as_markdown(busy)
