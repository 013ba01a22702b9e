"""What befalls workers: they are killed, ended, paused, short of files, or get stuck."""

from collections.abc import Sequence

from faults.plan import (
    HALF_FAIL_ONCE,
    Cut,
    ExpectEnd,
    KillWorker,
    LimitFiles,
    Misbehave,
    PauseWorker,
    Scenario,
    StopWorker,
)
from faults.proxy_faults import CutAfter

_SLOW: Sequence[object] = ({"then": {"delay": [0.2, 0.6]}},)

_STUCK = tuple(
    Scenario(
        name=name,
        rows="A10 B7" if name == "producer-wedged" else "A10",
        title=title,
        befalls=name,
        actions=[ExpectEnd(at=4, within_seconds=75)],
        events_per_second=150,
        rules=HALF_FAIL_ONCE,
        must_have=("retry", "rebalance"),
        recovery_seconds=60,
    )
    for name, title in (
        ("loop-blocked", "a worker whose event loop stands still"),
        ("kafka-thread-blocked", "a worker whose thread for Kafka stands still"),
        ("nothing-fetched", "a worker that is alive and in its group, and fetches nothing"),
        ("producer-wedged", "a worker whose records are neither confirmed nor refused"),
    )
)

WORKER = (
    Scenario(
        name="worker-killed-posting",
        rows="A1 A2",
        title="kill -9 of workers with attempts under way",
        rules=[*_SLOW],
        must_have=("duplicate", "rebalance"),
        actions=[KillWorker(at=3), KillWorker(at=7, worker=2), KillWorker(at=11)],
        seconds=14,
    ),
    Scenario(
        name="worker-killed-sending-body",
        rows="A3",
        title="kill -9 while requests are cut within their bodies",
        actions=[
            Cut(at=2, seconds=8, link="gstv", fault=CutAfter((200, 6000), direction="up")),
            KillWorker(at=4),
            KillWorker(at=7, worker=2),
        ],
    ),
    Scenario(
        name="worker-killed-handing-on",
        rows="A4 A5",
        title="kill -9 while half of all events are handed on to the retry topic",
        rules=HALF_FAIL_ONCE,
        actions=[KillWorker(at=3), KillWorker(at=6, worker=2), KillWorker(at=9)],
    ),
    Scenario(
        name="rebalance-storm",
        rows="A6",
        title="three workers that come and go, in order or not",
        workers=3,
        must_have=("retry", "parked", "rebalance"),
        actions=[
            # Each worker has 15 s until it is struck again: to leave takes as long as the others
            # wait for one that was killed.
            StopWorker(at=2, worker=1),
            KillWorker(at=7, worker=2),
            StopWorker(at=12, worker=3),
            KillWorker(at=17, worker=1),
            StopWorker(at=22, worker=2),
            KillWorker(at=27, worker=3),
            StopWorker(at=32, worker=1),
        ],
        seconds=34,
    ),
    Scenario(
        name="worker-killed-draining",
        rows="A7",
        title="SIGTERM, and kill -9 in the middle of the drain",
        rules=[{"then": {"delay": [1.0, 2.5]}}],
        must_have=(),
        events_per_second=100,
        actions=[
            StopWorker(at=3, kill_after=0.1),
            StopWorker(at=7, worker=2, kill_after=0.7),
            StopWorker(at=11, kill_after=0.4),
        ],
        seconds=14,
    ),
    Scenario(
        name="worker-stopped-gstv-hangs",
        rows="A8",
        title="SIGTERM while GSTV takes connections and answers nothing",
        actions=[
            Misbehave(at=3, seconds=9, name="hang", rules=[{"then": {"hang": True}}]),
            StopWorker(at=5),
            StopWorker(at=6, worker=2),
        ],
    ),
    Scenario(
        name="zombie-15-s",
        rows="A9",
        title="a worker that stands still for 15 s, and goes on as if nothing had been",
        actions=[PauseWorker(at=3, seconds=15)],
        seconds=20,
    ),
    Scenario(
        name="zombie-70-s",
        rows="A9",
        title="the same for 70 s, longer than a rebalance may take",
        actions=[PauseWorker(at=3, seconds=70)],
        events_per_second=150,
    ),
    Scenario(
        name="zombie-300-s",
        rows="A9",
        title="the same for 300 s",
        actions=[PauseWorker(at=3, seconds=300)],
        events_per_second=50,
        long=True,
    ),
    Scenario(
        name="no-more-files",
        rows="A11",
        title="a worker that may open no more files while GSTV drops its connections",
        actions=[
            LimitFiles(at=2, seconds=8),
            Cut(at=3, seconds=6, link="gstv", fault=CutAfter((2000, 20_000), direction="up")),
        ],
    ),
    *_STUCK,
)
