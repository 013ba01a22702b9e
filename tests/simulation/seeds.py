"""Every seed whose schedule ever showed a bug in the core. Each is run for ever after."""

from typing import Final

#: A seed stands for its schedule only until the rules or their weights change. What it showed is
#: then to be told by a test of its own; the seed stays, for it costs a millisecond.
FAILED_ONCE: Final[dict[int, str]] = {
    257: "a worker without a partition had no share of the rate, and ended",
    1746: "a commit that waited for its receipts came after the next assignment",
}
