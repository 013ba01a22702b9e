"""Loss, invention and alteration are found, each by its own check."""

from faults.evidence import Acked, Produced
from tests.unit.faults.evidence_maker import (
    BEGIN,
    add,
    change,
    delivery,
    drop,
    failed,
    finding_of,
    healthy,
    id_at,
    of_event,
)

_UNSENT = Produced(id="id-x", key="site-0/1", seq=40, sha256="00", at=BEGIN + 100)


def test_a_run_in_which_all_went_well_passes_every_check() -> None:
    """Retries, parked events, a kill and explained duplicates are no reason to fail."""
    assert failed(healthy()) == set()


def test_an_event_that_kafka_lost_is_lost() -> None:
    """Its player was told that the broker has it; it stands on no topic, and GSTV never saw it."""
    evidence = add(healthy(), "acked", Acked(id="id-x", partition=0, offset=999, at=BEGIN + 100))
    evidence = add(evidence, "produced", _UNSENT)

    assert failed(evidence) == {"loss"}
    assert finding_of(evidence, "loss").examples == ("id-x",)
    assert "1 of the lost were confirmed" in finding_of(evidence, "loss").detail


def test_an_id_missing_from_the_partners_ledger_is_lost() -> None:
    """One request taken out is seen as a loss, and as a commit that passed what was never safe."""
    evidence = drop(healthy(), "requests", of_event(100))

    assert failed(evidence) == {"loss", "commit safety"}
    assert finding_of(evidence, "loss").measured == 1


def test_an_event_on_the_topic_counts_though_its_player_never_heard_of_it() -> None:
    """The broker has it, so it must have an outcome."""
    evidence = drop(healthy(), "requests", of_event(100))
    evidence = drop(evidence, "acked", of_event(100))

    assert finding_of(evidence, "loss").examples == (id_at(100),)


def test_without_the_partners_ledger_all_is_lost_but_what_is_parked() -> None:
    """Missing evidence is never taken for good news."""
    evidence = drop(healthy(), "requests", lambda _: True)

    assert {"loss", "commit safety", "whole evidence"} <= failed(evidence)
    assert finding_of(evidence, "loss").measured == 152


def test_a_delivery_is_an_answer_that_says_taken_and_may_have_arrived_whole() -> None:
    """200 is one, and 409; a 200 that was broken off is none, and 404 is none."""
    evidence = healthy()
    broken_off = change(evidence, "requests", of_event(100), decision="reset-mid-response")
    known = change(evidence, "requests", of_event(100), decision=409, status=409)
    unknown = change(evidence, "requests", of_event(100), decision=404, status=404)

    assert "loss" in failed(broken_off)
    assert failed(known) == set()
    assert "loss" in failed(unknown)


def test_a_request_for_what_nobody_produced_is_an_invention() -> None:
    """An unknown id, and no id at all."""
    nobodys = delivery(100, 101, id="id-of-nobody"), delivery(100, 101, id=None)
    evidence = add(healthy(), "requests", *nobodys)

    assert failed(evidence) == {"invention"}
    assert finding_of(evidence, "invention").examples == (
        "id-of-nobody (a request)",
        "without an id (a request)",
    )


def test_a_record_of_what_nobody_produced_is_an_invention() -> None:
    """The players write down what they send before they send it."""
    evidence = drop(healthy(), "produced", of_event(27))

    assert failed(evidence) == {"invention"}
    assert f"{id_at(27)} (on failure)" in finding_of(evidence, "invention").examples


def test_a_body_with_another_hash_is_an_alteration() -> None:
    """GSTV must get the bytes that the player produced."""
    evidence = change(healthy(), "requests", of_event(100), sha256="ff" * 32)

    assert failed(evidence) == {"integrity"}
    assert finding_of(evidence, "integrity").examples == (f"{id_at(100)} (a request)",)


def test_a_value_or_a_key_that_changed_on_its_way_is_an_alteration() -> None:
    """Records on our own topics carry the player's value and key untouched."""
    evidence = healthy()

    assert failed(change(evidence, "records", of_event(27, "failure"), sha256="00")) == {
        "integrity"
    }
    assert failed(change(evidence, "records", of_event(27, "retry"), key=None)) == {"integrity"}


def test_what_the_broker_never_had_is_counted_and_no_loss() -> None:
    """An event that its player could not send is still the player's."""
    evidence = add(healthy(), "produced", _UNSENT)

    assert failed(evidence) == set()
    assert finding_of(evidence, "unacknowledged").measured == 1
