"""The rules are what Prometheus takes, and speak of what there is."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grafana import alerts as limits
from grafana.lint.names import KNOWN, RECORDED, chosen
from grafana.lint.promql import Binary, Call, Selector, parse, selectors, walk
from pop_stream.watch.table import METRICS, Kind
from tests.unit.rules.files import (
    ALERT_NAMES,
    ALERTS,
    PROMETHEUS,
    RECORDS,
    ROOT,
    RULE_FILES,
    RULES,
    TEST_FILES,
    Rule,
    groups,
    name_of,
)

#: What neither an alert nor a record is made of: for people who look at a dashboard.
LEFT_TO_DASHBOARDS = {
    "pop_stream_events_received_total",
    "pop_stream_partner_responses_total",
    "pop_stream_delivery_attempt_duration_seconds",
    "pop_stream_retries_scheduled_total",
    "pop_stream_events_flagged_total",
    "pop_stream_attempts_held_total",
    "pop_stream_unfinished_events",
    "pop_stream_partition_last_progress_timestamp_seconds",
    "pop_stream_commit_duration_seconds",
    "pop_stream_delivery_receipts_total",
    "pop_stream_rebalance_duration_seconds",
    "pop_stream_log_messages_total",
    "pop_stream_retry_limit",
    "pop_stream_build_info",
    "pop_stream_config_info",
    "pop_stream_topic_retention_seconds",
    "pop_stream_low_offset",
    "pop_stream_group_state",
    "pop_stream_backlog_probe_duration_seconds",
    "pop_stream_watch_build_info",
}
#: What Prometheus shows of itself, and its labels.
_PROMETHEUS = {"prometheus_rule_evaluation_failures_total"}
_JOBS = {
    job["job_name"]
    for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
}


def run(*command: str | Path) -> str:
    """Run a program that must succeed; what it said."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def used(rule: Rule) -> Iterator[Selector]:
    """The series that a rule asks for."""
    return selectors(parse(rule["expr"]))


def id_of(rule: Rule) -> str:
    """A rule for people."""
    severity = rule.get("labels", {}).get("severity", "")
    return f"{name_of(rule)} {severity}".strip()


def test_prometheus_takes_the_rules(promtool: Path) -> None:
    """Nothing is wrong with them, and nothing twice."""
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


def test_prometheus_takes_the_example_of_a_configuration(promtool: Path) -> None:
    """With the rules and the targets that it names."""
    told = run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")

    assert f"{len(RULE_FILES)} rule files found" in told


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_the_alerts_fire_and_rest_when_they_should(promtool: Path, file: Path) -> None:
    """As docker/prometheus/tests say."""
    run(promtool, "test", "rules", file)


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_each_test_says_in_which_order_groups_are_evaluated(file: Path) -> None:
    """Else they take turns at random, and an alert may see what another group has not recorded."""
    test = yaml.safe_load(file.read_text())
    read = [file.parent / name for name in test["rule_files"]]

    assert test["group_eval_order"] == [group["name"] for each in read for group in groups(each)]


def test_what_people_read_is_written_out_for_each_alert() -> None:
    """Of each alert and severity one test has the whole message."""
    told = {
        (check["alertname"], alert["exp_labels"]["severity"])
        for file in TEST_FILES
        for test in yaml.safe_load(file.read_text())["tests"]
        for check in test.get("alert_rule_test", ())
        for alert in check["exp_alerts"]
    }

    assert told == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}


@pytest.mark.parametrize("rule", RULES, ids=id_of)
def test_a_rule_asks_only_for_what_there_is(rule: Rule) -> None:
    """Metrics and labels of the table, and values that they can have; or what rules record."""
    recorded = {name_of(each) for each in RECORDS}
    for each in used(rule):
        known = KNOWN.get(each.metric)
        assert known or each.metric in recorded | _PROMETHEUS, f"nobody shows {each.metric}"
        for matcher in each.matchers:
            values = set(re.split(r"\|", matcher.value))
            if matcher.label == "job":
                assert values <= _JOBS
            elif matcher.label == "le":
                assert known is not None
                assert known.metric is not None
                assert values <= {str(float(bound)) for bound in known.metric.buckets}
            elif known is not None and matcher.label != "topic":
                assert matcher.label in known.labels
                assert values <= set(known.values(matcher.label))


def test_topics_are_told_apart_by_their_endings() -> None:
    """Each condition on a topic lets through some of the topics, as they are called by default."""
    asked = {
        (each.matchers[-1].sign, each.matchers[-1].value): chosen(
            Selector("pop_stream_end_offset", each.matchers), "topic"
        )
        for rule in RULES
        for each in used(rule)
        if any(matcher.label == "topic" for matcher in each.matchers)
    }

    assert asked == {
        ("!~", ".*-failure"): ("pop-events", "pop-events-retry"),
        ("=~", ".*-failure"): ("pop-events-failure",),
        ("=~", ".*-retry"): ("pop-events-retry",),
        ("!~", ".*-retry|.*-failure"): ("pop-events",),
    }


