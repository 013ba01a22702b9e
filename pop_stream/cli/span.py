"""Durations for people."""


def span(seconds: float) -> str:
    """About how long: in the largest unit of which there are two."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
