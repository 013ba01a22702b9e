"""Workers with one defect each, planted on purpose: a suite that finds none of them proves nothing.

`python -m faults.planted NAME` runs a worker as `pop-stream worker` does, with the defect.
"""

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from pop_stream.cli.main import main
from pop_stream.pop import event, verdict
from pop_stream.pop.event import Forward
from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.pop.verdict import Policy
from pop_stream.stream import forwarder, transport
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.continuity import Continuity
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Commit, Ledger, Place, Run
from pop_stream.stream.notifier import Notifier


def _finish_before_post() -> None:
    """An event counts as done as soon as its POST has begun."""
    attempt = forwarder.Forwarder._attempt

    def planted(self: forwarder.Forwarder, claim: Claim) -> bool:
        posted = attempt(self, claim)
        if posted:
            claim.finish()
        return posted

    forwarder.Forwarder._attempt = planted  # type: ignore[method-assign]


def _do_not_wait_for_the_hand_off() -> None:
    """An event counts as done before the broker has confirmed its record on the next topic."""
    start = Handoff.start

    def planted(
        self: Handoff, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]
    ) -> None:
        then(claim)
        start(self, claim, outgoing, lambda _: None)

    Handoff.start = planted  # type: ignore[method-assign]


def _follow_redirects() -> None:
    """A redirect counts as success, as with a client that follows it and is answered 200."""
    is_success = verdict.is_success

    def planted(outcome: Outcome, policy: Policy) -> bool:
        redirected = isinstance(outcome, Answer) and 300 <= outcome.status < 400
        return redirected or is_success(outcome, policy)

    vars(forwarder)["is_success"] = planted


def _commit_one_too_high() -> None:
    """The classic: the offset of the first unfinished event is committed as finished."""
    commits = Ledger.commits

    def planted(self: Ledger[Any]) -> dict[Place, Commit]:
        behind = {place: state.next_offset for place, state in self._partitions.items()}
        return {
            place: (
                commit._replace(offset=commit.offset + 1)
                if commit.offset < (behind[place] or 0)
                else commit
            )
            for place, commit in commits(self).items()
        }

    Ledger.commits = planted  # type: ignore[method-assign]


def _ignore_the_generation() -> None:
    """After a rebalance a worker goes on from where it was, not from what stands committed."""
    consumer = vars(transport)["Consumer"]
    revoked, assigned = consumer.on_partitions_revoked, consumer.on_partitions_assigned

    async def remembering(self: Any, places: Any) -> None:
        ledger = self._host.ledger
        self.reached = {place: ledger.expected(Place(*place)) for place in places}
        await revoked(self, places)

    async def going_on(self: Any, places: Any, generation_id: int = 0) -> None:
        await assigned(self, places, generation_id)
        for place in places:
            offset = getattr(self, "reached", {}).get(place)
            if offset is not None:
                await self._thread.start_at(place, offset)

    async def examine(*_: Any) -> set[Any]:
        return set()

    consumer.on_partitions_revoked, consumer.on_partitions_assigned = remembering, going_on
    # It would see the gap, and fetch what lies in it.
    Continuity.examine = examine  # type: ignore[method-assign, assignment]


def _forget_the_notification() -> None:
    """A failed event counts as told of, and nobody is told."""

    def planted(self: Notifier, run: Run[Any]) -> None:
        for claim in claims_of(run, Stage.FAILURE):
            claim.finish()

    Notifier.take = planted  # type: ignore[method-assign]


def _write_json_anew() -> None:
    """The body is what a parser makes of the event, not its bytes."""
    read_event = event.read_event

    def planted(*args: Any, **kwargs: Any) -> Any:
        reading = read_event(*args, **kwargs)
        if isinstance(reading, Forward):
            body = orjson.dumps(orjson.loads(reading.body), option=orjson.OPT_SORT_KEYS)
            return reading._replace(body=body)
        return reading

    vars(forwarder)["read_event"] = planted


DEFECTS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "finish-before-post": _finish_before_post,
        "hand-off-not-awaited": _do_not_wait_for_the_hand_off,
        "redirects-followed": _follow_redirects,
        "commit-one-too-high": _commit_one_too_high,
        "generation-ignored": _ignore_the_generation,
        "notification-forgotten": _forget_the_notification,
        "json-written-anew": _write_json_anew,
    }
)


if __name__ == "__main__":
    DEFECTS[sys.argv[1]]()
    main(["worker"])
