from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.kafka_server import VARIABLE, container_environment, kafka_for_tests


@contextmanager
def docker() -> Iterator[str]:
    """Stand in for Docker's Kafka."""
    yield "docker:1"


@contextmanager
def embedded() -> Iterator[str]:
    """Stand in for the embedded Kafka."""
    yield "embedded:1"


@pytest.mark.parametrize(
    ("environ", "answers", "expected"),
    [
        ({VARIABLE: "named:1"}, True, "named:1"),
        ({VARIABLE: ""}, True, "docker:1"),
        ({}, True, "docker:1"),
        ({}, False, "embedded:1"),
    ],
)
def test_the_named_kafka_goes_before_docker_and_docker_before_the_embedded_one(
    environ: dict[str, str], answers: bool, expected: str
) -> None:
    """Each of the three is taken when those before it are not there."""
    with kafka_for_tests(
        environ, docker_answers=lambda: answers, docker=docker, embedded=embedded
    ) as servers:
        assert servers == expected


def test_kafka_in_docker_is_set_up_like_the_embedded_one() -> None:
    """It listens on all of the container and tells clients the address outside."""
    environment = container_environment("localhost", 45_678)

    assert environment["KAFKA_LISTENERS"] == "PLAINTEXT://:9092,CONTROLLER://:9093"
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://localhost:45678"
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@127.0.0.1:9093"
    assert environment["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] == "0"
    assert "KAFKA_LOG_DIRS" not in environment
