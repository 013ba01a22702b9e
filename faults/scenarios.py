"""All scenarios: one for each row of the fault table that this machine can play.

Rows by letter: A the worker's process, B Kafka, C the partner, E what the records hold, F the
failure notifications (docs/reliability.md). Times are seconds from the players' first event.
"""

from collections.abc import Sequence

from faults.plan import (
    Cut,
    ExpectEnd,
    KillBrokers,
    KillGstv,
    KillWorker,
    LimitFiles,
    Misbehave,
    PauseBrokers,
    PauseWorker,
    Scenario,
    StopWorker,
)
from faults.proxy_faults import (
    Blackhole,
    CutAfter,
    Delay,
    HalfClose,
    Refuse,
    Reset,
    Throttle,
)

_SLOW: Sequence[object] = ({"then": {"delay": [0.2, 0.6]}},)
_HALF_FAIL_ONCE: Sequence[object] = (
    {"when": {"share": [0, 0.01]}, "then": {"status": 422}},
    {"when": {"share": [0.01, 0.5], "nth": "<=1"}, "then": {"status": 503}},
)
_HALF_REJECTED: Sequence[object] = (
    {"when": {"share": [0, 0.5]}, "then": {"status": 422}},
    {"when": {"share": [0.5, 0.55], "nth": "<=1"}, "then": {"status": 503}},
)

_WORKER = (
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
        rules=_HALF_FAIL_ONCE,
        actions=[KillWorker(at=3), KillWorker(at=6, worker=2), KillWorker(at=9)],
    ),
    Scenario(
        name="rebalance-storm",
        rows="A6",
        title="three workers that come and go, in order or not",
        workers=3,
        must_have=("retry", "parked", "rebalance"),
        actions=[
            StopWorker(at=2, worker=1),
            KillWorker(at=5, worker=2),
            StopWorker(at=8, worker=3),
            KillWorker(at=11, worker=1),
            StopWorker(at=14, worker=2),
            KillWorker(at=17, worker=3),
            StopWorker(at=20, worker=1),
        ],
        seconds=22,
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
)

