"""The bytes that go one way through a connection, and the faults that they meet.

A stream reads a chunk, and reads on only when it has handed it on: so it holds one chunk at most,
and all else waits in the kernel's buffers, whose sizes are set. That is the whole back-pressure.
"""

import asyncio
import random
from contextlib import suppress
from typing import Final

from faults.proxy_faults import (
    Blackhole,
    CutAfter,
    Delay,
    HalfClose,
    StreamFault,
    Tally,
    Throttle,
    Way,
)
from faults.proxy_socket import Side

#: Throttled bytes may run ahead by this much: timers are no finer than a millisecond.
_THROTTLE_SLACK_SECONDS: Final = 0.01


class ResetNeededError(Exception):
    """The connection is to end by RST, because a side has broken off."""


class CutDueError(ResetNeededError):
    """The connection is to end by RST, because that was asked for."""


class Stream:
    """The bytes of one direction, and the faults that they meet."""

    #: The stream of the other direction.
    back: "Stream"

    def __init__(self, way: Way, sides: tuple[Side, Side], seed: str, tally: Tally) -> None:
        self._way: Final = way
        self._source, self._target = sides
        # Two, because how often Delay draws depends on how the bytes came in.
        self._delays = random.Random(f"{seed}/delay")  # noqa: S311
        self._cuts = random.Random(f"{seed}/cut")  # noqa: S311
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._in_hand_bytes = 0
        self._finished = False
        self._free_at = 0.0
        self._well()

    def _well(self) -> None:
        self._delay: Delay | None = None
        self._throttle: Throttle | None = None
        self._cut: CutAfter | None = None
        self._cut_left_bytes = 0
        self._held = False

    def apply(self, fault: StreamFault) -> None:
        """Begin a fault. It takes the place of one of its kind."""
        match fault:
            case Delay():
                self._delay = fault
            case Throttle():
                self._throttle = fault
            case CutAfter():
                self._cut = fault
                self._cut_left_bytes = self._cuts.randint(*fault.bytes)
            case Blackhole():
                self._held = True
            case HalfClose():
                self._tally.half_closed += not self._finished
                self.finish()
        self._wake()

    def heal(self) -> None:
        """End all faults."""
        self._well()
        self._wake()

    def finish(self) -> None:
        """Send FIN to the target. What is read from then on is dropped."""
        self._finished = True
        self._target.finish()
        self._wake()

    @property
    def held_bytes(self) -> int:
        """What Blackhole holds back now, here and in the kernel."""
        return self._in_hand_bytes + self._source.unread() if self._held else 0

    async def passable(self) -> None:
        """Wait while Blackhole holds. Raises ResetNeededError if the source broke off meanwhile."""
        was_held = self._held
        while self._held and not self._finished:
            await self._changed.wait()
        # Its bytes may still be here, but TCP's would have died with its socket.
        if was_held and self._source.broken():
            raise ResetNeededError

    async def run(self) -> None:
        """Hand on all that comes, then its FIN. Raises ResetNeededError."""
        if self._finished:
            self._target.finish()
        while chunk := await self._read():
            await self._hand_on(chunk)
        await self.passable()
        self.finish()

    async def _read(self) -> bytes:
        try:
            return await self._source.read(self._hand_straight_on)
        except (ConnectionError, TimeoutError) as error:
            # The source's RST takes the same way as its bytes.
            await self.passable()
            raise ResetNeededError from error

    def _hand_straight_on(self, chunk: bytes) -> bytes:
        """Hand on what meets no fault; give what is left. It saves more than half of the time."""
        if self._held or self._finished or self._cut or self._delay or self._throttle:
            return chunk
        try:
            sent = self._target.write(chunk)
        except OSError:
            # The next try will meet it again.
            return chunk
        self._tally.forwarded(self._way, sent)
        return chunk[sent:]

    async def _hand_on(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        self._in_hand_bytes = len(rest)
        if self._delay and not self._finished:
            self._tally.delayed += 1
            await self._linger(self._delays.uniform(*self._delay.seconds), self._delay)
        while rest and not self._finished:
            await self._take_turn()
            # Last of all that waits, so that nothing gets by once apply(Blackhole()) is back.
            await self.passable()
            await self._cut_if_due()
            rest = rest[await self._write(rest) :]
            self._in_hand_bytes = len(rest)
        await self._cut_if_due()
        self._tally.dropped += len(rest)
        self._in_hand_bytes = 0

    async def _write(self, data: memoryview) -> int:
        """Write what may be and what there is room for, or wait for room; give how much."""
        if self._finished:
            return 0
        try:
            sent = self._target.write(data[: self._allowed_bytes(len(data))])
            if not sent:
                await self._target.writable()
        except (ConnectionError, TimeoutError) as error:
            # The target's RST would have come the other way.
            await self.back.passable()
            raise ResetNeededError from error
        self._tally.forwarded(self._way, sent)
        if self._cut:
            self._cut_left_bytes -= sent
        if self._throttle:
            begun_at = max(self._free_at, self._loop.time())
            self._free_at = begun_at + sent / self._throttle.bytes_per_second
        return sent

    def _allowed_bytes(self, wanted: int) -> int:
        if self._cut:
            wanted = min(wanted, self._cut_left_bytes)
        if self._throttle:
            wanted = min(wanted, max(1, self._throttle.bytes_per_second // 20))
        return wanted

    async def _take_turn(self) -> None:
        """Wait until Throttle lets more through."""
        seconds = self._free_at - self._loop.time() if self._throttle else 0.0
        if self._throttle and seconds > _THROTTLE_SLACK_SECONDS:
            self._tally.throttled += 1
            await self._linger(seconds, self._throttle)

    async def _linger(self, seconds: float, fault: Delay | Throttle) -> None:
        """Wait, but no longer than the fault lasts."""
        until = self._loop.time() + seconds
        while fault in {self._delay, self._throttle} and not self._finished:
            left = until - self._loop.time()
            if left <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    async def _cut_if_due(self) -> None:
        if self._cut is None or self._cut_left_bytes or self._finished:
            return
        if self._cut.reset:
            await self._target.sent()
            raise CutDueError
        self._tally.cut += 1
        self.finish()
        self.back.finish()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
