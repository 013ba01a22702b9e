"""Prometheus's own engine, without a server: promtool reads and answers what panels ask for."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from grafana.expressions import Expression, expressions
from grafana.lint.names import KNOWN, Series
from grafana.lint.promql import parse
from grafana.lint.promtool import complaints
from grafana.lint.results import labels_of
from pop_stream.watch.table import Source

Boards = list[dict[str, Any]]

CHOSEN = {"job": "pop-stream", "instance": "10.0.0.1:9108", "topic": "pop-events"}
#: So long is measured, in steps of 15 s, before it is asked.
STEPS = 120
#: Panels and annotations that rightly show nothing here.
NOTHING_NEW = {"Deploys": "every build of these workers was there from the start"}
ANSWER = re.compile(r"^ +got: (.*)$", re.MULTILINE)
LABELS = re.compile(r'(\w+)="[^"]*"')


def test_prometheus_reads_every_query(boards: Boards, promtool: Path) -> None:
    """With the variables at All, and at one value each."""
    asked = [
        each.promql for board in boards for chosen in ({}, CHOSEN)
        for each in expressions(board, chosen)
    ]  # fmt: skip

    assert len(asked) > 200
    assert complaints(promtool, asked) == ""


def test_prometheus_complains_of_what_it_cannot_read(promtool: Path) -> None:
    """So the test above can fail."""
    assert "dashboards:expression:1" in complaints(promtool, ["up", "sum(up", "up"])


def test_every_query_finds_what_the_table_of_metrics_says_is_there(
    boards: Boards, promtool: Path, tmp_path: Path
) -> None:
    """Over series with every combination of labels: no query asks past them, no join misses."""
    asked = [each for board in boards for each in expressions(board)]
    answers = answered(promtool, tmp_path / "series.json", asked)

    empty = [
        f"{each.dashboard} / {each.panel} {each.ref_id}: {each.promql}"
        for each, answer in zip(asked, answers, strict=True)
        if answer == "nil" and each.panel not in NOTHING_NEW
    ]
    assert empty == []


def test_what_the_checks_say_of_labels_is_what_prometheus_answers(
    boards: Boards, promtool: Path, tmp_path: Path
) -> None:
    """The check of legends and of the number of series stands on it."""
    asked = [each for board in boards for each in expressions(board) if each.panel_id]
    answers = answered(promtool, tmp_path / "series.json", asked)

    for each, answer in zip(asked, answers, strict=True):
        assert {*LABELS.findall(answer)} - {"__name__", "job"} == {
            *labels_of(parse(each.promql))
        } - {"job"}, each


def answered(promtool: Path, file: Path, asked: list[Expression]) -> list[str]:
    """What Prometheus answers; promtool tells it when something else was expected."""
    impossible = [{"labels": '{never="seen"}', "value": 0}]
    questions = [
        {"expr": each.promql, "eval_time": "25m", "exp_samples": impossible} for each in asked
    ]
    test = {"interval": "15s", "input_series": [*series()], "promql_expr_test": questions}
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "15s", "tests": [test]}))
    ran = subprocess.run(
        [promtool, "test", "rules", file],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    answers = ANSWER.findall(ran.stdout + ran.stderr)
    assert len(answers) == len(asked), ran.stderr[:2000]
    return answers


def series() -> Iterator[dict[str, str]]:
    """Every series that there may be: two workers, one watch, three topics of two partitions."""
    for each in KNOWN.values():
        kinds = [[(label, value) for value in values_of(each, label)] for label in each.labels]
        for labels in product(*kinds):
            text = ", ".join(f'{label}="{value}"' for label, value in labels)
            yield {
                "series": f"{each.name}{{{text}}}",
                "values": f"0+1x{STEPS}" if each.counts else f"1+0x{STEPS}",
            }


def values_of(each: Series, label: str) -> tuple[str, ...]:
    """The values that a label has here."""
    watched = each.metric is not None and each.metric.source is Source.WATCH
    if label == "le" and each.metric is not None:
        return (*(str(float(bound)) for bound in each.metric.buckets), "+Inf")
    some = {
        "job": ("pop-stream",),
        "instance": ("10.0.0.9:9109",) if watched else ("10.0.0.1:9108", "10.0.0.2:9108"),
        "partition": ("0", "1"),
    }
    return each.values(label) or some.get(label, ("something",))
