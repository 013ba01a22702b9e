"""Whatever happens to an outbox, in whatever order: produced = stored + acked + declared lost."""

import shutil
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from pop_stream.player import Limits, Outbox, Play
from pop_stream.player.outbox.changes import Lived
from pop_stream.player.outbox.row import State
from tests.support.outbox import Number, account_in, ack_oldest, copy_of, event_of, outbox_at

_MEMORY = Path("/dev/shm")  # noqa: S108 - each run has a folder of its own in it
SMALL = Limits(soft=60_000, hard=90_000)
SCREENS = st.sampled_from(["0", "1", "2"])


class AnyHistory(RuleBasedStateMachine):
    """A player, its disk, its sender, and what goes wrong with each."""

    plays = Bundle("plays")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self.path = self.folder / "0" / "pops"
        self.produced: dict[str, int] = {}
        self.acked: set[Number] = set()
        #: Whatever was declared at any time: the play that told of it may be gone since.
        self.declared: set[Number] = set()
        #: Those that are shown, of this start of the player.
        self.shown: list[Play] = []
        self.copies = 0
        self.limits = Limits()
        self.outbox = self.opened()

    def opened(self) -> Outbox:
        """The player starts, and has looked at its rows for the first time."""
        outbox = outbox_at(self.path, limits=self.limits, wait_seconds=60.0)
        # The first look comes behind the first writing, and before the second.
        for _ in range(2):
            ticket = outbox._writer.submit(Lived(1))
            assert ticket is not None
            assert ticket.done.wait(60)
        return outbox

    @rule(target=plays, screen=SCREENS, size=st.sampled_from([0, 0, 0, 3000, 9000]))
    def start(self, screen: str, size: int) -> Play:
        """A play begins."""
        self.produced[f"1/{screen}"] = self.produced.get(f"1/{screen}", 0) + 1
        play = self.outbox.start(event_of(screen, note="x" * size))
        self.shown.append(play)
        return play

    @rule(play=consumes(plays))
    def end(self, play: Play) -> None:
        """A play is over; unless the player has died since it began."""
        if play in self.shown:
            play.end()
            self.shown.remove(play)

    @rule()
    def crash(self) -> None:
        """The player dies, and starts again."""
        self._die()
        self.outbox = self.opened()

    @rule()
    def close(self) -> None:
        """The player ends as it should, and starts again."""
        self.outbox.close()
        self.shown.clear()
        self.outbox = self.opened()

    @rule(rows=st.integers(1, 12))
    def ack(self, rows: int) -> None:
        """The sender has some of the oldest confirmed."""
        self.acked |= ack_oldest(self.path, rows)

    @rule(is_small=st.booleans())
    def limit(self, is_small: bool) -> None:
        """The disk gets small, or large."""
        self.limits = SMALL if is_small else Limits()
        self.crash()

    @rule(
        name=st.sampled_from(["pops", "pops-wal", "pops.marks"]),
        kind=st.sampled_from(["flip", "zero", "cut", "delete"]),
        place=st.floats(0, 1, exclude_max=True),
    )
    def damage(self, name: str, kind: str, place: float) -> None:
        """The player dies, and the disk has done something to one of its files."""
        self._die()
        file = self.path.with_name(name)
        if file.exists() and (content := bytearray(file.read_bytes())):
            at = int(place * len(content))
            if kind == "flip":
                content[at] ^= 16
            elif kind == "zero":
                content[at : at + 512] = bytes(len(content[at : at + 512]))
            elif kind == "cut":
                del content[at:]
            file.write_bytes(content)
            if kind == "delete":
                file.unlink()
        self.outbox = self.opened()

    @rule(place=st.floats(0, 1, exclude_max=True))
    def damage_while_it_is_used(self, place: float) -> None:
        """The player goes on meanwhile."""
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            file.seek(int(place * self.path.stat().st_size))
            file.write(bytes(512))
        self.crash()

    @invariant()
    def nothing_is_lost_without_a_word(self) -> None:
        """What this is all about."""
        connection = sqlite3.connect(self.path)
        account = account_in(connection)
        connection.close()
        self.declared |= account.lost
        produced = {(key, n + 1) for key, last in self.produced.items() for n in range(last)}
        account.require(produced - self.acked - self.declared)
        assert account.stored <= produced
        open_ones = [row for row in account.rows if row.state is State.OPEN]
        assert len(open_ones) <= len(self.shown)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.outbox.close()
        shutil.rmtree(self.folder)

    def _die(self) -> None:
        self.copies += 1
        died = copy_of(self.path, self.folder / str(self.copies))
        self.outbox.close()
        shutil.rmtree(self.path.parent)
        self.path = died
        self.shown.clear()


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=40, stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
