import asyncio
import os
import signal
import subprocess
import sys

import pytest

from pop_stream.demo.signals import InterruptedRunError, Signals

#: A loop that is hit by a signal when its pipe is gone and its handlers are not.
_HIT_WHILE_CLOSING = """
import asyncio, os, signal
from pop_stream.demo.signals import Signals

class Loop(asyncio.SelectorEventLoop):
    def _close_self_pipe(self):
        super()._close_self_pipe()
        os.kill(os.getpid(), signal.SIGINT)

async def main():
    with Signals():
        await asyncio.sleep(0)

try:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.get_loop().run_until_complete(main())
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_signal_while_the_loop_closes_prints_no_bad_file_descriptor() -> None:
    """By then the loop has nothing to do with signals any more."""
    done = subprocess.run(
        [sys.executable, "-c", _HIT_WHILE_CLOSING], capture_output=True, text=True, check=True
    )

    assert done.stdout == "interrupted\n"
    assert "Bad file descriptor" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_work_and_nothing_else(number: signal.Signals) -> None:
    """The work is cancelled, and whoever guards it is told so."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def main() -> None:
        with Signals() as signals:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
            with pytest.raises(InterruptedRunError):
                await signals.guard(work())

    asyncio.run(main())

    assert ended == [True]
