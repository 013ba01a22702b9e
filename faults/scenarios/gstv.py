"""What befalls GSTV: it is away, refuses, is slow, or takes an event and does not say so."""

from faults.plan import Cut, KillGstv, KillWorker, Misbehave, Scenario
from faults.proxy_faults import Blackhole, CutAfter, Delay, HalfClose, Refuse, Reset, Throttle

GSTV = (
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
        # Not a duplicate: whether an answer is read before the reset that follows it is a race.
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
