"""The wall clocks of simulated screens: most are right, some are set in the middle of it all."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil
from random import Random
from typing import Final

from pop_stream.player.outbox.clock import Sync

_HOUR_MS: Final = 3_600_000


class Jump(Enum):
    """Where a clock jumps to."""

    HOUR_BACK = "-1 h"
    HOUR_ON = "+1 h"
    #: As after a power cut, where the battery is empty.
    TO_1970 = "1970"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a screen's clock says of a play."""

    #: In epoch milliseconds.
    started: int
    ended: int
    sync: Sync


@dataclass(slots=True)
class JumpingClock:
    """A screen's clock that is set while its play `seq` is shown, and stays wrong from then on."""

    seq: int
    jump: Jump
    #: What it is wrong by.
    wrong_ms: int = 0

    def read(self, seq: int, started: int, lasted: int) -> Reading:
        """What it says of a play, which are to be asked in their order."""
        if seq < self.seq:
            return Reading(started, started + lasted, Sync.SYNCED)
        if seq == self.seq:
            # Players end such a play by the clock that nobody sets.
            self.wrong_ms = self._wrong_by(started + lasted)
            return Reading(started, started + lasted, Sync.STEPPED)
        begun = started + self.wrong_ms
        return Reading(begun, begun + lasted, Sync.UNSYNCED)

    def _wrong_by(self, now: int) -> int:
        match self.jump:
            case Jump.HOUR_BACK:
                return -_HOUR_MS
            case Jump.HOUR_ON:
                return _HOUR_MS
            case Jump.TO_1970:
                return -now


def jumping_clocks(
    *, screens: int, share: float, plays_per_screen: int, seed: int
) -> Mapping[int, JumpingClock]:
    """Give the clocks that jump, by the number of their screen (from 0).

    At least one when the share is not 0. Each jumps in the middle third of what its screen plays.
    """
    # Of its own: what is played is the same with other clocks. Nothing here is secret.
    random = Random(f"{seed}/clocks")  # noqa: S311
    chosen = random.sample(range(screens), min(screens, ceil(share * screens)))
    third = max(1, plays_per_screen // 3)
    jumps = list(Jump)
    return {
        screen: JumpingClock(1 + plays_per_screen // 3 + random.randrange(third), jumps[n % 3])
        for n, screen in enumerate(sorted(chosen))
    }
