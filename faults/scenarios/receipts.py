"""What befalls workers that write delivery receipts, from the delivery to the commit."""

from faults.plan import (
    HALF_FAIL_ONCE,
    Cut,
    KillBrokers,
    KillWorker,
    PauseBrokers,
    PauseWorker,
    RefuseWrites,
    Scenario,
    StopWorker,
)
from faults.proxy_faults import Blackhole, CutAfter

_ON = {"receipts": "on"}

RECEIPTS = (
    Scenario(
        name="receipts-worker-killed",
        rows="G1",
        title="kill -9 of workers between deliveries, their receipts, and the commit",
        settings=_ON,
        rules=HALF_FAIL_ONCE,
        must_have=("duplicate", "retry", "parked", "rebalance"),
        actions=[KillWorker(at=3), KillWorker(at=7, worker=2), KillWorker(at=11)],
        seconds=14,
    ),
    Scenario(
        name="receipts-rebalances",
        rows="G2",
        title="three workers, ended, paused and killed: partitions go while receipts are written",
        settings=_ON,
        rules=HALF_FAIL_ONCE,
        workers=3,
        must_have=("retry", "parked", "rebalance"),
        actions=[
            StopWorker(at=2),
            PauseWorker(at=6, worker=2, seconds=12),
            StopWorker(at=12, worker=3, kill_after=0.1),
            StopWorker(at=22),
            KillWorker(at=26, worker=2),
        ],
        seconds=30,
    ),
    Scenario(
        name="receipts-brokers-killed",
        rows="G3",
        title="kill -9 of the broker that leads, then two of three stand still",
        settings=_ON,
        rules=HALF_FAIL_ONCE,
        actions=[
            KillBrokers(at=3, down_seconds=4, brokers=["leader"]),
            PauseBrokers(at=18, seconds=12, brokers=[2, 3]),
        ],
        recovery_seconds=60,
    ),
    Scenario(
        name="receipts-not-confirmed",
        rows="G3",
        title="receipts reach the brokers, answers do not come back; then connections are cut",
        settings=_ON,
        rules=HALF_FAIL_ONCE,
        actions=[
            Cut(at=3, seconds=15, link="brokers", fault=Blackhole("down")),
            Cut(at=25, seconds=6, link="brokers", fault=CutAfter((20_000, 400_000))),
        ],
        seconds=32,
    ),
    Scenario(
        name="receipts-refused",
        rows="G4",
        title="the receipts topic takes nothing, and a worker is killed meanwhile",
        settings=_ON,
        rules=HALF_FAIL_ONCE,
        actions=[RefuseWrites(at=3, seconds=9, topic="receipts"), KillWorker(at=7)],
        seconds=16,
    ),
)
