"""The oldest versions that may be used of what had holes, and which holes those were.

No list of advisories can be asked where there is no network; these hold there, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A package, and from which version on it may be used."""

    name: str
    #: Of each line of versions that was mended, the first that is; the last holds for all after it.
    lowest: Sequence[str]
    why: str

    def admits(self, version: str) -> bool:
        """Whether this version may be used."""
        asked = Version(version)
        *lines, newest = map(Version, self.lowest)
        if asked >= newest:
            return True
        return any(asked >= line and asked.release[:2] == line.release[:2] for line in lines)


FLOORS = (
    Floor(
        name="aiohttp",
        lowest=["3.14.3"],
        why="CVE-2026-69244 (parser); CVE-2026-54273 to 54280, CVE-2026-34993 and others before",
    ),
    Floor(
        name="orjson",
        lowest=["3.11.6"],
        why="CVE-2025-67221 and CVE-2024-27454: deeply nested JSON ends the process",
    ),
    Floor(
        name="faust-streaming",
        lowest=["0.15.2"],
        why="no CVE: before it every rebalance failed where opentracing was absent",
    ),
    Floor(
        name="aiokafka",
        lowest=["0.13"],
        why="no CVE: before it Kafka 4 is not spoken in full",
    ),
)

#: Of Apache Kafka's own jars: brokers and clients are released together.
KAFKA_FLOOR = Floor(
    name="org.apache.kafka",
    lowest=["3.9.2", "4.0.2", "4.1.2", "4.2.0"],
    why="CVE-2026-35554 (a batch goes to the wrong topic, and success is reported); "
    "CVE-2025-27817 (files and addresses read through OAuth URLs)",
)

#: What looks like one of our packages and is not: Faust that nobody has kept since 2020.
IMPOSTORS = frozenset({"faust"})


def beneath(versions: Mapping[str, str], floors: Sequence[Floor] = FLOORS) -> Iterator[str]:
    """Tell of each package that is too old or is another's, given versions by canonical name."""
    for floor in floors:
        version = versions.get(floor.name)
        if version is not None and not floor.admits(version):
            yield f"{floor.name} {version} is older than {' / '.join(floor.lowest)}: {floor.why}"
    for name in sorted(IMPOSTORS & versions.keys()):
        yield f"{name} is not the package that is meant: {name}-streaming is"
