"""The whole of the work, among neighbours that obey."""

from pop_stream.pop.notification import NotificationStyle
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.work import Work
from tests.unit.stream.fakes import NOTIFICATIONS, FakeGstv
from tests.unit.stream.scene import Scene


class All(Scene):
    """The whole of the work, among its neighbours. Make it in a running loop."""

    def __init__(self, *, drain_seconds: float = 20.0, max_in_flight: int = 64) -> None:
        super().__init__(max_in_flight=max_in_flight, working=False)
        self.url = FakeGstv()
        notifier = Notifier(
            NotificationStyle(),
            topic=NOTIFICATIONS,
            handoff=self.handoff,
            tally=self.tally,
            abort=self.abort,
            make_poster=self.url.make,
        )
        self.work = Work(
            ledger=self.arrivals.ledger,
            forwarder=self.forwarder,
            notifier=notifier,
            handoff=self.handoff,
            tally=self.tally,
            drain_seconds=drain_seconds,
        )
        self.work.resume(1.0)

    def committed(self) -> None:
        """Let the broker take what may be committed."""
        self.arrivals.ledger.committed(self.arrivals.ledger.commits())
