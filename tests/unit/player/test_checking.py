"""The conformance check: each rule is seen to be broken, and sound events break none."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.checking.check import Check, Verdict
from pop_stream.player.checking.evidence import Evidence
from pop_stream.player.checking.file import evidence_of_line
from pop_stream.player.checking.rules import RULES, Level
from pop_stream.pop.event import Rules
from pop_stream.pop.identity import uuid7

LATEST = "2026-11-21 00:00:00"
AT = 1_795_190_400_000  # 2026-11-20 16:00:00 UTC
EVENT = {
    "filename": "spot.webm", "assetId": "5942", "ioNumber": "124",
    "startTimestamp": "2026-11-20 10:00:00", "endTimestamp": "2026-11-20 10:00:15",
    "screenState": "Full", "siteId": "1202", "screenId": "3",
}  # fmt: skip


def headers(number: int = 1, **changed: str | None) -> list[tuple[str, bytes]]:
    """Headers as our outbox writes them, but for those that are changed."""
    told: dict[str, str | None] = {
        "pop-id": uuid7(AT + number, number),
        "pop-seq": str(number),
        "pop-boot": "0123456789abcdef0123456789abcdef",
        "pop-start-utc": "2026-11-20T16:00:00.250Z",
        "pop-end-utc": "2026-11-20T16:00:15.250Z",
        "pop-tz": "America/Chicago",
        "pop-utcoffset": "-06:00",
        "pop-clock": "synced",
        "pop-mono-ms": "15000",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        **{name.replace("_", "-"): text for name, text in changed.items()},
    }
    return [(name, text.encode()) for name, text in told.items() if text is not None]


def record(number: int = 1, **changed: str | None) -> Evidence:
    """A sound event, but for its headers that are changed."""
    return Evidence(
        place=f"pop-events/0/{number}",
        value=json.dumps(EVENT).encode(),
        key=b"1202/3",
        headers=headers(number, **changed),
        stored=AT + 20_000,
    )


def with_event(**changed: Any) -> Evidence:
    """A sound record, but for fields of its event that are changed; None: is absent."""
    fields = {name: value for name, value in (EVENT | changed).items() if value is not None}
    return replace(record(), value=json.dumps(fields).encode())


def with_value(value: bytes | None) -> Evidence:
    """A sound record with this value."""
    return replace(record(), value=value)


def checked(evidence: Iterable[Evidence]) -> Verdict:
    """Check them in this order."""
    with Check(rules=Rules(), latest=LATEST) as check:
        for each in evidence:
            check.take(each)
        return check.verdict()


def broken(*evidence: Evidence) -> dict[str, int]:
    """The rules that they break, and how often."""
    return {each.rule.name: each.broken for each in checked(evidence).tallies if each.broken}


REPEATED = json.dumps(EVENT).encode()[:-1]
BROKEN: list[tuple[str, Evidence | list[Evidence]]] = [
    ("event-json", with_value(None)),
    ("event-json", with_value(b"")),
    ("event-json", with_value(b"\xff")),
    ("event-json", with_value(b"[1]")),
    ("event-json", with_value(b"[" * 40 + b"]" * 40)),
    ("event-size", with_event(filename="x" * 70_000)),
    ("event-fields", with_event(assetId=None)),
    ("event-fields", with_event(assetId=5942)),
    ("event-fields", with_event(assetId="")),
    ("event-fields", with_value(REPEATED + b', "siteId": "1202"}')),
    ("event-times", with_event(startTimestamp="2026-11-20T10:00:00")),
    ("event-times", with_event(endTimestamp="yesterday")),
    ("event-screen-state", with_event(screenState="full")),
    ("event-order", with_event(ioNumber=124)),
    ("event-order", with_event(tiNumber="125")),
    ("event-repeated-field", with_value(REPEATED + b', "ioNumber": "124"}')),
    ("key", replace(record(), key=None)),
    ("key", replace(record(), key=b"3/1202")),
    ("pop-id", record(pop_id=None)),
    ("pop-id", record(pop_id="17")),
    ("pop-id", replace(record(), headers=[*headers(), *headers()[:1]])),
    ("pop-id-v7", record(pop_id="0af76519-16cd-43dd-8448-eb211c80319c")),
    ("pop-id-unique", [record(1), record(2, pop_id=uuid7(AT + 1, 1))]),
    ("pop-seq", record(pop_seq="one")),
    ("pop-seq", record(pop_seq="0")),
    ("pop-seq", record(pop_boot=None)),
    ("pop-seq", record(pop_boot="the first")),
    ("pop-seq-gap", [record(1), record(3)]),
    ("pop-seq-reuse", [record(1), record(1, pop_id=uuid7(AT, 5))]),
    ("pop-lost", record(pop_lost="two")),
    ("pop-lost", record(pop_lost='[{"first": 4, "last": 2}]')),
    ("pop-lost", record(pop_lost=f'[{{"first": 4, "last": {10**30}}}]')),
    ("pop-times", record(pop_end_utc="2026-11-20 16:00:15")),
    ("pop-times", record(pop_end_utc="2026-11-20T15:00:15.250Z")),
    ("pop-times", record(pop_end_utc="2026-13-20T15:00:15.250Z")),
    ("pop-zone", record(pop_tz="CST6")),
    ("pop-zone", record(pop_utcoffset="-6")),
    ("pop-times-agree", record(pop_utcoffset="-05:00")),
    ("pop-clock", record(pop_clock="ntp")),
    ("pop-clock", record(pop_mono_ms="15.0")),
    ("traceparent", record(traceparent="00-0-0-01")),
    ("reserved-headers", record(pop_attempt="1")),
    ("headers-size", record(note="x" * 2048)),
    ("headers-size", replace(record(), headers=[*headers(), ("note", b"\xff")])),
    ("no-pop-seq", record(pop_seq=None, pop_boot=None)),
    ("pop-id-time", record(pop_id=uuid7(AT + 3_600_000, 1))),
    ("end-before-start", with_event(endTimestamp="2026-11-20 09:00:15")),
    ("zero-length", with_event(endTimestamp="2026-11-20 10:00:00")),
    ("overlong", with_event(endTimestamp="2026-11-20 11:00:00")),
    ("in-the-future", replace(with_event(startTimestamp="2026-11-22 10:00:00",
                                         endTimestamp="2026-11-22 10:00:15"),
                              headers=headers(pop_start_utc=None))),
    ("extra-fields", with_event(couponStatus="0")),
]  # fmt: skip


def test_sound_events_break_no_rule() -> None:
    """As our own outbox writes them; and then they conform."""
    verdict = checked(record(number) for number in range(1, 20))

    assert not [each for each in verdict.tallies if each.broken]
    assert all(each.is_checked for each in verdict.tallies)
    assert (verdict.events, verdict.conforms) == (19, True)


@pytest.mark.parametrize(("rule", "evidence"), BROKEN)
def test_a_broken_rule_is_named_and_no_other(rule: str, evidence: Any) -> None:
    """Once, with where it is broken and why."""
    some = evidence if isinstance(evidence, list) else [evidence]
    verdict = checked(some)
    (tally,) = [each for each in verdict.tallies if each.broken]

    assert (tally.rule.name, tally.broken) == (rule, 1)
    assert tally.place == some[-1].place
    assert tally.reason
    assert verdict.conforms == (tally.rule.level is Level.ODD)


def test_each_rule_can_be_broken() -> None:
    """A rule that nothing breaks is none."""
    assert {rule for rule, _ in BROKEN} == {rule.name for rule in RULES}


def test_an_event_that_comes_again_is_no_fault() -> None:
    """Under its old id, as often as it must."""
    verdict = checked([record(1), record(2), record(1), record(1)])

    assert (verdict.conforms, verdict.events, verdict.repeats) == (True, 4, 2)


def test_numbers_are_of_a_screen_and_a_boot() -> None:
    """Each has its own; they may come in any order."""
    other = replace(record(7), key=b"1202/4", value=json.dumps(EVENT | {"screenId": "4"}).encode())
    boots = [record(number, pop_boot="b", pop_id=uuid7(AT, number)) for number in (2, 1)]

    assert broken(record(5), record(4), other, *boots) == {}


def test_a_gap_counts_what_is_missing_and_not_declared() -> None:
    """A loss that the player declares is no gap, whoever of its boots declares it."""
    declared = '[{"boot": "ff", "reason": "outbox-full", "first": 3, "last": 5}]'

    assert broken(record(1), record(9)) == {"pop-seq-gap": 7}
    assert broken(record(1), record(9, pop_lost=declared)) == {"pop-seq-gap": 4}
    assert broken(record(2), record(6, pop_lost=declared)) == {}


@given(st.sets(st.integers(1, 40), min_size=1), st.lists(st.tuples(st.integers(1, 40),
       st.integers(0, 9)), max_size=4))  # fmt: skip
def test_gaps_are_what_sets_say(there: set[int], lost: list[tuple[int, int]]) -> None:
    """Whatever is there, in whatever overlapping pieces it is declared lost."""
    losses = json.dumps([{"first": first, "last": first + more} for first, more in lost])
    declared = {number for first, more in lost for number in range(first, first + more + 1)}
    missing = set(range(min(there), max(there))) - there - declared
    found = broken(*(record(number, pop_lost=losses) for number in sorted(there, reverse=True)))

    assert found.get("pop-seq-gap", 0) == len(missing)


def test_what_pop_stream_replayed_says_nothing_of_the_player() -> None:
    """It is counted by itself."""
    verdict = checked([record(1), record(1, pop_replay="r", pop_origin="pop-events/0/1/1")])

    assert (verdict.events, verdict.replayed, verdict.conforms) == (1, 1, True)


def test_no_event_is_no_conformance() -> None:
    """A check that saw nothing has found nothing out."""
    verdict = checked([])

    assert not verdict.conforms
    assert not any(each.is_checked for each in verdict.tallies)


def test_bare_events_leave_what_is_of_records_unchecked() -> None:
    """It is told as such."""
    verdict = checked([evidence_of_line(json.dumps(EVENT).encode(), "events:1")])

    assert verdict.conforms
    assert {each.rule.of_record for each in verdict.tallies if not each.is_checked} == {True}
    assert {each.rule.of_record for each in verdict.tallies if each.is_checked} == {False}


def search_line(evidence: Evidence) -> bytes:
    """What `events search --json` prints of a record."""
    told = {"popId": "x", "topic": "t", "partition": 0, "offset": 7,
            "storedAt": "2026-11-20T16:00:20.000Z",
            "key": None if evidence.key is None else evidence.key.decode(),
            "headers": {name: value.decode("utf-8", "replace")
                        for name, value in evidence.headers}}  # fmt: skip
    event = (evidence.value or b"null").replace(b"\n", b" ")
    return json.dumps(told).encode()[:-1] + b', "event": ' + event + b" }"


@pytest.mark.parametrize("value", [json.dumps(EVENT).encode(), REPEATED + b', "ioNumber": "124"}'])
def test_a_line_of_a_search_is_the_record_that_it_tells_of(value: bytes) -> None:
    """To the byte: a field that is there twice is found, and a header, too."""
    sound = replace(record(), value=value)
    found = evidence_of_line(search_line(sound), "found:1")

    assert (found.value, found.key, list(found.headers)) == (value, sound.key, sound.headers)
    assert found.stored == AT + 20_000
    assert found.place == "found:1 (t/0/7)"


@given(st.binary(max_size=200))
def test_any_line_can_be_judged(line: bytes) -> None:
    """And any value, key and header."""
    wild = Evidence(place="x", value=line, key=line,
                    headers=[(name, line) for name, _ in headers()], stored=AT)  # fmt: skip
    checked([evidence_of_line(line, "x:1"), wild, wild])
