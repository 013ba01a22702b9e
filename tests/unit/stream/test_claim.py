import pytest

from pop_stream.pop.identity import fallback_pop_id
from pop_stream.pop.trail import Origin
from pop_stream.stream.claim import Stage, claims_of
from tests.unit.stream.fakes import EVENTS, RETRY, Arrivals

POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
FORGED = [("pop-id", POP_ID.encode()), ("pop-attempt", b"3"), ("pop-origin", b"a/1/2/3")]


def test_a_run_becomes_a_claim_for_each_record() -> None:
    """Claims keep their record, place and order; the run lets its records go."""
    run = Arrivals().run(EVENTS, b"a", b"b", None)
    records = run.records
    claims = claims_of(run, Stage.FORWARD)

    assert [claim.record for claim in claims] == list(records)
    assert [claim.index for claim in claims] == [0, 1, 2]
    assert {claim.stage for claim in claims} == {Stage.FORWARD}
    assert list(run.records) == []


def test_only_our_own_topics_are_believed() -> None:
    """The same headers tell of attempts on the retry topic, and of nothing on the players'."""
    arrivals = Arrivals()
    (player,) = claims_of(arrivals.run(EVENTS, b"a", headers=FORGED), Stage.FORWARD)
    (ours,) = claims_of(arrivals.run(RETRY, b"a", headers=FORGED), Stage.RETRY)

    assert (player.trail.attempts, ours.trail.attempts) == (0, 3)
    assert player.trail.origin == Origin(EVENTS, 0, 0, 1_795_168_800_000)
    assert ours.trail.origin == Origin("a", 1, 2, 3)
    assert player.trail.pop_id == ours.trail.pop_id == POP_ID


def test_an_event_without_an_id_is_named_after_its_record() -> None:
    """The id comes from the very place where the player's record stands."""
    claims = claims_of(Arrivals().run(EVENTS, b"a", b"b"), Stage.FORWARD)

    assert [claim.trail.pop_id for claim in claims] == [
        fallback_pop_id(EVENTS, 0, offset) for offset in (0, 1)
    ]


@pytest.mark.parametrize("again", [False, True])
def test_a_claim_counts_until_its_partition_is_revoked(again: bool) -> None:
    """After a revocation nothing is ours, also when the same partition comes back."""
    arrivals = Arrivals()
    first, second = claims_of(arrivals.run(EVENTS, b"a", b"b"), Stage.FORWARD)

    assert first.is_ours
    assert first.finish() is True
    assert arrivals.commit(EVENTS) == 1

    arrivals.ledger.close()
    if again:
        arrivals.assign()

    assert not second.is_ours
    assert second.finish() is False
    assert arrivals.commit(EVENTS) is None
