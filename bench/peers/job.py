"""What a system is to do. It is read in environments that do not have pop-stream: no imports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """POST every event of the topic to the URL."""

    broker: str
    topic: str
    #: New for each run: a system begins with the first event.
    group: str
    url: str
    in_flight: int
    #: More variables, which only pop-stream knows.
    settings: Mapping[str, str] = field(default_factory=dict)

    def as_environment(self) -> dict[str, str]:
        """The job as the variables that every peer reads, those in Java too."""
        return {
            "PEER_BROKER": self.broker,
            "PEER_TOPIC": self.topic,
            "PEER_GROUP": self.group,
            "PEER_URL": self.url,
            "PEER_IN_FLIGHT": str(self.in_flight),
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the job back. Raises KeyError when something is missing."""
        return cls(
            broker=environment["PEER_BROKER"],
            topic=environment["PEER_TOPIC"],
            group=environment["PEER_GROUP"],
            url=environment["PEER_URL"],
            in_flight=int(environment["PEER_IN_FLIGHT"]),
        )
