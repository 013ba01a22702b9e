"""Whether a group may begin where its commits say: where that is a guess, it may not.

Kafka forgets a group's offsets when nobody was there for a week, and a client without an offset, or
with one that cannot be, quietly begins with the oldest record. Everything would be sent again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pop_stream.kafka.group import Member, PartitionState

#: What our own consumers call themselves in their group.
CLIENT_ID = "pop-stream"

_REMEDY = (
    "POP_STREAM_START_WITHOUT_COMMIT=earliest begins with the oldest record there is; to begin "
    "elsewhere, set the group's offsets with Kafka's own tools."
)


def doubts(
    group: str, consumed: Sequence[PartitionState], written: Mapping[str, int]
) -> Iterator[str]:
    """Say what makes the group's beginning a guess, each with what to do; nothing: it is clear.

    `consumed` are the partitions that the group consumes, of all stages; `written` tells how many
    records the topics have ever had that only workers write.
    """
    for state in consumed:
        if state.committed is not None and state.committed > state.end:
            yield (
                f"{state.topic}/{state.partition}: offset {state.committed} is committed, and the "
                f"partition ends at {state.end}. The topic was deleted and made anew, or Kafka "
                f"has lost records. {_REMEDY}"
            )
    has_worked = {topic: count for topic, count in written.items() if count}
    knows_nothing = all(state.committed is None for state in consumed)
    if knows_nothing and has_worked and any(state.end > state.begin for state in consumed):
        told = ", ".join(f"{topic} has had {count} records" for topic, count in has_worked.items())
        yield (
            f"the group {group!r} has no offsets, and yet events were worked on before: {told}. "
            "Its offsets have expired or were deleted, or it is another group: what was delivered "
            f"would be sent again. {_REMEDY}"
        )


def foreign(members: Iterable[Member]) -> list[str]:
    """Those in the group that are no workers: they take partitions, and deliver nothing."""
    return sorted(
        f"{member.client_id!r} at {member.host}"
        for member in members
        if member.client_id != CLIENT_ID
    )
