"""What an outbox holds comes to Kafka, whatever happens meanwhile: on a real Kafka."""

import asyncio
import json
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from faults.proxy import Blackhole, CutAfter, Proxy, Refuse, Reset
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.topics import ensure
from pop_stream.player import Outbox
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.salvage import salvage
from pop_stream.player.sending import broker as broker_module
from pop_stream.player.sending.broker import Broker
from pop_stream.player.sending.sender import Conduct, Sender
from pop_stream.player.sending.store import Store
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.draining import arrived, draining, header, id_text, ids
from tests.support.eventually import eventually
from tests.support.filled_outbox import fill, pop_id_of, query, row, states, waiting
from tests.support.kafka import DEADLINE_SECONDS, fresh_settings

_EVENT = {"filename": "a.webm", "assetId": "5942", "siteId": "007", "screenId": "3"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of the test is."""
    return tmp_path / "pops.outbox"


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[tuple[LocalKafka, Proxy]]:
    """A Kafka whose connections can be treated badly."""
    with LocalKafka.start(LocalKafkaOptions(proxied=True)) as kafka:
        (broker,) = kafka.brokers
        assert broker.proxied is not None
        upstream = ("127.0.0.1", broker.proxied.port)
        with Proxy.start(upstream, port=broker.proxied.proxy_port, seed=7) as proxy:
            yield kafka, proxy


class Link:
    """Topics on that Kafka, seen through the proxy and past it."""

    def __init__(self, kafka: LocalKafka, proxy: Proxy) -> None:
        self.proxy = proxy
        self.direct = fresh_settings(kafka.bootstrap_servers)
        asyncio.run(ensure(self.direct, partitions=4, replication=1))
        servers = f"127.0.0.1:{proxy.port}"
        self.through = self.direct.model_copy(update={"kafka_bootstrap_servers": servers})


@pytest.fixture
def link(behind_proxy: tuple[LocalKafka, Proxy]) -> Iterator[Link]:
    """A sound link, and healed afterwards."""
    kafka, proxy = behind_proxy
    yield Link(kafka, proxy)
    proxy.heal()


class Sending:
    """A sender in a thread of its own, which does not wait long."""

    def __init__(self, settings: Settings, path: Path, **conduct: Any) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._settings, self._path = settings, path
        self._conduct = Conduct(follow=True, chance=lambda: 0.02, **conduct)
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        with Store(self._path) as store:
            kafka = Broker(self._settings, patience_seconds=2.0)
            self.sender = Sender(store, kafka, self._conduct)
            self._begun.set()
            await self.sender.run()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(DEADLINE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.sender.stop)
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()

    def has_sent(self, plays: int) -> None:
        """Wait until so many are confirmed."""
        eventually(lambda: self.sender.sent.plays >= plays, f"{plays} plays")


def acked(path: Path) -> int:
    """How many rows are confirmed."""
    return states(path).get(State.ACKED, 0)


def test_in_calm_times_everything_arrives_once_with_all_that_is_known(
    topics: Settings, path: Path
) -> None:
    """Bytes, key and headers; screen by screen in their order."""
    with Outbox(path, zone="America/Chicago") as outbox:
        for n in range(100):
            event = _EVENT | {"screenId": str(n % 4), "x": n}
            with outbox.play(event, headers={"own": f"ü{n}"}):
                pass
        cut_off = outbox.start(_EVENT)
    done = run_command(topics, "player", "drain", "--outbox", path, "--json")
    records = arrived(topics)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["confirmed"], told["left"], told["aside"]) == (101, 0, 0)
    assert len(records) == len(ids(topics)) == 101
    assert states(path) == {State.ACKED: 101}
    by_id = {header(each, "pop-id"): each for each in records}
    assert header(by_id[cut_off.pop_id], "pop-interrupted") == "true"
    first = next(each for each in records if header(each, "own") == "ü0")
    assert first.key == b"007/0"
    assert json.loads(first.value or b"")["x"] == 0
    assert {name for name, _ in first.headers} == {
        "pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz",
        "pop-utcoffset", "pop-clock", "pop-mono-ms", "own",
    }  # fmt: skip
    for partition in range(4):
        of_it = [each for each in records if each.partition == partition]
        for key in {each.key for each in of_it}:
            seqs = [int(header(each, "pop-seq")) for each in of_it if each.key == key]
            assert seqs == sorted(seqs)


def test_a_kill_loses_nothing_and_repeats_only_what_was_leased(
    topics: Settings, path: Path
) -> None:
    """Under the same ids, so that everybody behind can tell."""
    waiting(path, 20_000, screens=4)
    leased: set[str] = set()
    for _ in range(3):
        before = acked(path)
        with draining(topics, path, "--follow") as drain:
            eventually(lambda: acked(path) > before + 500, "some are confirmed")  # noqa: B023
            drain.kill()
        found = query(path, "SELECT seq, key FROM plays WHERE state = 2")
        leased |= {id_text((seq - 1) * 4 + int(key[2:])) for seq, key in found}
    assert run_command(topics, "player", "drain", "--outbox", path).returncode == 0
    counts = ids(topics)

    assert counts.keys() == {id_text(n) for n in range(1, 20_001)}
    assert {each for each, count in counts.items() if count > 1} <= leased


def test_an_acknowledgement_that_is_lost_makes_one_duplicate(link: Link, path: Path) -> None:
    """The broker has the plays, and the sender does not know it."""
    waiting(path, 200)
    with Sending(link.through, path) as sending:
        sending.has_sent(200)
        link.proxy.apply(Blackhole(direction="down"))
        fill(path, [row(n) for n in range(201, 211)])
        eventually(lambda: len(ids(link.direct)) == 210, "the broker has them")
        # Only when it has given them up; what it asked meanwhile is answered then.
        eventually(lambda: states(path).get(State.READY), "they wait again")
        link.proxy.heal()
        sending.has_sent(210)
    counts = ids(link.direct)

    assert counts.keys() == {id_text(n) for n in range(1, 211)}
    assert {each for each, count in counts.items() if count > 1} <= {
        id_text(n) for n in range(201, 211)
    }
    assert max(counts.values()) == 2
    assert states(path) == {State.ACKED: 210}


def test_connections_that_break_again_and_again_lose_nothing(link: Link, path: Path) -> None:
    """Cut in the middle of requests and of answers."""
    waiting(path, 3000, screens=4)
    with Sending(link.through, path) as sending:
        sending.has_sent(16)
        link.proxy.apply(CutAfter((2_000, 60_000)))
        for _ in range(5):
            confirmed = sending.sender.sent.plays
            eventually(
                lambda: sending.sender.sent.plays > min(confirmed, 2999),  # noqa: B023
                "it goes on",
            )
            link.proxy.apply(Reset())
        link.proxy.heal()
        sending.has_sent(3000)

    assert ids(link.direct).keys() == {id_text(n) for n in range(1, 3001)}
    assert states(path) == {State.ACKED: 3000}


def test_kafka_is_waited_for_however_long_it_is_away(link: Link, path: Path) -> None:
    """Meanwhile everything waits in the outbox, as ready as before."""
    waiting(path, 50)
    link.proxy.apply(Refuse())
    with Sending(link.through, path) as sending:
        eventually(lambda: sending.sender._reconnects.tries > 1, "it was tried in vain")
        assert states(path) == {State.READY: 50}
        link.proxy.heal()
        sending.has_sent(50)

    assert set(ids(link.direct).values()) == {1}


def test_without_kafka_it_says_so_and_leaves_everything(link: Link, path: Path) -> None:
    """Exit code 3."""
    waiting(path, 50)
    link.proxy.apply(Refuse())
    done = run_command(link.through, "player", "drain", "--outbox", path)

    assert done.returncode == 3
    assert "no Kafka can be reached" in done.stderr
    assert states(path) == {State.READY: 50}


def test_a_play_that_is_too_large_is_set_aside_and_the_rest_arrives(
    topics: Settings, path: Path
) -> None:
    """Alone, or in a pack; the exit code tells of it."""
    # Not to be compressed.
    large = {"body": json.dumps(secrets.token_hex(3 << 20)).encode()}
    pack = packed([row(n, **(large if n == 60 else {})) for n in range(50, 71)],
                  pop_id=pop_id_of(9000))  # fmt: skip
    fill(path, [*(row(n, **(large if n == 20 else {})) for n in range(1, 50)), pack,
                *(row(n) for n in range(71, 101))])  # fmt: skip
    done = run_command(topics, "player", "drain", "--outbox", path, "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["aside"] == 2
    assert ids(topics).keys() == {id_text(n) for n in range(1, 101) if n not in (20, 60)}
    aside = query(path, "SELECT seq, extra FROM plays WHERE state = 4 ORDER BY seq")
    assert aside == [(n, b'{"pop-error":"MessageSizeTooLargeError"}') for n in (20, 60)]


def test_a_topic_that_takes_little_gets_what_it_takes(kafka: str, path: Path) -> None:
    """What is refused is found among what is sent together."""
    settings = fresh_settings(kafka)
    make_topic(settings, {"max.message.bytes": "4000"})
    # Not to be compressed, so that only the one is too large.
    odd = json.dumps(secrets.token_hex(8000)).encode()
    fill(path, [row(n, **({"body": odd} if n == 333 else {})) for n in range(1, 501)])
    done = run_command(settings, "player", "drain", "--outbox", path)

    assert done.returncode == 1, done.stderr
    assert states(path) == {State.ACKED: 499, State.ASIDE: 1}
    assert ids(settings) == dict.fromkeys([id_text(n) for n in range(1, 501) if n != 333], 1)


def test_a_clock_that_is_wrong_keeps_no_play_back(
    kafka: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a topic that believes players' clocks, and refuses what comes from the future."""
    settings = fresh_settings(kafka)
    make_topic(settings, {"message.timestamp.type": "CreateTime",
                          "message.timestamp.after.max.ms": "3600000"})  # fmt: skip
    waiting(path, 100)
    in_two_days = time.time_ns() + 2 * 86400 * 10**9
    monkeypatch.setattr(broker_module.time, "time_ns", lambda: in_two_days)
    done = run_command(settings, "player", "drain", "--outbox", path)

    assert done.returncode == 0, done.stderr
    assert ids(settings) == dict.fromkeys([id_text(n) for n in range(1, 101)], 1)


def test_what_is_played_now_is_reported_during_a_long_backlog(topics: Settings, path: Path) -> None:
    """It does not wait for the days before it."""
    waiting(path, 5000)
    with (
        draining(topics, path, "--follow", "--rate", "200") as drain,
        Outbox(path, zone="UTC") as outbox,
    ):
        eventually(lambda: acked(path) > 100, "the backlog is being sent")
        with outbox.play(_EVENT) as play:
            pass
        eventually(lambda: play.pop_id in ids(topics), "the fresh one arrives")
        assert acked(path) < 4000
        assert drain.leaves() == 0


def test_plays_are_recorded_while_others_are_sent(topics: Settings, path: Path) -> None:
    """Two processes with one outbox: each play arrives once, and none is declared lost."""
    made: list[str] = []
    with draining(topics, path, "--follow") as drain:
        with Outbox(path, zone="UTC", wait_seconds=30.0, strict=True) as outbox:
            for n in range(300):
                with outbox.play(_EVENT | {"screenId": str(n % 3)}) as play:
                    made.append(play.pop_id)
        eventually(lambda: acked(path) == 300, "all are confirmed")
        assert drain.leaves() == 0

    assert ids(topics) == dict.fromkeys(made, 1)
    assert not [each for each in arrived(topics) if "pop-lost" in dict(each.headers)]


def test_damage_in_the_middle_is_mended_declared_and_outlived(topics: Settings, path: Path) -> None:
    """One play is lost, and the next of its screen says so."""
    waiting(path, 5000)
    with draining(topics, path, "--follow", "--rate", "1000") as drain:
        eventually(lambda: acked(path) > 100, "it is being sent")
        flip(path, b'"assetId":"4000"')
        eventually(lambda: acked(path) == 4999, "all the others are confirmed")
        with Outbox(path, zone="UTC") as outbox:
            assert outbox.start(_EVENT | {"siteId": "7", "screenId": "1"})
        eventually(lambda: acked(path) == 5000, "the one that tells of it, too")
        assert drain.leaves() == 0
    records = arrived(topics)

    assert {header(each, "pop-id") for each in records} >= {
        id_text(n) for n in range(1, 5001) if n != 4000
    }
    (told,) = [lost for each in records if (lost := dict(each.headers).get("pop-lost"))]
    assert [(each["first"], each["last"], each["reason"]) for each in json.loads(told)] == [
        (4000, 4000, "outbox-damaged")
    ]


def test_another_file_in_its_place_is_gone_on_with(topics: Settings, path: Path) -> None:
    """As the recorder puts it there when it finds damage first."""
    waiting(path, 6000)
    with draining(topics, path, "--follow", "--rate", "2000") as drain:
        for confirmed in (500, 2500, 4500):
            eventually(lambda: acked(path) > confirmed, "it is being sent")  # noqa: B023
            file = OutboxFile(path)
            with file.replacing():
                salvage(path)
            file.close()
        eventually(lambda: acked(path) == 6000, "all are confirmed")
        assert drain.leaves() == 0

    assert ids(topics) == dict.fromkeys([id_text(n) for n in range(1, 6001)], 1)


def test_only_one_sends(topics: Settings, path: Path) -> None:
    """The second one is told who does, and ends with 2; the first goes on."""
    waiting(path, 5)
    with draining(topics, path, "--follow") as drain:
        eventually(lambda: acked(path) == 5, "it sends")
        second = run_command(topics, "player", "drain", "--outbox", path)
        assert second.returncode == 2
        assert f"process {drain.pid} sends from it already" in second.stderr
        assert drain.leaves() == 0


def test_a_person_who_interrupts_it_is_told_so(topics: Settings, path: Path) -> None:
    """Exit code 130, and nothing is left leased."""
    waiting(path, 5000)
    with draining(topics, path, "--rate", "100") as drain:
        eventually(lambda: acked(path) > 0, "it sends")
        assert drain.leaves(signal.SIGINT) == 130
    found = states(path)

    assert State.LEASED not in found
    assert len(ids(topics)) == found[State.ACKED]


def test_a_service_without_an_outbox_yet_ends_well_when_it_is_told_to(
    topics: Settings, path: Path
) -> None:
    """As it does at any other time: systemd would call it failed."""
    with draining(topics, path, "--follow") as drain:
        log = path.with_name("drain.log")
        eventually(lambda: "outbox.awaited" in log.read_text(), "it waits for the outbox")
        assert drain.leaves() == 0


def test_what_is_resent_comes_again_under_its_pop_id(topics: Settings, path: Path) -> None:
    """To a Kafka that has lost what it had confirmed."""
    waiting(path, 20)
    for arguments in (("drain",), ("resend", "--all"), ("drain",)):
        done = run_command(topics, "player", arguments[0], "--outbox", path, *arguments[1:])
        assert done.returncode == 0, done.stderr

    assert ids(topics) == {id_text(number): 2 for number in range(1, 21)}
    assert states(path) == {State.ACKED: 20}


def test_no_outbox_is_said_to_be_none(topics: Settings, path: Path) -> None:
    """None is made, by whoever mistypes its name."""
    done = run_command(topics, "player", "drain", "--outbox", path)

    assert done.returncode == 2
    assert "there is no outbox" in done.stderr
    assert not path.exists()


def make_topic(settings: Settings, configs: dict[str, str]) -> None:
    """A topic of others, set up in their way."""

    async def make() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
        await admin.start()
        try:
            await admin.create_topics(
                [NewTopic(settings.events_topic, 2, 1, topic_configs=configs)]
            )
        finally:
            await admin.close()

    asyncio.run(make())


def flip(path: Path, where: bytes) -> None:
    """Turn a bit of the file, as a failing disk does: no program has written there."""
    with path.open("r+b") as file:
        at = file.read().index(where)
        file.seek(at + 3)
        byte = file.read(1)
        file.seek(at + 3)
        file.write(bytes([byte[0] ^ 4]))
