"""A worker in which several things go wrong that must not: only so can their alerts be seen.

Its attempts have no deadline, its retries wait for everything else, every second commit is refused,
and it holds more memory than it should.
"""

from typing import Any

from pop_stream.cli.main import main
from pop_stream.gstv import client
from pop_stream.stream import consumer_thread
from pop_stream.stream.claim import Claim
from pop_stream.stream.waiting import Waiting

_MEGABYTES = 300


def _have_no_deadline() -> None:
    client.GstvClient._end_overdue = lambda *_: None  # type: ignore[method-assign]


def _leave_retries_for_last() -> None:
    def take(self: Waiting, now: int, most: int) -> list[Claim]:  # noqa: ARG001
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    Waiting.take = take  # type: ignore[method-assign]


def _refuse_every_second_commit() -> None:
    commit_all, count = consumer_thread.ConsumerThread.commit_all, [0]

    async def commit(self: Any, commits: Any) -> bool:
        count[0] += 1
        taken: bool = await commit_all(self, commits) if count[0] % 2 else False
        return taken

    consumer_thread.ConsumerThread.commit_all = commit  # type: ignore[method-assign]


if __name__ == "__main__":
    _have_no_deadline()
    _leave_retries_for_last()
    _refuse_every_second_commit()
    held = bytearray(b"x") * (_MEGABYTES * 1024 * 1024)
    main(["worker"])
