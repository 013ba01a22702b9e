"""Makes rules quick: what takes hours in production must happen here within minutes.

Each duration becomes a sixtieth, but no shorter than a few scrapes and no longer than a minute: a
burn rate over three days would need three days. Numbers stay as they are; those that are seconds
in disguise are named in a list of their own, so that nothing is changed by accident.
"""

import re
from collections.abc import Mapping
from typing import Any

SHORTER = 60
_LEAST_SECONDS = 5.0
_MOST_SECONDS = 60.0
_MOST_KEPT_SECONDS = 15.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

_DURATION = r"(?:\d+(?:ms|[smhdw]))+"
#: A range or a subquery in brackets, and an offset. Not a number in a name or in a string.
_IN_EXPRESSION = re.compile(
    rf'"[^"]*"|(?P<open>\[)(?P<range>{_DURATION})(?::(?P<step>{_DURATION})?)?(?P<close>\])'
    rf"|(?P<offset>\boffset\s+)(?P<by>{_DURATION})"
)


class NotThereError(Exception):
    """A number that was to be changed does not stand in its alert's expression."""


def shortened(rules: Mapping[str, Any], numbers: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Give a file of rules with all its times made short.

    `numbers` says for rules, by their `key_of`, what else is replaced in the expression. Raises
    NotThereError when that does not stand there.
    """
    return {
        "groups": [
            {
                "name": group["name"],
                "interval": "1s",
                "rules": [_rule(rule, numbers) for rule in group["rules"]],
            }
            for group in rules["groups"]
        ]
    }


def _rule(rule: Mapping[str, Any], numbers: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    quick = dict(rule)
    if "for" in quick:
        quick["for"] = _short(str(quick["for"]), least=0.0)
    if "keep_firing_for" in quick:
        # That it goes quiet has to be seen, too.
        quick["keep_firing_for"] = _short(str(quick["keep_firing_for"]), 0.0, _MOST_KEPT_SECONDS)
    expression = str(quick["expr"])
    for old, new in numbers.get(key_of(rule), {}).items():
        if old not in expression:
            raise NotThereError(f"{key_of(rule)}: {old!r} is not in {expression!r}")
        expression = expression.replace(old, new)
    quick["expr"] = in_expression(expression)
    return quick


def key_of(rule: Mapping[str, Any]) -> str:
    """A record's name; an alert's with its severity, for several alerts may share a name."""
    if "record" in rule:
        return str(rule["record"])
    return f"{rule['alert']}/{rule.get('labels', {}).get('severity', '')}"


def in_expression(expression: str) -> str:
    """Shorten the ranges, the subqueries and the offsets of an expression."""

    def replace(found: "re.Match[str]") -> str:
        if found["open"]:
            step = found["step"]
            colon = ":" if ":" in found[0] else ""
            return f"[{_short(found['range'])}{colon}{'1s' if step else ''}]"
        if found["offset"]:
            return f"{found['offset']}{_short(found['by'])}"
        return found[0]

    return _IN_EXPRESSION.sub(replace, expression)


def _short(duration: str, least: float = _LEAST_SECONDS, most: float = _MOST_SECONDS) -> str:
    quick = min(max(seconds_of(duration) / SHORTER, least), most)
    return f"{round(quick * 1000)}ms"


def seconds_of(duration: str) -> float:
    """A duration of Prometheus (`1h30m`) in seconds."""
    parts = re.findall(r"(\d+)(ms|[smhdw])", duration)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
