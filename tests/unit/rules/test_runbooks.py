"""Each alert has a page, and what the pages say to type, to ask or to look at is there."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grafana.lint.names import KNOWN
from grafana.lint.promql import Selector, parse, selectors
from grafana.lint.promtool import complaints
from pop_stream.cli.main import cli
from pop_stream.settings import Settings
from tests.unit.rules.files import ALERT_NAMES, ALERTS, RECORDS, ROOT, name_of

FOLDER = ROOT / "docs" / "runbooks"
INDEX = FOLDER / "README.md"
PAGES = sorted(set(FOLDER.glob("*.md")) - {INDEX})
ALL = [*PAGES, INDEX, ROOT / "docs" / "slo.md"]
HEADINGS = [
    "Meaning", "Impact", "First 5 minutes", "Diagnose", "Mitigate", "Verify recovered",
    "Escalate", "False alarms", "Last tested",
]  # fmt: skip
#: What every machine has, and what comes with Kafka and with Prometheus.
PROGRAMS = {
    "pop-stream", "curl", "grep", "tail", "sed", "journalctl", "systemctl", "kubectl", "make",
    "kafka-configs.sh", "kafka-console-consumer.sh", "kafka-consumer-groups.sh",
    "kafka-get-offsets.sh", "kafka-topics.sh", "promtool", "amtool",
}  # fmt: skip
#: What changes something: it may stand only where something is to be mended.
CHANGES = re.compile(
    r"--alter|--execute|topics ensure|failures settle|rollout|systemctl (re)?start"
)


def blocks(page: Path, language: str) -> list[str]:
    """The lines of all blocks of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    return [line for block in found for line in block.splitlines() if line]


def said(page: Path) -> list[str]:
    """What stands between backquotes in the text."""
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def commands(page: Path) -> Iterator[list[str]]:
    """Each command that a page says to type, in its words."""
    inline = [text for text in said(page) if text.split()[0] in PROGRAMS and " " in text]
    for line in (*blocks(page, "sh"), *inline):
        words = shlex.split(line, comments=True)
        while "|" in words:
            yield words[: words.index("|")]
            words = words[words.index("|") + 1 :]
        if words:
            yield words


def section(page: Path, heading: str) -> str:
    """The text below a heading."""
    return page.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    """Neither more nor fewer."""
    assert {page.stem for page in PAGES} == set(ALERT_NAMES)


def test_the_index_has_each_alert_with_its_severities() -> None:
    """One row each, in the order of the rules' files as people read them."""
    rows = re.findall(
        r"^\| \[(\w+)\]\((\w+)\.md\) \| ([a-z, ]+) \| .+ \|$", INDEX.read_text(), re.MULTILINE
    )
    severities = {
        name: {rule["labels"]["severity"] for rule in ALERTS if name_of(rule) == name}
        for name in ALERT_NAMES
    }

    assert all(name == page for name, page, _ in rows)
    assert {name: set(told.split(", ")) for name, _, told in rows} == severities
    assert len(rows) == len(severities)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_headings_in_order(page: Path) -> None:
    """At night one knows where to look; and none is empty."""
    lines = page.read_text().splitlines()

    assert lines[0] == f"# {page.stem}"
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == HEADINGS
    assert all(section(page, heading).strip() for heading in HEADINGS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_comes_first_only_looks(page: Path) -> None:
    """Nothing is changed in the first five minutes, nor while one looks for the cause."""
    first = section(page, "First 5 minutes") + section(page, "Diagnose")

    assert "```sh" in section(page, "First 5 minutes")
    assert CHANGES.search("\n".join(re.findall(r"```sh\n(.*?)```", first, re.DOTALL))) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_recovery_can_be_asked_for(page: Path) -> None:
    """By a query whose answer is said."""
    assert "```promql" in section(page, "Verify recovered")


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_each_command_is_there(page: Path) -> None:
    """Of pop-stream with its options; of others, that it is one that people have."""
    for words in commands(page):
        assert words[0] in PROGRAMS, words
        if words[0] == "pop-stream":
            check_command(words[1:])


def check_command(words: list[str]) -> None:
    """Fail on a command or an option that pop-stream does not know."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"no command {words[0]}"
        command, words = found, words[1:]
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options, words


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_each_query_asks_for_what_there_is(page: Path) -> None:
    """Metrics that somebody shows or that rules record, and labels that they have."""
    recorded = {name_of(rule) for rule in RECORDS}
    for query in blocks(page, "promql"):
        for each in series_of(query):
            known = KNOWN.get(each.metric)
            assert known or each.metric in recorded | {"prometheus_rule_evaluation_failures_total"}
            for matcher in each.matchers:
                if known is not None and known.values(matcher.label):
                    assert set(matcher.value.split("|")) <= set(known.values(matcher.label)) or (
                        matcher.label == "topic"
                    )


def series_of(query: str) -> list[Selector]:
    """The series of a query; of one with a subquery, which is not read, those in it."""
    found = re.search(r"\((\(.*\))\[30d:1m\]\)", query)
    return list(selectors(parse(query if found is None else found[1])))


def test_prometheus_reads_each_query(promtool: Path) -> None:
    """All of them together."""
    queries = [query for page in ALL for query in blocks(page, "promql")]

    assert len(queries) > len(PAGES)
    assert complaints(promtool, queries) == ""


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_each_metric_setting_and_log_line_is_there(page: Path) -> None:
    """As it is written in the text."""
    text = page.read_text()
    recorded = {name_of(rule) for rule in RECORDS}
    settings = {f"POP_STREAM_{name.upper()}" for name in Settings.model_fields}
    sources = "".join(file.read_text() for file in (ROOT / "pop_stream").rglob("*.py"))
    lines = {word for word in said(page) if re.fullmatch(r"[a-z]+\.[a-z_]+", word)}
    greps = {
        word for words in commands(page) if words[0] == "grep" for word in words[-1].split("|")
        if re.fullmatch(r"[a-z]+\.[a-z_]+", word)
    }  # fmt: skip

    assert set(re.findall(r"(?<![\w:])pop_stream_\w+", text)) <= KNOWN.keys()
    assert set(re.findall(r"\w+:pop_stream_[\w:]+\w", text)) <= recorded
    assert set(re.findall(r"POP_STREAM_[A-Z_]+[A-Z]", text)) <= settings
    for line in lines | greps:
        assert f'"{line}"' in sources or line in _FILES, line


#: Words with a dot that are files.
_FILES = {"prometheus.yml", "client.properties", "retention.ms", "retention.bytes"}


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_each_panel_is_on_a_dashboard(page: Path) -> None:
    """Words in italics are the titles of panels."""
    boards = (ROOT / "grafana" / "dashboards").glob("*.json")
    titles = {panel["title"] for file in boards for panel in json.loads(file.read_text())["panels"]}
    named = set(re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", section_free_of_code(page)))

    assert named - {"italics"} <= titles


def section_free_of_code(page: Path) -> str:
    """The text of a page without its code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_each_link_leads_somewhere(page: Path) -> None:
    """To a page or a folder of this repository, or to a target of the Makefile."""
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert [link for link in links if not (page.parent / link).exists()] == []
    assert {text.split()[1] for text in said(page) if text.startswith("make ")} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_the_file_of_its_guesses(page: Path) -> None:
    """A limit that is a guess is called so, and stands where the page says."""
    meaning = section(page, "Meaning")
    named = re.findall(r"docker/prometheus/rules/\w+\.yml", meaning)

    assert ("guess" in meaning) <= bool(named)
    for file in named:
        assert f"alert: {page.stem}\n" in (ROOT / file).read_text()
