"""pop-stream with ever more: events that wait, partitions, workers."""

from dataclasses import replace

from bench.bars import Bar
from bench.scenario import COSTS, Choice, Row, Scenario, times_the_cpu
from bench.variants import ONE_CORE, TWO_CORES, How, Topic, Variant

_SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
#: What a worker takes in before it has delivered anything (`max_held_events`).
_TAKEN_IN = 10_000


def growing(choice: Choice) -> Scenario:
    """Scenario f."""
    sizes = sorted({choice.topic(number) for number in _SIZES}, key=lambda topic: topic.events)
    smallest, largest = _name(sizes[0]), _name(sizes[-1])
    rows = [replace(_size(topic, choice), base=smallest) for topic in sizes]
    for number in (1, 8, 64):
        variant = Variant(topic=choice.topic(200_000, number))
        rows.append(Row(name=_count(number, "partition"), variant=variant, base="8 partitions"))
    shared = Variant(topic=choice.topic(1_000_000), cores=TWO_CORES, until=0.3)
    for number in (1, 2, 4):
        variant = replace(shared, workers=number)
        rows.append(Row(name=_count(number, "worker"), variant=variant, base="1 worker"))
    bars = [
        times_the_cpu(f"{largest}, times the CPU of {smallest}", largest, smallest, 1.15),
        times_the_cpu("64 partitions, times the CPU of 8", "64 partitions", "8 partitions", 1.15),
        times_the_cpu("4 workers together, times the CPU of 1", "4 workers", "1 worker", 1.25),
    ]
    return Scenario(
        title="more events that wait, more partitions, more workers",
        rows=rows,
        columns=COSTS,
        # One size is compared with nothing.
        bars=bars[smallest == largest :],
        notes=[
            (
                f"{smallest}: the worker has started, and has delivered 1,000 others. It is"
                " stopped (SIGSTOP) while these are written, and measured from its going on to the"
                " last one: it would take in most of them before measuring could begin."
            ),
            f"{largest}: one run, measured from the first tenth to the last event.",
            (
                "Workers: a part of the same backlog, on two cores, of which one worker fills one;"
                " measured when all share the partitions and a tenth of it has been delivered"
                " since. All else on one core."
            ),
        ],
        minutes=17,
    )


def memory(choice: Choice) -> Scenario:
    """Scenario j."""
    row = _size(choice.topic(_SIZES[-1]), choice)
    events = row.variant.topic.events
    rest = events - events // 5
    return Scenario(
        title=f"memory over {events:,} events",
        rows=[replace(row, once=True)],
        columns=(*(f"rss_mb_fifth_{n}" for n in range(1, 6)), "growth_mb", *COSTS),
        bars=[
            Bar(what="peak RSS, MB", figure="rss_mb", row=row.name, at_most=120),
            Bar(what=f"growth over the last {rest:,} events, MB", figure="growth_mb",
                row=row.name, at_most=1),
        ],
        rounds=1,
        notes=[
            (
                "On one core. Resident memory is looked at each second; shown are the medians of"
                " each fifth of the events. Growth is from the second fifth to the last; less than"
                " 1 MB counts as none. When scenario f is measured too, this is its run."
            )
        ],
        minutes=6,
    )  # fmt: skip


def _size(topic: Topic, choice: Choice) -> Row:
    """A backlog of that size; the largest is delivered to its end, once."""
    variant = Variant(topic=topic, cores=ONE_CORE)
    if topic.events <= _TAKEN_IN:
        return Row(name=_name(topic), variant=replace(variant, how=How.BURST))
    if topic == choice.topic(_SIZES[-1]):
        variant = replace(variant, until=1.0, most_seconds=900.0)
        return Row(name=_name(topic), variant=variant, once=True)
    return Row(name=_name(topic), variant=variant)


def _name(topic: Topic) -> str:
    return f"{topic.events:,} events"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
