"""Figures that more than one panel shows, and words for those that are states."""

from typing import Final

from grafana.panels import CLEAR, GREEN, RED, YELLOW, Word, word_for, word_from
from grafana.selectors import OWED, PRODUCED, partitions, topics, workers

#: Recorded: how old the oldest event is that is still owed, 0 where none is.
AGE: Final = "topic:pop_stream_oldest_undelivered_age_seconds:max"
#: Recorded: how long until Kafka may delete what is owed, infinite where nothing is.
HEADROOM: Final = "topic:pop_stream_retention_headroom_seconds:min"
#: Recorded: 0 ok, 1 falling behind, 2 stalled.
LAG_STATUS: Final = "topic_partition:pop_stream_lag_status:code"
#: Recorded, for windows from 5m to 3d: the share of events that failed for good.
ERRORS: Final = "job:pop_stream_delivery_errors:ratio_rate"

ATTEMPTS: Final = "pop_stream_delivery_attempts_total"
COMPLETED: Final = "pop_stream_events_completed_total"
LAG: Final = partitions(topics("pop_stream_topic_lag_events", OWED))
PRODUCED_RATE: Final = partitions(f"deriv({topics('pop_stream_end_offset', PRODUCED)}[5m])")

LAG_STATUS_WORDS: Final = (
    word_for(0, "ok", GREEN),
    word_for(1, "falling behind", YELLOW),
    word_for(2, "stalled", RED),
)


def _circuit(most: str) -> str:
    """0 closed, 1 half open, 2 open; `most` says over what the worst is taken."""
    half_open = workers("pop_stream_partner_circuit", 'state="half-open"')
    wide_open = workers("pop_stream_partner_circuit", 'state="open"')
    return f"{most}({half_open}) + 2 * {most}({wide_open})"


CIRCUIT: Final = _circuit("max")
CIRCUIT_BY_WORKER: Final = _circuit("max by (instance) ")
CIRCUIT_WORDS: Final = (
    word_for(0, "yes", GREEN),
    word_for(1, "probing", YELLOW),
    # 3: one worker holds all, another one probes.
    word_from(2, "held", RED),
)

_GROUP_STATES: Final = (
    ("Stable", GREEN),
    ("PreparingRebalance", YELLOW),
    ("CompletingRebalance", YELLOW),
    ("Empty", RED),
    ("Dead", RED),
)
#: The number of the state in the list above; 0: not seen yet.
GROUP: Final = " + ".join(
    f'{number} * max(pop_stream_group_state{{state="{state}"}})'
    for number, (state, _) in enumerate(_GROUP_STATES, start=1)
)
GROUP_WORDS: Final[tuple[Word, ...]] = (
    word_for(0, "not seen", CLEAR),
    *(word_for(number, state, color)
      for number, (state, color) in enumerate(_GROUP_STATES, start=1)),
)  # fmt: skip
