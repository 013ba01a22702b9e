"""Who is measured: how each system is started on the same job."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.children import Command
from bench.peers.built import JAVA_TARGET, ROOT, VENV, java_missing, python_missing
from bench.peers.job import Job

__all__ = ["BASE", "SYSTEMS", "Job", "System", "left_out"]


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One way to do the job."""

    what: str
    command: Callable[[Job], Command]
    #: The part of the backlog after which a slow system has shown its cost and is stopped.
    share: float = 1.0
    #: The part of that after which it is warm: what comes before is not counted.
    warm_up: float = 0.1
    #: Why it cannot be run on this machine; None: it can.
    missing: Callable[[], str | None] = _nothing


def left_out(names: Iterable[str]) -> dict[str, str]:
    """Those of the systems that cannot be run here, each with the reason."""
    reasons = {name: SYSTEMS[name].missing() for name in names}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _pop_stream(job: Job) -> Command:
    return Command(
        [sys.executable, "-m", "pop_stream", "worker"],
        {
            "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": job.broker,
            "POP_STREAM_EVENTS_TOPIC": job.topic,
            "POP_STREAM_GROUP": job.group,
            "POP_STREAM_GSTV_URL": job.url,
            "POP_STREAM_GSTV_MAX_IN_FLIGHT": str(job.in_flight),
            "POP_STREAM_METRICS_PORT": "0",
            **job.settings,
        },
    )


def _in_python(
    program: str, *arguments: str, python: Path = VENV / "bin" / "python"
) -> Callable[[Job], Command]:
    def command(job: Job) -> Command:
        return Command(
            [str(python), "-m", f"bench.peers.{program}", *arguments],
            {"PYTHONPATH": str(ROOT)} | job.as_environment(),
        )

    return command


def _naive_faust(*options: str) -> Callable[[Job], Command]:
    arguments = (*options, "worker", "--without-web")
    return _in_python("naive_faust", *arguments, python=Path(sys.executable))


def _parallel_consumer(job: Job) -> Command:
    return Command(
        [
            "java",
            "-Xms512m",
            "-Xmx512m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            f"{JAVA_TARGET / 'classes'}:{JAVA_TARGET / 'lib'}/*",
            "bench.Forward",
        ],
        job.as_environment(),
    )


#: The one that the others are compared with.
BASE = "naive-faust"
SYSTEMS = {
    "pop-stream": System(
        what="`pop-stream worker`, everything on, as it comes", command=_pop_stream
    ),
    BASE: System(
        what="a stock Faust agent with one aiohttp POST per event (bench/peers/naive_faust.py)",
        command=_naive_faust(),
        share=0.1,
    ),
    "naive-faust-uvloop": System(
        what="the same on uvloop", command=_naive_faust("--loop", "uvloop"), share=0.1
    ),
    "aiokafka-aiohttp": System(
        what="aiokafka and aiohttp without a framework, on uvloop: a task for each event, a commit "
        "every second of what is done in order (bench/peers/aiokafka_aiohttp.py)",
        command=_in_python("aiokafka_aiohttp"),
        share=0.3,
        missing=python_missing,
    ),
    "faststream-aiohttp": System(
        what="a FastStream batch subscriber that posts up to 1,000 events together over aiohttp, "
        "and commits after each batch; on uvloop (bench/peers/faststream_aiohttp.py)",
        command=_in_python("faststream_aiohttp", "batches"),
        share=0.3,
        missing=python_missing,
    ),
    "faststream-workers-aiohttp": System(
        what="FastStream's concurrent subscriber (`max_workers`), one event of a partition at a "
        "time and a commit after each: what it has for at-least-once; never more POSTs under way "
        "than partitions",
        command=_in_python("faststream_aiohttp", "workers"),
        share=0.1,
        missing=python_missing,
    ),
    "quix-requests": System(
        what="a Quix Streams sink that posts in as many threads as may be in flight, a requests "
        "session each, and commits every 5,000 events (bench/peers/quix_requests.py)",
        command=_in_python("quix_requests"),
        share=0.1,
        missing=python_missing,
    ),
    "parallel-consumer-vertx": System(
        what="Confluent's Parallel Consumer with Vert.x, in Java: no order, native transport, a "
        "commit every five seconds (bench/peers/parallel_consumer)",
        command=_parallel_consumer,
        # Its first 150,000 events cost up to several times what later ones do.
        warm_up=0.75,
        missing=java_missing,
    ),
}
