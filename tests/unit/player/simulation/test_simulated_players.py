import asyncio
import json
from datetime import UTC, datetime
from hashlib import sha256
from io import FileIO
from itertools import count
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError
from aiokafka.structs import RecordMetadata

from pop_stream.errors import TopicsMissingError, WorkFailedError
from pop_stream.player.ledger import PlayerLedger, open_ledger
from pop_stream.player.simulation.outage import Outage
from pop_stream.player.simulation.players import Sending, SimulatedPlayers
from pop_stream.player.simulation.plays import Network, plays
from pop_stream.pop.identity import PopIdMaker, parse_pop_id
from tests.support.kafka import read_all

NETWORK = Network(
    sites=3, screens_per_site=2, seed=1, begins_at=datetime(2026, 3, 1, 12, tzinfo=UTC)
)


class OneRecord:
    """A batch with room for one record."""

    def __init__(self):
        self.records = []

    def append(self, *, timestamp, key, value, headers):
        """Take a record, if there is room."""
        assert timestamp is None
        if self.records:
            return None
        self.records.append((dict(headers)["pop-id"], key, value))
        return self


class ScriptedProducer:
    """Stands in for a broker whose answers are scripted: an error, None (confirm) or silence."""

    SILENCE = object()

    def __init__(self, script=()):
        self.script = list(script)
        self.sent = []

    def create_batch(self):
        """Make a batch."""
        return OneRecord()

    async def partitions_for(self, _topic):
        """All topics have one partition."""
        return {0}

    async def send_batch(self, batch, topic, *, partition):
        """Take a batch and answer as the script says; without a word in it, confirm."""
        offset = len(self.sent)
        self.sent += batch.records
        answer = self.script.pop(0) if self.script else None
        future = asyncio.get_running_loop().create_future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        elif answer is None:
            place = RecordMetadata(topic, partition, None, offset, 0, 0, 0)
            future.set_result(place)
        return future


def simulated(producer, ledger=None, *, topic="t", rate=0.0, patience=5.0, outage=None):
    """Put players before a producer, with ids that can be foretold."""
    ids = count(1)
    return SimulatedPlayers(
        producer,
        Sending(topic=topic, events_per_second=rate, patience_seconds=patience, outage=outage),
        make_pop_id=PopIdMaker(lambda: 1_700_000_000_000, lambda _: next(ids)),
        make_boot_id=lambda: f"boot-{next(ids)}",
        ledger=ledger,
    )


def test_events_reach_kafka_and_the_ledger(topics, tmp_path):
    """Through a real broker: each event is on the topic, with id, count and boot, and noted."""
    path = tmp_path / "ledger.ndjson"

    async def send():
        servers = topics.kafka_bootstrap_servers
        async with AIOKafkaProducer(
            bootstrap_servers=servers, acks="all", enable_idempotence=True
        ) as producer:
            with open_ledger(path) as ledger:
                players = simulated(producer, ledger, topic=topics.events_topic)
                sent = await players.send(plays(NETWORK, 500))
        return sent, await read_all(servers, topics.events_topic)

    sent, records = asyncio.run(send())
    noted = {line["id"]: line for line in map(json.loads, path.read_text().splitlines())}
    seen = {dict(record.headers)["pop-id"].decode(): record for record in records}

    assert (sent.events, len(records), len(noted)) == (500, 500, 500)
    assert seen.keys() == noted.keys()
    for pop_id, record in seen.items():
        headers = dict(record.headers)
        assert parse_pop_id(pop_id.encode()) == pop_id
        assert UUID(pop_id).version == 7
        assert int(headers["pop-seq"]) >= 1
        assert headers["pop-boot"]
        assert noted[pop_id] == {
            "id": pop_id,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "sha256": sha256(record.value).hexdigest(),
            "key": record.key.decode(),
        }


def test_events_of_a_screen_stay_in_order(topics):
    """On the topic, each screen's events count 1, 2, 3, all from one boot."""

    async def send():
        servers = topics.kafka_bootstrap_servers
        async with AIOKafkaProducer(
            bootstrap_servers=servers, acks="all", enable_idempotence=True
        ) as producer:
            await simulated(producer, topic=topics.events_topic).send(plays(NETWORK, 300))
        return await read_all(servers, topics.events_topic)

    screens = {}
    for record in asyncio.run(send()):
        headers = dict(record.headers)
        screens.setdefault(record.key, []).append((headers["pop-boot"], int(headers["pop-seq"])))

    assert len(screens) == 6
    for seen in screens.values():
        assert [number for _, number in seen] == list(range(1, 51))
        assert len({boot for boot, _ in seen}) == 1


