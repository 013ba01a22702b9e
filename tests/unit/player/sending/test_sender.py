import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pop_stream.errors import KafkaUnreachableError, PopStreamError, WorkFailedError
from pop_stream.player.outbox.packing import packed, unpacked
from pop_stream.player.outbox.row import State
from pop_stream.player.sending.lot import Answer, Fate, Refused
from pop_stream.player.sending.record import Record
from pop_stream.player.sending.sender import Conduct, Sender
from pop_stream.player.sending.store import Store
from tests.support.filled_outbox import damage, fill, pop_id_of, row, states, waiting
from tests.support.kafka import DEADLINE_SECONDS

Answering = Callable[[Record], Answer]


def confirming(_: Record) -> Answer:
    """A Kafka that takes everything."""
    return Fate.CONFIRMED


class FakeKafka:
    """Answers as it is told, lot by lot; the last answer is repeated."""

    def __init__(self, *answering: Answering) -> None:
        self.trouble: PopStreamError | None = KafkaUnreachableError("no Kafka can be reached")
        self.lots: list[list[Record]] = []
        self.disconnected = 0
        self.on_lot: Callable[[int], None] = lambda _: None
        self._answering = list(answering or (confirming,))

    async def send(self, records: Sequence[Record]) -> list[Answer]:
        self.lots.append(list(records))
        await asyncio.sleep(0)
        self.on_lot(len(self.lots))
        answering = self._answering.pop(0) if len(self._answering) > 1 else self._answering[0]
        return [answering(record) for record in records]

    async def disconnect(self) -> None:
        self.disconnected += 1

    @property
    def seqs(self) -> list[int]:
        """Which plays it has seen, in order."""
        return [int(dict(each.headers)["pop-seq"]) for lot in self.lots for each in lot]


def away(_: Record) -> Answer:
    """A Kafka that does not answer."""
    return Fate.UNKNOWN


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of the test is."""
    return tmp_path / "pops.outbox"


def drain(path: Path, kafka: FakeKafka, **conduct: object) -> Sender:
    """Send what waits."""

    async def run() -> Sender:
        with Store(path) as store:
            sender = Sender(store, kafka, Conduct(**conduct))  # type: ignore[arg-type]
            await sender.run()
            return sender

    return asyncio.run(run())


def follow(path: Path, kafka: FakeKafka, plays: int, **conduct: object) -> Sender:
    """Send what waits and what comes, until so many plays are confirmed."""

    async def run() -> Sender:
        with Store(path) as store:
            sender = Sender(store, kafka, Conduct(follow=True, **conduct))  # type: ignore[arg-type]
            running = asyncio.create_task(sender.run())
            async with asyncio.timeout(DEADLINE_SECONDS):
                while sender.sent.plays < plays:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
            sender.stop()
            await running
            return sender

    return asyncio.run(run())


def test_everything_that_waits_is_sent_once_and_confirmed(path: Path) -> None:
    """In lots that grow; at the end the outbox knows it."""
    kafka = FakeKafka()
    sender = drain(waiting(path, 3000), kafka)

    assert sorted(kafka.seqs) == list(range(1, 3001))
    assert [len(lot) for lot in kafka.lots][:5] == [16, 16, 32, 64, 128]
    assert states(path) == {State.ACKED: 3000}
    assert (sender.sent.plays, sender.sent.rows, sender.sent.aside) == (3000, 3000, 0)
    assert kafka.disconnected == 1


def test_an_empty_outbox_needs_no_kafka(path: Path) -> None:
    """Nobody is asked for anything."""
    kafka = FakeKafka()
    drain(fill(path, []), kafka)

    assert kafka.lots == []


def test_a_refused_play_holds_up_nobody(path: Path) -> None:
    """It is kept aside, and the rest is delivered."""

    def refusing(record: Record) -> Answer:
        is_poison = dict(record.headers)["pop-seq"] == b"7"
        return Refused("too large") if is_poison else Fate.CONFIRMED

    sender = drain(waiting(path, 100), FakeKafka(refusing))

    assert states(path) == {State.ACKED: 99, State.ASIDE: 1}
    assert sender.sent.aside == 1


def test_an_outage_ends_it_and_leaves_everything_as_it_was(path: Path) -> None:
    """What was confirmed is; the rest waits, that of the lot behind it, too."""
    kafka = FakeKafka(confirming, away)
    with pytest.raises(KafkaUnreachableError):
        drain(waiting(path, 500), kafka)

    assert states(path) == {State.ACKED: 16, State.READY: 484}
    assert len(kafka.lots) == 2


def test_an_outage_is_waited_for_when_it_is_to_go_on(path: Path) -> None:
    """Under the same ids, and first the plays that waited longest."""
    kafka = FakeKafka(confirming, away, away, confirming)
    sender = follow(waiting(path, 100), kafka, 100, chance=lambda: 0.001)

    assert states(path) == {State.ACKED: 100}
    assert sender.sent.plays == 100
    assert len(kafka.lots[2]) <= len(kafka.lots[1])
    assert kafka.lots[1][0].headers == kafka.lots[2][0].headers == kafka.lots[3][0].headers


def test_what_is_recorded_later_is_sent_when_it_is_to_go_on(path: Path) -> None:
    """Also behind an outbox that was empty."""
    kafka = FakeKafka()
    fill(path, [row(1)])

    def more(lots: int) -> None:
        if lots < 4:
            fill(path, [row(lots + 1)])

    kafka.on_lot = more
    follow(path, kafka, 4, idle_seconds=0.01)

    assert kafka.seqs == [1, 2, 3, 4]


def test_what_comes_while_it_is_sent_does_not_keep_it_going(path: Path) -> None:
    """Who asks for what waits now gets an end."""
    kafka = FakeKafka()
    waiting(path, 100)

    def more(lots: int) -> None:
        fill(path, [row(1000 + lots * 10 + n) for n in range(10)])

    kafka.on_lot = more
    drain(path, kafka)

    assert sorted(kafka.seqs)[:100] == list(range(1, 101))
    assert len(kafka.lots) < 10


def test_told_to_stop_it_writes_down_what_is_under_way(path: Path) -> None:
    """And takes nothing more."""
    kafka = FakeKafka()

    async def run() -> None:
        with Store(waiting(path, 5000)) as store:
            sender = Sender(store, kafka, Conduct(follow=True))
            kafka.on_lot = lambda lots: sender.stop() if lots == 3 else None
            await sender.run()

    asyncio.run(run())
    found = states(path)

    assert found[State.ACKED] == sum(len(lot) for lot in kafka.lots)
    assert State.LEASED not in found


def test_damage_in_the_middle_ends_it_only_when_the_rest_is_sent(path: Path) -> None:
    """What is under way is given back first, and then it goes on with the mended file."""
    kafka = FakeKafka()
    damage(waiting(path, 900), 300)
    drain(path, kafka)

    assert sorted(set(kafka.seqs)) == [n for n in range(1, 901) if n != 300]
    assert states(path) == {State.ACKED: 899}


def test_the_plays_of_a_pack_are_sent_one_by_one(path: Path) -> None:
    """And of a refused one the pack is rid."""
    pack = packed([row(n) for n in range(1, 301)], pop_id=pop_id_of(10_000))
    fill(path, [pack])

    def refusing(record: Record) -> Answer:
        return Refused("no") if dict(record.headers)["pop-seq"] == b"5" else Fate.CONFIRMED

    kafka = FakeKafka(refusing)
    sender = drain(path, kafka)

    assert kafka.seqs == [each.seq for each in unpacked(pack)]
    assert sender.sent.plays == 299
    assert states(path) == {State.ACKED: 1, State.ASIDE: 1}


def test_a_rate_is_kept(path: Path) -> None:
    """No more than half a second's worth comes together."""
    kafka = FakeKafka()
    drain(waiting(path, 60), kafka, rate=80.0)

    assert max(len(lot) for lot in kafka.lots) <= 48
    assert len(kafka.seqs) == 60


