"""Write plays down as they are shown: what a player's program uses."""

import logging
import random
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from pop_stream.errors import WorkFailedError
from pop_stream.player.outbox.changes import Ended, Started
from pop_stream.player.outbox.clock import STEP_MS, Clock, Sync, local_time, zone_of
from pop_stream.player.outbox.event import (
    as_text,
    begun_event,
    fields_of,
    key_of,
    require_sound,
    with_end,
)
from pop_stream.player.outbox.limits import Limits
from pop_stream.player.outbox.recording import Recording
from pop_stream.player.outbox.row import Row, State
from pop_stream.player.outbox.writer import QUEUED_MOST, Change, Writer
from pop_stream.pop.identity import PopIdMaker

log = logging.getLogger(__name__)

_CLOSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an outbox behaves."""

    #: The site's IANA zone, like America/Chicago; None: that of this machine.
    zone: str | None = None
    #: In development: raise for events that GSTV would not take, and for a disk that takes nothing.
    strict: bool = False
    #: The longest that `start` and `end` wait for the disk. They return then all the same, and the
    #: play is written as soon as the disk takes it.
    wait_seconds: float = 0.25
    #: How often is noted that the player lives: a play that the power cuts off ends with that.
    heartbeat_seconds: float = 5.0
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)


class Play:
    """A play that is being shown."""

    def __init__(self, outbox: "Outbox", started: Started, *, steady_ms: int) -> None:
        """`Outbox.start` makes it."""
        self._outbox = outbox
        self._started = started
        self._steady_ms = steady_ms
        self._is_over = False

    @property
    def pop_id(self) -> str:
        """Its id, under which GSTV gets it however often it is sent."""
        return str(UUID(bytes=self._started.row.pop_id))

    @property
    def is_on_disk(self) -> bool:
        """Whether a power cut now would leave it."""
        return self._started.is_written

    def end(self) -> None:
        """Say that it is over. Only the first time counts."""
        if not self._is_over:
            self._is_over = True
            self._outbox.end(self)


class Outbox:
    """Plays of one terminal, on the disk from their start until the broker has confirmed them.

        outbox = Outbox("/var/lib/player/pops.outbox", zone="America/Chicago")
        with outbox.play({"filename": "spot.webm", "assetId": "5942", "siteId": "1202",
                          "screenId": "3"}):
            show("spot.webm")

    It may be used by many threads, and by one process. It neither raises nor waits long while
    something is shown; in development, `strict=True` makes it raise.
    """

    def __init__(self, path: str | Path, options: Options | None = None, **named: Any) -> None:
        """`named` are fields of Options.

        Raises OutboxBusyError when another process records into it, and UsageError for an unknown
        zone or a file that is no outbox.
        """
        self._options = options or Options(**named)
        self._clock = self._options.clock
        self._zone = zone_of(self._options.zone)
        # Not from the kernel each time: that call lets others in, who all wait for an id.
        random_bits = random.Random(secrets.randbits(256)).getrandbits  # noqa: S311 - no secret
        self._ids = PopIdMaker(self._clock.wall_ms, random_bits)
        self._lock = threading.Lock()
        self._open_plays: set[Play] = set()
        self._recording = Recording(
            Path(path),
            boot=secrets.token_bytes(16),
            limits=self._options.limits,
            clock=self._clock,
        )
        self._writer = Writer(
            self._recording.write,
            beat=self._recording.beat,
            beat_seconds=self._options.heartbeat_seconds,
        )
        self._writer.start()

    def start(self, event: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Play:
        """Write down that a play begins; it is on the disk when this returns.

        `event` holds the owner's fields but for the times, which are set here; what else stands in
        it is carried along. `headers` go to Kafka as they are.
        """
        if self._options.strict:
            require_sound(event)
        fields = fields_of(event)
        told = {as_text(name): as_text(value) for name, value in (headers or {}).items()}
        wall, steady = self._clock.wall_ms(), self._clock.steady_ms()
        started = Started(self._row(fields, wall), told, self._recording.next_number,
                          self._recording.take_losses)  # fmt: skip
        play = Play(self, started, steady_ms=steady)
        with self._lock:
            self._open_plays.add(play)
        if not self._write(started, most=QUEUED_MOST):
            self._recording.refuse(started)
        if self._options.strict and started.is_lost:
            raise WorkFailedError("the play could not be written down: the log says why")
        return play

    @contextmanager
    def play(
        self, event: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Iterator[Play]:
        """Write down a play that lasts as long as the block."""
        play = self.start(event, headers)
        try:
            yield play
        finally:
            play.end()

    def end(self, play: Play, *, is_interrupted: bool = False) -> None:
        """What `Play.end` does."""
        with self._lock:
            self._open_plays.discard(play)
        started = play._started  # noqa: SLF001 - the two are one
        if started.is_lost:
            return
        wall, lasted = self._clock.wall_ms(), self._clock.steady_ms() - play._steady_ms  # noqa: SLF001
        before = started.row
        clock, ended = before.clock, wall
        if abs(wall - before.started - lasted) > STEP_MS:
            # Somebody has set the clock. How long it was shown is known all the same.
            clock, ended = Sync.STEPPED, before.started + lasted
        body = with_end(before.body, ended, before.zone)
        # However many wait: there are no more of them than plays that have begun.
        self._write(Ended(started, ended, lasted, clock, body, is_interrupted), most=None)

    def close(self) -> None:
        """Close it. Plays that are still shown count as interrupted now."""
        with self._lock:
            left = list(self._open_plays)
        for play in left:
            self.end(play, is_interrupted=True)
        if not self._writer.end(_CLOSE_SECONDS):
            log.error("outbox.not_closed", extra={"seconds": _CLOSE_SECONDS})
            return
        self._recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _row(self, event: Mapping[str, Any], wall: int) -> Row:
        with self._lock:
            pop_id = UUID(self._ids()).bytes
        offset = local_time(wall, self._zone).offset
        return Row(
            id=0, state=State.OPEN, seal=0, pop_id=pop_id, boot=self._recording.boot,
            key=key_of(event), seq=0, started=wall, ended=None, lasted=None, offset=offset,
            zone=self._zone.key, clock=self._clock.sync(),
            body=begun_event(event, wall, self._zone), extra=None,
        )  # fmt: skip

    def _write(self, change: Change, *, most: int | None) -> bool:
        """Give it to the writer, and wait a while. Gives whether the writer has it."""
        ticket = self._writer.submit(change, most=most)
        if ticket is None:
            log.error("outbox.not_taken")
            return False
        if not ticket.done.wait(self._options.wait_seconds):
            log.warning("outbox.disk_slow", extra={"waited_seconds": self._options.wait_seconds})
        return True
