"""The image, as far as it can be tried without Docker: see `tests/support/image.py`."""

import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from pop_stream.kafka.ports import free_ports
from pop_stream.settings import TOPICS, Settings
from tests.support.eventually import eventually
from tests.support.image import Image, can_confine, confined, play_dockerfile, programs_of
from tests.support.plays import events
from tests.support.trial import Trial


@dataclass(frozen=True, slots=True)
class Limits:
    """What the composition allows a worker."""

    processes: int
    memory_bytes: int


def limits_of_a_worker() -> Limits:
    """Read them from the composition."""
    compose = yaml.safe_load((Path(__file__).parents[2] / "docker/compose.yaml").read_text())
    worker = compose["services"]["worker-1"]
    gib = int(worker["mem_limit"].removesuffix("g"))
    return Limits(worker["pids_limit"], gib * 1024**3)


LIMITS = limits_of_a_worker()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, built as its Dockerfile says."""
    if not can_confine():
        pytest.skip("needs root, unshare and setpriv: to give rights up one must have them")
    # Not in pytest's folders: those are closed to the image's user, who is nobody here, and each
    # run of pytest closes them anew, under the feet of others.
    with tempfile.TemporaryDirectory(prefix="pop-stream-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield play_dockerfile(folder)


def environment_of(image: Image, settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a container with these settings."""
    names = ("kafka_bootstrap_servers", "group", *TOPICS)
    ours = {name: getattr(settings, name) for name in names} | more
    return {
        **image.environment,
        "PATH": programs_of(image),
        **{f"POP_STREAM_{name.upper()}": value for name, value in ours.items()},
    }


def test_a_worker_of_the_image_delivers_as_nobody_on_a_root_it_cannot_write(
    image: Image, topics: Settings, tmp_path: Path
) -> None:
    """It is healthy by the image's own check, drains on SIGTERM, and ends with 0."""
    trial = Trial(topics, tmp_path)
    (port,) = free_ports(1)
    log = tmp_path / "worker.log"
    trial.send(events(40))
    with trial.gstv() as gstv, log.open("wb") as stderr:
        environment = environment_of(
            image, topics, gstv_url=gstv.url, metrics_port=str(port), metrics_host="127.0.0.1"
        )
        command = confined(image, [*image.entrypoint, "worker"], processes=LIMITS.processes)
        with subprocess.Popen(command, env=environment, stderr=stderr) as process:
            try:
                eventually(lambda: trial.delivered == 40 or process.poll(), "all is delivered")
                assert process.poll() is None, log.read_text()
                status = Path(f"/proc/{process.pid}/status").read_text()
                assert f"\nUid:\t{image.user}\t{image.user}" in status
                assert "\nNoNewPrivs:\t1\n" in status
                assert "\nCapBnd:\t0000000000000000\n" in status
                assert f"\nMax processes             {LIMITS.processes}" in (
                    Path(f"/proc/{process.pid}/limits").read_text()
                )
                peak = re.search(r"\nVmHWM:\s+(\d+) kB\n", status)
                assert peak is not None
                assert int(peak[1]) * 1024 < LIMITS.memory_bytes / 2
                check = [part.replace("9108", str(port)) for part in image.healthcheck]
                subprocess.run(confined(image, check), env=environment, check=True)
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
            finally:
                process.kill()
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()][-1] == (
        "worker.stopped"
    )


def test_what_the_image_has_is_what_it_needs(image: Image) -> None:
    """No installer, no compiler's leavings, nothing of the tests."""
    packages = next(image.folders["/opt"].glob("pop-stream/lib/python3*/site-packages"))
    names = {path.name.partition("-")[0].lower() for path in packages.glob("*.dist-info")}

    assert {"pop_stream", "faust_streaming", "aiokafka", "opentelemetry_sdk"} <= names
    assert not names & {"pip", "pytest", "hatchling", "mypy", "testcontainers"}
    began = time.monotonic()
    command = confined(image, [*image.entrypoint, "--version"])
    environment = {**image.environment, "PATH": programs_of(image)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.stdout.startswith("pop-stream "), told.stderr
    assert time.monotonic() - began < 60
