import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from pop_stream.errors import EmbeddedKafkaError, UsageError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.topics import ensure
from tests.support.kafka import Outgoing, fresh_settings, produce, read_all, read_until
from tests.support.processes import exists, until

pytestmark = pytest.mark.kafka

#: Without whatever the developer has set.
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("POP_STREAM_")}


@contextmanager
def pop_stream(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run `pop-stream` in a process, and kill it at the end if it is still there."""
    with subprocess.Popen(
        [sys.executable, "-m", "pop_stream", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRON | environ,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def descendants(pid: int) -> list[int]:
    """Give the children of a process, theirs, and so on."""
    listed = subprocess.run(
        ["/bin/ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    children = [int(line) for line in listed.stdout.split()]
    return children + [each for child in children for each in descendants(child)]


def test_temporary_kafka_leaves_nothing() -> None:
    """After `stop`, brokers and folder are gone; a second `stop` does nothing."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        pid, folder = kafka.brokers[0].pid, kafka.folder
        assert exists(pid)
        assert folder.exists()

    kafka.stop()

    assert not exists(pid)
    assert not folder.exists()


def test_kept_kafka_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Records survive in a folder that is kept, on other ports too."""
    options = LocalKafkaOptions(data_dir=tmp_path / "kafka, näher")
    with LocalKafka.start(options) as kafka:
        settings = fresh_settings(kafka.bootstrap_servers)
        asyncio.run(ensure(settings, partitions=1))
        records = [Outgoing(value=b"kept")]
        asyncio.run(produce(kafka.bootstrap_servers, settings.events_topic, records))

    with LocalKafka.start(options) as kafka:
        read = asyncio.run(read_all(kafka.bootstrap_servers, settings.events_topic))

    assert [record.value for record in read] == [b"kept"]


def test_folder_in_use_is_told(tmp_path: Path) -> None:
    """Two cannot run in one folder; the first is not disturbed, and its folder is free after it."""
    options = LocalKafkaOptions(data_dir=tmp_path / "kafka")
    with LocalKafka.start(options) as kafka:
        with pytest.raises(UsageError, match="is in use"):
            LocalKafka.start(options)
        kafka.wait_until_ready()

    LocalKafka.start(options).stop()


def test_three_brokers_lose_nothing_when_one_is_killed() -> None:
    """Two of three brokers serve on; the third comes back on its own port."""
    with LocalKafka.start(LocalKafkaOptions(brokers=3)) as kafka:
        settings = fresh_settings(kafka.bootstrap_servers)
        servers, topic = kafka.bootstrap_servers, settings.events_topic
        asyncio.run(ensure(settings, partitions=3))
        before = [Outgoing(value=b"%d" % n, partition=n % 3) for n in range(30)]
        asyncio.run(produce(servers, topic, before))
        victim = kafka.brokers[1]
        port, pid = victim.port, victim.pid

        victim.kill()

        assert not victim.is_running
        assert not exists(pid)
        after = [Outgoing(value=b"%d" % n, partition=n % 3) for n in range(30, 60)]
        asyncio.run(produce(servers, topic, after))
        victim.start()
        kafka.wait_until_ready()
        assert victim.port == port
        assert victim.pid != pid
        read = asyncio.run(read_until(servers, topic, 60))
        assert sorted(int(record.value or b"") for record in read) == list(range(60))


def test_broker_can_be_stopped_in_order() -> None:
    """`stop` ends a broker, `start` brings it back, and doing either twice does no harm."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        broker = kafka.brokers[0]
        broker.stop()
        broker.stop()
        assert not broker.is_running
        assert broker.knows() == frozenset()

        broker.start()
        broker.start()
        kafka.wait_until_ready()

        assert broker.knows() == {1}


def test_broker_that_does_not_come_up_is_told() -> None:
    """A broker that ends while it is waited for is an error with what it logged."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        broker = kafka.brokers[0]
        broker.stop()
        properties = kafka.folder / "broker-1" / "server.properties"
        properties.write_text(properties.read_text() + "process.roles=nonsense\n")
        broker.start()

        with pytest.raises(EmbeddedKafkaError, match=r"did not start: it ended.*nonsense"):
            kafka.wait_until_ready()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_all_codecs_are_there(kafka: str, codec: str) -> None:
    """The jars that were left out are none that a codec needs."""
    settings = fresh_settings(kafka)

    async def compress_in_the_broker() -> None:
        async with connected_admin(settings) as admin:
            configs = {"compression.type": codec}
            await admin.create_topics(
                [NewTopic(settings.events_topic, 1, 1, topic_configs=configs)]
            )
        await produce(kafka, settings.events_topic, [Outgoing(value=b"x" * 1000)])

    asyncio.run(compress_in_the_broker())


PARENT = """
import sys
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
kafka = LocalKafka.start(LocalKafkaOptions())
print(kafka.brokers[0].pid, kafka.folder, flush=True)
sys.stdin.read()
"""


def test_kill_of_the_parent_leaves_nothing() -> None:
    """SIGKILL of the process that started a Kafka ends it, and its folder goes."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRON,
    ) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split(maxsplit=1)
        assert exists(int(pid))

        parent.kill()

    until(lambda: not exists(int(pid)))
    until(lambda: not Path(folder.strip()).exists())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_up_says_the_address_and_ends_cleanly(number: int, code: int) -> None:
    """`kafka up` prints the address alone on stdout, serves, and leaves nothing when it ends."""
    with pop_stream("kafka", "up", "--port", "0") as process:
        assert process.stdout is not None
        servers = process.stdout.readline().strip()
        asyncio.run(ensure(fresh_settings(servers), partitions=1))
        brokers = descendants(process.pid)
        assert len(brokers) == 2

        process.send_signal(number)
        rest, said = process.communicate(timeout=60)

    assert process.returncode == code, said
    assert rest == ""
    assert "Traceback" not in said
    until(lambda: not any(exists(pid) for pid in brokers))


def test_up_ends_when_its_broker_does() -> None:
    """A broker that dies ends `kafka up` with an error, not with silence."""
    with pop_stream("kafka", "up", "--port", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        supervisor = descendants(process.pid)[0]
        (broker,) = descendants(supervisor)

        os.kill(broker, signal.SIGKILL)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "ended by itself" in said


def test_up_on_a_port_that_is_taken_says_so() -> None:
    """Nothing is started, and the exit code is that of wrong use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pop_stream("kafka", "up", "--port", str(port)) as process:
            output, said = process.communicate(timeout=60)

    assert (process.returncode, output) == (2, "")
    assert f"port {port} of 127.0.0.1 is taken" in said


def test_up_without_network_says_what_to_do(tmp_path: Path) -> None:
    """With nothing cached and no network, one message names the ways out; exit code 3."""
    offline = {
        "XDG_CACHE_HOME": str(tmp_path),
        "https_proxy": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "no_proxy": "",
        "NO_PROXY": "",
    }
    with pop_stream("kafka", "up", "--port", "0", **offline) as process:
        output, said = process.communicate(timeout=120)

    assert (process.returncode, output) == (3, "")
    assert "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS=" in said
    assert "docker run" in said
    assert "Traceback" not in said


def test_number_of_brokers_is_checked_before_anything_starts() -> None:
    """Two brokers are none that could lose one."""
    with pytest.raises(UsageError, match="1 or 3"):
        LocalKafka.start(LocalKafkaOptions(brokers=2))
