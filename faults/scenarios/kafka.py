"""What befalls Kafka: brokers that are killed or stand still, and the way to them cut or slow."""

from faults.plan import HALF_FAIL_ONCE, Cut, KillBrokers, PauseBrokers, Scenario
from faults.proxy_faults import Blackhole, CutAfter, Delay, Refuse, Reset, Throttle

KAFKA = (
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
        rules=HALF_FAIL_ONCE,
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
        rules=HALF_FAIL_ONCE,
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
        rules=HALF_FAIL_ONCE,
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
