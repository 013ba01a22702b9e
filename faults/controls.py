"""The negative controls: each a defect planted in the worker, and the checks that must find it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.plan import KillWorker, Misbehave, RefuseWrites, Scenario

#: Events that GSTV takes a while for, so that there is always one to lose.
_SLOW: Sequence[object] = ({"then": {"delay": [0.1, 0.4]}},)
_FAIL_ONCE: Sequence[object] = (
    {"when": {"share": [0, 0.02]}, "then": {"status": 422}},
    {"when": {"share": [0.02, 0.5], "nth": "<=1"}, "then": {"status": 503}},
)

_RECEIPTS_ON = {"receipts": "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A defect, the scenario that brings it to light, and who must see it."""

    name: str
    title: str
    scenario: Scenario
    #: One of these checks, at least, must fail.
    caught_by: tuple[str, ...]
    argv: Sequence[str]


def _planted(name: str) -> Sequence[str]:
    return (sys.executable, "-m", "faults.planted", name)


def _scenario(name: str, **facts: object) -> Scenario:
    usual: dict[str, object] = {"rows": "control", "title": "", "seconds": 10.0, "must_have": ()}
    return Scenario(name=f"control-{name}", **(usual | facts))  # type: ignore[arg-type]


_KILLS = (KillWorker(at=4), KillWorker(at=7, worker=2))

CONTROLS = {
    control.name: control
    for control in (
        Control(
            name="stock-faust",
            title="Faust's own acknowledgements, used with care",
            scenario=_scenario("stock-faust", rules=_SLOW, actions=_KILLS),
            caught_by=("commit safety",),
            argv=(sys.executable, "-m", "faults.stock_faust", "worker", "--without-web"),
        ),
        Control(
            name="finish-before-post",
            title="an event counts as done as soon as its POST has begun",
            scenario=_scenario("finish-before-post", rules=_SLOW, actions=_KILLS),
            caught_by=("commit safety",),
            argv=_planted("finish-before-post"),
        ),
        Control(
            name="hand-off-not-awaited",
            title="an event counts as done before its record on the retry topic is confirmed",
            scenario=_scenario(
                "hand-off-not-awaited",
                rules=_FAIL_ONCE,
                actions=[RefuseWrites(at=3, seconds=5, topic="retry"), KillWorker(at=6)],
            ),
            caught_by=("commit safety",),
            argv=_planted("hand-off-not-awaited"),
        ),
        Control(
            name="redirects-followed",
            title="a redirect counts as success",
            scenario=_scenario(
                "redirects-followed",
                actions=[
                    Misbehave(
                        at=3,
                        seconds=3,
                        name="302",
                        rules=[{"then": {"status": 302, "headers": {"Location": "/other"}}}],
                    )
                ],
            ),
            caught_by=("loss",),
            argv=_planted("redirects-followed"),
        ),
        Control(
            name="commit-one-too-high",
            title="the first unfinished offset is committed as finished",
            scenario=_scenario("commit-one-too-high", rules=_SLOW, actions=_KILLS),
            caught_by=("commit safety",),
            argv=_planted("commit-one-too-high"),
        ),
        Control(
            name="generation-ignored",
            title="after a rebalance a worker goes on from where it was, not from its commit",
            scenario=_scenario(
                "generation-ignored",
                # So slow that a drain leaves events unfinished.
                rules=[{"then": {"delay": [0.5, 2.0]}}],
                settings={"drain_seconds": 0.2},
                events_per_second=80.0,
                actions=[KillWorker(at=4, worker=2), KillWorker(at=14, worker=2)],
                seconds=20.0,
            ),
            caught_by=("commit safety", "commit regressions", "loss"),
            argv=_planted("generation-ignored"),
        ),
        Control(
            name="notification-forgotten",
            title="a failed event counts as told of, and nobody is told",
            scenario=_scenario("notification-forgotten", actions=[]),
            caught_by=("silent failure",),
            argv=_planted("notification-forgotten"),
        ),
        Control(
            name="json-written-anew",
            title="the body is what a parser makes of the event",
            scenario=_scenario("json-written-anew", actions=[]),
            caught_by=("integrity",),
            argv=_planted("json-written-anew"),
        ),
        Control(
            name="receipts-not-awaited",
            title="a commit is made before its receipts are confirmed",
            scenario=_scenario(
                "receipts-not-awaited",
                settings=_RECEIPTS_ON,
                actions=[RefuseWrites(at=3, seconds=5, topic="receipts"), KillWorker(at=6)],
            ),
            caught_by=("unproven delivery",),
            argv=_planted("receipts-not-awaited"),
        ),
        Control(
            name="receipts-of-failures",
            title="an attempt that failed is receipted like one that GSTV took",
            scenario=_scenario(
                "receipts-of-failures", settings=_RECEIPTS_ON, rules=_FAIL_ONCE, actions=[]
            ),
            caught_by=("false receipt",),
            argv=_planted("receipts-of-failures"),
        ),
    )
}


def without_one_delivery(folder: Path) -> str:
    """Take one event's requests out of the partner's ledger, as if it had never come; its id."""
    ledger = folder / "gstv.ndjson"
    lines = ledger.read_text("utf-8").splitlines(keepends=True)
    parked = _parked(folder)
    missing = next(pop_id for line in lines
                   if (pop_id := json.loads(line)["id"]) not in parked)  # fmt: skip
    ledger.write_text("".join(line for line in lines if missing not in line), "utf-8")
    return str(missing)


def _parked(folder: Path) -> set[str]:
    records = map(json.loads, (folder / "records.ndjson").read_text("utf-8").splitlines())
    return {one["headers"]["pop-id"] for one in records if one["topic"] == "failure"}
