"""Runs the app until it is told to end: SIGTERM and SIGINT drain."""

import asyncio
import gc
import logging
import signal

import uvloop
from faust import streams

from pop_stream import __version__
from pop_stream.errors import WorkerAbortedError
from pop_stream.settings import Settings
from pop_stream.stream.app import PopStreamApp
from pop_stream.watch.log_count import LogCount

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
#: Faust's compiled stream, in its module; Faust has no public way to ask for it.
_COMPILED = "_CStreamIterator"


def run_worker(settings: Settings) -> int:
    """Run until SIGTERM (returns 0) or SIGINT (130), or raise what stopped it.

    The metrics port, Kafka and the topics are looked at before the group is joined: raises
    SettingsError, KafkaUnreachableError or TopicsMissingError then.
    """
    if getattr(streams, _COMPILED, None) is None:
        raise WorkerAbortedError(
            "Faust runs without its compiled parts, and would acknowledge events that it skips. "
            "Install faust-streaming from a wheel: pip install --only-binary :all: faust-streaming"
        )
    # Not only `uvloop.run`: Faust makes a loop of its own for the thread that talks to Kafka.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    app = PopStreamApp(settings)
    logging.getLogger().addHandler(LogCount(app.tally))
    return uvloop.run(_run(app))


def _tune_garbage_collection() -> None:
    """Look for cycles seldom: events leave none, and looking at each thousand costs 4 %."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _run(app: PopStreamApp) -> int:
    loop = asyncio.get_running_loop()
    told: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.append, number)
    log.info("worker.starting", extra={"group": app.settings.group, "version": __version__})
    await app.start()
    _tune_garbage_collection()
    log.info("worker.started", extra={"stages": list(app.settings.stages)})
    # Faust has no event for a crash.
    while not told and not app.crashed and not app.should_stop:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    log.info("worker.draining", extra={"unfinished": app.ledger.unfinished})
    await app.stop()
    log.info("worker.stopped")
    if not told:
        raise WorkerAbortedError("the worker crashed; the log above says why")
    return 130 if told[0] is signal.SIGINT else 0
