"""The Retry-After header: how long GSTV asks us to wait."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime


def parse_retry_after(text: str | None, *, now: float, cap: float) -> float | None:
    """Seconds to wait, from 0 to `cap`; None when the text is absent or no Retry-After.

    `text` is a number of seconds (a fraction is taken too) or an HTTP date; `now` is in epoch
    seconds (RFC 9110, section 10.2.3).
    """
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
            # A date in asctime's form names no zone: it is in GMT, wherever this machine stands.
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return None
        seconds = max(seconds, 0.0)
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, cap)
