"""Moments as programs read them."""

from datetime import UTC, datetime, timedelta
from typing import Final

#: What can be written, in epoch milliseconds: the years 1 to 9999. A dead clock tells any number.
CALENDAR: Final = range(-62_135_596_800_000, 253_402_300_800_000)
_EARLIEST: Final = CALENDAR[0]
_LATEST: Final = CALENDAR[-1]
# Without its zone, which would take as long as all the rest.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def utc(epoch_ms: int) -> str:
    """A moment in UTC, to the millisecond; beyond any calendar the nearest there is."""
    # In whole numbers: as a fraction of seconds, a late moment loses its last millisecond.
    moment = _EPOCH + timedelta(milliseconds=min(max(epoch_ms, _EARLIEST), _LATEST))
    # Several times as fast as strftime().
    return moment.isoformat(timespec="milliseconds") + "Z"
