"""Fixtures for all tests. Everything else that tests share stands in `tests/support/`."""

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from pop_stream.kafka.topics import ensure
from pop_stream.settings import Settings
from tests.support.kafka import fresh_settings
from tests.support.kafka_server import (
    docker_answers,
    docker_kafka,
    embedded_kafka,
    kafka_for_tests,
)

pytest_plugins = ["pytester", "tests.support.no_skips"]

PARTITIONS = 4

#: It keeps the cores busy for a minute: best beside tests of the whole system, which wait.
_BEGINS = Path(__file__).parent / "simulation" / "test_schedules.py"

#: Those whose level commands set; the first is the root.
_LOGGERS = (None, "pop_stream", "aiokafka")

# Its default deadline of 200 ms would make every property a test of the machine's load.
hypothesis.settings.register_profile("pop-stream", deadline=None)
hypothesis.settings.load_profile("pop-stream")


def pytest_configure() -> None:
    """Let children hear of Ctrl-C: a shell starts its background jobs deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a program that not everybody has; let the longest file begin.

    Else it is as the folders are: the small ones of tests/unit come last, and fill up what is left.
    """
    items.sort(key=lambda item: item.path != _BEGINS)
    for item in items:
        for need in ("kafka", "promtool", "alertmanager"):
            if need in getattr(item, "fixturenames", ()):
                item.add_marker(need)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer() -> Iterator[dict[str, str]]:
    """Keep the POP_STREAM_* variables of whoever runs the tests out of them; give them."""
    theirs = {name: value for name, value in os.environ.items() if name.startswith("POP_STREAM_")}
    with pytest.MonkeyPatch.context() as patch:
        for name in theirs:
            patch.delenv(name)
        yield theirs


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """Take back what a command did to the log of this process, which it took for its own."""
    before = [
        (logger, logger.level, [*logger.handlers]) for logger in map(logging.getLogger, _LOGGERS)
    ]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def kafka(_no_settings_of_the_developer: dict[str, str]) -> Iterator[str]:
    """The bootstrap servers of a real Apache Kafka, the same for the whole run.

    It is the one that POP_STREAM_TEST_KAFKA names, else one in Docker, else the embedded one.
    """
    with kafka_for_tests(
        _no_settings_of_the_developer,
        docker_answers=docker_answers,
        docker=docker_kafka,
        embedded=embedded_kafka,
    ) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus's own reader of rules and of PromQL."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool: it comes with Prometheus (Debian's package is `prometheus`)")
    return Path(found)


@pytest.fixture
def topics(kafka: str) -> Settings:
    """Settings with topics (of 4 partitions, created) and a group that no other test uses."""
    settings = fresh_settings(kafka)
    asyncio.run(ensure(settings, partitions=PARTITIONS, replication=1))
    return settings
