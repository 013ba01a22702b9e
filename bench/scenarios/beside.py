"""pop-stream beside other ways to do the same."""

from dataclasses import replace

from bench.bars import Bar
from bench.scenario import COSTS, CPU, Choice, Row, Scenario
from bench.systems import BASE
from bench.variants import ALL_CORES, ONE_CORE, OURS, TWO_CORES, Behaviour, How, Topic, Variant

_VERTX = "parallel-consumer-vertx"
#: Asked of scenario a: how many times less CPU than they an event must cost.
_TIMES_LESS = {BASE: 13, _VERTX: 3.5}
#: Those that are measured on one core too.
_ON_ONE_CORE = (OURS, BASE, _VERTX)
#: Those that can have as many POSTs under way as they are told.
_CONCURRENT = (OURS, BASE, "aiokafka-aiohttp", _VERTX)


def instant(choice: Choice) -> Scenario:
    """Scenario a."""
    topic = choice.topic(400_000)
    places: dict[str, int | None] = {"one core": ONE_CORE, "two cores": TWO_CORES}
    if choice.all_cores:
        places = {"all cores": ALL_CORES}
    rows = [
        Row(
            name=f"{system}, {place}",
            variant=Variant(system=system, topic=topic, cores=cores),
            base=f"{BASE}, {place}",
        )
        for place, cores in places.items()
        for system in choice.systems
        if cores is not ONE_CORE or system in _ON_ONE_CORE
    ]
    *_, place = places
    ours = f"{OURS}, {place}"
    bars = [
        Bar(what=f"CPU, us an event, {place}", figure=CPU, row=ours, at_most=20),
        Bar(what=f"events/s, {place}", figure="events_per_second", row=ours, at_least=40_000),
    ]
    for system, least in _TIMES_LESS.items():
        what = f"times less CPU than {system}, {place}"
        bars.append(
            Bar(what=what, figure=CPU, row=f"{system}, {place}", against=ours, at_least=least)
        )
    return Scenario(
        title="a backlog, and a partner that answers at once",
        rows=rows,
        columns=COSTS,
        bars=bars,
        notes=[
            (
                "One core, two cores: what all processes share, Kafka and the receiver among them."
                " On two a busy system is slowed by what it keeps busy beside it, and a slow one is"
                " not. What is asked is asked of two."
            )
        ],
        minutes=9,
    )


def slow(choice: Choice) -> Scenario:
    """Scenario b."""
    variant = Variant(
        topic=choice.topic(300_000),
        behaviour=Behaviour(answers_after_seconds=0.05),
        in_flight=1024,
        cores=TWO_CORES,
    )
    what = "of what 1,024 in flight and 50 ms allow, which is 20,480/s"
    return Scenario(
        title="a backlog, and a partner that takes 50 ms",
        rows=_rows(choice, _CONCURRENT, variant),
        columns=("share_of_limit", *COSTS),
        bars=[Bar(what=what, figure="share_of_limit", row=OURS, at_least=0.9)],
        notes=["On two cores: one would be full before the limit is reached."],
        minutes=4,
    )


def latency(choice: Choice) -> Scenario:
    """Scenario c."""
    variant = Variant(
        how=How.STEADY,
        topic=choice.topic(12_000),
        behaviour=Behaviour(keeps_ledger=True),
        cores=TWO_CORES,
        events_per_second=1000.0,
    )
    return Scenario(
        title="1,000 events/s, from the player's send to the partner's receipt",
        rows=_rows(choice, (OURS, BASE, "aiokafka-aiohttp"), variant),
        columns=("p50_ms", "p99_ms", *COSTS),
        bars=[
            Bar(what="p50, ms", figure="p50_ms", row=OURS, at_most=2),
            Bar(what="p99, ms", figure="p99_ms", row=OURS, at_most=7),
        ],
        notes=[
            (
                "On two cores. Events are sent one by one, evenly. The time is noted just before"
                " each is handed to Kafka's client, and by the mock when it has read the body, on"
                " the same clock. The first three seconds do not count."
            )
        ],
        minutes=3,
    )


def start(choice: Choice) -> Scenario:
    """Scenario i."""
    variant = Variant(
        how=How.START,
        topic=Topic(1),
        behaviour=Behaviour(keeps_ledger=True),
        cores=TWO_CORES,
    )
    what = "seconds to the first delivery"
    return Scenario(
        title="from the start of the process to its first delivery",
        rows=[Row(name=row.name, variant=row.variant)
              for row in _rows(choice, (OURS, BASE), variant)],
        columns=("seconds_to_first", "cpu_seconds_to_first", "rss_mb"),
        bars=[Bar(what=what, figure="seconds_to_first", row=OURS, at_most=2.5)],
        rounds=5,
        notes=["On two cores. One event waits; the group is new, so nobody has to leave it first."],
        minutes=1,
    )  # fmt: skip


def _rows(choice: Choice, systems: tuple[str, ...], variant: Variant) -> list[Row]:
    found = choice.among(systems)
    base = BASE if BASE in found else None
    return [Row(name=each, variant=replace(variant, system=each), base=base) for each in found]
