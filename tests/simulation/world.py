"""Workers, a model Kafka and a model GSTV in virtual time; what may happen, and what must hold."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pop_stream.pop.identity import notification_id
from pop_stream.pop.trail import player_pop_id, redriven, redrives_of
from pop_stream.stream.claim import Claim
from pop_stream.stream.ledger import Commit, Place, Run
from pop_stream.stream.record import KafkaRecord
from tests.simulation.broker import (
    EVENTS,
    FAILURE,
    NOTIFICATIONS,
    RETRY,
    Broker,
    Group,
    Passing,
    Spot,
    Write,
    spot_of,
    told_beyond,
)
from tests.simulation.clock import CHANCE, TIME
from tests.simulation.partner import (
    LATER,
    NOT_TAKEN,
    STRAY,
    TAKEN,
    UNCOUNTED,
    Partner,
    Post,
    known_or,
)
from tests.simulation.worker import POLICY, Build, Worker

_MOST_ATTEMPTS: Final = 1 + POLICY.retries
_HEALING_ROUNDS: Final = 400
_NO_EVENT: Final = b"no event"


class Violation(AssertionError):  # noqa: N818 - what it is, not an error of ours
    """Something happened that must never happen."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a player wrote."""

    number: int
    pop_id: str
    key: bytes | None
    value: bytes
    spot: Spot


@dataclass(slots=True)
class Interruption:
    """What strikes a worker after so many more handles of all loops: `crash`, `fence`, ..."""

    after: int
    how: str


