"""The conditions of a rule, each made once from its JSON and then asked for every attempt."""

import operator
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Final

from pop_stream.gstv.mock.attempt import Attempt, place

Condition = Callable[[Attempt], bool]
Matcher = Callable[[Any], bool]

_COMPARISONS: Final = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON: Final = re.compile(r"(<=|>=|==|<|>)?\s*(\d{1,9})")
#: What a token bucket holds: so many seconds' worth, but at least one token.
_BURST_SECONDS: Final = 0.1


def equals(wanted: object) -> Matcher:
    """Match one value; true is not 1."""
    return lambda value: type(value) is type(wanted) and value == wanted


def prefix(start: str) -> Matcher:
    """Match a text that starts so."""
    return lambda value: isinstance(value, str) and value.startswith(start)


def glob(pattern: str) -> Matcher:
    """Match a text by *, ? and [...], upper and lower case apart."""
    return lambda value: isinstance(value, str) and fnmatchcase(value, pattern)


def field_is(name: str, matches: Matcher) -> Condition:
    """Hold when the body's JSON object has this field and it matches."""
    return lambda attempt: name in attempt.fields and matches(attempt.fields[name])


def header_is(name: str, matches: Matcher) -> Condition:
    """Hold when the header is there and matches."""
    lowered = name.lower().encode("ascii")

    def holds(attempt: Attempt) -> bool:
        value = attempt.headers.get(lowered)
        return value is not None and matches(value.decode("latin-1"))

    return holds


def in_share(low: float, high: float) -> Condition:
    """Hold for a share of the events: the same event is always inside or always outside."""
    return lambda attempt: low <= place(attempt.id) < high


def by_chance(share: float, rule: int) -> Condition:
    """Hold for a share of the attempts, drawn for each rule anew."""
    return lambda attempt: attempt.draws[rule] < share


def in_window(start: float, end: float) -> Condition:
    """Hold for a time after the rules were set."""
    return lambda attempt: start <= attempt.seconds < end


def above_rate(per_second: float) -> Condition:
    """Hold when attempts come faster, by a token bucket: the commonest measure of real gateways.

    While there are tokens an attempt takes one and is let through; what finds none takes none.
    So this has a memory: ask it once for an attempt, in the order of time, when all else holds.
    """
    burst = max(1.0, per_second * _BURST_SECONDS)
    tokens, filled_at = burst, 0.0

    def holds(attempt: Attempt) -> bool:
        nonlocal tokens, filled_at
        tokens = min(burst, tokens + (attempt.seconds - filled_at) * per_second)
        filled_at = attempt.seconds
        if tokens < 1:
            return True
        tokens -= 1
        return False

    return holds


def nth_is(text: str) -> Condition:
    """Hold for some attempts of an event: `2`, `==2`, `<=2`, `<2`, `>=2` or `>2`.

    Raises ValueError for anything else.
    """
    found = _COMPARISON.fullmatch(text.strip())
    if not found:
        raise ValueError("must be a number or a comparison like <=2")
    compare = _COMPARISONS[found[1] or "=="]
    number = int(found[2])
    return lambda attempt: bool(compare(attempt.nth, number))
