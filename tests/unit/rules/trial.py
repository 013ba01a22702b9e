"""Puts all mutants of a rule to the tests of the rules, and says which of them no test notices.

They stand side by side in one file, each under a name of its own, with every check once for each:
one run of promtool is the trial of dozens.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.rules.files import RECORDS, RULES, TEST_FILES, Rule, kind_of, name_of
from tests.unit.rules.mutants import mutants_of

_GROUP = "trial"
#: The rule as it is, which every test must pass.
SOUND = 0


def unnoticed(name: str, promtool: Path, folder: Path) -> tuple[list[str], bool]:
    """The mutants of a rule that pass all tests; and whether the rule as it is passes them."""
    variants = dict(enumerate(_variants(name)))
    left = set(variants)
    while True:
        output = _run(name, {number: variants[number][1] for number in left}, promtool, folder)
        noticed = {int(number) for number in re.findall(rf"{name}__(\d+)", output)}
        left -= noticed
        # After an error nothing else of that test is checked.
        if not (noticed and re.search(r"rule: .* err: ", output)):
            return [variants[number][0] for number in sorted(left - {SOUND})], SOUND in left


def _variants(name: str) -> Iterator[tuple[str, list[Rule]]]:
    """Every mutant, beside the other rules of the name: an alert may have two severities."""
    own = [rule for rule in RULES if name_of(rule) == name]
    yield "nothing", own
    for place, rule in enumerate(own):
        for change, mutant in mutants_of(rule):
            yield f"{place}: {change}", [*own[:place], mutant, *own[place + 1 :]]


def _run(name: str, variants: Mapping[int, list[Rule]], promtool: Path, folder: Path) -> str:
    needed = "".join(rule["expr"] for own in variants.values() for rule in own)
    records = [rule for rule in RECORDS if rule["record"] in needed]
    renamed = [
        # To write annotations costs more than all else, and they are not on trial.
        _without(rule, "annotations") | {kind_of(rule): f"{name}__{number}"}
        for number, own in variants.items()
        for rule in own
    ]
    _write(folder / "rules.yml", {"groups": [{"name": _GROUP, "rules": [*records, *renamed]}]})
    files = []
    for file in TEST_FILES:
        content = _content_of(file)
        tests = list(_tests(content, name, variants))
        if tests:
            files.append(folder / file.name)
            _write(files[-1], content | {
                "rule_files": ["rules.yml"], "group_eval_order": [_GROUP], "tests": tests,
            })  # fmt: skip
    ended = subprocess.run(
        [promtool, "test", "rules", *map(str, files)],
        # It lives for seconds: to collect its garbage seldom saves a quarter of them.
        env=os.environ | {"GOGC": "800"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


@cache
def _content_of(file: Path) -> dict[str, Any]:
    """What is in a file of tests. Kept: to read all of them takes as long as most trials."""
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def _tests(file: Mapping[str, Any], name: str, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """The tests of a file that check the rule, with each of their checks for each variant."""
    for test in file["tests"]:
        checks = [
            check for check in test.get("promql_expr_test", ()) if _names(check["expr"], name)
        ]
        if checks:
            yield _without(test, "alert_rule_test") | {
                "promql_expr_test": [
                    json.loads(json.dumps(check).replace(name, f"{name}__{number}"))
                    for check in checks
                    for number in numbers
                ]
            }


def _names(expr: str, name: str) -> bool:
    return re.search(rf"(?<![\w:]){name}(?![\w:])", expr) is not None


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    # The dumper in C: what the other one takes is most of a trial.
    file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False))
