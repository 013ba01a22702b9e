"""A worker in which several things go wrong that must not: only so can their alerts be seen.

Its attempts have no deadline, its retries wait for everything else, every second commit is refused,
and it holds more memory than it should.
"""

from typing import Any

from pop_stream.cli.main import main
from pop_stream.gstv import client
from pop_stream.stream import consumer_thread, waiting

_MEGABYTES = 300


def _have_no_deadline() -> None:
    vars(client)["GstvClient"]._end_overdue = lambda *_: None


def _leave_retries_for_last() -> None:
    def next_one(self: Any, _: int) -> Any:
        return self._ready.popleft() if self._ready else None

    vars(waiting)["Waiting"].next = next_one


def _refuse_every_second_commit() -> None:
    thread = vars(consumer_thread)["ConsumerThread"]
    commit_all, count = thread.commit_all, [0]

    async def commit(self: Any, commits: Any) -> bool:
        count[0] += 1
        taken: bool = await commit_all(self, commits) if count[0] % 2 else False
        return taken

    thread.commit_all = commit


if __name__ == "__main__":
    _have_no_deadline()
    _leave_retries_for_last()
    _refuse_every_second_commit()
    held = bytearray(b"x") * (_MEGABYTES * 1024 * 1024)
    main(["worker"])
