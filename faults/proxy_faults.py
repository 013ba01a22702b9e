"""What the proxy can be told to do to a link, and what it counts. Plain values.

A direction is `up`, from the client to the server, `down`, from the server to the client, or
`both`. A fault meant for `all` connections is for those there are and those to come, until it is
healed; one for `new` or `current` ones leaves the others alone.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Way: TypeAlias = Literal["up", "down"]
Direction: TypeAlias = Literal["up", "down", "both"]
Connections: TypeAlias = Literal["all", "new", "current"]

WAYS: Final[tuple[Way, Way]] = ("up", "down")


@dataclass(frozen=True, slots=True)
class Delay:
    """Each chunk waits for a drawn number of seconds, low to high, and the next waits behind it.

    What arrives meanwhile travels on as one chunk: a byte may so wait for two draws, never more.
    """

    seconds: tuple[float, float]
    direction: Direction = "both"
    connections: Connections = "all"

    def __post_init__(self) -> None:
        _check(self.seconds)


@dataclass(frozen=True, slots=True)
class Throttle:
    """Each connection passes on this many bytes per second at most, in each direction."""

    bytes_per_second: int
    direction: Direction = "both"
    connections: Connections = "all"

    def __post_init__(self) -> None:
        if self.bytes_per_second < 1:
            raise ValueError(f"not a rate: {self.bytes_per_second} bytes per second")


@dataclass(frozen=True, slots=True)
class CutAfter:
    """Each connection ends once a drawn number of bytes, low to high, has been passed on.

    The bytes count from when the fault comes; after 0 means instead of the next byte. Both sides
    get RST, or, without `reset`, FIN; what they send after that FIN is read and dropped.
    """

    bytes: tuple[int, int]
    reset: bool = True
    direction: Direction = "both"
    connections: Connections = "all"

    def __post_init__(self) -> None:
        _check(self.bytes)


@dataclass(frozen=True, slots=True)
class Blackhole:
    """Bytes are held back, and so are FIN and RST; nothing is closed, and nothing is lost.

    New connections are accepted; with `up` held, they reach the server only when healed. Then all
    follows in order, but for the bytes of a side that has reset its connection meanwhile: as with
    TCP, they are gone. A side that has sent FIN and left has its bytes delivered.
    """

    direction: Direction = "both"
    connections: Connections = "all"


@dataclass(frozen=True, slots=True)
class HalfClose:
    """FIN goes out at once in the direction; what comes after it that way is read and dropped.

    `up` tells the server that the client has finished, `down` the client that the server has.
    The other direction goes on. Healing does not undo it for a connection that had it.
    """

    direction: Direction = "down"
    connections: Connections = "current"


@dataclass(frozen=True, slots=True)
class Reset:
    """All connections get RST on both sides, now. New ones work."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """All connections get RST now, and new ones are refused until healed.

    The listening socket is closed, so that the system refuses clients by itself (ECONNREFUSED):
    then nobody can count them. With `listening` it stays: each new connection is accepted, reset
    at once (ECONNRESET), and counted as refused.
    """

    listening: bool = False


#: What goes on for as long as it is not healed, and may hit one direction of a connection only.
StreamFault: TypeAlias = Delay | Throttle | CutAfter | Blackhole | HalfClose
Fault: TypeAlias = StreamFault | Reset | Refuse


@dataclass(slots=True)
class Tally:
    """The running counts, of the proxy's own thread. Each is the sum over all connections."""

    #: Connections accepted, and not refused.
    opened: int = 0
    #: Accepted and reset at once, by Refuse(listening=True).
    refused: int = 0
    #: Reset because the server could not be reached.
    unreachable: int = 0
    #: Ended by CutAfter, by RST or FIN.
    cut: int = 0
    #: Ended by Reset or Refuse.
    reset: int = 0
    #: Directions ended by HalfClose.
    half_closed: int = 0
    #: Bytes handed on to the server's side, and to the client's.
    forwarded_up: int = 0
    forwarded_down: int = 0
    #: Bytes read, but dropped because FIN had been sent before them.
    dropped: int = 0
    #: Chunks that Delay made wait.
    delayed: int = 0
    #: Pieces that Throttle made wait.
    throttled: int = 0

    def forwarded(self, way: Way, count: int) -> None:
        """Note bytes that were handed on."""
        if way == "up":
            self.forwarded_up += count
        else:
            self.forwarded_down += count


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts at one moment; `Tally` tells what each of the names that they share means."""

    opened: int
    refused: int
    unreachable: int
    cut: int
    reset: int
    half_closed: int
    forwarded_up: int
    forwarded_down: int
    dropped: int
    delayed: int
    throttled: int
    #: Connections there are now.
    current: int
    #: Bytes that Blackhole holds back now.
    held_up: int
    held_down: int


def _check(bounds: tuple[float, float]) -> None:
    low, high = bounds
    if not 0 <= low <= high:
        raise ValueError(f"not a range from low to high: {bounds}")
