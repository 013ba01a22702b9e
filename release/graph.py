"""Which package asks for which: read from what is installed, and kept to what is locked."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.pins import ROOT

#: Where pop-stream runs. All of them are asked, so that the answer does not depend on who asks.
_ENVIRONMENTS = tuple(
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "platform_system": "Linux",
        "sys_platform": "linux",
        "platform_machine": machine,
    }
    for version in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
)

#: Gives the requirements that a package declares, by its canonical name.
Declared = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What pyproject.toml asks for, as requirements."""

    name: str
    version: str
    base: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    dev: tuple[str, ...]


def read_project(text: str | None = None) -> Project:
    """Read pyproject.toml, or the text of another."""
    if text is None:
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    whole: dict[str, Any] = tomllib.loads(text)
    project = whole["project"]
    extras = project["optional-dependencies"]
    return Project(
        name=project["name"],
        version=project["version"],
        base=tuple(project["dependencies"]),
        extras={name: tuple(asked) for name, asked in extras.items()},
        dev=tuple(whole["dependency-groups"]["dev"]),
    )


def declared(name: str) -> Iterable[str]:
    """Read what an installed package declares; one that this machine has no use for: nothing."""
    try:
        return requires(name) or ()
    except PackageNotFoundError:
        return ()


def closure(asked: Iterable[str], declares: Declared = declared) -> dict[str, frozenset[str]]:
    """Follow requirements to the end: each package that they need, with those it needs itself."""
    edges: dict[str, set[str]] = {}
    waiting = [_node(requirement) for text in asked for requirement in _where_we_run(text)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extras = waiting.pop()
        needed = edges.setdefault(name, set())
        for extra in ("", *extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in declares(name):
                for requirement in _where_we_run(text, extra):
                    waiting.append(_node(requirement))
                    needed.add(canonicalize_name(requirement.name))
    return {name: frozenset(needed - {name}) for name, needed in edges.items()}


def _where_we_run(text: str, extra: str = "") -> Iterator[Requirement]:
    requirement = Requirement(text)
    marker = requirement.marker
    if marker is None:
        # It stands for itself, and not once more for each extra.
        if not extra:
            yield requirement
    elif any(marker.evaluate({**each, "extra": extra}) for each in _ENVIRONMENTS):
        yield requirement


def _node(requirement: Requirement) -> tuple[str, tuple[str, ...]]:
    return canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