@pytest.mark.parametrize("rule", RULES, ids=id_of)
def test_a_rule_groups_and_joins_by_labels_that_there_are(rule: Rule) -> None:
    """A label that nothing has would make one series of all."""
    there = {
        "job",
        "instance",
        "topic",
        "partition",
        *(label for m in METRICS for label in m.labels),
    }
    for node, _ in walk(parse(rule["expr"])):
        if isinstance(node, Call) and node.by is not None:
            assert set(node.by) <= there
        if isinstance(node, Binary):
            assert set(node.labels) <= there | {"le"}


def test_every_metric_is_used_by_a_rule_or_left_to_the_dashboards() -> None:
    """What nobody looks at need not be counted."""
    asked = {each.metric for rule in RULES for each in used(rule)}
    parts = ("_bucket", "_sum", "_count")
    unused = {
        metric.shown_as
        for metric in METRICS
        if not asked
        & ({metric.shown_as} if metric.kind is not Kind.HISTOGRAM
           else {f"{metric.shown_as}{part}" for part in parts})
    }  # fmt: skip

    assert unused == LEFT_TO_DASHBOARDS


def test_the_dashboards_find_what_they_take_for_recorded() -> None:
    """Each name that a panel may ask for is recorded, with the labels of its level."""
    exprs = {name_of(rule): parse(rule["expr"]) for rule in RECORDS}

    assert set(RECORDED) <= exprs.keys()


@pytest.mark.parametrize("rule", RECORDS, ids=id_of)
def test_what_is_recorded_is_called_by_its_level(rule: Rule) -> None:
    """level:metric:operations, as Prometheus's own rules are."""
    level, metric, operations = name_of(rule).split(":")

    assert set(level.split("_")) <= {"job", "topic", "partition"}
    assert metric.startswith("pop_stream_")
    assert operations


@pytest.mark.parametrize("rule", ALERTS, ids=id_of)
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: Rule) -> None:
    """And what to do first, in one breath."""
    annotations = rule["annotations"]

    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert "First: " in annotations["description"]
    assert annotations["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    assert (ROOT / annotations["runbook_url"]).is_file()
    assert rule["labels"].keys() - {"slo"} == {"service", "severity"}
    assert rule["labels"]["service"] == "pop-stream"
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_an_alert_has_each_severity_once() -> None:
    """A warning and something worse, at most."""
    found = [(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]

    assert len(found) == len(set(found))


#: By alert and severity: what stands in its expression.
LIMITS = {
    "OldestUndeliveredTooOld warning": f"> {limits.OLD_SECONDS}",
    "OldestUndeliveredTooOld critical": f"> {limits.TOO_OLD_SECONDS}",
    "RetentionDeadline critical": f"< {limits.HEADROOM_SECONDS // 3600} * 3600",
    "BacklogProbeBlind critical": f"> {limits.BLIND_SECONDS}",
    "FailedEventsAwaitingRedrive critical": f"> {limits.PARKED_SECONDS // 3600} * 3600",
    "PartnerUnavailable info": f"> {limits.FAILING_SHARE}",
    "PartnerAuthRejected critical": f"> {limits.REFUSED_SHARE}",
    "Saturated warning": f"> {limits.SATURATED_SHARE}",
    "StuckInFlight warning": f"> {limits.STUCK_TIMEOUTS} * pop_stream_http_timeout_seconds",
    "EventLoopBlocked warning": f'le="{limits.LOOP_LAG_SECONDS:.1f}"',
    "DeliverySlow warning": f"> {limits.SLOW_SHARE / 0.01:g} * 0.01",
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_panel_changes_its_colour_where_the_alert_fires(name: str) -> None:
    """What `grafana/alerts.py` says is what the rule says."""
    (rule,) = (rule for rule in ALERTS if id_of(rule) == name)

    assert LIMITS[name] in " ".join(rule["expr"].split())


def test_panels_and_alerts_burn_the_same_budget() -> None:
    """The factors of the four burn rates, and the budget itself."""
    exprs = " ".join(rule["expr"] for rule in ALERTS if rule["alert"] == "DeliveryBudgetBurn")

    for burn in limits.BURNS:
        assert f"> {burn:g} * {limits.BUDGET}" in exprs


def test_each_panel_leads_to_an_alert_that_there_is() -> None:
    """The names of the alerts are written in two places."""
    assert {str(alert) for alert in limits.Alert} <= set(ALERT_NAMES)
