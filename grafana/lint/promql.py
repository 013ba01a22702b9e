"""Reads PromQL into a tree, as far as panels use it: enough to ask which metric is used how.

Whether Prometheus accepts an expression, promtool says (`grafana.lint.promtool`). Grafana's
variables may stand where they stand in panels: in a label's value, and as a duration.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]))
    | (?P<duration>\$\{?__\w+\}?|(?:\d+(?:ms|[smhdwy]))+)
    | (?P<word>[A-Za-z_:][\w:]*)
    | (?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],])
    )""",
    re.VERBOSE,
)
#: Loosest first; those of a row bind alike.
_BINDING: Final = (
    {"or"},
    {"and", "unless"},
    {"==", "!=", "<=", ">=", "<", ">"},
    {"+", "-"},
    {"*", "/", "%"},
    {"^"},
)
AGGREGATIONS: Final = frozenset({
    "avg", "bottomk", "count", "group", "max", "min", "quantile", "stddev", "sum", "topk",
})  # fmt: skip
_MATCHING: Final = frozenset({"on", "ignoring", "group_left", "group_right"})


class NotUnderstoodError(Exception):
    """This is no PromQL, or more of it than is read here."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label."""

    label: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of a metric; `span` is the range in brackets, if there is one."""

    metric: str
    matchers: tuple[Matcher, ...]
    span: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an aggregation; `by` is None where there is none, and `without` is not read."""

    name: str
    arguments: "tuple[Node, ...]"
    by: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides; `labels` are those of `on`, `group_left` and so on."""

    sign: str
    left: "Node"
    right: "Node"
    labels: tuple[str, ...] = ()


Node = Literal | Selector | Call | Binary


@cache
def parse(expression: str) -> Node:
    """Read it. Raises NotUnderstoodError."""
    reader = _Reader(expression)
    node = reader.binary(0)
    if reader.kind:
        raise NotUnderstoodError(f"{reader.text!r} is too much in: {expression}")
    return node


def walk(node: Node, *parents: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every node, and what it is in: the nearest last."""
    yield node, parents
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument, *parents, node)
    if isinstance(node, Binary):
        yield from walk(node.left, *parents, node)
        yield from walk(node.right, *parents, node)


def selectors(node: Node) -> Iterator[Selector]:
    """All series that are asked for."""
    return (each for each, _ in walk(node) if isinstance(each, Selector))


class _Reader:
    """Goes through the tokens; `kind` and `text` are those of the one that is next."""

    def __init__(self, expression: str) -> None:
        self._tokens = list(_tokens(expression))
        self._next()

    def _next(self) -> str:
        read = getattr(self, "text", "")
        self.kind, self.text = self._tokens.pop(0) if self._tokens else ("", "")
        return read

    def _take(self, text: str) -> None:
        if self.text != text:
            raise NotUnderstoodError(f"{text!r} is missing before {self.text!r}")
        self._next()

    def binary(self, level: int) -> Node:
        if level == len(_BINDING):
            return self._unary()
        node = self.binary(level + 1)
        while self.text in _BINDING[level] and self.kind != "string":
            sign = self._next()
            if self.text == "bool":
                self._next()
            labels: list[str] = []
            while self.text in _MATCHING:
                self._next()
                labels += self._labels()
            node = Binary(sign, node, self.binary(level + 1), tuple(labels))
        return node

    def _unary(self) -> Node:
        if self.text in ("-", "+"):
            self._next()
            return self._unary()
        if self.text == "(":
            self._next()
            node = self.binary(0)
            self._take(")")
            return node
        if self.kind in ("number", "string"):
            return Literal(self._next())
        if self.kind == "word":
            name = self._next()
            if name in AGGREGATIONS or self.text == "(":
                return self._call(name)
            return self._selector(name)
        raise NotUnderstoodError(f"{self.text!r} stands where a value should")

    def _call(self, name: str) -> Node:
        by = self._by()
        self._take("(")
        arguments = []
        while self.text != ")":
            arguments.append(self.binary(0))
            if self.text == ",":
                self._next()
            elif self.text != ")":
                raise NotUnderstoodError(f"{self.text!r} stands where {name} should go on")
        self._next()
        return Call(name, tuple(arguments), by if by is not None else self._by())

    def _by(self) -> tuple[str, ...] | None:
        if self.text != "by":
            return None
        self._next()
        return self._labels()

    def _labels(self) -> tuple[str, ...]:
        labels = []
        self._take("(")
        while self.kind == "word":
            labels.append(self._next())
            if self.text == ",":
                self._next()
        self._take(")")
        return tuple(labels)

    def _selector(self, metric: str) -> Selector:
        matchers = []
        if self.text == "{":
            self._next()
            while self.kind == "word":
                label, sign, value = self._next(), self._next(), self._next()
                matchers.append(Matcher(label, sign, value[1:-1]))
                if self.text == ",":
                    self._next()
            self._take("}")
        span = ""
        if self.text == "[":
            self._next()
            span = self._next()
            self._take("]")
        if self.text == "offset":
            self._next()
            self._next()
        return Selector(metric, tuple(matchers), span)


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(expression.rstrip())
    while position < end:
        found = _TOKEN.match(expression, position)
        if found is None or found.lastgroup is None:
            raise NotUnderstoodError(f"not understood: {expression[position:]}")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()
