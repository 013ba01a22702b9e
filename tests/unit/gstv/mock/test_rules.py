import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.gstv.mock.attempt import Attempt, place
from pop_stream.gstv.mock.rules import ACCEPT, EXAMPLE, Reset
from pop_stream.gstv.mock.rules_json import parse_rules
from tests.support.mock_rules import rules_of


def attempt(**known: object) -> Attempt:
    """Make an attempt of which only some things matter."""
    base = {"id": "id", "nth": 1, "headers": {}, "seconds": 0.0, "draws": (0.5,) * 9}
    return Attempt(**(base | known))


def status(when: object, **known: object) -> int:
    """Give what an attempt gets from one rule: 599 if it matches."""
    return rules_of({"when": when, "then": {"status": 599}}).decide(attempt(**known)).status


FIELDS = {"siteId": "site-13", "n": 1, "on": True, "nothing": None, "f": 1.5}


@pytest.mark.parametrize(
    ("field", "matches"),
    [
        ({"siteId": "site-13"}, True),
        ({"siteId": "site-1"}, False),
        ({"siteId": "SITE-13"}, False),
        ({"siteId": {"equals": "site-13"}}, True),
        ({"siteId": {"prefix": "site-"}}, True),
        ({"siteId": {"prefix": "Site"}}, False),
        ({"siteId": {"prefix": ""}}, True),
        ({"siteId": {"glob": "s*-1?"}}, True),
        ({"siteId": {"glob": "s*-[45]"}}, False),
        ({"n": 1}, True),
        ({"n": 1.0}, False),
        ({"n": True}, False),
        ({"n": {"prefix": "1"}}, False),
        ({"on": True}, True),
        ({"on": 1}, False),
        ({"nothing": None}, True),
        ({"missing": None}, False),
        ({"f": 1.5}, True),
        ({"siteId": "site-13", "n": 1}, True),
        ({"siteId": "site-13", "n": 2}, False),
    ],
)
def test_a_field_is_matched(field: object, *, matches: bool) -> None:
    """By value and type, by prefix or by glob; several fields must all match."""
    assert (status({"field": field}, fields=FIELDS) == 599) is matches


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ({"X-Pop-Attempt": "2"}, True),
        ({"x-pop-attempt": "2"}, True),
        ({"X-Pop-Attempt": "1"}, False),
        ({"X-Pop-Attempt": {"glob": "[2-4]"}}, True),
        ({"Missing": {"glob": "*"}}, False),
    ],
)
def test_a_header_is_matched(header: object, *, matches: bool) -> None:
    """Whatever the case of its name."""
    headers = {b"x-pop-attempt": b"2"}
    assert (status({"header": header}, headers=headers) == 599) is matches


@pytest.mark.parametrize(
    ("nth", "matching"),
    [(2, {2}), ("2", {2}), ("==2", {2}), ("<=2", {1, 2}), ("<2", {1}), (">2", {3, 4}),
     (">= 2", {2, 3, 4}), ("<=0", set())],
)  # fmt: skip
def test_the_nth_attempt_is_matched(nth: object, matching: set[int]) -> None:
    """A number alone means exactly that one."""
    assert {n for n in range(1, 5) if status({"nth": nth}, nth=n) == 599} == matching


@pytest.mark.parametrize(
    ("seconds", "matches"), [(0.0, False), (1.0, True), (1.9, True), (2.0, False)]
)
def test_a_window_is_matched(seconds: float, *, matches: bool) -> None:
    """From its first second up to, but without, its last."""
    assert (status({"window": [1, 2]}, seconds=seconds) == 599) is matches


def let_through(rate: float, times: list[float], **when: object) -> int:
    """Count the attempts, at these seconds, that a limit of so many a second lets through."""
    rules = rules_of({"when": {"above_per_second": rate} | when, "then": {"status": 429}})
    return sum(rules.decide(attempt(seconds=seconds)) is ACCEPT for seconds in times)


@pytest.mark.parametrize(
    ("rate", "offered", "taken"), [(500, 400, 4000), (500, 1000, 5050), (500, 5000, 5050),
     (20, 200, 202), (0.5, 10, 6)],
)  # fmt: skip
def test_a_rate_is_kept(rate: float, offered: int, taken: int) -> None:
    """In ten seconds ten times the rate and one burst come through, however many are offered."""
    times = [number / offered for number in range(10 * offered)]

    assert let_through(rate, times) == pytest.approx(taken, abs=1)


@pytest.mark.parametrize(("rate", "burst"), [(500, 50), (20, 2), (10, 1), (0.1, 1)])
def test_a_burst_is_a_tenth_of_a_second(rate: float, burst: int) -> None:
    """At least one attempt is let through at once, and no rest saves up more than a burst."""
    assert let_through(rate, [0.0] * 100) == burst
    assert let_through(rate, [3600.0] * 100) == burst


