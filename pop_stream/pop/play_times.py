"""The times of a play, as events write them: `yyyy-mm-dd HH:MM:SS`, site-local, no zone."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter

#: Of a time as events write it.
LETTERS = len("yyyy-mm-dd HH:MM:SS")
_SEPARATORS = itemgetter(4, 7, 10, 13, 16)
_EXPECTED_SEPARATORS = ("-", "-", " ", ":", ":")
#: No zone is ahead of UTC by more: a site-local time later than now by this much is in the future
#: wherever the site stands. Five minutes more for clocks that are a little off.
_FUTURE = timedelta(hours=14, minutes=5)


def latest_local_time(now: datetime) -> str:
    """The latest site-local time, anywhere, that is not in the future, as an event writes it."""
    return (now.astimezone(UTC) + _FUTURE).strftime("%Y-%m-%d %H:%M:%S")


def length_of_play(start: str, end: str) -> timedelta | None:
    """From start to end; None if either is no time."""
    return _length(start, end) if len(start) == len(end) == LETTERS else None


def time_of_play(text: str) -> datetime | None:
    """A site-local time, without a zone; None if it is no time."""
    return _parse_time(text) if len(text) == LETTERS else None


# Screens play in step, so that the same two texts come again and again.
@lru_cache(maxsize=4096)
def _length(start: str, end: str) -> timedelta | None:
    started, ended = _parse_time(start), _parse_time(end)
    return None if started is None or ended is None else ended - started


def _parse_time(text: str) -> datetime | None:
    # fromisoformat() takes more forms than yyyy-mm-dd HH:MM:SS, and is 30 times faster than
    # strptime(): so the separators are checked here. All of them: a last colon that is missing
    # leaves room for a zone, and a time with a zone cannot be compared with one without.
    if _SEPARATORS(text) != _EXPECTED_SEPARATORS:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
