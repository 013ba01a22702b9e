"""A forwarder among its neighbours: a real ledger and hand-off, a GSTV and a Kafka that obey."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from pop_stream.pop.breaker import Breaker
from pop_stream.pop.event import Rules
from pop_stream.pop.verdict import Policy
from pop_stream.stream.claim import Stage
from pop_stream.stream.forwarder import Conduct, Forwarder, MakeClient
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.receipts import Receipts
from pop_stream.watch.tally import Tally
from pop_stream.watch.tracing import Tracing
from tests.unit.stream.fakes import (
    EVENTS,
    FAILURE,
    RECEIPTS,
    RETRY,
    Arrivals,
    FakeGstv,
    FakeKafka,
    NotedAbort,
)

EVENT = (
    b'{"filename":"GSTV.a.webm","assetId":"5942","startTimestamp":"2026-11-20 10:00:00",'
    b'"endTimestamp":"2026-11-20 10:00:15","siteId":"s-1","screenId":"2"}'
)
NO_EVENT = b"not json"
POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


class Scene:
    """Make it in a running loop."""

    def __init__(
        self,
        *,
        max_in_flight: int = 64,
        working: bool = True,
        order: Literal["none", "screen"] = "none",
        tracing: Tracing | None = None,
        receipts: bool = False,
        make_client: MakeClient | None = None,
        **policy: Any,
    ) -> None:
        self.arrivals = Arrivals()
        self.gstv = FakeGstv(max_in_flight)
        self.kafka = FakeKafka()
        self.abort = NotedAbort()
        self.tally = Tally()
        self.handoff = Handoff(self.kafka.confirm, self.kafka.confirm_together, self.abort)
        self.receipts = (
            Receipts(self.kafka.confirm, topic=RECEIPTS, group="g", tally=self.tally)
            if receipts
            else None
        )
        self.forwarder = Forwarder(
            Conduct(
                rules=Rules(overlong=timedelta(seconds=60)),
                policy=Policy(**policy),
                retry_topic=RETRY,
                failure_topic=FAILURE,
                # The tests have no second to wait for a probe.
                breaker=Breaker(least_seconds=0.3),
                order=order,
            ),
            make_client=make_client or self.gstv.make,
            handoff=self.handoff,
            tally=self.tally,
            abort=self.abort,
            tracing=tracing,
            receipts=self.receipts,
        )
        if working:
            self.forwarder.resume()

    def arrive(
        self,
        *values: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        key: bytes | None = b"s-1/2",
    ) -> None:
        """Let players' events arrive."""
        run = self.arrivals.run(EVENTS, *values, headers=headers, key=key)
        self.forwarder.take(run, Stage.FORWARD)

    def come_back(
        self, value: bytes = EVENT, *, attempts: int = 1, not_before: int = 0, **headers: bytes
    ) -> None:
        """Let an event arrive from the retry topic."""
        ours = [
            ("pop-id", POP_ID.encode()),
            ("pop-attempt", str(attempts).encode()),
            ("pop-not-before", str(not_before).encode()),
            ("pop-origin", b"events/0/7/1795168800000"),
            *headers.items(),
        ]
        run = self.arrivals.run(RETRY, value, headers=ours)
        self.forwarder.take(run, Stage.RETRY)

    def revoke(self) -> None:
        """Lose all partitions."""
        self.arrivals.ledger.close()
