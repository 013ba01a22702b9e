"""The list of parts is of the locks: nothing more, nothing less, and the same each time."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pop_stream.kafka.jar_lock import read_lock
from release.pins import LOCKS, ROOT, read_pins
from release.sbom import OtherEnvironmentError, bill_of_materials, moment

LOCK = LOCKS[0].read_text()


@pytest.fixture(scope="module")
def text() -> str:
    """The list as `make sbom` writes it."""
    return bill_of_materials(LOCK)


@pytest.fixture(scope="module")
def bom(text: str) -> Any:
    """The list, read."""
    return json.loads(text)


def test_it_is_what_cyclonedx_says_it_must_be(text: str) -> None:
    """By the standard's own schema, and the validator sees what is wrong."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)

    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"SHA-256"', '"SHA-257"', 1)) is not None


def test_its_parts_are_those_of_the_lock_and_the_jars(bom: Any) -> None:
    """By version and by each hash."""
    found = {each["purl"]: {one["content"] for one in each["hashes"]} for each in bom["components"]}
    packages = {
        f"pkg:pypi/{pin.name}@{pin.version}": set(pin.sha256) for pin in read_pins(LOCKS[0])
    }
    jars = {
        f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}": {jar.sha256} for jar in read_lock()
    }

    assert found == packages | jars
    assert {one["alg"] for each in bom["components"] for one in each["hashes"]} == {"SHA-256"}


def test_it_tells_what_is_always_there_from_extras_and_from_tools(bom: Any) -> None:
    """Whoever reads of a hole must know whether a worker has it."""
    scopes = {each["name"]: each["scope"] for each in bom["components"]}
    image = {pin.name for pin in read_pins(ROOT / "docker/requirements.lock")}

    assert {scopes[name] for name in ("faust-streaming", "aiohttp", "cramjam")} == {"required"}
    assert {scopes[name] for name in ("duckdb", "jgo", "kafka-clients")} == {"optional"}
    assert {scopes[name] for name in ("pytest", "pip-audit", "mypy", "litequeue")} == {"excluded"}
    # What the image is made of is needed, or one of its extras; colorama is for Windows.
    assert {name for name in image if scopes[name] == "excluded"} == {"colorama"}


def test_it_tells_who_needs_whom(bom: Any) -> None:
    """From pop-stream down to the last, and each reference is to a part."""
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bom["dependencies"]}
    parts = {each["bom-ref"]: each["name"] for each in bom["components"]}
    whole = bom["metadata"]["component"]["bom-ref"]
    seen: set[str] = set()
    waiting = [whole]
    while waiting:
        ref = waiting.pop()
        if ref not in seen:
            seen.add(ref)
            waiting.extend(needs[ref])

    assert {parts[ref] for ref in needs[whole]} >= {"faust-streaming", "duckdb", "jgo"}
    used = {each["bom-ref"] for each in bom["components"] if each["scope"] != "excluded"}
    assert seen - {whole} == {ref for ref in used if ref.startswith("pkg:pypi/")}


def test_the_same_locks_give_the_same_list_and_others_another(text: str) -> None:
    """No time and no chance, so that two releases can be compared; also in another process."""
    again = subprocess.run(
        [sys.executable, "-m", "release.sbom"],
        cwd=ROOT, env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shorter = LOCK.replace(f" \\\n    --hash=sha256:{read_pins(LOCKS[0])[0].sha256[0]}", "", 1)

    assert again.stdout == text
    assert "timestamp" not in json.loads(text)["metadata"]
    assert shorter != LOCK
    assert number_of(bill_of_materials(shorter)) != number_of(text)


def number_of(text: str) -> str:
    """The serial number of a list."""
    return str(json.loads(text)["serialNumber"])


def test_a_time_is_told_when_it_is_given() -> None:
    """By SOURCE_DATE_EPOCH, as builds have it."""
    assert moment({}) is None
    when = moment({"SOURCE_DATE_EPOCH": "1790000000"})
    assert when == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    told = json.loads(bill_of_materials(LOCK, when=when))["metadata"]["timestamp"]
    assert told == "2026-09-21T14:13:20+00:00"


def test_what_needs_whom_is_not_read_from_another_environment() -> None:
    """It would be told wrongly, or be missing, without a word."""
    other = LOCK.replace("aiohttp==3.14.5", "aiohttp==3.14.4")

    with pytest.raises(OtherEnvironmentError, match=r"aiohttp 3\.14\.4 is locked"):
        bill_of_materials(other)
