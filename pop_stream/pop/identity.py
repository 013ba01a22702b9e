"""Which event is which: the ids of events and of their failure notifications.

An event's id never changes: the same event has the same id at every attempt, in every topic, after
every redrive and replay. All ids here are texts in UUID form, lower case.
"""

import re
from collections.abc import Callable
from uuid import UUID, uuid5

#: UUIDv5 of "origin.pop-stream" in the DNS namespace. Never change it: ids would change with it.
ORIGIN_NAMESPACE = UUID("62c46dd3-d2d5-5053-ba12-269f057d9e48")
#: UUIDv5 of "notification.pop-stream" in the DNS namespace. Never change it either.
NOTIFICATION_NAMESPACE = UUID("d6d92e63-dbfd-52f9-855a-fdbedf725031")

_RANDOM_BITS = 74
_TIME_BITS = 48

_is_uuid_form = re.compile(
    rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
).fullmatch


def parse_pop_id(value: bytes | None) -> str | None:
    """Read the value of a `pop-id` header; None if it is none.

    A pop-id has the form of a UUID, hexadecimal 8-4-4-4-12, in either case. Any UUID version
    passes: players of others may mint ids in their own way.
    """
    if value is None or _is_uuid_form(value) is None:
        return None
    return value.decode("ascii").lower()


def fallback_pop_id(topic: str, partition: int, offset: int) -> str:
    """Name an event that came without a pop-id after the place of its original record."""
    return str(uuid5(ORIGIN_NAMESPACE, f"{topic}/{partition}/{offset}"))


def notification_id(pop_id: str) -> str:
    """Name the failure notification of an event: the same for every failure of the same event."""
    return str(uuid5(NOTIFICATION_NAMESPACE, pop_id.lower()))


def uuid7(unix_ms: int, random_bits: int) -> str:
    """Lay a time (ms since 1970, 48 bits) and 74 random bits out as a UUIDv7 (RFC 9562, 5.7)."""
    high = (unix_ms << 16) | (0x7 << 12) | (random_bits >> 62)
    low = (0b10 << 62) | (random_bits & ((1 << 62) - 1))
    # As UUID would write it, in half the time.
    digits = f"{high:016x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def time_of(pop_id: str) -> float | None:
    """When a UUIDv7 was minted, in epoch seconds; None for any other id, which does not say."""
    return int(pop_id[:8] + pop_id[9:13], 16) / 1000 if pop_id[14] == "7" else None


class PopIdMaker:
    """Mints UUIDv7 pop-ids that only ever grow, also within a millisecond (RFC 9562, 6.2).

    When the clock stands still or goes back, the last id's 74 random bits are raised by a random
    step of up to 2**32; should they overflow, the id's time goes on by a millisecond.
    """

    __slots__ = ("_last_ms", "_last_random", "_now_ms", "_random_bits")

    def __init__(self, now_ms: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        """Take a clock in ms since 1970 and a source of n random bits (`random.getrandbits`)."""
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._last_ms = -1
        self._last_random = 0

    def __call__(self) -> str:
        """Mint the next pop-id."""
        now_ms = self._now_ms() & ((1 << _TIME_BITS) - 1)
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            self._last_random = self._random_bits(_RANDOM_BITS)
        else:
            self._last_random += 1 + self._random_bits(32)
            if self._last_random >> _RANDOM_BITS:
                self._last_ms += 1
                self._last_random = self._random_bits(_RANDOM_BITS)
        return uuid7(self._last_ms, self._last_random)