class World:
    """One schedule: its rules are the methods up to `heal`, and each checks what it touches."""

    def __init__(
        self,
        chance: random.Random,
        build: Build,
        partitions: Mapping[str, int],
        trace: list[str] | None = None,
    ) -> None:
        TIME.now = 1000.0
        CHANCE.rng = chance
        self.trace = trace
        self.interruption: Interruption | None = None
        self.build = build
        self.violations: list[str] = []
        self.broker = Broker({**partitions, NOTIFICATIONS: 1})
        self.partner = Partner()
        self.group = Group()
        self.workers: list[Worker] = []
        self._buried: list[Worker] = []
        self._born = 0
        self.events: dict[str, Event] = {}
        #: The records that have a durable outcome.
        self._durable: set[Spot] = set()
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
        self._redriven: Counter[str] = Counter()
        #: What happened of itself, and how often: a schedule may prove nothing otherwise.
        self.seen: dict[str, int] = {}
        #: By pop-id: what makes up for deliveries beyond the first.
        self.ambiguous: Counter[str] = Counter()
        self.rewritten: Counter[str] = Counter()
        #: The events in the order in which GSTV first took them, but for those that came back.
        self._first_taken: list[Event] = []
        #: Anything that ends the order of a screen: a crash, a rebalance, a stray POST.
        self.is_disturbed = False

    def note(self, what: str) -> None:
        """Write a line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{TIME.now - 1000:9.3f} {what}")

    def see(self, what: str) -> None:
        """Count something that came of itself."""
        self.seen[what] = self.seen.get(what, 0) + 1

    def violated(self, what: str) -> None:
        """Note a violation: what raised here might be caught by the core itself."""
        self.note(f"VIOLATION {what}")
        self.violations.append(what)

    def check(self) -> None:
        """Raise what was violated so far."""
        if self.violations:
            raise Violation("; ".join(self.violations))

    # Rules

    def produce(self, screen: int | None, *, readable: bool = True, named: bool = True) -> None:
        """A player writes an event."""
        key, value, headers = self._play(screen, readable=readable, named=named)
        record = self.broker.append(EVENTS, key, value, headers)
        self._enter(record, player_pop_id(headers, *spot_of(record)))

    def inherit(self, screen: int, attempts: int, wait_seconds: float) -> None:
        """An event stands on the retry topic since an earlier time."""
        key, value, headers = self._play(screen, readable=True, named=True)
        due = TIME.ms + int(wait_seconds * 1000)
        origin = b"events/9/%d/1795168800000" % len(self.events)
        headers += [("pop-attempt", b"%d" % attempts), ("pop-not-before", b"%d" % due)]
        record = self.broker.append(RETRY, key, value, [*headers, ("pop-origin", origin)])
        self._enter(record, headers[1][1].decode())
        self._attempts[spot_of(record)] = attempts
        self._due[spot_of(record)] = due

    def redrive(self, index: int) -> None:
        """A parked event is sent back, as the redriver does."""
        parked = self._log(FAILURE)
        parent = parked[index % len(parked)]
        headers = redriven(parent.headers)
        record = self.broker.append(RETRY, parent.key, parent.value, headers)
        self._attempts[spot_of(record)] = self._attempts[spot_of(parent)]
        self._redriven[dict(headers)["pop-id"].decode()] += 1
        if self.trace is not None:
            self.note(f"redrive {spot_of(parent)} to {spot_of(record)}")

    def _play(
        self, screen: int | None, *, readable: bool, named: bool
    ) -> tuple[bytes | None, bytes, list[tuple[str, bytes]]]:
        number = len(self.events)
        key = None if screen is None else b"s-1/%d" % screen
        value = _event(number, screen or 0) if readable else _NO_EVENT + b"%d" % number
        headers = [("tracing", b"%d" % number)]
        if named:
            headers.append(("pop-id", b"%08x-0000-7000-8000-000000000000" % number))
        return key, value, headers

    def _enter(self, record: KafkaRecord, pop_id: str) -> None:
        spot, number = spot_of(record), len(self.events)
        self.events[pop_id] = Event(number, pop_id, record.key, record.value or b"", spot)
        if self.trace is not None:
            self.note(f"event {number} at {spot} key {record.key!r} {(record.value or b'')[:8]!r}")

    def start_worker(self) -> Worker:
        """A new worker starts, and joins the group."""
        self._born += 1
        worker = Worker(self, f"w{self._born}", self.build)
        self.workers.append(worker)
        self.note(f"start {worker.name}")
        self.joined(worker)
        return worker

    def turn(self, worker: Worker, handles: int = 1) -> None:
        """A worker runs some handles of its loop."""
        if self.interruption is None:
            worker.loop.run(handles)
            return
        while handles and worker.loop.ready:
            worker.loop.run(1)
            handles -= 1
            self.interruption.after -= 1
            if self.interruption.after == 0 and worker in self.workers:
                self._interrupt(worker, self.interruption.how)

    def fetch(self, worker: Worker, most: int, seconds: float = 0) -> bool:
        """A worker begins to fetch; what it fetches is on the way for so long."""
        consumer = worker.consumer
        if not consumer.flow_active or consumer.is_fetching:
            return False
        self.note(f"fetch {worker.name} {most} {seconds:.3f}")
        worker.start(consumer.fetch, most, seconds)
        consumer.is_fetching = True
        return True

    def commit(self, worker: Worker, how: str = "taken") -> None:
        """A worker begins to commit."""
        self.note(f"commit {worker.name} {how}")
        worker.consumer.commit_ends = how
        worker.start(worker.consumer.commit)

    def answer(self, index: int, how: str) -> None:
        """An open POST comes to an end, or only to GSTV."""
        post = self.partner.open[index]
        if self.trace is not None:
            self.note(f"answer {post.worker.name} {post.pop_id[:8]} #{post.attempt} {how}")
        if how == LATER:
            if not post.taken:
                self._take(post)
        elif how == STRAY and not post.is_stray and not post.taken:
            post.is_stray = self.is_disturbed = True
            self.ambiguous[post.pop_id] += 1
            post.worker.client.tell(post, TAKEN["taken-timeout"], how)
        else:
            self.partner.open.pop(index)
            self._end_post(post, "taken-timeout" if how == STRAY else how)

    def _end_post(self, post: Post, how: str) -> None:
        outcome = TAKEN.get(how) or NOT_TAKEN[how]
        if how in TAKEN and not post.taken:
            is_new = self._take(post)
            if how == "success":
                outcome = known_or(outcome, is_new=is_new)
        if not post.is_stray:
            if post.taken and how != "success":
                self.ambiguous[post.pop_id] += 1
            post.worker.client.tell(post, outcome, how)

    def _take(self, post: Post) -> bool:
        spot = spot_of(post.claim.record)
        self._durable.add(spot)
        is_new = self.partner.take(post)
        if is_new and spot[0] == EVENTS:
            self._first_taken.append(self.events[post.pop_id])
        return is_new

    def end_write(self, index: int, how: str) -> None:
        """An open write comes to an end, or only to the log."""
        write = self.broker.writes[index]
        if self.trace is not None:
            passing = write.passing
            self.note(f"write {passing.worker} {passing.claim.pop_id[:8]} to {write.topic} {how}")
        if self.broker.end(write, how):
            self._written(write)

    def advance(self) -> bool:
        """Time goes on to the next timer of any worker. Returns whether there was one."""
        timers = [when for worker in self.workers if (when := worker.loop.next_timer()) is not None]
        if not timers:
            return False
        TIME.now = max(TIME.now, min(timers))
        self.note("advance")
        self._wake()
        return True

    def wait(self, seconds: float) -> None:
        """Time goes on a little."""
        TIME.now += seconds
        self._wake()

    def _wake(self) -> None:
        for worker in self.workers:
            worker.loop.wake()

    def crash(self, worker: Worker) -> None:
        """A worker is killed. What it sent is on its way all the same."""
        self.note(f"crash {worker.name}")
        self.is_disturbed = True
        self._bury(worker)
        self.group.leave(worker.name)
        self._rebalance_if_joined() if self.group.is_preparing else self.rebalance()

    def fence(self, worker: Worker) -> None:
        """The group gives a worker up that knows nothing of it, and works on."""
        self.note(f"fence {worker.name}")
        self.is_disturbed = True
        self.group.leave(worker.name)
        self._rebalance_if_joined() if self.group.is_preparing else self.rebalance()

    def _interrupt(self, worker: Worker, how: str) -> None:
        getattr(self, how)(*(() if how == "rebalance" else (worker,)))
        if how != "rebalance":
            self.start_worker()

    def notice(self, worker: Worker) -> bool:
        """A worker that was given up comes to know of it, and joins again."""
        if worker.name in self.group.members or worker.is_leaving:
            return False
        self.note(f"notice {worker.name}")
        worker.is_leaving = True
        worker.start(worker.revoke)
        return True

    def rebalance(self, joiner: Worker | None = None) -> None:
        """The group asks its members to join anew; the one that joins only now need not."""
        group = self.group
        if group.is_preparing:
            return
        self.note("rebalance")
        # The first worker's first assignment disturbs nobody.
        self.is_disturbed = self.is_disturbed or group.generation > 0
        group.is_preparing = True
        group.awaited = set(group.members)
        if joiner is not None:
            group.awaited.discard(joiner.name)
        for worker in self.workers:
            if worker.name in group.awaited and not worker.is_leaving:
                worker.is_leaving = True
                worker.start(worker.revoke)
        self._rebalance_if_joined()

    def give_up_waiting(self) -> None:
        """The group waits no longer for those that have not joined yet."""
        group = self.group
        if not group.is_preparing:
            return
        self.note(f"give up {sorted(group.awaited)}")
        for name in sorted(group.awaited):
            group.leave(name)
        self._rebalance_if_joined()

    def hide_commits(self) -> None:
        """The next worker to ask what stands committed gets no answer."""
        self.note("hide commits")
        self.broker.hides_commits = True

    def stop(self, worker: Worker) -> None:
        """A worker is asked to end in an orderly way."""
        if worker.is_stopping or worker.is_leaving:
            return
        self.note(f"stop {worker.name}")
        self.is_disturbed = True
        worker.is_leaving = worker.is_stopping = True
        worker.start(worker.stop)

    # What workers do

    def joined(self, worker: Worker) -> None:
        """A worker has nothing any more, and asks for a share."""
        group = self.group
        worker.is_leaving = False
        if worker.name in group.awaited:
            group.awaited.discard(worker.name)
            self._rebalance_if_joined()
            return
        if worker.name not in group.members:
            group.members.append(worker.name)
        if group.is_preparing:
            return  # it waits for the others
        self.rebalance(joiner=worker)

    def left(self, worker: Worker) -> None:
        """A worker leaves the group."""
        self.note(f"left {worker.name}")
        self.group.leave(worker.name)
        if self.group.is_preparing:
            self._rebalance_if_joined()
        else:
            self.rebalance()

    def ended(self, worker: Worker) -> None:
        """A worker's process ends."""
        self.note(f"ended {worker.name}")
        self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        worker.loop.kill()
        self.workers.remove(worker)
        self._buried.append(worker)
        for post in self.partner.open:
            if post.worker is worker:
                post.is_stray = True

    def _rebalance_if_joined(self) -> None:
        group = self.group
        if not group.is_preparing or group.awaited:
            return
        group.is_preparing = False
        if not group.members:
            return
        group.generation += 1
        shares = group.shares(self.broker.consumed)
        for worker in self.workers:
            if worker.name in shares:
                worker.generation = group.generation
                worker.start(worker.assign, shares[worker.name])

    def commit_arrived(self, worker: Worker, commits: Mapping[Place, Commit]) -> bool:
        """A commit reaches the broker. Returns whether it was taken."""
        if worker.name not in self.group.members or worker.generation != self.group.generation:
            self.note(f"commit of {worker.name} refused")
            self.see("commit refused")
            return False
        for place, commit in sorted(commits.items()):
            if self.trace is not None:
                self.note(f"committed {place.topic}/{place.partition} {commit.offset}")
            self._check_commit(place, commit)
            self.broker.committed[place] = commit
        return True

    # What must hold

    def check_held(self) -> None:
        """What each ledger counts as held is what its runs have unfinished."""
        for worker in self.workers:
            states = worker.ledger._partitions.values()
            held = sum(len(run.unfinished()) for state in states for run in state.runs)
            if held != worker.ledger.unfinished:
                self.violated(f"{worker.name} holds {held}, counts {worker.ledger.unfinished}")
        self.check()

    @property
    def has_parked(self) -> bool:
        """Whether there is an event on the failure topic."""
        return bool(self.broker.logs[Place(FAILURE, 0)])

    def _check_commit(self, place: Place, commit: Commit) -> None:
        topic, partition = place
        safe = self._safe.get(place, 0)
        for offset in range(safe, commit.offset):
            if (topic, partition, offset) not in self._durable:
                self.violated(f"committed {commit.offset} of {place}, and {offset} has no outcome")
        self._safe[place] = max(safe, commit.offset)
        if commit.offset < self.broker.offset(place):
            self.violated(f"the commit of {place} went back to {commit.offset}")
        for offset in told_beyond(commit):
            if (topic, partition, offset) not in self._durable:
                self.violated(f"told that {offset} of {place} is finished: it has no outcome")

    def opening(self, worker: Worker, committed: Mapping[Place, Commit] | None) -> None:
        """An assignment begins: what is told to be finished must not be done again."""
        if committed is None:
            self.see("commits unread")
            committed = {}
        told = {p: t for p, commit in committed.items() if (t := told_beyond(commit))}
        if told:
            self.see("told beyond the commit")
        self._told[worker.name, worker.opening] = told
        if self.trace is not None:
            self.note(f"assigned {worker.name} {sorted(worker.consumer.positions.items())}")

    def taken(self, worker: Worker, run: Run[KafkaRecord]) -> None:
        """A run reaches its agent."""
        if self.trace is not None:
            self.note(f"run {worker.name} {run.place.topic}/{run.place.partition} {run.offsets}")

    def _begun(self, worker: Worker, claim: Claim) -> Spot:
        spot = spot_of(claim.record)
        life = (worker.name, worker.opening)
        lives = self._lives.setdefault(spot, {})
        if lives.setdefault(life, claim) is not claim:
            self.violated(f"{spot} was taken twice in one assignment")
        told = self._told.get(life)
        if told and spot[2] in told.get(Place(spot[0], spot[1]), ()):
            self.violated(f"{spot} was done again, and was told to be finished")
        return spot

    def posted(self, post: Post) -> None:
        """A worker starts a POST."""
        self.partner.open.append(post)
        worker, claim = post.worker, post.claim
        spot = self._begun(worker, claim)
        event = self.events.get(post.pop_id)
        if event is None or event.value != post.body:
            self.violated(f"invented or altered: {post.pop_id} {post.body!r}")
            return
        if self.trace is not None:
            self.note(f"post {worker.name} {event.number} #{post.attempt} of {spot}")
        if not claim.run.open:
            self.violated(f"{spot} was posted for a partition that is closed")
        if spot[0] == FAILURE:
            self.violated(f"a failed event was posted: {spot}")
        counted = self._counted.get(claim, 0)
        if counted and self.build.order == "none":
            self.violated(f"{spot} was posted again after an outcome that counted")
        if post.attempt != self._attempts.get(spot, 0) + counted + 1:
            self.violated(f"attempt {post.attempt} of {spot} was counted wrong")
        if post.attempt > _MOST_ATTEMPTS + redrives_of(claim.record.headers):
            self.violated(f"attempt {post.attempt} of {spot}: too many")
        if TIME.ms < self._due.get(spot, 0):
            self.violated(f"{spot} was attempted before its time")
        if self.build.order == "screen" and event.key is not None:
            self._check_none_before(spot, event.key)

    def _check_none_before(self, spot: Spot, key: bytes) -> None:
        """In screen order an event waits until those before it have a durable outcome."""
        topic, partition, offset = spot
        for record in self.broker.logs[Place(topic, partition)][:offset]:
            if record.key == key and spot_of(record) not in self._durable:
                self.violated(f"{spot} overtook {spot_of(record)}")

    def telling(self, post: Post, how: str) -> None:
        """A worker is told what became of a POST."""
        claim, forwarder = post.claim, post.worker.forwarder
        if not claim.run.open:
            self.see("outcome after the revocation")
        elif not forwarder._gate.counts:
            self.see("outcome while held")
        elif how not in UNCOUNTED:
            self._counted[claim] = self._counted.get(claim, 0) + 1

    def handing_off(self, worker: Worker, claim: Claim) -> None:
        """A worker starts a hand-off."""
        self._begun(worker, claim)

    def _written(self, write: Write) -> None:
        passing = write.passing
        claim = passing.claim
        record = self.broker.append(write.topic, write.key, write.value, write.headers)
        parent = spot_of(claim.record)
        self._durable.add(parent)
        passing.writes += 1
        if passing.writes > 1:
            self.rewritten[claim.pop_id] += 1
        headers = dict(record.headers)
        event = self.events.get(headers.get("pop-id", b"").decode())
        if event is None or event.pop_id != claim.pop_id:
            self.violated(f"written without an event: {record}")
        elif write.topic == NOTIFICATIONS:
            if parent[0] != FAILURE or notification_id(event.pop_id).encode() not in (
                record.value or b""
            ):
                self.violated(f"a wrong notification: {record}")
        else:
            self._check_handed_on(event, record, passing, headers)

    def _check_handed_on(
        self, event: Event, record: KafkaRecord, passing: Passing, headers: dict[str, bytes]
    ) -> None:
        claim = passing.claim
        spot, parent = spot_of(record), spot_of(claim.record)
        if (record.key, record.value) != (event.key, event.value):
            self.violated(f"altered: {record}")
        if "pop-trimmed" not in headers and headers.get("tracing") != b"%d" % event.number:
            self.violated(f"a player's header is lost: {record}")
        attempts = int(headers["pop-attempt"])
        self._attempts[spot] = attempts
        self._due[spot] = int(headers.get("pop-not-before", b"0"))
        if "pop-redrives" in headers and record.topic == FAILURE:
            # Told of when it was parked for the first time.
            self._durable.add(spot)
        if attempts != self._attempts.get(parent, 0) + self._counted.get(claim, 0):
            self.violated(f"handed on with {attempts} attempts: {parent} to {spot}")
        quarantined = headers["pop-reason"].startswith(b"quarantined")
        if quarantined != event.value.startswith(_NO_EVENT):
            self.violated(f"wrongly quarantined or not: {spot}")
        is_last = record.topic == FAILURE
        if not quarantined and is_last != (attempts >= _MOST_ATTEMPTS):
            self.violated(f"after {attempts} attempts to {record.topic}: {spot}")

    # The end

    def heal(self) -> None:
        """All faults end. Run until nothing is left to do; never quiet is a violation."""
        self.note("heal")
        if all(worker.is_stopping for worker in self.workers):
            self.start_worker()
        for _ in range(_HEALING_ROUNDS):
            moved = self._settle_all()
            self.check()
            if moved or self._commit_all():
                continue
            if not self.broker.uncommitted() and not self._is_busy():
                self._check_rest()
                return
            if not self.advance():
                break
        self.violated(f"never quiet: uncommitted {self.broker.uncommitted()}")
        self.check()

    def _settle_all(self) -> bool:
        """Run all workers until they wait, and answer them."""
        broker, partner = self.broker, self.partner
        moved = False
        for worker in list(self.workers):
            moved = self._settle(worker) or moved
        moved = moved or bool(partner.open or broker.writes)
        while partner.open:
            self.answer(len(partner.open) - 1, "success")
        while broker.writes:
            self.end_write(0, "confirmed")
        return moved

    def _commit_all(self) -> bool:
        """Let those that were given up come to know of it, and the others commit."""
        moved = False
        for worker in self.workers:
            if self.notice(worker):
                moved = True
            elif not worker.is_leaving and worker.ledger.commits():
                self.commit(worker)
                moved = True
        return moved

    def _check_rest(self) -> None:
        for worker in self.workers:
            if worker.ledger.unfinished:
                self.violated(f"{worker.name} counts {worker.ledger.unfinished} unfinished events")

    def _is_busy(self) -> bool:
        return any(worker.is_leaving or worker.work.under_way for worker in self.workers)

    def _settle(self, worker: Worker) -> bool:
        """Run a worker until it waits, and let it fetch what there is."""
        moved = bool(worker.loop.ready)
        if moved:
            self.turn(worker, 10_000)
        if self.is_behind(worker):
            self.fetch(worker, 10)
            return True
        return moved

    def is_behind(self, worker: Worker) -> bool:
        """Whether there is something that a worker may fetch."""
        consumer, logs = worker.consumer, self.broker.logs
        if not consumer.flow_active or consumer.is_fetching:
            return False
        behind = [p for p, at in consumer.positions.items() if at < len(logs[p])]
        return bool(behind) and not worker.ledger.with_room().isdisjoint(behind)

    def check_end(self) -> None:
        """Nothing lost, nothing unnotified, duplicates within what the faults explain."""
        parked = {dict(r.headers)["pop-id"].decode() for r in self._log(FAILURE)}
        notified = {dict(r.headers)["pop-id"].decode() for r in self._log(NOTIFICATIONS)}
        taken = self.partner.taken
        again: Counter[str] = Counter()
        for spot, lives in self._lives.items():
            if len(lives) > 1 and spot[0] != FAILURE:
                again[next(iter(lives.values())).pop_id] += len(lives) - 1
        for pop_id, event in self.events.items():
            if not taken[pop_id] and pop_id not in parked:
                self.violated(f"lost: event {event.number}")
            if pop_id in parked and pop_id not in notified:
                self.violated(f"silent: event {event.number}")
            budget = 1 + self.ambiguous[pop_id] + self.rewritten[pop_id] + again[pop_id]
            budget += max(0, self._redriven[pop_id] - 1)
            if taken[pop_id] > budget:
                self.violated(f"event {event.number}: taken {taken[pop_id]}, budget {budget}")
        if self.build.order == "screen" and not self.is_disturbed:
            self._check_order()
        self.check()

    def _check_order(self) -> None:
        last: dict[bytes, int] = {}
        for event in self._first_taken:
            if event.key is not None:
                offset = event.spot[2]
                if offset < last.get(event.key, -1):
                    self.violated(f"event {event.number} came after a later one of its screen")
                last[event.key] = offset

    def _log(self, topic: str) -> list[KafkaRecord]:
        return [
            record
            for place, log in self.broker.logs.items()
            if place.topic == topic
            for record in log
        ]

    def end(self) -> None:
        """Drop what is left."""
        for worker in (*self.workers, *self._buried):
            worker.drop()


def _event(number: int, screen: int) -> bytes:
    return (
        b'{"filename":"GSTV.a.webm","assetId":"%d","startTimestamp":"2026-11-20 10:00:00",'
        b'"endTimestamp":"2026-11-20 10:00:15","siteId":"s-1","screenId":"%d"}' % (number, screen)
    )


__all__ = ["FAILURE", "RETRY", "Event", "Violation", "World"]
