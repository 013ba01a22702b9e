"""When a parked event is sent back by itself: what failed for a while may succeed later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pop_stream.pop.trail import Headers, reason_of, redrives_of
from pop_stream.pop.verdict import Reason

#: The reasons for which sending an event again can be of use at all.
REDRIVABLE: Final = frozenset((Reason.TRANSIENT.value, Reason.REJECTED.value))


class Step(NamedTuple):
    """A redrive of the schedule, for events that were parked for one reason.

    Each reason has steps of its own: where one is redriven from now on, what was parked with it
    before has not been passed over yet.
    """

    reason: str
    #: 0 is the first redrive.
    number: int


#: Up to where each step has sent events back, by partition of the failure topic.
Passed: TypeAlias = Mapping[tuple[Step, int], int]


def has_passed(passed: Passed, step: Step | None, partition: int, offset: int) -> bool:
    """Whether the step of a parked event is past its record; None: no step redrives it.

    It passes over what is settled, too.
    """
    return step is not None and offset < passed.get((step, partition), 0)


def redrive_group(group: str, step: Step) -> str:
    """The consumer group of a step: its commits say what was sent back."""
    return f"{group}-redrive-{step.reason}-{step.number + 1}"


@dataclass(frozen=True, slots=True)
class RedriveSchedule:
    """How long an event stays parked before each redrive. Further redrives wait like the last."""

    #: In seconds; empty: nothing is redriven.
    waits: tuple[int, ...] = ()
    #: The reasons with which events are redriven.
    reasons: frozenset[str] = frozenset((Reason.TRANSIENT.value,))

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that there are."""
        numbers = range(len(self.waits))
        return tuple(Step(reason, number) for reason in sorted(self.reasons) for number in numbers)

    def step_of(self, headers: Headers) -> Step | None:
        """The step that is to redrive an event; None: it is not redriven."""
        reason = reason_of(headers)
        if not self.waits or reason not in self.reasons:
            return None
        return Step(reason, min(redrives_of(headers), len(self.waits) - 1))

    def due(self, headers: Headers, parked_at: int, *, step: Step) -> int | None:
        """When a step is to redrive an event, in epoch milliseconds.

        None: never, because another step does, or because a redrive would not help it.
        `parked_at` is when its record came to the failure topic.
        """
        if self.step_of(headers) != step:
            return None
        return parked_at + self.waits[step.number] * 1000
