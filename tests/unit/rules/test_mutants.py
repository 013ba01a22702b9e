"""A test of the rules that no defect turns red proves nothing."""

from pathlib import Path

import pytest
import yaml

from tests.unit.rules import trial
from tests.unit.rules.files import NAMES
from tests.unit.rules.mutants import mutants_of
from tests.unit.rules.trial import unnoticed

#: What no test can notice, by what was changed; anything else that passes is a hole in the tests.
HARMLESS = {
    # Where no worker has any partition, more than 0 are missing either way.
    "PartitionsUnassigned": ("0 -> -1 in", "* -> / in"),
    # It fires whatever its value is.
    "Watchdog": ("1 -> 0 in", "1 -> 2 in"),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_defect_of_a_rule_turns_a_test_red(name: str, promtool: Path, tmp_path: Path) -> None:
    """Another number, comparison, metric, label, aggregation or time; and as it is, none is red."""
    passed, is_sound = unnoticed(name, promtool, tmp_path)

    assert is_sound
    assert [
        change for change in passed if not any(known in change for known in HARMLESS.get(name, ()))
    ] == []


def test_a_test_that_cannot_fail_is_found(
    promtool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that only ever look at a quiet alert let nearly everything pass."""
    weak = tmp_path / "weak.yml"
    check = {"expr": 'ALERTS{alertname="GroupStranger"}', "eval_time": "9m"}
    quiet = {"series": 'pop_stream_group_strangers{job="a"}', "values": "0+0x9"}
    test = {"interval": "1m", "input_series": [quiet], "promql_expr_test": [check]}
    weak.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}))
    monkeypatch.setattr(trial, "TEST_FILES", [weak])
    folder = tmp_path / "trial"
    folder.mkdir()
    passed, is_sound = unnoticed("GroupStranger", promtool, folder)

    assert is_sound
    assert {change.split(" in ")[0] for change in passed} == {
        "0: max -> min",
        "0: by (job) -> by ()",
        "0: pop_stream_group_strangers -> pop_stream_group_strangers_gone",
        "0: 0 -> 3",
        "0: for: 60s",
        "0: for: 240s",
        "0: keep_firing_for: 150s",
        "0: keep_firing_for: 600s",
    }


def test_a_mutant_differs_in_one_thing() -> None:
    """Each number, name, label, sign and time of a rule is changed once in each way."""
    rule = {
        "alert": "Old",
        "expr": 'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d >= 2',
        "for": "2m",
        "keep_firing_for": "1h",
    }
    mutants = [mutant for _, mutant in mutants_of(rule)]

    assert [mutant["expr"] for mutant in mutants if mutant["expr"] != rule["expr"]] == [
        'min by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d >= 2',
        'max by () (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a!~"b|c"} > 300) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"c"} > 300) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b"} > 300) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} <= 300) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} > 240) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} > 360) or pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} > 300) and pop_stream_z offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z_gone offset 7d >= 2',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 302400s >= 2',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 1209600s >= 2',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d < 2',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d >= 1',
        'max by (job) (x_y{a=~"b|c"} > 300) or pop_stream_z offset 7d >= 3',
    ]
    assert [mutant["for"] for mutant in mutants[-4:]] == ["60s", "240s", "2m", "2m"]
    assert [mutant["keep_firing_for"] for mutant in mutants[-4:]] == ["1h", "1h", "1800s", "7200s"]
