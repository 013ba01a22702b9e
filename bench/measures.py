"""How each kind of run is measured."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from bench.backlog import fill, some_plays
from bench.children import Child
from bench.figures import Mark, Values, between, memory, percentile
from bench.stage import Stage
from bench.steady import SteadySender
from bench.systems import SYSTEMS
from bench.trial import Trial, trial
from bench.variants import How, Topic, Variant
from pop_stream.errors import WorkFailedError
from pop_stream.gstv.mock.ledger import read_ledger

#: Delivered before a burst, so that it meets a worker that is warm.
_WARM_UP_EVENTS = 1000
_SETTLE_SECONDS = 1.0
#: Of events that come evenly.
_STEADY_WARM_UP_SECONDS = 3.0


def measure(stage: Stage, variant: Variant, name: str) -> Values:
    """Make one run, under a name that no run had before, and give its figures.

    Raises WorkFailedError when the system ends by itself, or does not deliver what it must.
    """
    return _MEASURES[variant.how](stage, variant, name)


def _measure_backlog(stage: Stage, variant: Variant, name: str) -> Values:
    topic = stage.filled(variant.topic)
    part = min(variant.until, SYSTEMS[variant.system].share)
    events = round(variant.topic.events * part)
    with trial(stage, variant, name, topic) as run:
        already = _delivered_before_all_came(variant, run)
        if already + events > variant.topic.events:
            raise run.failure("had delivered too much when all workers had come")
        warm = round(events * SYSTEMS[variant.system].warm_up)
        run.wait_for(already + warm, most_seconds=variant.most_seconds)
        first = run.mark()
        done = run.wait_for(already + events, most_seconds=variant.most_seconds)
        if not done and variant.until == 1:
            raise run.failure(f"did not deliver all within {variant.most_seconds:.0f} s")
        return _figures(variant, run, first, run.mark())


def _measure_burst(stage: Stage, variant: Variant, name: str) -> Values:
    """A backlog that is smaller than what a worker takes in at once.

    Were it there from the start, a part of it would be taken in before measuring can begin. So the
    worker is stopped while it is written.
    """
    settings = stage.fresh(name, Topic(_WARM_UP_EVENTS, variant.topic.partitions))
    with trial(stage, variant, name, name) as run:
        _delivered_before_all_came(variant, run)
        run.wait_for(_WARM_UP_EVENTS)
        time.sleep(_SETTLE_SECONDS)
        with _stopped(run.children):
            asyncio.run(fill(settings, variant.topic))
            first = run.mark()
        all_events = _WARM_UP_EVENTS + variant.topic.events
        if not run.wait_for(all_events, most_seconds=variant.most_seconds):
            raise run.failure(f"did not deliver all within {variant.most_seconds:.0f} s")
        return _figures(variant, run, first, run.mark())


def _measure_steady(stage: Stage, variant: Variant, name: str) -> Values:
    settings = stage.fresh(name, Topic(1, variant.topic.partitions))
    warm_up = round(_STEADY_WARM_UP_SECONDS * variant.events_per_second)
    plays = some_plays(warm_up + variant.topic.events)
    with trial(stage, variant, name, name) as run:
        run.wait_for(1)
        sender = SteadySender(settings)
        sender.send(islice(plays, warm_up), variant.events_per_second)
        first = run.mark()
        sent_at = sender.send(plays, variant.events_per_second)
        run.wait_for(1 + warm_up + variant.topic.events)
        values = _figures(variant, run, first, run.mark())
        delays = _delays_ms(sent_at, _received_at(run))
    return {**values, "p50_ms": percentile(delays, 50), "p99_ms": percentile(delays, 99)}


def _measure_start(stage: Stage, variant: Variant, name: str) -> Values:
    with trial(stage, variant, name, stage.filled(variant.topic)) as run:
        run.wait_for(1)
        cpu_seconds = run.mark().system_cpu_seconds
        first_at = min(_received_at(run).values())
        return {
            "seconds_to_first": first_at - run.started_at,
            "cpu_seconds_to_first": cpu_seconds,
            "rss_mb": run.peak_rss_mb(),
        }


_MEASURES: Mapping[How, Callable[[Stage, Variant, str], Values]] = {
    How.BACKLOG: _measure_backlog,
    How.BURST: _measure_burst,
    How.STEADY: _measure_steady,
    How.START: _measure_start,
}


def _delivered_before_all_came(variant: Variant, run: Trial) -> int:
    """Wait until all workers share the partitions; one is not waited for."""
    if variant.workers == 1:
        return 0
    run.wait_for_members()
    return run.receiver.count().delivered


def _figures(variant: Variant, run: Trial, first: Mark, last: Mark) -> Values:
    try:
        values = dict(between(first, last)) | {"rss_mb": run.peak_rss_mb()}
    except ValueError as error:
        raise run.failure(f"cannot be measured: {error}") from error
    behaviour = variant.behaviour
    if behaviour.answers_after_seconds:
        limit = variant.workers * variant.in_flight / behaviour.answers_after_seconds
        values["share_of_limit"] = values["events_per_second"] / limit
    if behaviour.fails_first_share:
        # Seen to have happened, not only asked for.
        count = run.receiver.count()
        values["failed_share"] = count.failed / count.delivered
    if variant.until == 1:
        values |= memory(run.samples, variant.topic.events)
    return values


def _received_at(run: Trial) -> dict[str, float]:
    """When each event came first, by the SHA-256 of its body."""
    found: dict[str, float] = {}
    for entry in read_ledger(run.receiver.ledger):
        found.setdefault(entry.sha256, entry.received_at)
    return found


def _delays_ms(sent_at: Mapping[str, float], received_at: Mapping[str, float]) -> Sequence[float]:
    if missing := sent_at.keys() - received_at.keys():
        raise WorkFailedError(f"{len(missing)} events came changed, or not at all")
    delays = [1000 * (received_at[body] - sent) for body, sent in sent_at.items()]
    if min(delays) < 0:
        raise WorkFailedError("events came before they were sent: the clock was set meanwhile")
    return delays


@contextmanager
def _stopped(children: Sequence[Child]) -> Iterator[None]:
    try:
        for child in children:
            os.killpg(child.pid, signal.SIGSTOP)
        yield
    finally:
        for child in children:
            os.killpg(child.pid, signal.SIGCONT)
