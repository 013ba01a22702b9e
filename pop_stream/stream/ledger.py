"""Which events are finished, and so which offsets may be committed.

The one guarantee of pop-stream stands here: the committed offset of a partition is the end of its
finished prefix. Events finish in any order; an event is finished once it has a durable outcome.

A partition is open from its assignment to its revocation. What belongs to an earlier opening is
closed: finishing it late changes nothing, for by then another worker may own the partition.

```
taken      1 2 3 4 5 6 7 8
finished   1 2   4 5     8      commit 3: the offset of the first unfinished event
                                and note beside it that 4, 5 and 8 are finished too
```
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from pop_stream.pop.done_map import Range, decode_done, encode_done, ranges_of


class Record(Protocol):
    """What the ledger needs to know of a Kafka record."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102


R = TypeVar("R", bound=Record)


class Commit(NamedTuple):
    """What is committed for a partition."""

    #: The end of the finished prefix.
    offset: int
    #: What is finished beyond it (`pop_stream.pop.done_map`).
    metadata: str = ""


class Place(NamedTuple):
    """A partition of a topic. Equal to the TP of Faust and aiokafka, which are such tuples too."""

    topic: str
    partition: int


class Standing(NamedTuple):
    """How far a partition is."""

    place: Place
    #: What was last committed; None: nothing was taken yet.
    committed: int | None
    #: The end of the finished prefix; None: not known yet.
    offset: int | None
    #: Whether nothing is left to commit.
    is_done: bool
    #: When the first unfinished event was written to the topic, in epoch milliseconds, as its
    #: record says; None: all that was taken is finished.
    written_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one topic may hold unfinished before no more of it is fetched."""

    events: int = 10_000
    #: Counted over unfinished events, with their keys and headers.
    bytes: int = 64 * 1024 * 1024
    #: How far, in events, a partition may be taken beyond its first unfinished event.
    skew: int = 10_000


class Run(Generic[R]):
    """The records of one partition from one fetch, and which of them are finished."""

    __slots__ = ("_done", "_partition", "_sizes", "offsets", "place", "records", "written_ms")

    def __init__(self, partition: "_Partition[R]", records: Sequence[R]) -> None:
        self.place = partition.place
        #: Emptied by the one who takes the records over, so that finished ones can go.
        self.records = records
        self.offsets = [record.offset for record in records]
        #: When each was written to the topic, in epoch milliseconds, as it says.
        self.written_ms = [record.timestamp for record in records]
        self._sizes = [record.size for record in records]
        self._done = bytearray(len(records))
        self._partition = partition

    @property
    def open(self) -> bool:
        """False once the partition was revoked: finishing then changes nothing."""
        return self._partition.open

    def unfinished(self) -> list[int]:
        """The indices of the events without a durable outcome."""
        return [index for index, done in enumerate(self._done) if not done]

    def finish(self, index: int) -> bool:
        """Note that the event at `index` has a durable outcome. Returns whether that counts."""
        done, partition = self._done, self._partition
        if done[index] or not partition.open:
            return False
        done[index] = 1
        held = partition.held
        held.events -= 1
        held.bytes -= self._sizes[index]
        partition.ledger.finished += 1
        return True

    def finish_before(self, finished: frozenset[int]) -> None:
        """Note the events that an earlier owner of the partition has finished."""
        for index, offset in enumerate(self.offsets):
            if offset in finished:
                self._done[index] = 1
                self._partition.held.events -= 1
                self._partition.held.bytes -= self._sizes[index]

    def finished_ranges(self, start: int) -> Iterator[Range]:
        """The finished offsets from the index `start` on, as half-open ranges."""
        done, offsets = self._done, self.offsets
        begin = done.find(1, start)
        while begin >= 0:
            end = done.find(0, begin)
            end = len(done) if end < 0 else end
            first, last = offsets[begin], offsets[end - 1]
            if last - first == end - 1 - begin:
                yield first, last + 1
            else:
                # Not across a gap: only offsets that were finished are told of.
                yield from ranges_of(offsets[begin:end])
            begin = done.find(1, end)

    def first_unfinished(self, start: int) -> int:
        """The index of the first unfinished event from `start` on; the length if there is none."""
        index = self._done.find(0, start)
        return len(self._done) if index < 0 else index

    @property
    def held_bytes(self) -> int:
        """The bytes of all records of the run."""
        return sum(self._sizes)


class _Held:
    """What one topic holds unfinished."""

    __slots__ = ("bytes", "events")

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0


class _Partition(Generic[R]):
    """One partition from its assignment to its revocation."""

    __slots__ = (
        "begins_at", "committed", "finished_before", "head", "held", "is_new", "ledger",
        "next_offset", "open", "place", "runs", "skew",
    )  # fmt: skip

    def __init__(self, place: Place, held: _Held, ledger: "Ledger[R]") -> None:
        self.place = place
        self.held = held
        self.ledger = ledger
        self.open = True
        self.runs: deque[Run[R]] = deque()
        #: Index of the first unfinished event in the first run.
        self.head = 0
        #: Events taken from the first unfinished one on.
        self.skew = 0
        #: Whether nobody of this group has ever committed anything here.
        self.is_new = False
        #: What an earlier owner has committed; None: nothing that is known.
        self.begins_at: int | None = None
        #: The offset after the last one taken; None before the first.
        self.next_offset: int | None = None
        #: What was last committed; None before the first take.
        self.committed: Commit | None = None
        #: Offsets not yet taken that an earlier owner has finished.
        self.finished_before: frozenset[int] = frozenset()

    def advance(self) -> None:
        """Go on to the first unfinished event: when that is asked for, not with each event."""
        while self.runs:
            run = self.runs[0]
            head = run.first_unfinished(self.head)
            self.skew -= head - self.head
            self.head = head
            if head < len(run.offsets):
                return
            self.runs.popleft()
            self.head = 0

    def taken_beyond(self) -> int:
        self.advance()
        return self.skew

    def standing(self) -> Standing:
        self.advance()
        committed = None if self.committed is None else self.committed.offset
        if self.runs:
            run, head = self.runs[0], self.head
            return Standing(
                self.place, committed, run.offsets[head], is_done=False,
                written_ms=run.written_ms[head],
            )  # fmt: skip
        offset = self.begins_at if self.next_offset is None else self.next_offset
        is_done = committed == self.next_offset
        return Standing(self.place, committed, offset, is_done=is_done, written_ms=None)

    def commit(self) -> Commit | None:
        if self.next_offset is None:
            return None
        self.advance()
        offset = self.runs[0].offsets[self.head] if self.runs else self.next_offset
        ranges = [
            each
            for index, run in enumerate(self.runs)
            for each in run.finished_ranges(self.head if index == 0 else 0)
        ]
        ranges += ranges_of(self.finished_before)
        return Commit(offset, encode_done(offset, ranges) if ranges else "")


class Ledger(Generic[R]):
    """The ledger of all partitions that this worker owns."""

    def __init__(self, limits: Mapping[str, Limits]) -> None:
        """Take the limits of each topic that is consumed."""
        #: How many events were finished since the worker began.
        self.finished = 0
        #: How many commits the broker took.
        self.accepted = 0
        self._limits = limits
        self._held = {topic: _Held() for topic in limits}
        self._partitions: dict[Place, _Partition[R]] = {}

    def open(self, places: set[Place], committed: Mapping[Place, Commit] | None = None) -> None:
        """Begin with exactly these partitions; whatever was open before is closed.

        `committed` is what stands committed for them; None: that is not known. What it tells to be
        finished beyond the offset is entered as finished when it is taken.
        """
        self.close()
        for topic, partition in places:
            place = Place(topic, partition)
            state = self._partitions[place] = _Partition(place, self._held[topic], self)
            if committed is None:
                continue
            before = committed.get(place)
            state.is_new = before is None
            if before is not None:
                state.begins_at = before.offset
                state.finished_before = decode_done(*before)

    def close(self) -> None:
        """Forget all partitions. Runs taken before are closed with them."""
        for partition in self._partitions.values():
            partition.open = False
        self._partitions = {}
        self._held.update({topic: _Held() for topic in self._limits})

    def is_new(self, place: Place) -> bool:
        """Whether a partition is open of which nothing was ever committed or taken."""
        state = self._partitions.get(place)
        return state is not None and state.is_new and state.next_offset is None

    @property
    def has_beginnings(self) -> bool:
        """Whether there are partitions that nobody has ever committed anything of, not even now."""
        return any(
            state.is_new and state.next_offset is not None and state.committed is None
            for state in self._partitions.values()
        )

    def expected(self, place: Place) -> int | None:
        """The offset that comes next; None when that is not known, or the partition not open."""
        state = self._partitions.get(place)
        if state is None:
            return None
        return state.begins_at if state.next_offset is None else state.next_offset

    def go_on_from(self, place: Place, offset: int) -> None:
        """Expect `offset` next: nothing before it will come. It may then be committed."""
        state = self._partitions.get(place)
        if state is not None:
            state.next_offset = offset

    def take(self, topic: str, partition: int, records: Sequence[R]) -> Run[R] | None:
        """Enter records just fetched, in order of their offsets.

        Those that were taken before are left out. None: the partition is not open, or nothing is
        left.
        """
        state = self._partitions.get(Place(topic, partition))
        if state is None:
            return None
        if state.next_offset is not None:
            records = [record for record in records if record.offset >= state.next_offset]
        if not records:
            return None
        if state.committed is None:
            # What lies below the first record was finished by an earlier owner, or is gone.
            state.committed = Commit(records[0].offset)
        run = Run(state, records)
        state.runs.append(run)
        state.skew += len(records)
        state.next_offset = records[-1].offset + 1
        state.held.events += len(records)
        state.held.bytes += run.held_bytes
        if state.finished_before:
            run.finish_before(state.finished_before)
            end = state.next_offset
            state.finished_before = frozenset(o for o in state.finished_before if o >= end)
        return run

    def standings(self) -> list[Standing]:
        """How far each partition is."""
        return [state.standing() for state in self._partitions.values()]

    def with_room(self) -> set[Place]:
        """The partitions of which more may be fetched."""
        roomy = {
            topic
            for topic, limits in self._limits.items()
            if self._held[topic].events < limits.events and self._held[topic].bytes < limits.bytes
        }
        return {
            place
            for place, state in self._partitions.items()
            if place.topic in roomy and state.taken_beyond() < self._limits[place.topic].skew
        }

    def commits(self) -> dict[Place, Commit]:
        """What to commit: of each partition the end of its finished prefix and what is beyond.

        Only what has changed since the last commit.
        """
        commits: dict[Place, Commit] = {}
        for place, state in self._partitions.items():
            commit = state.commit()
            if commit is not None and commit != state.committed:
                commits[place] = commit
        return commits

    def committed(self, commits: Mapping[Place, Commit]) -> None:
        """Note that the broker took these."""
        self.accepted += 1
        for place, commit in commits.items():
            state = self._partitions.get(place)
            if state is not None:
                state.committed = commit

    @property
    def unfinished(self) -> int:
        """How many events are taken and unfinished."""
        return sum(held.events for held in self._held.values())
