"""What `pop-stream status` finds out, and how it says it."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any

from pop_stream.kafka.backlog import Backlog, backlog_of
from pop_stream.settings import Settings
from pop_stream.watch.figures import STILL, forecast, span
from pop_stream.watch.status import PATH

_ANSWER_SECONDS = 3.0
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found out."""

    #: Where the worker was asked.
    address: str
    #: What it said, as `pop_stream.watch.status.Status`; None when none answered.
    worker: dict[str, Any] | None
    #: The topics from which attempts are made, at the end of the watch.
    backlogs: tuple[Backlog, ...]
    produced_per_second: float
    #: Finished by all workers of the group together.
    finished_per_second: float

    @property
    def events(self) -> int:
        """The whole backlog."""
        return sum(backlog.events for backlog in self.backlogs)

    @property
    def behind_seconds(self) -> float | None:
        """How long the workers need for the backlog as it is; None when they finish nothing."""
        rate = self.finished_per_second
        return self.events / rate if rate > STILL else None

    @property
    def drained_in_seconds(self) -> float | None:
        """When the backlog will be gone, as things go; None when it does not shrink."""
        shrinks = self.finished_per_second - self.produced_per_second
        return self.events / shrinks if shrinks > STILL else None


async def watch(settings: Settings, *, seconds: float) -> Report:
    """Look at the topics twice, so many seconds apart, and ask the worker.

    Raises KafkaUnreachableError.
    """
    topics = (settings.events_topic, settings.retry_topic)
    first, began_at = await backlog_of(settings, topics), time.monotonic()
    await asyncio.sleep(seconds)
    last, passed = await backlog_of(settings, topics), time.monotonic() - began_at
    # An event that goes over the retry topic is produced once: by a player.
    produced = last[0].ends - first[0].ends
    # What it finishes on the events topic for the retry topic it has still before it.
    finished = produced - sum(one.events for one in last) + sum(one.events for one in first)
    host = "127.0.0.1" if settings.metrics_host == "0.0.0.0" else settings.metrics_host  # noqa: S104
    return Report(
        address=f"{host}:{settings.metrics_port}",
        worker=await asyncio.to_thread(ask, host, settings.metrics_port),
        backlogs=tuple(last),
        produced_per_second=produced / passed,
        finished_per_second=max(finished, 0) / passed,
    )


def ask(host: str, port: int) -> dict[str, Any] | None:
    """What a worker says of itself; None when none answers there.

    It is asked itself: whatever the environment says of proxies, and wherever it may redirect to.
    """
    try:
        with closing(HTTPConnection(host, port, timeout=_ANSWER_SECONDS)) as connection:
            connection.request("GET", PATH)
            answer = connection.getresponse()
            found = json.loads(answer.read(_MOST_BYTES)) if answer.status == HTTPStatus.OK else None
    except (OSError, HTTPException, ValueError):
        return None
    return found if isinstance(found, dict) else None


def as_object(report: Report) -> dict[str, Any]:
    """The report as one JSON object."""
    return {
        "worker": report.worker,
        "backlog": [{**asdict(one), "events": one.events} for one in report.backlogs],
        "backlog_events": report.events,
        "backlog_seconds": report.behind_seconds,
        "produced_per_second": round(report.produced_per_second, 3),
        "finished_per_second": round(report.finished_per_second, 3),
        "drained_in_seconds": report.drained_in_seconds,
    }


def as_lines(report: Report, *, now: float) -> Iterator[str]:
    """The report for people; `now` is in epoch seconds."""
    yield from _worker_lines(report, now)
    parts = ", ".join(f"{one.topic} {one.events:,}" for one in report.backlogs)
    behind = report.behind_seconds
    long = "" if behind is None or not report.events else f", {span(behind)} of work"
    yield f"backlog    {report.events:,} events{long} ({parts})"
    yield (
        f"flow       {report.produced_per_second:,.1f}/s in,"
        f" {report.finished_per_second:,.1f}/s done: "
        + forecast(report.events, report.produced_per_second - report.finished_per_second)
    )


def _worker_lines(report: Report, now: float) -> Iterator[str]:
    worker = report.worker
    if worker is None:
        yield (
            f"worker     none answers at {report.address};"
            " --metrics-host and --metrics-port say where one is"
        )
        return
    stages = ",".join(worker["stages"])
    yield f"worker     pop-stream {worker['version']}, group {worker['group']}, stages {stages}"
    work = worker["work"]
    if work is None:
        yield "GSTV       the worker is starting"
        return
    yield f"GSTV       {_gstv(work['held'], now)}"
    limit = work["events_per_second_limit"]
    pace = "" if limit is None else f", {limit:,.0f}/s at most"
    oldest = work.get("oldest_unfinished_at")
    age = "" if oldest is None else f", the oldest {span(now - oldest)} old"
    yield (
        f"in flight  {work['in_flight']:,} of {work['in_flight_limit']:,}{pace};"
        f" {work['unfinished']:,} events taken and not finished{age}"
    )


def _gstv(held: dict[str, Any] | None, now: float) -> str:
    if held is None:
        return "takes events"
    probes_in = held["next_probe_at"] - now
    probe = f"next probe in {span(probes_in)}" if probes_in > 0 else "a probe is under way"
    return f"everything is held for {span(now - held['since'])}: {held['reason']}; {probe}"
