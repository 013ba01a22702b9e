"""What the records bring about: some are no events, half are parked, a screen has its order."""

from collections.abc import Sequence

from faults.plan import KillWorker, Misbehave, Scenario, StopWorker

_HALF_REJECTED: Sequence[object] = (
    {"when": {"share": [0, 0.5]}, "then": {"status": 422}},
    {"when": {"share": [0.5, 0.55], "nth": "<=1"}, "then": {"status": 503}},
)

RECORDS = (
    Scenario(
        name="bad-records",
        rows="E1 E5 E8",
        title="one record in ten is no event, and workers are killed",
        bad_share=0.1,
        actions=[KillWorker(at=4), KillWorker(at=8, worker=2)],
    ),
    Scenario(
        name="everything-rejected",
        rows="F1",
        title="half of all events are parked and notified, and workers are killed",
        rules=_HALF_REJECTED,
        actions=[KillWorker(at=4), StopWorker(at=7), KillWorker(at=9, worker=2)],
    ),
    Scenario(
        name="order-of-screens",
        rows="E11",
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
