"""The image and the composition: as far as they can be judged without a Docker engine."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pop_stream.cli.main import cli
from pop_stream.settings import SETTINGS, Settings

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "pop-stream"}
IMAGE = (DOCKER / "Dockerfile").read_text()


def program(name: str) -> str:
    """A program of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


def test_the_composition_is_one() -> None:
    """As the Compose specification has it."""
    command = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec",
               str(DOCKER / "compose.yaml")]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stdout + told.stderr


def test_the_image_is_written_as_it_should_be() -> None:
    """Hadolint has nothing to say."""
    told = subprocess.run(
        [program("hadolint"), str(DOCKER / "Dockerfile")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout


def test_the_image_is_not_root_and_knows_whether_it_lives() -> None:
    """By number, for Kubernetes refuses a name where it asks for a user that is not root."""
    assert re.search(r"^USER 65532:65532$", IMAGE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n.*/livez", IMAGE, re.MULTILINE)
    assert "--require-hashes --only-binary :all:" in IMAGE


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_the_composition_can_be_typed(name: str) -> None:
    """Its options are there, and its settings are known."""
    service = OURS[name]
    command = service["command"]
    with cli.make_context("pop-stream", [str(part) for part in command], resilient_parsing=True):
        pass
    group: Any = cli
    words = [str(part) for part in command]
    while words and hasattr(group, "get_command"):
        found = group.get_command(None, words[0])
        assert found is not None, f"{name}: no such command: {words[0]}"
        group, words = found, words[1:]
    options = {option for parameter in group.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    known = {setting.variable for setting in SETTINGS.values()}
    assert set(service["environment"]) <= known


@pytest.mark.parametrize("name", OURS)
def test_every_part_of_ours_may_do_as_little_as_possible(name: str) -> None:
    """A root that cannot be written, but for a /tmp that goes with it; nothing of the host's."""
    service = OURS[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108
    assert "privileged" not in service
    assert "network_mode" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_no_part_can_get_rights_or_take_all_of_the_machine(name: str) -> None:
    """Those of others, too: no capability, no way to one, and an end to memory and processes."""
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*[mg]", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 1024


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_is_named_is_there(name: str) -> None:
    """Files that are mounted, services that are waited for; and ports are this machine's only."""
    service = SERVICES[name]
    for volume in service.get("volumes", ()):
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (DOCKER / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_a_worker_has_the_time_to_drain() -> None:
    """Docker kills after it; what was under way would be sent again."""
    grace = int(SERVICES["worker-1"]["stop_grace_period"].removesuffix("s"))

    assert grace >= Settings().drain_seconds + 5


def test_the_locks_of_the_image_are_parts_of_the_whole() -> None:
    """What was tested is what is shipped, version by version and hash by hash; no addresses."""
    whole = pins((ROOT / "requirements.lock").read_text())
    for name in ("requirements.lock", "build.lock"):
        text = (DOCKER / name).read_text()
        assert "://" not in text
        part = pins(text)
        assert part
        assert part.items() <= whole.items()


def pins(lock: str) -> dict[str, frozenset[str]]:
    """The hashes of each requirement with its version and its condition."""
    found: dict[str, frozenset[str]] = {}
    for entry in re.split(r"\n(?=\S)", lock):
        words = shlex.split(entry.replace("\\\n", " "), comments=True)
        if words:
            hashes = frozenset(word for word in words if word.startswith("--hash"))
            found[words[0]] = hashes
    return found