_STUCK = tuple(
    Scenario(
        name=name,
        rows="A10" if name == "loop-blocked" else "liveness",
        title=title,
        befalls=name,
        actions=[ExpectEnd(at=4, within_seconds=75)],
        events_per_second=150,
        rules=_HALF_FAIL_ONCE,
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

_KAFKA = (
    Scenario(
        name="leader-killed",
        rows="B1",
        title="kill -9 of the broker that leads, twice",
        actions=[
            KillBrokers(at=3, down_seconds=5, brokers=["leader"]),
            KillBrokers(at=20, down_seconds=5, brokers=["leader"]),
        ],
    ),
    Scenario(
        name="brokers-bounced",
        rows="B1",
        title="a rolling restart of all brokers",
        actions=[
            KillBrokers(at=3, down_seconds=2, brokers=[1], clean=True),
            KillBrokers(at=16, down_seconds=2, brokers=[2], clean=True),
            KillBrokers(at=29, down_seconds=2, brokers=[3], clean=True),
        ],
    ),
    Scenario(
        name="broker-down-60-s",
        rows="B2",
        title="one broker is away for a minute",
        actions=[KillBrokers(at=3, down_seconds=60, brokers=[2])],
        events_per_second=200,
    ),
    Scenario(
        name="all-brokers-killed",
        rows="B3",
        title="kill -9 of all brokers, back after 15 s",
        actions=[KillBrokers(at=4, down_seconds=15, brokers=[1, 2, 3])],
        recovery_seconds=60,
    ),
    Scenario(
        name="no-quorum",
        rows="B4 B5",
        title="two of three brokers stand still, twice: no write can be confirmed",
        actions=[
            PauseBrokers(at=3, seconds=12, brokers=[2, 3]),
            PauseBrokers(at=25, seconds=12, brokers=[1, 2]),
        ],
        rules=_HALF_FAIL_ONCE,
        recovery_seconds=60,
    ),
    Scenario(
        name="coordinator-killed",
        rows="B6",
        title="kill -9 of the broker that coordinates the group",
        actions=[KillBrokers(at=4, down_seconds=8, brokers=["coordinator"])],
    ),
    Scenario(
        name="cut-off-from-kafka-10-s",
        rows="B8",
        title="all bytes between workers and brokers are held back, for less than a session ...",
        actions=[Cut(at=3, seconds=10, link="brokers", fault=Blackhole("both"))],
    ),
    Scenario(
        name="cut-off-from-kafka-70-s",
        rows="B8",
        title="... and for longer than anything waits",
        actions=[Cut(at=3, seconds=70, link="brokers", fault=Blackhole("both"))],
        events_per_second=150,
    ),
    Scenario(
        name="kafka-does-not-answer",
        rows="B9",
        title="requests reach the brokers, answers do not come back: written, and not confirmed",
        actions=[Cut(at=3, seconds=15, link="brokers", fault=Blackhole("down"))],
        rules=_HALF_FAIL_ONCE,
    ),
    Scenario(
        name="kafka-connections-reset",
        rows="B8",
        title="connections to the brokers are reset again and again, some while refused",
        actions=[
            Cut(at=2, seconds=6, link="brokers", fault=CutAfter((20_000, 400_000))),
            Cut(at=9, seconds=1, link="brokers", fault=Reset()),
            Cut(at=11, seconds=4, link="brokers", fault=Refuse()),
        ],
        seconds=16,
        rules=_HALF_FAIL_ONCE,
    ),
    Scenario(
        name="kafka-slow",
        rows="B19",
        title="every answer of the brokers comes late, a few bytes at a time",
        actions=[
            Cut(at=2, seconds=6, link="brokers", fault=Delay((0.05, 0.4))),
            Cut(at=10, seconds=6, link="brokers", fault=Throttle(30_000)),
        ],
        seconds=18,
    ),
)

_PARTNER = (
    Scenario(
        name="gstv-down",
        rows="C1 C15",
        title="503 on everything, then refused, then silent, then killed",
        actions=[
            Misbehave(at=3, seconds=6, name="503", rules=[{"then": {"status": 503}}]),
            Cut(at=12, seconds=5, link="gstv", fault=Refuse()),
            Cut(at=20, seconds=8, link="gstv", fault=Blackhole("both")),
            KillGstv(at=31, down_seconds=4),
        ],
        seconds=38,
    ),
    Scenario(
        name="gstv-fails-often",
        rows="C2",
        title="500 on every fifth attempt",
        actions=[
            Misbehave(
                at=2,
                seconds=9,
                name="500",
                rules=[{"when": {"random": 0.2}, "then": {"status": 500}}],
            ),
            KillWorker(at=6),
        ],
    ),
    Scenario(
        name="gstv-slows-us-down",
        rows="C3",
        title="429 with Retry-After, and 503 with it",
        actions=[
            Misbehave(
                at=3,
                seconds=5,
                name="429",
                rules=[
                    {"when": {"above_per_second": 100}, "then": {"status": 429, "retry_after": 1}}
                ],
            ),
            Misbehave(
                at=10,
                seconds=4,
                name="503-later",
                rules=[{"then": {"status": 503, "retry_after": 2}}],
            ),
        ],
        seconds=16,
    ),
    Scenario(
        name="gstv-redirects",
        rows="C7",
        title="302 on everything: nothing is followed, everything is held",
        actions=[
            Misbehave(
                at=3,
                seconds=6,
                name="302",
                rules=[{"then": {"status": 302, "headers": {"Location": "/other"}}}],
            ),
        ],
    ),
    Scenario(
        name="gstv-takes-and-does-not-say",
        rows="C8 C10",
        title="events that are taken, and whose answer never comes or is cut off",
        must_have=("retry", "duplicate"),
        actions=[
            Misbehave(
                at=2,
                seconds=9,
                name="reset",
                rules=[
                    {"when": {"random": 0.05}, "then": {"reset": "after-response"}},
                    {"when": {"random": 0.05}, "then": {"reset": "mid-response"}},
                    {"when": {"random": 0.02}, "then": {"reset": "after-read"}},
                    {"when": {"random": 0.01}, "then": {"hang": True}},
                ],
            ),
            KillWorker(at=7),
        ],
    ),
    Scenario(
        name="gstv-slow",
        rows="C9",
        title="answers that come byte by byte, or late",
        actions=[
            Cut(at=2, seconds=5, link="gstv", fault=Throttle(400)),
            Cut(at=9, seconds=5, link="gstv", fault=Delay((0.2, 1.5))),
        ],
        seconds=16,
    ),
    Scenario(
        name="gstv-connections-break",
        rows="C10 C11",
        title="connections cut after any number of bytes, reset, half closed",
        actions=[
            Cut(at=2, seconds=4, link="gstv", fault=CutAfter((1, 3000), direction="down")),
            Cut(at=7, seconds=4, link="gstv", fault=CutAfter((1, 3000), direction="up")),
            Cut(at=12, seconds=1, link="gstv", fault=Reset()),
            Cut(at=14, seconds=2, link="gstv", fault=HalfClose()),
        ],
        seconds=18,
    ),
)

_RECORDS = (
    Scenario(
        name="bad-records",
        rows="E1 E5 E8",
        title="one record in ten is no event, and workers are killed",
        bad_share=0.1,
        actions=[KillWorker(at=4), KillWorker(at=8, worker=2)],
    ),
    Scenario(
        name="everything-rejected",
        rows="F",
        title="half of all events are parked and notified, and workers are killed",
        rules=_HALF_REJECTED,
        actions=[KillWorker(at=4), StopWorker(at=7), KillWorker(at=9, worker=2)],
    ),
    Scenario(
        name="order-of-screens",
        rows="P4",
        title="in the order of screens, with events that fail once, and no worker lost",
        settings={"order": "screen"},
        must_have=("parked",),
        actions=[
            Misbehave(
                at=3,
                seconds=6,
                name="503",
                rules=[{"when": {"random": 0.2}, "then": {"status": 503}}],
            ),
        ],
    ),
)

SCENARIOS = {each.name: each for each in (*_WORKER, *_STUCK, *_KAFKA, *_PARTNER, *_RECORDS)}
