from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.sending.isolation import Group, Isolation, Tried, Verdict
from pop_stream.player.sending.lot import Fate, Refused

Broker = Callable[[Group], Verdict]


def play(records: int, partitions: int, broker: Broker) -> tuple[Isolation, int, list[int]]:
    """Send a lot to a broker; with how many requests that took, and what it has in which order."""
    isolation = Isolation([Fate.UNKNOWN] * records)
    groups = [
        Group(tuple(range(first, records, partitions)), first)
        for first in range(min(partitions, records))
    ]
    requests, log = 0, []
    while groups:
        tried, stuck = [], set()
        for group in groups:
            requests += 1
            # Behind a batch that it refuses, a broker takes no further one of the same producer.
            verdict = Verdict.LOST if group.partition in stuck else broker(group)
            if verdict is Verdict.CONFIRMED:
                log += group.records
            else:
                stuck.add(group.partition)
            tried.append(Tried(group.records, group.partition, verdict, "because"))
        groups = isolation.after(tried)
    return isolation, requests, log


def refusing(poison: set[int], how: Verdict) -> Broker:
    """A broker that takes no batch with these in it."""
    return lambda group: how if poison.intersection(group.records) else Verdict.CONFIRMED


@given(st.integers(1, 60), st.integers(1, 5), st.sets(st.integers(0, 59)))
def test_what_is_refused_is_found_and_the_rest_gets_through(
    records: int, partitions: int, poison: set[int]
) -> None:
    """Each once, and each screen's in their order."""
    isolation, _, log = play(records, partitions, refusing(poison, Verdict.REFUSED))

    assert sorted(log) == [n for n in range(records) if n not in poison]
    for n, answer in enumerate(isolation.answers):
        assert answer == (Refused("because") if n in poison else Fate.CONFIRMED)
    for partition in range(partitions):
        of_it = [n for n in log if n % partitions == partition]
        assert of_it == sorted(of_it)


@given(st.integers(2, 200), st.data())
def test_one_refused_record_costs_few_requests(records: int, data: st.DataObject) -> None:
    """Halves, not one by one."""
    poison = data.draw(st.integers(0, records - 1))
    _, requests, _ = play(records, 1, refusing({poison}, Verdict.REFUSED))

    assert requests <= 3 * records.bit_length() ** 2


def test_a_broker_that_fails_over_one_record_keeps_the_others_no_longer() -> None:
    """It does not say why; but alone, again and again, while others get through, it is the one."""
    isolation, _, log = play(40, 1, refusing({7}, Verdict.SUSPECTED))

    assert isolation.answers[7] == Refused("because")
    assert len(log) == 39


def test_a_broker_that_fails_over_everything_is_ill_itself() -> None:
    """Nothing is set aside, and it is soon left in peace."""
    isolation, requests, _ = play(64, 2, lambda _: Verdict.SUSPECTED)

    assert set(isolation.answers) == {Fate.UNKNOWN}
    assert requests <= 64


def test_a_record_alone_with_an_ill_broker_is_not_blamed() -> None:
    """There is nothing to compare it with."""
    isolation, _, _ = play(1, 1, lambda _: Verdict.SUSPECTED)

    assert isolation.answers == [Fate.UNKNOWN]


def test_no_answer_ends_it() -> None:
    """That is an outage, and no matter of the records."""
    isolation, requests, _ = play(10, 2, lambda _: Verdict.LOST)

    assert isolation.answers == [Fate.UNKNOWN] * 10
    assert requests == 2


def test_what_is_known_before_is_not_touched() -> None:
    """Some records are not sent at all."""
    known: Sequence[Fate | Refused] = [Refused("too large"), Fate.UNKNOWN]
    isolation = Isolation(known)
    isolation.after([Tried((1,), 0, Verdict.CONFIRMED)])

    assert isolation.answers == [Refused("too large"), Fate.CONFIRMED]
