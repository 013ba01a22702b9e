import re
from pathlib import Path

import pytest

from bench import systems
from bench.peers import built
from bench.systems import SYSTEMS, Job, System, left_out

ROOT = Path(__file__).parents[3]
JAVA = ROOT / "bench/peers/parallel_consumer/src/main/java/bench/Forward.java"
JOB = Job(
    broker="127.0.0.1:9092", topic="pop-events", group="bench-1", url="http://[::1]/", in_flight=64
)


def pins(lock):
    """The version of each package of a lock."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_a_peer_reads_the_job_that_it_was_given():
    """It goes through the environment, which knows text only."""
    assert Job.from_environment(JOB.as_environment()) == JOB


def test_the_peer_in_java_reads_all_of_the_job():
    """A variable that is renamed on one side only would be read as nothing."""
    read = set(re.findall(r'getenv\("(\w+)"\)', JAVA.read_text()))

    assert read == JOB.as_environment().keys()


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_told_the_whole_job(name):
    """None takes more or fewer at once than the others, or another's topic."""
    told = SYSTEMS[name].command(JOB).environment.values()

    assert {JOB.broker, JOB.topic, JOB.group, JOB.url, "64"} <= set(told)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_program_of_every_system_is_there(name):
    """What is started as `python -m bench.peers.x` is a file of the repository."""
    programs = [each for each in SYSTEMS[name].command(JOB).argv if each.startswith("bench.peers.")]

    assert all((ROOT / f"{each.replace('.', '/')}.py").is_file() for each in programs)


def test_what_cannot_be_run_here_is_left_out_with_the_reason(monkeypatch):
    """Silence would look like a peer that nobody thought of."""
    there = System(what="x", command=SYSTEMS["pop-stream"].command)
    gone = System(what="y", command=there.command, missing=lambda: "there is no Java")
    monkeypatch.setattr(systems, "SYSTEMS", {"there": there, "gone": gone, "other": gone})

    assert left_out(["there", "gone"]) == {"gone": "there is no Java"}


def test_peers_are_missing_until_they_are_built_whole(tmp_path, monkeypatch):
    """A build that was broken off leaves files, but not its last one."""
    monkeypatch.setattr(built.shutil, "which", lambda name: f"/usr/bin/{name}")
    (tmp_path / "lib").mkdir()
    reasons = built.python_missing(tmp_path), built.java_missing(tmp_path)
    (tmp_path / ".ready").touch()

    assert all("make peers" in reason for reason in reasons if reason)
    assert None not in reasons
    assert built.python_missing(tmp_path) is None
    assert built.java_missing(tmp_path) is None


def test_a_built_peer_is_missing_where_java_is_not(tmp_path, monkeypatch):
    """It may have been built elsewhere, or Java be gone since."""
    monkeypatch.setattr(built.shutil, "which", lambda _: None)
    (tmp_path / ".ready").touch()

    assert built.java_missing(tmp_path) == "there is no Java"


def test_what_is_not_built_has_no_version(tmp_path):
    """The versions tell of what was there when the figures were taken."""
    assert built.versions(tmp_path, tmp_path) == {}


@pytest.mark.parametrize("package", ["aiohttp", "aiokafka", "uvloop"])
def test_peers_have_the_versions_that_pop_stream_has(package):
    """A peer must not be slower for being older; and one version in the table is true for all."""
    assert pins("bench/peers/requirements.lock")[package] == pins("requirements.lock")[package]
