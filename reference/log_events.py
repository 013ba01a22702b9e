"""Which lines the code logs: found in its source, so that none is forgotten.

A line's message is the constant name of an event, its data are the keys of `extra`. Where these are
put together elsewhere in the same file they are looked up there.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pop_stream

SOURCE: Final = Path(pop_stream.__file__).parent
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_METHODS: Final = (*_LEVELS, "exception", "log")
_LOGGERS: Final = ("log", "_logger")
#: `EventLog._tell` takes level, event and reason, and adds these two to what it is given.
_TELL: Final = "_tell"
_TOLD: Final = ("reason", "repeated")


@dataclass(slots=True)
class Event:
    """What is logged under one name, wherever that is."""

    name: str
    #: The room of the package that logs it, like `stream`.
    room: str
    levels: set[str] = field(default_factory=set)
    #: In the order in which they are met.
    fields: dict[str, None] = field(default_factory=dict)
    #: Whether it may have fields that cannot be read off the source.
    has_more: bool = False


def events(source: Path = SOURCE) -> dict[str, Event]:
    """Every event that is logged, by its name."""
    found: dict[str, Event] = {}
    for path in sorted(source.rglob("*.py")):
        for call, tree in _calls(path):
            names = list(_names(call.args[1] if _takes_level(call) else call.args[0], tree))
            if not names:
                raise ValueError(f"{path}:{call.lineno} logs no constant name")
            for name in names:
                event = found.setdefault(name, Event(name, path.relative_to(source).parts[0]))
                _add(event, call, tree)
    return dict(sorted(found.items()))


def _calls(path: Path) -> Iterator[tuple[ast.Call, ast.Module]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_is_logging(node) or _is_telling(node, path)):
            yield node, tree


def _is_logging(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=logger), attr=method) if logger in _LOGGERS:
            # `EventLog._tell` itself: its callers are looked at instead.
            passed_on = method == "log" and isinstance(call.args[1], ast.Name)
            return method in _METHODS and not passed_on
    return False


def _is_telling(call: ast.Call, path: Path) -> bool:
    is_tell = isinstance(call.func, ast.Attribute) and call.func.attr == _TELL
    return is_tell and path.name == "event_log.py"


def _names(message: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The constant names that a message may be."""
    match message:
        case ast.Constant(value=str(name)):
            yield name
        case ast.IfExp(body=body, orelse=orelse):
            yield from _names(body, tree)
            yield from _names(orelse, tree)
        case ast.Name(id=variable):
            for source in _assigned(variable, tree):
                yield from _names(source, tree)


def _takes_level(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("log", _TELL)


def _add(event: Event, call: ast.Call, tree: ast.Module) -> None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if _takes_level(call):
        attributes = [
            node.attr for node in ast.walk(call.args[0]) if isinstance(node, ast.Attribute)
        ]
        event.levels.update(each for each in attributes if each.lower() in _LEVELS)
    else:
        event.levels.add("ERROR" if method == "exception" else method.upper())
    given = call.args[3:4] + [each.value for each in call.keywords if each.arg == "extra"]
    for each in given:
        _add_fields(event, each, tree)
    if method == _TELL:
        has_reason = not (isinstance(call.args[2], ast.Constant) and call.args[2].value == "")
        event.fields.update(dict.fromkeys(_TOLD if has_reason else _TOLD[1:]))


def _add_fields(event: Event, value: ast.expr, tree: ast.Module) -> None:
    parts = list(_parts(value, tree))
    event.has_more |= not parts
    for part in parts:
        if isinstance(part, str):
            event.fields[part] = None
        else:
            _add_fields(event, part, tree)


def _parts(value: ast.expr, tree: ast.Module) -> Iterator[str | ast.expr]:
    """The keys of a dictionary, and the expressions that give more of them."""
    match value:
        case ast.Dict(keys=keys, values=values):
            for key, inner in zip(keys, values, strict=True):
                if key is None:
                    yield inner
                elif isinstance(key, ast.Constant):
                    yield str(key.value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from (left, right)
        case ast.Lambda(body=body):
            yield body
        case ast.Call(func=ast.Name(id=function)):
            yield from _returned(function, tree)
        case ast.Name(id=variable):
            yield from _assigned(variable, tree)


def _returned(function: str, tree: ast.Module) -> list[ast.expr]:
    """What a function of the file returns."""
    return [
        inner.value
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
        for inner in ast.walk(node)
        if isinstance(inner, ast.Return) and inner.value is not None
    ]


def _assigned(variable: str, tree: ast.Module) -> list[ast.expr]:
    """What a variable of the file may be."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == variable
    ]