def test_an_event_without_its_confirmation_is_sent_again_under_its_id():
    """A lost confirmation costs a copy with the same id and bytes, never an event."""
    producer = ScriptedProducer([None, KafkaTimeoutError(), KafkaTimeoutError(), None])
    sent = asyncio.run(simulated(producer).send(plays(NETWORK, 4)))
    ids = [pop_id for pop_id, *_ in producer.sent]

    assert (sent.events, sent.repeats) == (4, 2)
    assert len(ids) == 6
    assert len(set(ids)) == len(set(producer.sent)) == 4


def test_nothing_is_noted_before_it_is_confirmed(tmp_path):
    """An event whose confirmation never comes is in no ledger, and the players give up."""
    path = tmp_path / "ledger.ndjson"
    producer = ScriptedProducer([None, ScriptedProducer.SILENCE])
    with open_ledger(path) as ledger, pytest.raises(WorkFailedError, match="1 events waited"):
        asyncio.run(simulated(producer, ledger, patience=0.2).send(plays(NETWORK, 2)))

    assert len(path.read_text().splitlines()) == 1


def test_the_message_names_the_last_error():
    """Who gives up says what the broker said."""
    producer = ScriptedProducer([KafkaTimeoutError()] * 1000)
    with pytest.raises(WorkFailedError, match="KafkaTimeoutError"):
        asyncio.run(simulated(producer, patience=0.3).send(plays(NETWORK, 1)))


def test_a_missing_topic_is_named():
    """A topic that does not exist is said at once."""

    class NoTopic(ScriptedProducer):
        async def partitions_for(self, _topic):
            raise UnknownTopicOrPartitionError

    with pytest.raises(TopicsMissingError, match="no such topic: t;"):
        asyncio.run(simulated(NoTopic()).send(plays(NETWORK, 1)))


def test_stopped_players_take_no_more():
    """After a stop nothing new is sent, and what was sent is confirmed and counted."""
    producer = ScriptedProducer()
    players = simulated(producer)

    def stopping():
        for number, play in enumerate(plays(NETWORK, 100)):
            if number == 10:
                players.stop()
            yield play

    sent = asyncio.run(players.send(stopping()))

    assert sent.events == players.confirmed_events == len(producer.sent) == 10


def test_what_is_played_in_an_outage_is_sent_after_it_oldest_first():
    """Half of the time there is no contact: nothing is lost of that half, and all is in order."""
    producer = ScriptedProducer()
    outage = Outage(1 / 16, 1 / 8)
    played = list(plays(NETWORK, 32))
    sent = asyncio.run(simulated(producer, rate=128, outage=outage).send(played))

    assert (sent.events, sent.late) == (32, 16)
    assert [(key, value) for _, key, value in producer.sent] == [(p.key, p.body) for p in played]
    assert sent.seconds >= outage.contact_at(31 / 128) - 0.001


def test_the_ids_of_an_outage_are_as_old_as_their_plays():
    """How late an event comes is read from its id."""
    ages = []
    players = simulated(ScriptedProducer(), rate=128, outage=Outage(1 / 16, 1 / 8))
    make = players._make_pop_id

    def minted():
        ages.append(players.age_seconds)
        return make()

    players._make_pop_id = minted
    asyncio.run(players.send(plays(NETWORK, 16)))

    # The second half was played without contact, which comes back after an eighth of a second.
    assert all(age >= 1 / 8 - n / 128 - 0.002 for n, age in enumerate(ages) if n >= 8)


def test_a_full_disk_ends_the_run():
    """When the ledger cannot be written, the players say so instead of sending on unnoted."""
    with FileIO("/dev/full", "w") as full, pytest.raises(WorkFailedError, match="No space left"):
        asyncio.run(simulated(ScriptedProducer(), PlayerLedger(full)).send(plays(NETWORK, 5)))


def test_the_rate_bounds_the_sending():
    """At 100 events a second, 20 events cannot be sent in less than 0.19 s."""
    sent = asyncio.run(simulated(ScriptedProducer(), rate=100).send(plays(NETWORK, 20)))

    assert sent.seconds >= 0.18
