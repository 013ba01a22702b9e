"""Runs all checks on all dashboards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from grafana.lint import grafana_rules, query_rules, structure_rules
from grafana.lint.exceptions import EXCEPTIONS, NOT_CHARTED, Exempt
from grafana.lint.finding import Finding
from grafana.lint.reading import Json
from pop_stream.watch.table import METRICS

RULES: Final = {**grafana_rules.RULES, **structure_rules.RULES, **query_rules.RULES}


def findings(
    boards: Sequence[Json],
    exceptions: Mapping[Exempt, str] = EXCEPTIONS,
    not_charted: Mapping[str, str] = NOT_CHARTED,
) -> list[Finding]:
    """All that is wrong, and the exceptions that nothing needs."""
    found = [each for board in boards for each in _found_in(board)]
    needed = {Exempt(each.rule, each.about) for each in found}
    return [
        *(each for each in found if Exempt(each.rule, each.about) not in exceptions),
        *_uncharted(boards, not_charted),
        *(
            Finding(rule="exceptions", board="", about=each.about, message=f"not needed: {each}")
            for each in exceptions
            if each not in needed
        ),
    ]


def findings_in(board: Json, exceptions: Mapping[Exempt, str] = EXCEPTIONS) -> list[Finding]:
    """What is wrong with one dashboard by itself."""
    return [each for each in _found_in(board) if Exempt(each.rule, each.about) not in exceptions]


def _found_in(board: Json) -> Iterator[Finding]:
    uid = str(board.get("uid"))
    for name, rule in RULES.items():
        for panel, about, message in rule(board):
            yield Finding(rule=name, board=uid, panel=panel, about=about, message=message)


def _uncharted(boards: Sequence[Json], not_charted: Mapping[str, str]) -> Iterator[Finding]:
    charted = query_rules.charted(boards)
    for metric in METRICS:
        name = metric.shown_as
        if (name in charted) == (name in not_charted):
            message = "excepted, but charted" if name in charted else "on no panel"
            yield Finding(rule="charted", board="", about=name, message=f"{name}: {message}")
