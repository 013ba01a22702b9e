"""Small defects for rules, one at a time: a test of the rules that fails for none proves nothing.

A mutant is a rule with one thing changed: a number, a comparison, the name of a metric, a label, an
aggregation, a time. What people read of it is not changed: that is written out in the tests.
"""

import re
from collections.abc import Iterator

from tests.unit.rules.files import Rule

_TOKEN = re.compile(
    r"""
    (?P<label>\w+)\s*(?P<match>=~|!~|!=|=)\s*"(?P<value>[^"]*)"
  | (?P<listing>\b(?:by|on|ignoring|without)\s*\((?P<listed>[^()]*)\))
  | (?P<time>\b\d+[smhdw]\b)
  | (?P<number>(?<![\w.])\d+(?:\.\d+)?)
  | (?P<compare>==|!=|>=|<=|>|<)
  | (?P<calculate>[-+*/])
  | (?P<word>[a-zA-Z_:][\w:]*)
    """,
    re.VERBOSE,
)
_OPPOSITE = {"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_OTHER_MATCH = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_OTHER_CALCULATION = {"+": "-", "-": "+", "*": "/", "/": "*"}
_OTHER_WORD = {
    "and": "unless",
    "unless": "and",
    "or": "and",
    "sum": "min",
    "max": "min",
    "min": "max",
    "min_over_time": "max_over_time",
}
#: What a number becomes: a fifth less, a fifth more. A small count: one less, one more; and 0 what
#: is clearly above.
_SHARES = (0.8, 1.2)
_SMALL = {"0": ("-1", "3"), "1": ("0", "2"), "2": ("1", "3"), "3": ("2", "4")}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_METRIC = re.compile(r"pop_stream_|process_|prometheus_|^up$")


def mutants_of(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Every mutant of a rule, and what was changed."""
    for change, expr in _of_expression(rule["expr"]):
        yield change, {**rule, "expr": expr}
    for key in ("for", "keep_firing_for"):
        if key in rule:
            for time in _other_times(rule[key]):
                yield f"{key}: {time}", {**rule, key: time}


def _of_expression(expr: str) -> Iterator[tuple[str, str]]:
    for found in _TOKEN.finditer(expr):
        for other in _others(found):
            near = expr[max(found.start() - 30, 0) : found.end() + 10]
            change = f"{found[0]} -> {other} in ...{' '.join(near.split())}..."
            yield change, f"{expr[: found.start()]}{other}{expr[found.end() :]}"


def _others(found: re.Match[str]) -> Iterator[str]:
    match found.lastgroup:
        case "value":
            yield from _other_matchers(found["label"], found["match"], found["value"])
        case "listing" | "listed":
            yield from _other_listings(found["listing"], found["listed"])
        case "time":
            yield from _other_times(found[0])
        case "number":
            yield from _other_numbers(found[0])
        case "compare":
            yield _OPPOSITE[found[0]]
        case "calculate":
            yield _OTHER_CALCULATION[found[0]]
        case _:
            if _METRIC.search(found[0]):
                yield f"{found[0]}_gone"
            elif found[0] in _OTHER_WORD:
                yield _OTHER_WORD[found[0]]


def _other_matchers(label: str, match: str, value: str) -> Iterator[str]:
    yield f'{label}{_OTHER_MATCH[match]}"{value}"'
    values = value.split("|")
    for each in values:
        rest = "|".join(other for other in values if other != each) or "nothing"
        yield f'{label}{match}"{rest}"'


def _other_listings(listing: str, listed: str) -> Iterator[str]:
    labels = [label.strip() for label in listed.split(",") if label.strip()]
    for each in labels:
        rest = ", ".join(label for label in labels if label != each)
        yield listing.replace(f"({listed})", f"({rest})")


def _other_numbers(number: str) -> Iterator[str]:
    if number in _SMALL:
        yield from _SMALL[number]
    else:
        yield from (f"{float(number) * share:g}" for share in _SHARES)


def _other_times(time: str) -> Iterator[str]:
    seconds = int(time[:-1]) * _UNITS[time[-1]]
    yield f"{seconds // 2}s"
    yield f"{seconds * 2}s"
