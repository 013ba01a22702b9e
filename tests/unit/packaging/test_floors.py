"""Nothing with a known hole is asked for, locked, installed, embedded, or compared with."""

import re
import xml.etree.ElementTree as ET
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from faust import streams
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pop_stream.kafka.jar_lock import KAFKA_VERSION, read_lock
from release.floors import FLOORS, IMPOSTORS, KAFKA_FLOOR, Floor, beneath
from release.graph import closure, read_project
from release.pins import LOCKS, ROOT, read_pins

SAID = {floor.name: f"{floor.name} >= {' / '.join(floor.lowest)}: {floor.why}" for floor in FLOORS}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_lock_has_a_version_with_a_known_hole(lock: Path) -> None:
    """Whatever is installed comes from one of them."""
    for pin in read_pins(lock):
        assert list(beneath({pin.name: pin.version})) == []


def test_what_runs_the_tests_is_above_the_floors() -> None:
    """What is installed, not what should be."""
    installed: dict[str, str] = {}
    for each in distributions():
        try:
            Version(each.version)
        except InvalidVersion:  # it is not of those that have a floor
            continue
        installed[canonicalize_name(each.name)] = each.version

    assert {floor.name for floor in FLOORS} <= installed.keys()
    assert list(beneath(installed)) == []


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.name)
def test_who_installs_without_a_lock_gets_none_either(floor: Floor) -> None:
    """The range in pyproject.toml begins at the floor or above it."""
    ranges = {canonicalize_name((r := Requirement(text)).name): r for text in read_project().base}
    lowest = [
        Version(each.version)
        for each in ranges[floor.name].specifier
        if each.operator in {">=", "==", "~="}
    ]

    assert any(floor.admits(str(version)) for version in lowest), SAID[floor.name]


def test_the_embedded_kafka_is_above_its_floor_and_each_jar_is_known_by_its_hash() -> None:
    """Brokers for development, but they run on people's machines."""
    jars = [jar for jar in read_lock() if jar.group == "org.apache.kafka"]

    assert {jar.version for jar in jars} == {KAFKA_VERSION}
    assert KAFKA_FLOOR.admits(KAFKA_VERSION), KAFKA_FLOOR.why
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in read_lock())


def test_the_kafka_of_the_composition_is_above_the_floor() -> None:
    """The one that the tests run on, too, so that people see what was tested."""
    compose: Any = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
    image, _, version = compose["services"]["kafka"]["image"].partition(":")

    assert image == "apache/kafka"
    assert KAFKA_FLOOR.admits(version), KAFKA_FLOOR.why
    assert version == KAFKA_VERSION


def test_the_peer_in_java_has_a_kafka_client_above_the_floor() -> None:
    """What it brings itself is below: so the version stands in its pom, where Maven prefers it."""
    of = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ET.parse(ROOT / "bench/peers/parallel_consumer/pom.xml")  # noqa: S314 - our own
    versions = [
        each.findtext("m:version", namespaces=of)
        for each in pom.iterfind("m:dependencies/m:dependency", of)
        if each.findtext("m:artifactId", namespaces=of) == "kafka-clients"
    ]

    assert len(versions) == 1
    assert KAFKA_FLOOR.admits(str(versions[0])), KAFKA_FLOOR.why


def test_faust_is_the_one_that_is_kept_and_compiled() -> None:
    """The package called `faust` is abandoned, and ours without its compiled parts skips events."""
    assert not IMPOSTORS & {pin.name for lock in LOCKS for pin in read_pins(lock)}
    assert not IMPOSTORS & closure(read_project().base).keys()
    assert getattr(streams, "_CStreamIterator", None) is not None


@pytest.mark.parametrize(
    ("version", "admitted"),
    [
        ("3.9.1", False), ("3.9.2", True), ("3.8.9", False), ("4.0.1", False), ("4.0.2", True),
        ("4.1.1", False), ("4.1.2", True), ("4.2.0", True), ("4.2.0rc1", False), ("5.0", True),
    ],
)  # fmt: skip
def test_a_floor_of_several_lines_is_judged_by_the_line(version: str, *, admitted: bool) -> None:
    """4.1.1 is newer than 4.0.2, and has the hole that 4.0.2 has not."""
    assert KAFKA_FLOOR.admits(version) is admitted


def test_what_is_too_old_or_anothers_is_told_with_the_reason() -> None:
    """A version below each floor, and the abandoned name."""
    old = {"aiohttp": "3.14.2", "orjson": "3.11.5", "faust-streaming": "0.15.1", "aiokafka": "0.12"}

    told = list(beneath({**old, "faust": "1.10.4", "requests": "0.1"}))

    assert [line.split()[0] for line in told] == [floor.name for floor in FLOORS] + ["faust"]
    assert "CVE-2026-69244" in told[0]
    assert "CVE-2025-67221" in told[1]