def test_what_is_confirmed_is_written_down_before_the_next_is_waited_for(path: Path) -> None:
    """A kill in between would send it once more."""
    kafka = FakeKafka()
    known: list[int] = []
    kafka.on_lot = lambda _: known.append(states(path).get(State.ACKED, 0))
    drain(waiting(path, 30), kafka, rate=20.0)
    before = [sum(len(lot) for lot in kafka.lots[:n]) for n in range(len(kafka.lots))]

    assert known[2:] == before[2:]


def test_an_outbox_that_takes_no_writing_is_tried_again(path: Path) -> None:
    """What the broker has is not sent twice meanwhile."""
    kafka = FakeKafka()

    async def run() -> None:
        with Store(waiting(path, 40)) as store:
            acked, failures = store.acked, iter([OSError("no space"), OSError("no space")])

            def failing(*args: object) -> None:
                for error in failures:
                    raise error
                acked(*args)  # type: ignore[arg-type]

            store.acked = failing  # type: ignore[method-assign, assignment]
            sender = Sender(store, kafka, Conduct(follow=False, disk_seconds=0.0))
            await sender.run()

    asyncio.run(run())

    assert sorted(kafka.seqs) == list(range(1, 41))
    assert states(path) == {State.ACKED: 40}


def test_an_outbox_that_never_takes_it_ends_it(path: Path) -> None:
    """With a word of what is wrong."""
    kafka = FakeKafka()

    async def run() -> None:
        with Store(waiting(path, 40)) as store:

            def failing(*_: object) -> None:
                raise OSError("Input/output error")

            store.acked = failing  # type: ignore[method-assign]
            await Sender(store, kafka, Conduct(disk_seconds=0.0)).run()

    with pytest.raises(WorkFailedError, match="Input/output error"):
        asyncio.run(run())
