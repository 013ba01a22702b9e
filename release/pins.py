"""The lock files, read: the version of each package, and which files may be it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
#: All that is ever installed, except by whoever does without a lock.
LOCKS = (
    ROOT / "requirements.lock",
    ROOT / "docker" / "requirements.lock",
    ROOT / "docker" / "build.lock",
    ROOT / "bench" / "peers" / "requirements.lock",
)

_ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)(?: ; (?P<marker>.+))?"
)
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package as a lock has it."""

    #: In its canonical form: lower case, with hyphens.
    name: str
    version: str
    #: Where it is needed; None: everywhere.
    marker: str | None
    #: The SHA-256 of each file that may be installed for it, in lower-case hexadecimal.
    sha256: tuple[str, ...]

    def applies(self, environment: Mapping[str, str] | None = None) -> bool:
        """Whether it is installed in an environment; without one, in this one."""
        if self.marker is None:
            return True
        return Marker(self.marker).evaluate(dict(environment) if environment else None)


def parse_pins(text: str) -> tuple[Pin, ...]:
    """Read a lock's text.

    Nothing but versions with hashes can stand in a lock: raises ValueError for an address, an
    option, a range, and a package without a hash.
    """
    lines = (line.partition("#")[0].strip() for line in text.replace("\\\n", " ").splitlines())
    return tuple(_parse_entry(line) for line in lines if line)


def read_pins(lock: Path) -> tuple[Pin, ...]:
    """Read a lock file. Raises ValueError as `parse_pins` does."""
    return parse_pins(lock.read_text(encoding="utf-8"))


def requirement_lines(pin: Pin) -> str:
    """Give the entry of a lock that a pin was read from."""
    marker = f" ; {pin.marker}" if pin.marker else ""
    hashes = (f"--hash=sha256:{digest}" for digest in pin.sha256)
    return " \\\n    ".join([f"{pin.name}=={pin.version}{marker}", *hashes])


def _parse_entry(entry: str) -> Pin:
    requirement, *hashes = re.split(r"\s+(?=--hash=)", entry)
    found = _ENTRY.fullmatch(requirement)
    digests = [_HASH.fullmatch(each) for each in hashes]
    if found is None or not digests or None in digests:
        raise ValueError(f"not a version with its hashes: {shlex.quote(requirement)}")
    return Pin(
        name=canonicalize_name(found["name"]),
        version=found["version"],
        marker=found["marker"],
        sha256=tuple(sorted(each["digest"] for each in digests if each)),
    )
