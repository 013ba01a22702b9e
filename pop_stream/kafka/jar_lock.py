"""The list of jars that make up the embedded Kafka, each pinned by its SHA-256."""

import re
from dataclasses import dataclass
from importlib.resources import files

#: The version of Apache Kafka that is embedded.
KAFKA_VERSION = "4.4.0"

_ENTRY = re.compile(r"([^:\s]+):([^:\s]+):([^:\s]+) ([0-9a-f]{64}) ([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedJar:
    """One jar, named by its Maven coordinate."""

    group: str
    artifact: str
    version: str
    #: Lower-case hexadecimal.
    sha256: str
    #: In bytes.
    size: int

    @property
    def file_name(self) -> str:
        """The file's name in a Maven repository and in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        """Give the line of the lock file."""
        return f"{self.group}:{self.artifact}:{self.version} {self.sha256} {self.size}"


def parse_lock(text: str) -> tuple[LockedJar, ...]:
    """Read a lock file's text. Raises ValueError for a line that is no entry."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(_parse_line(line) for line in lines if line)


def read_lock(version: str = KAFKA_VERSION) -> tuple[LockedJar, ...]:
    """Read the lock that is shipped for a version of Kafka."""
    return parse_lock(lock_text(version))


def lock_text(version: str = KAFKA_VERSION) -> str:
    """Give the shipped lock file as it stands."""
    return files(__package__).joinpath(f"kafka-{version}.jars").read_text(encoding="ascii")


def _parse_line(line: str) -> LockedJar:
    entry = _ENTRY.fullmatch(line)
    if entry is None:
        raise ValueError(f"not an entry of a jar lock: {line!r}")
    group, artifact, version, sha256, size = entry.groups()
    return LockedJar(group=group, artifact=artifact, version=version, sha256=sha256, size=int(size))