def test_only_what_matches_all_else_takes_a_token() -> None:
    """Neither another event nor a look at the head uses up what the rule lets through."""
    when = {"field": {"siteId": "site-13"}, "nth": 1, "above_per_second": 1}
    rules = rules_of({"when": when, "then": {"status": 429}})
    matching = attempt(fields=FIELDS)

    assert rules.decide(attempt(fields={})) is ACCEPT
    assert rules.decide(attempt(fields=FIELDS, nth=2)) is ACCEPT
    assert not rules.resets_before_read(matching)
    assert [rules.decide(matching).status for _ in range(3)] == [200, 429, 429]


def test_each_limit_has_its_own_bucket() -> None:
    """What the first rule lets through is counted by the second too."""
    rules = rules_of(
        {"when": {"above_per_second": 20}, "then": {"status": 429}},
        {"when": {"above_per_second": 10}, "then": {"status": 503}},
    )

    assert [rules.decide(attempt()).status for _ in range(3)] == [200, 503, 429]


def test_a_share_is_of_events() -> None:
    """The same event is always on the same side, and about so many events are inside."""
    inside = [n for n in range(5000) if status({"share": 0.1}, id=f"id-{n}", nth=1) == 599]
    again = [n for n in range(5000) if status({"share": 0.1}, id=f"id-{n}", nth=7) == 599]

    assert inside == again
    assert 400 < len(inside) < 600


def test_shares_divide_the_events() -> None:
    """Ranges that follow each other overlap in nothing and leave nothing out."""
    for number in range(500):
        sides = [
            status({"share": share}, id=f"id-{number}") == 599
            for share in ([0, 0.2], [0.2, 0.7], [0.7, 1])
        ]
        assert sum(sides) == 1


@given(st.text())
def test_every_id_has_a_place(pop_id: str) -> None:
    """It is from 0 to below 1, and always the same."""
    assert 0 <= place(pop_id) < 1
    assert place(pop_id) == place(pop_id)


def test_chance_is_drawn_for_each_rule() -> None:
    """A second rule has its own luck, else it could never match."""
    rules = rules_of(
        {"when": {"random": 0.3}, "then": {"status": 500}},
        {"when": {"random": 0.3}, "then": {"status": 501}},
    )

    assert rules.decide(attempt(draws=(0.2, 0.9))).status == 500
    assert rules.decide(attempt(draws=(0.9, 0.2))).status == 501
    assert rules.decide(attempt(draws=(0.9, 0.9))) is ACCEPT


def test_the_first_rule_that_matches_wins() -> None:
    """Order decides; without a match the event is accepted."""
    rules = rules_of(
        {"when": {"nth": 1}, "then": {"status": 500}},
        {"when": {"nth": "<=2"}, "then": {"status": 501}},
    )

    assert [rules.decide(attempt(nth=n)).status for n in (1, 2, 3)] == [500, 501, 200]


def test_all_conditions_must_hold() -> None:
    """A rule with several conditions matches only where all of them do."""
    when = {"nth": 1, "header": {"a": "b"}, "field": {"siteId": "site-13"}}
    known = {"nth": 1, "headers": {b"a": b"b"}, "fields": FIELDS}

    assert status(when, **known) == 599
    assert status(when, **(known | {"nth": 2})) == 200
    assert status(when, **(known | {"headers": {}})) == 200
    assert status(when, **(known | {"fields": {}})) == 200
    assert status({}, nth=9) == 599


def test_a_body_is_left_unread_only_when_that_rule_comes_first() -> None:
    """A rule before it that may match once the body is known has precedence."""
    before_read = {"then": {"reset": "before-read"}}
    by_field = {"when": {"field": {"siteId": "a"}}, "then": {"status": 500}}

    assert rules_of(before_read).resets_before_read(attempt())
    assert not rules_of(by_field, before_read).resets_before_read(attempt())
    assert rules_of({"when": {"nth": 2}, "then": {"status": 500}}, before_read).resets_before_read(
        attempt()
    )
    assert not rules_of({"then": {}}, before_read).resets_before_read(attempt())


@pytest.mark.parametrize(
    ("then", "decision", "answer_status"),
    [
        ({}, 200, 200),
        ({"status": 503}, 503, 503),
        ({"hang": True}, "hang", None),
        ({"reset": "before-read"}, "reset-before-read", None),
        ({"reset": "after-read"}, "reset-after-read", None),
        ({"reset": "mid-response", "status": 201}, "reset-mid-response", 201),
        ({"reset": "after-response"}, "reset-after-response", 200),
    ],
)
def test_each_action_has_its_name(
    then: object, decision: object, answer_status: int | None
) -> None:
    """The ledger's words for what happened."""
    action = rules_of({"then": then}).decide(attempt())

    assert (action.decision, action.answer_status) == (decision, answer_status)


def test_the_example_is_valid() -> None:
    """What --help shows can be used as it stands, and shows every condition and reset."""
    rules = parse_rules(EXAMPLE)

    assert len(rules.rules) == 7
    assert rules.rules[3].action.reset is Reset.AFTER_READ
