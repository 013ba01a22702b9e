from collections import Counter
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.outbox.clock import Sync
from pop_stream.player.simulation.clocks import Jump, JumpingClock, Reading, jumping_clocks

NOW = 1_795_190_400_000


def test_a_clock_is_right_then_stepped_then_wrong():
    """The play during which it is set ends by the clock that nobody sets."""
    clock = JumpingClock(2, Jump.HOUR_BACK)
    read = [clock.read(seq, NOW + 20_000 * seq, 20_000) for seq in (1, 2, 3)]

    assert read[0] == Reading(NOW + 20_000, NOW + 40_000, Sync.SYNCED)
    assert read[1] == Reading(NOW + 40_000, NOW + 60_000, Sync.STEPPED)
    assert read[2] == Reading(NOW + 60_000 - 3_600_000, NOW + 80_000 - 3_600_000, Sync.UNSYNCED)


def test_a_dead_clock_begins_with_1970():
    """The first play afterwards starts there, and the next follow it."""
    clock = JumpingClock(1, Jump.TO_1970)
    clock.read(1, NOW, 15_000)

    assert clock.read(2, NOW + 15_000, 20_000).started == 0
    assert clock.read(3, NOW + 35_000, 20_000).started == 20_000


@given(st.integers(1, 500), st.floats(0, 1), st.integers(1, 1000), st.integers())
def test_as_many_clocks_jump_as_were_asked_for(screens, share, per_screen, seed):
    """In the middle of what their screens play; to all places about equally often."""
    clocks = jumping_clocks(screens=screens, share=share, plays_per_screen=per_screen, seed=seed)
    jumps = Counter(clock.jump for clock in clocks.values())

    assert len(clocks) == ceil(share * screens)
    assert all(0 <= screen < screens for screen in clocks)
    assert all(1 <= clock.seq <= per_screen for clock in clocks.values())
    assert max(jumps.values(), default=0) - min(map(jumps.__getitem__, Jump)) <= 1
    assert clocks == jumping_clocks(
        screens=screens, share=share, plays_per_screen=per_screen, seed=seed
    )
