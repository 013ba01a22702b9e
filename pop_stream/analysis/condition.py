"""Conditions on events, as people write them: `siteId=1202 filename~*.mp4 reason=rejected`."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

from pop_stream.analysis.event_view import RECORD_NAMES, SHORT_NAMES, EventView
from pop_stream.errors import UsageError

Test = Callable[[EventView], bool]
#: Reads a list of values from a file: the lines of it that are not empty.
ReadList = Callable[[str], Sequence[str]]

_FORM: Final = re.compile(r"(?P<name>[A-Za-z_][\w.:-]*?)(?P<sign>!=|!~|<=|>=|=|~|<|>)(?P<value>.*)",
                          re.DOTALL)  # fmt: skip
#: A text of these letters is written in JSON in one way only, but for escapes. What may be a
#: number is not, if it is no whole one: 1e2 is the same as 100.0.
_EXACT: Final = re.compile(r"[0-9]+|(?=.*[A-DF-Za-df-z _:/])[A-Za-z0-9 ._:/-]+")
#: Likewise a piece of a text: it may also be one of a list or of an object, or of any number.
_WORDY: Final = re.compile(r"(?=.*[A-DF-Za-df-z _/])[A-Za-z0-9 ._/-]+")
#: More texts than that are not looked for one by one.
_FEW: Final = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: a name, a sign, and the values of which any will do."""

    name: str
    sign: str
    values: tuple[str, ...]

    @property
    def is_of_event(self) -> bool:
        """Whether it asks for a field of the event, and not for a header or a place."""
        return self.name not in (*SHORT_NAMES, *RECORD_NAMES) and not self.name.startswith(
            ("pop-", "header:")
        )

    @property
    def literals(self) -> tuple[bytes, ...]:
        """Texts of which an event that fulfils it holds one, unless it holds an escape.

        None at all: nothing can be said.
        """
        if not self.is_of_event or len(self.values) > _FEW:
            return ()
        if self.sign == "=":
            texts, is_sure = self.values, _EXACT.fullmatch
        elif self.sign == "~":
            texts, is_sure = tuple(map(_longest_plain, self.values)), _WORDY.fullmatch
        else:
            return ()
        return tuple(text.encode() for text in texts) if all(map(is_sure, texts)) else ()

    def __str__(self) -> str:
        shown = ",".join(self.values[:3]) + (",..." if len(self.values) > 3 else "")
        return f"{self.name}{self.sign}{shown}"


def _longest_plain(glob: str) -> str:
    """The longest text that whatever matches a glob holds as it is; empty when there is none."""
    # A set, as in [ab], begins with a bracket; what stands in one is not looked for.
    return "" if "[" in glob else max(re.split(r"[*?]", glob), key=len)


def parse_conditions(texts: Sequence[str], *, read_list: ReadList) -> tuple[Condition, ...]:
    """Read conditions, several in each text. Raises UsageError that says what is wrong."""
    conditions = []
    for text in texts:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"--where {text!r}: a quote is not closed") from error
        if not words:
            raise UsageError("--where is empty: leave it out to mean every event")
        conditions += [_parse(word, read_list) for word in words]
    return tuple(conditions)


def _parse(word: str, read_list: ReadList) -> Condition:
    form = _FORM.fullmatch(word)
    if form is None:
        raise UsageError(
            f"--where {word!r} is no condition: write NAME=VALUE, NAME!=VALUE, NAME~GLOB, "
            "NAME!~GLOB, or NAME<VALUE, like siteId=1202 or filename~*.mp4"
        )
    name, sign, value = form["name"], form["sign"], form["value"]
    if value.startswith("@"):
        values = tuple(read_list(value[1:]))
        if not values:
            raise UsageError(f"--where {word!r}: the list has no values")
    else:
        values = tuple(value.split(","))
    if sign in "<=>=" and sign != "=" and len(values) > 1:
        raise UsageError(f"--where {word!r}: {sign} takes one value")
    return Condition(name, sign, values)


def test_of(condition: Condition) -> Test:
    """How an event is tried. What is missing counts as an empty text, and is not compared."""
    name, sign, values = condition.name, condition.sign, condition.values
    if sign in ("=", "!="):
        wanted, is_wanted = frozenset(values), sign == "="
        return lambda event: ((event.text(name) or "") in wanted) is is_wanted
    if sign in ("~", "!~"):
        matches = re.compile("|".join(map(translate, values))).match
        is_wanted = sign == "~"
        return lambda event: (matches(event.text(name) or "") is not None) is is_wanted
    return _comparison(name, sign, values[0])


def _comparison(name: str, sign: str, value: str) -> Test:
    """As numbers when both are, else as texts: times as events write them sort so."""
    number = _number(value)

    def test(event: EventView) -> bool:
        text = event.text(name)
        if not text:
            return False
        mine = None if number is None else _number(text)
        order = _order(text, value) if mine is None or number is None else _order(mine, number)
        return _FITS[sign](order)

    return test


def _order(mine: float | str, other: float | str) -> int:
    return (mine > other) - (mine < other)  # type: ignore[operator]


_FITS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
