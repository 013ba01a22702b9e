"""Who is measured: how each system is started on the same job."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.children import Command

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a system is to do: POST every event of the topic to the URL."""

    broker: str
    topic: str
    #: New for each run: a system begins with the first event.
    group: str
    url: str
    in_flight: int
    #: More variables, which only pop-stream knows.
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One way to do the job."""

    what: str
    command: Callable[[Job], Command]
    #: The part of the backlog after which a slow system has shown its cost and is stopped.
    share: float = 1.0


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


def _naive_faust(*options: str) -> Callable[[Job], Command]:
    def command(job: Job) -> Command:
        worker = ["worker", "--without-web"]
        return Command(
            [sys.executable, "-m", "bench.naive_faust", *options, *worker],
            {
                "PYTHONPATH": str(_ROOT),
                "NAIVE_BROKER": job.broker,
                "NAIVE_TOPIC": job.topic,
                "NAIVE_GROUP": job.group,
                "NAIVE_URL": job.url,
                "NAIVE_IN_FLIGHT": str(job.in_flight),
            },
        )

    return command


#: The one that the others are compared with.
BASE = "naive-faust"
SYSTEMS = {
    "pop-stream": System(
        what="`pop-stream worker`, everything on, as it comes", command=_pop_stream
    ),
    BASE: System(
        what="a stock Faust agent with one aiohttp POST per event (bench/naive_faust.py)",
        command=_naive_faust(),
        share=0.1,
    ),
    "naive-faust-uvloop": System(
        what="the same on uvloop", command=_naive_faust("--loop", "uvloop"), share=0.1
    ),
}
