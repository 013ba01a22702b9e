"""Sees what workers and GSTV do, and judges it: each step at once, and the whole at the end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from pop_stream.pop.identity import notification_id
from pop_stream.pop.receipt import decode_receipt
from pop_stream.pop.trail import redrives_of
from pop_stream.stream.claim import Claim
from pop_stream.stream.forwarder import Forwarder
from pop_stream.stream.ledger import Commit, Place, Run
from pop_stream.stream.record import KafkaRecord
from tests.simulation.broker import (
    EVENTS,
    FAILURE,
    NOTIFICATIONS,
    RETRY,
    Broker,
    Passing,
    Spot,
    Write,
    spot_of,
    told_beyond,
)
from tests.simulation.clock import TIME
from tests.simulation.journal import Journal
from tests.simulation.partner import UNCOUNTED, Partner, Post
from tests.simulation.player import NO_EVENT, Event
from tests.simulation.worker import POLICY, Build, Worker

_MOST_ATTEMPTS: Final = 1 + POLICY.retries


class Witness:
    """What was seen of each event and of each record, and what must hold of it."""

    def __init__(self, build: Build, broker: Broker, partner: Partner, journal: Journal) -> None:
        self._order = build.order
        self._has_receipts = build.receipts
        self._broker = broker
        self._partner = partner
        self._journal = journal
        self._violated = journal.violated
        #: By pop-id.
        self.events: dict[str, Event] = {}
        #: The records that have a durable outcome.
        self._durable: set[Spot] = set()
        #: Of these, those that stand on another topic.
        self._handed_on: set[Spot] = set()
        #: The players' records of which a receipt tells that they were delivered.
        self._receipted: set[Spot] = set()
        #: Up to where each partition's commits were found safe.
        self._safe: dict[Place, int] = {}
        #: What the record's headers tell: attempts made, and not to be attempted before.
        self._attempts: dict[Spot, int] = {}
        self._due: dict[Spot, int] = {}
        #: In which assignments a record was begun, each with its claim.
        self._lives: dict[Spot, dict[tuple[str, int], Claim]] = {}
        #: Outcomes of a claim that counted. Claims are kept, so that none has another's name.
        self._counted: dict[Claim, int] = {}
        #: What was told to be finished when a worker's assignment began.
        self._told: dict[tuple[str, int], dict[Place, set[int]]] = {}
        #: By pop-id: what makes up for deliveries beyond the first.
        self._redriven: Counter[str] = Counter()
        self._ambiguous: Counter[str] = Counter()
        self._rewritten: Counter[str] = Counter()
        #: The events in the order in which GSTV first took them, but for those that came back.
        self._first_taken: list[Event] = []

    # Records that no worker wrote

    def produced(self, record: KafkaRecord, pop_id: str) -> None:
        """A player wrote an event."""
        spot, number = spot_of(record), len(self.events)
        self.events[pop_id] = Event(number, pop_id, record.key, record.value or b"", spot)
        if self._journal.trace is not None:
            value = (record.value or b"")[:8]
            self._journal.note(f"event {number} at {spot} key {record.key!r} {value!r}")

    def inherited(self, record: KafkaRecord, pop_id: str, attempts: int, due: int) -> None:
        """An event stands on the retry topic since an earlier time."""
        self.produced(record, pop_id)
        spot = spot_of(record)
        self._attempts[spot] = attempts
        self._due[spot] = due

    def redriven(self, parent: KafkaRecord, record: KafkaRecord, pop_id: str) -> None:
        """A parked event was sent back."""
        self._attempts[spot_of(record)] = self._attempts[spot_of(parent)]
        self._redriven[pop_id] += 1
        if self._journal.trace is not None:
            self._journal.note(f"redrive {spot_of(parent)} to {spot_of(record)}")

    # What a worker takes, and from where on

    def opening(self, worker: Worker, committed: Mapping[Place, Commit] | None) -> None:
        """An assignment begins: what is told to be finished must not be done again."""
        if committed is None:
            self._journal.see("commits unread")
            committed = {}
        told = {p: t for p, commit in committed.items() if (t := told_beyond(commit))}
        if told:
            self._journal.see("told beyond the commit")
        self._told[worker.name, worker.opening] = told
        if self._journal.trace is not None:
            positions = sorted(worker.consumer.positions.items())
            self._journal.note(f"assigned {worker.name} {positions}")

    def taken(self, worker: Worker, run: Run[KafkaRecord]) -> None:
        """A run reaches its agent."""
        if self._journal.trace is not None:
            place = run.place
            self._journal.note(f"run {worker.name} {place.topic}/{place.partition} {run.offsets}")

    def handing_off(self, worker: Worker, claim: Claim) -> None:
        """A worker starts a hand-off."""
        self._begun(worker, claim)

    def _begun(self, worker: Worker, claim: Claim) -> Spot:
        spot = spot_of(claim.record)
        life = (worker.name, worker.opening)
        lives = self._lives.setdefault(spot, {})
        if lives.setdefault(life, claim) is not claim:
            self._violated(f"{spot} was taken twice in one assignment")
        told = self._told.get(life)
        if told and spot[2] in told.get(Place(spot[0], spot[1]), ()):
            self._violated(f"{spot} was done again, and was told to be finished")
        return spot

    # POSTs

    def posted(self, post: Post) -> None:
        """A worker starts a POST."""
        worker, claim = post.worker, post.claim
        spot = self._begun(worker, claim)
        event = self.events.get(post.pop_id)
        if event is None or event.value != post.body:
            self._violated(f"invented or altered: {post.pop_id} {post.body!r}")
            return
        if self._journal.trace is not None:
            self._journal.note(f"post {worker.name} {event.number} #{post.attempt} of {spot}")
        if not claim.run.open:
            self._violated(f"{spot} was posted for a partition that is closed")
        if spot[0] == FAILURE:
            self._violated(f"a failed event was posted: {spot}")
        counted = self._counted.get(claim, 0)
        if counted and self._order == "none":
            self._violated(f"{spot} was posted again after an outcome that counted")
        if post.attempt != self._attempts.get(spot, 0) + counted + 1:
            self._violated(f"attempt {post.attempt} of {spot} was counted wrong")
        if post.attempt > _MOST_ATTEMPTS + redrives_of(claim.record.headers):
            self._violated(f"attempt {post.attempt} of {spot}: too many")
        if TIME.ms < self._due.get(spot, 0):
            self._violated(f"{spot} was attempted before its time")
        if self._order == "screen" and event.key is not None:
            self._check_none_before(spot, event.key)

    def _check_none_before(self, spot: Spot, key: bytes) -> None:
        """In screen order an event waits until those before it have a durable outcome."""
        topic, partition, offset = spot
        for record in self._broker.logs[Place(topic, partition)][:offset]:
            if record.key == key and spot_of(record) not in self._durable:
                self._violated(f"{spot} overtook {spot_of(record)}")

    def gstv_took(self, post: Post, *, is_new: bool) -> None:
        """GSTV took an event."""
        spot = spot_of(post.claim.record)
        self._durable.add(spot)
        if is_new and spot[0] == EVENTS:
            self._first_taken.append(self.events[post.pop_id])

    def left_ambiguous(self, post: Post) -> None:
        """Its worker cannot know that GSTV took the event, and sends it again."""
        self._ambiguous[post.pop_id] += 1

    def telling(self, post: Post) -> None:
        """A worker is told what became of a POST."""
        if not post.claim.run.open:
            self._journal.see("outcome after the revocation")

    def settling(self, claim: Claim, forwarder: Forwarder, how: str) -> None:
        """A worker sees to an event whose POST has ended."""
        if not forwarder._gate.counts:
            self._journal.see("outcome while held")
        elif how not in UNCOUNTED:
            self._counted[claim] = self._counted.get(claim, 0) + 1

    # Writes

    def written(self, write: Write, record: KafkaRecord) -> None:
        """A worker's record stands in the log."""
        passing = write.passing
        claim = passing.claim
        if claim is None:
            self._receipt(record)
            return
        parent = spot_of(claim.record)
        self._durable.add(parent)
        self._handed_on.add(parent)
        passing.writes += 1
        if passing.writes > 1:
            self._rewritten[claim.pop_id] += 1
        headers = dict(record.headers)
        event = self.events.get(headers.get("pop-id", b"").decode())
        if event is None or event.pop_id != claim.pop_id:
            self._violated(f"written without an event: {record}")
        elif write.topic == NOTIFICATIONS:
            if parent[0] != FAILURE or notification_id(event.pop_id).encode() not in (
                record.value or b""
            ):
                self._violated(f"a wrong notification: {record}")
        else:
            self._check_handed_on(event, record, passing, headers)

    def _receipt(self, record: KafkaRecord) -> None:
        """A receipt stands in the log: GSTV has taken everything that it tells of."""
        receipt = decode_receipt(record.value)
        if receipt is None:
            self._violated(f"no receipt: {record}")
            return
        for delivery in receipt.deliveries():
            self._receipted.add((receipt.topic, receipt.partition, delivery.offset))
            if not self._partner.taken[delivery.pop_id]:
                self._violated(f"a receipt of what GSTV has not: {delivery}")

    def _check_handed_on(
        self, event: Event, record: KafkaRecord, passing: Passing, headers: dict[str, bytes]
    ) -> None:
        claim = passing.claim
        spot, parent = spot_of(record), spot_of(claim.record)
        if (record.key, record.value) != (event.key, event.value):
            self._violated(f"altered: {record}")
        if "pop-trimmed" not in headers and headers.get("tracing") != b"%d" % event.number:
            self._violated(f"a player's header is lost: {record}")
        attempts = int(headers["pop-attempt"])
        self._attempts[spot] = attempts
        self._due[spot] = int(headers.get("pop-not-before", b"0"))
        if "pop-redrives" in headers and spot[0] == FAILURE:
            # Told of when it was parked for the first time.
            self._durable.add(spot)
        if attempts != self._attempts.get(parent, 0) + self._counted.get(claim, 0):
            self._violated(f"handed on with {attempts} attempts: {parent} to {spot}")
        quarantined = headers["pop-reason"].startswith(b"quarantined")
        if quarantined != event.value.startswith(NO_EVENT):
            self._violated(f"wrongly quarantined or not: {spot}")
        is_last = spot_of(record)[0] == FAILURE
        if not quarantined and is_last != (attempts >= _MOST_ATTEMPTS):
            self._violated(f"after {attempts} attempts to {spot_of(record)[0]}: {spot}")

    # Commits, and what is held

    def committed(self, place: Place, commit: Commit) -> None:
        """A commit is being taken: the broker still has the one before."""
        topic, partition = place
        if self._journal.trace is not None:
            self._journal.note(f"committed {topic}/{partition} {commit.offset}")
        safe = self._safe.get(place, 0)
        for offset in range(safe, commit.offset):
            if (topic, partition, offset) not in self._durable:
                self._violated(f"committed {commit.offset} of {place}, and {offset} has no outcome")
            self._check_receipt(place, offset)
        self._safe[place] = max(safe, commit.offset)
        if commit.offset < self._broker.offset(place):
            self._violated(f"the commit of {place} went back to {commit.offset}")
        for offset in told_beyond(commit):
            if (topic, partition, offset) not in self._durable:
                self._violated(f"told that {offset} of {place} is finished: it has no outcome")
            self._check_receipt(place, offset)

    def _check_receipt(self, place: Place, offset: int) -> None:
        """What is committed was handed on, or a receipt tells that it was delivered."""
        log = self._broker.logs[place]
        if not self._has_receipts or place.topic == FAILURE or offset >= len(log):
            return
        record = log[offset]
        spot = spot_of(record)
        if spot in self._handed_on:
            return
        if place.topic == RETRY:
            topic, partition, number, _ = dict(record.headers)["pop-origin"].decode().split("/")
            spot = (topic, int(partition), int(number))
        if spot not in self._receipted:
            self._violated(f"committed without a receipt: {offset} of {place}")

    def check_held(self, workers: Iterable[Worker]) -> None:
        """What each ledger counts as held is what its runs have unfinished."""
        for worker in workers:
            states = worker.ledger._partitions.values()
            held = sum(len(run.unfinished()) for state in states for run in state.runs)
            if held != worker.ledger.unfinished:
                self._violated(f"{worker.name} holds {held}, counts {worker.ledger.unfinished}")
        self._journal.check()

    # The end

    def check_rest(self, workers: Iterable[Worker]) -> None:
        """Nothing is left to do, and each ledger knows it."""
        for worker in workers:
            if worker.ledger.unfinished:
                self._violated(f"{worker.name} counts {worker.ledger.unfinished} unfinished events")

    def check_end(self) -> None:
        """Nothing lost, nothing unnotified, duplicates within what the faults explain."""
        parked, notified = self._pop_ids(FAILURE), self._pop_ids(NOTIFICATIONS)
        taken = self._partner.taken
        again: Counter[str] = Counter()
        for spot, lives in self._lives.items():
            if len(lives) > 1 and spot[0] != FAILURE:
                again[next(iter(lives.values())).pop_id] += len(lives) - 1
        for pop_id, event in self.events.items():
            if not taken[pop_id] and pop_id not in parked:
                self._violated(f"lost: event {event.number}")
            if pop_id in parked and pop_id not in notified:
                self._violated(f"silent: event {event.number}")
            budget = 1 + self._ambiguous[pop_id] + self._rewritten[pop_id] + again[pop_id]
            budget += max(0, self._redriven[pop_id] - 1)
            if taken[pop_id] > budget:
                self._violated(f"event {event.number}: taken {taken[pop_id]}, budget {budget}")
        if self._order == "screen" and not self._journal.is_disturbed:
            self._check_order()
        self._journal.check()

    def _pop_ids(self, topic: str) -> set[str]:
        return {dict(r.headers)["pop-id"].decode() for r in self._broker.records(topic)}

    def _check_order(self) -> None:
        last: dict[bytes, int] = {}
        for event in self._first_taken:
            if event.key is not None:
                offset = event.spot[2]
                if offset < last.get(event.key, -1):
                    self._violated(f"event {event.number} came after a later one of its screen")
                last[event.key] = offset
