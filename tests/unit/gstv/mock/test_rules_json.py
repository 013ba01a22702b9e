from pathlib import Path

import pytest

from pop_stream.errors import SettingsError
from pop_stream.gstv.mock.rules_json import load_rules, parse_rules
from tests.support.mock_rules import rules_of

WRONG = [
    ({"when": {"share": 2}, "then": {}}, "rules[0].when.share"),
    ({"when": {"share": [0.5, 0.1]}, "then": {}}, "must not be above the second"),
    ({"when": {"share": "half"}, "then": {}}, "rules[0].when.share"),
    ({"when": {"random": -0.1}, "then": {}}, "rules[0].when.random"),
    ({"when": {"nth": "<=x"}, "then": {}}, "comparison like <=2"),
    ({"when": {"nth": 1.5}, "then": {}}, "rules[0].when.nth"),
    ({"when": {"window": [3]}, "then": {}}, "rules[0].when.window"),
    ({"when": {"window": [3, 2]}, "then": {}}, "must not be above the second"),
    ({"when": {"above_per_second": 0}, "then": {}}, "when.above_per_second: Input should be great"),
    ({"when": {"above_per_second": -1}, "then": {}}, "rules[0].when.above_per_second"),
    ({"when": {"above_per_second": "500"}, "then": {}}, "should be a valid number"),
    ({"when": {"above_per_second": True}, "then": {}}, "should be a valid number"),
    ({"when": {"field": {"a": {"regex": "x"}}}, "then": {}}, "regex"),
    ({"when": {"field": {"a": {}}}, "then": {}}, "one of equals, prefix, glob"),
    ({"when": {"field": {"a": {"prefix": "x", "glob": "y"}}}, "then": {}}, "one of equals"),
    ({"when": {"field": {"a": [1]}}, "then": {}}, "rules[0].when.field.a"),
    ({"when": {"header": {"a b": "c"}}, "then": {}}, "rules[0].when.header"),
    ({"when": {"weather": "bad"}, "then": {}}, "rules[0].when.weather"),
    ({"when": {}}, "rules[0].then: Field required"),
    ({"if": {}, "then": {}}, "rules[0].if"),
    ({"then": {"status": 100}}, "rules[0].then.status"),
    ({"then": {"status": "200"}}, "rules[0].then.status"),
    ({"then": {"status": 1000}}, "rules[0].then.status"),
    ({"then": {"delay": -1}}, "rules[0].then.delay"),
    ({"then": {"delay": [2, 1]}}, "must not be above the second"),
    ({"then": {"reset": "sometimes"}}, "rules[0].then.reset"),
    ({"then": {"hang": 1}}, "rules[0].then.hang"),
    ({"then": {"hang": True, "reset": "after-read"}}, "exclude each other"),
    ({"then": {"hang": True, "status": 500}}, "mean nothing: status"),
    ({"then": {"reset": "after-read", "body": "x"}}, "mean nothing: body"),
    ({"then": {"reset": "before-read", "delay": 1}}, "cannot be delayed"),
    ({"when": {"field": {"a": 1}}, "then": {"reset": "before-read"}}, "field of the body"),
    ({"when": {"above_per_second": 1}, "then": {"reset": "before-read"}}, "after-read instead"),
    ({"then": {"status": 204, "body": "x"}}, "204 has no body"),
    ({"then": {"status": 304, "slow_body": 1}}, "304 has no body"),
    ({"then": {"headers": {"a b": "c"}}}, "cannot be a header"),
    ({"then": {"headers": {"a": "b\r\nc: d"}}}, "cannot be a header"),
    ({"then": {"headers": {"Content-Length": "1"}}}, "set by the mock itself"),
    ({"then": {"retry_after": "1\r\nX: y"}}, "retry_after"),
    ("then", "rules[0]"),
]


@pytest.mark.parametrize(("rule", "message"), WRONG)
def test_a_wrong_rule_is_refused_with_its_place(rule: object, message: str) -> None:
    """The message says where in the rules and what."""
    with pytest.raises(SettingsError) as caught:
        rules_of(rule)

    assert message in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    """Three wrong rules are three problems, the good one between them none."""
    with pytest.raises(SettingsError) as caught:
        rules_of({"then": {"status": 1}}, {"then": {}}, {"then": {"delay": -1}}, {"then": {"x": 1}})

    places = {problem.partition(".")[0] for problem in caught.value.problems}
    assert places == {"rules[0]", "rules[2]", "rules[3]"}


@pytest.mark.parametrize("source", ["", "[", "nonsense", "{}", "null", '"a"', "[1]"])
def test_what_is_no_list_of_rules_is_refused(source: str) -> None:
    """Broken JSON and other JSON are problems, not crashes."""
    with pytest.raises(SettingsError, match="rules"):
        parse_rules(source)


def test_rules_come_from_a_file_or_from_the_text_itself(tmp_path: Path) -> None:
    """What starts with [ is the JSON; anything else is a path."""
    file = tmp_path / "rules.json"
    file.write_text('[{"then": {"status": 500}}]')

    assert load_rules(str(file)).rules == load_rules(' [{"then": {"status": 500}}]').rules
    with pytest.raises(SettingsError, match="cannot read"):
        load_rules(str(tmp_path / "missing.json"))


def test_an_action_is_made_of_its_json() -> None:
    """Headers, Retry-After and bodies become the bytes that are sent."""
    ((rule),) = rules_of(
        {
            "then": {
                "status": 429, "retry_after": 3, "headers": {"X-A": "b"}, "body": {"a": 1},
                "delay": [0.1, 0.2], "slow_body": 2, "close": True,
            }
        }
    ).rules  # fmt: skip
    action = rule.action

    assert action.headers == b"X-A: b\r\nRetry-After: 3\r\n"
    assert action.body == b'{"a":1}'
    assert (action.delay, action.slow_body_seconds, action.close) == ((0.1, 0.2), 2, True)


@pytest.mark.parametrize(
    ("then", "body"), [({}, b"{}"), ({"body": "plain"}, b"plain"), ({"status": 204}, b"")]
)
def test_a_body_has_its_default(then: object, body: bytes) -> None:
    """An empty object, text as it is, nothing where HTTP allows none."""
    assert rules_of({"then": then}).rules[0].action.body == body
