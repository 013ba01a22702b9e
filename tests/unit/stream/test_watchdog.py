import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from pop_stream.stream.abort import Abort
from pop_stream.stream.watchdog import Watchdog
from tests.unit.stream.fakes import NotedAbort, until

LOOK_SECONDS = 0.02


class ThreadAbort(NotedAbort):
    """Lets the thread that calls it go on: what a thread raises, pytest takes for a failure."""

    def __call__(self, why: str, *_: object, stack: str | None = None) -> None:  # type: ignore[override]
        self.reasons.append(why)
        self.stacks.append(stack)


def watchdog(
    look: Callable[[float], float], abort: Abort, *, progress: float = 60.0, stuck: float = 60.0
) -> Watchdog:
    """A watchdog that looks 50 times a second."""
    return Watchdog(
        look=look,
        abort=abort,
        progress_seconds=progress,
        stuck_loop_seconds=stuck,
        look_seconds=LOOK_SECONDS,
    )


def threads() -> list[threading.Thread]:
    """The watchdogs' threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_a_worker_that_gets_on_is_left_alone() -> None:
    """While work moves, or none is there, the watchdog looks and does nothing."""

    async def scenario() -> None:
        looks: list[float] = []
        abort = ThreadAbort()
        dog = watchdog(lambda now: looks.append(now) or 0.0, abort, progress=0.5, stuck=0.5)
        dog.start()
        await until(lambda: len(looks) > 50)
        dog.stop()
        await until(lambda: not threads())

        assert abort.reasons == []
        assert looks == sorted(looks)

    asyncio.run(scenario())


def test_no_progress_for_too_long_ends_the_worker() -> None:
    """Work that has not moved for longer than allowed is told with its seconds."""

    async def scenario() -> None:
        still = 0.0

        def look(_: float) -> float:
            nonlocal still
            still += 100
            return still

        abort = ThreadAbort()
        dog = watchdog(look, abort, progress=250)
        dog.start()
        await until(lambda: abort.reasons)
        dog.stop()

        why = abort.reasons[0]
        assert why.startswith("no progress for ")
        assert int(why.split()[3]) >= 300

    asyncio.run(scenario())


def test_as_long_as_is_allowed_is_not_too_long() -> None:
    """Exactly the time allowed ends nothing."""

    async def scenario() -> None:
        looks: list[float] = []
        abort = ThreadAbort()
        dog = watchdog(lambda now: looks.append(now) or 250.0, abort, progress=250)
        dog.start()
        await until(lambda: len(looks) > 10)
        dog.stop()
        await until(lambda: not threads())

        assert abort.reasons == []

    asyncio.run(scenario())


def test_a_loop_that_is_stuck_ends_the_worker_and_tells_where() -> None:
    """The thread sees that the loop does not turn, and what it hangs in."""

    def hang_in_a_library(abort: ThreadAbort) -> None:
        deadline = time.monotonic() + 20
        while not abort.reasons and time.monotonic() < deadline:
            threading.Event().wait(0.01)

    async def scenario() -> None:
        abort = ThreadAbort()
        dog = watchdog(lambda _: 0.0, abort, stuck=0.2)
        dog.start()
        await asyncio.sleep(0)
        hang_in_a_library(abort)
        dog.stop()

        assert abort.reasons[0] == "the event loop is stuck"
        assert "hang_in_a_library" in (abort.stacks[0] or "")

    asyncio.run(scenario())


def test_a_process_that_stood_still_as_a_whole_is_given_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a suspension the clock has jumped, but the loop is not to blame."""

    async def scenario() -> None:
        ahead = 0.0
        looks: list[float] = []
        abort = ThreadAbort()
        dog = watchdog(lambda now: looks.append(now) or 0.0, abort, stuck=30)
        clock = time.monotonic

        class Time:
            @staticmethod
            def monotonic() -> float:
                return clock() + ahead

        monkeypatch.setattr("pop_stream.stream.watchdog.time", Time)
        dog.start()
        await until(lambda: len(looks) > 2)
        # Now the thread may be the first to see the jump, or the loop: either must do.
        for _ in range(5):
            ahead += 3_600
            seen = len(looks)
            await until(lambda seen=seen: len(looks) > seen + 2)
        dog.stop()
        await until(lambda: not threads())

        assert abort.reasons == []

    asyncio.run(scenario())


def test_a_look_that_fails_ends_the_worker() -> None:
    """A watchdog that cannot look is none."""

    async def scenario() -> None:
        abort = NotedAbort()
        dog = watchdog(lambda _: 1 / 0, abort)
        dog.start()
        await until(lambda: abort.reasons)
        dog.stop()

        assert abort.reasons == ["unexpected ZeroDivisionError in the watchdog"]

    asyncio.run(scenario())


def test_stopped_it_looks_no_more() -> None:
    """After the end of the work neither the task nor the thread stays."""

    async def scenario() -> None:
        looks: list[float] = []
        dog = watchdog(lambda now: looks.append(now) or 0.0, ThreadAbort())
        dog.start()
        await until(lambda: looks)
        dog.stop()
        await until(lambda: not threads())
        await asyncio.sleep(0)
        seen = len(looks)
        await asyncio.sleep(5 * LOOK_SECONDS)

        assert len(looks) == seen

    asyncio.run(scenario())
