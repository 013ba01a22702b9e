"""Workers, a model Kafka and a model GSTV in virtual time, and all that may happen to them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from pop_stream.pop.trail import player_pop_id, redriven
from pop_stream.stream.ledger import Commit, Place
from tests.simulation.broker import (
    EVENTS,
    FAILURE,
    NOTIFICATIONS,
    RECEIPTS,
    RETRY,
    Broker,
    spot_of,
)
from tests.simulation.clock import CHANCE, TIME
from tests.simulation.group import Group
from tests.simulation.journal import Journal
from tests.simulation.partner import LATER, NOT_TAKEN, STRAY, TAKEN, Partner, Post, known_or
from tests.simulation.player import play
from tests.simulation.witness import Witness
from tests.simulation.worker import Build, Worker


@dataclass(slots=True)
class Interruption:
    """What strikes a worker after so many more handles of all loops: `crash`, `fence`, ..."""

    after: int
    how: str


class World:
    """One schedule: its rules are the methods up to `stop`, and its witness sees what they do."""

    def __init__(
        self,
        chance: random.Random,
        build: Build,
        partitions: Mapping[str, int],
        trace: list[str] | None = None,
    ) -> None:
        TIME.now = 1000.0
        CHANCE.rng = chance
        self.interruption: Interruption | None = None
        self.build = build
        self.journal = Journal(trace)
        self.broker = Broker({**partitions, NOTIFICATIONS: 1, RECEIPTS: 1})
        self.partner = Partner()
        self.witness = Witness(build, self.broker, self.partner, self.journal)
        self.workers: list[Worker] = []
        self.group = Group(self.workers, self.broker.consumed, self.journal)
        self._buried: list[Worker] = []
        self._born = 0

    # Rules

    def produce(self, screen: int | None, *, readable: bool = True, named: bool = True) -> None:
        """A player writes an event."""
        number = len(self.witness.events)
        key, value, headers = play(number, screen, readable=readable, named=named)
        record = self.broker.append(EVENTS, key, value, headers)
        self.witness.produced(record, player_pop_id(headers, *spot_of(record)))

    def inherit(self, screen: int, attempts: int, wait_seconds: float) -> None:
        """An event stands on the retry topic since an earlier time."""
        number = len(self.witness.events)
        key, value, headers = play(number, screen)
        pop_id = dict(headers)["pop-id"].decode()
        due = TIME.ms + int(wait_seconds * 1000)
        headers += [
            ("pop-attempt", b"%d" % attempts),
            ("pop-not-before", b"%d" % due),
            ("pop-origin", b"events/9/%d/1795168800000" % number),
        ]
        record = self.broker.append(RETRY, key, value, headers)
        self.witness.inherited(record, pop_id, attempts, due)

    @property
    def has_parked(self) -> bool:
        """Whether there is an event on the failure topic."""
        return bool(self.broker.logs[Place(FAILURE, 0)])

    def redrive(self, index: int) -> None:
        """A parked event is sent back, as the redriver does."""
        parked = self.broker.records(FAILURE)
        parent = parked[index % len(parked)]
        headers = redriven(parent.headers)
        record = self.broker.append(RETRY, parent.key, parent.value, headers)
        self.witness.redriven(parent, record, dict(headers)["pop-id"].decode())

    def start_worker(self) -> Worker:
        """A new worker starts, and joins the group."""
        self._born += 1
        worker = Worker(self, f"w{self._born}", self.build)
        self.workers.append(worker)
        self.journal.note(f"start {worker.name}")
        self.group.joined(worker)
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

    def _interrupt(self, worker: Worker, how: str) -> None:
        getattr(self, how)(*(() if how == "rebalance" else (worker,)))
        if how != "rebalance":
            self.start_worker()

    def is_behind(self, worker: Worker) -> bool:
        """Whether there is something that a worker may fetch."""
        consumer, logs = worker.consumer, self.broker.logs
        if not consumer.flow_active or consumer.is_fetching or consumer._is_behind:
            return False
        behind = [p for p, at in consumer.positions.items() if at < len(logs[p])]
        return bool(behind) and not worker.ledger.with_room().isdisjoint(behind)

    def fetch(self, worker: Worker, most: int, seconds: float = 0) -> bool:
        """A worker begins to fetch; what it fetches is on the way for so long."""
        consumer = worker.consumer
        if not consumer.flow_active or consumer.is_fetching:
            return False
        self.journal.note(f"fetch {worker.name} {most} {seconds:.3f}")
        worker.start(consumer.fetch, most, seconds)
        consumer.is_fetching = True
        return True

    def commit(self, worker: Worker, how: str = "taken") -> None:
        """A worker begins to commit."""
        self.journal.note(f"commit {worker.name} {how}")
        worker.consumer.commit_ends = how
        worker.start(worker.consumer.commit)

    def answer(self, index: int, how: str) -> None:
        """An open POST comes to an end, or only to GSTV."""
        post = self.partner.open[index]
        if self.journal.trace is not None:
            self.journal.note(f"answer {post.worker.name} {post.pop_id[:8]} #{post.attempt} {how}")
        if how == LATER:
            if not post.taken:
                self._take(post)
        elif how == STRAY and not post.is_stray and not post.taken:
            post.is_stray = self.journal.is_disturbed = True
            self.witness.left_ambiguous(post)
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
                self.witness.left_ambiguous(post)
            post.worker.client.tell(post, outcome, how)

    def _take(self, post: Post) -> bool:
        is_new = self.partner.take(post)
        self.witness.gstv_took(post, is_new=is_new)
        return is_new

    def end_write(self, index: int, how: str) -> None:
        """An open write comes to an end, or only to the log."""
        write = self.broker.writes[index]
        if self.journal.trace is not None:
            passing = write.passing
            of = passing.claim.pop_id[:8] if passing.claim else "of many"
            self.journal.note(f"write {passing.worker} {of} to {write.topic} {how}")
        if self.broker.end(write, how):
            record = self.broker.append(write.topic, write.key, write.value, write.headers)
            self.witness.written(write, record)

    def advance(self) -> bool:
        """Time goes on to the next timer of any worker. Returns whether there was one."""
        timers = [when for worker in self.workers if (when := worker.loop.next_timer()) is not None]
        if not timers:
            return False
        TIME.now = max(TIME.now, min(timers))
        self.journal.note("advance")
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
        self.journal.note(f"crash {worker.name}")
        self.journal.is_disturbed = True
        self._bury(worker)
        self.group.lose(worker)

    def fence(self, worker: Worker) -> None:
        """The group gives a worker up that knows nothing of it, and works on."""
        self.journal.note(f"fence {worker.name}")
        self.journal.is_disturbed = True
        self.group.lose(worker)

    def notice(self, worker: Worker) -> bool:
        """A worker that was given up comes to know of it, and joins again."""
        if worker.name in self.group.members or worker.is_leaving:
            return False
        self.journal.note(f"notice {worker.name}")
        worker.is_leaving = True
        worker.start(worker.revoke)
        return True

    def rebalance(self) -> None:
        """The group asks its members to join anew."""
        self.group.rebalance()

    def give_up_waiting(self) -> None:
        """The group waits no longer for those that have not joined yet."""
        self.group.give_up_waiting()

    def hide_commits(self) -> None:
        """The next worker to ask what stands committed gets no answer."""
        self.journal.note("hide commits")
        self.broker.hides_commits = True

    def stop(self, worker: Worker) -> None:
        """A worker is asked to end in an orderly way."""
        if worker.is_stopping or worker.is_leaving:
            return
        self.journal.note(f"stop {worker.name}")
        self.journal.is_disturbed = True
        worker.is_leaving = worker.is_stopping = True
        worker.start(worker.stop)

    # What workers do

    def left(self, worker: Worker) -> None:
        """A worker leaves the group."""
        self.journal.note(f"left {worker.name}")
        self.group.lose(worker)

    def ended(self, worker: Worker) -> None:
        """A worker's process ends."""
        self.journal.note(f"ended {worker.name}")
        self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        worker.loop.kill()
        self.workers.remove(worker)
        self._buried.append(worker)
        for post in self.partner.open:
            if post.worker is worker:
                post.is_stray = True

    def posted(self, post: Post) -> None:
        """A worker starts a POST."""
        self.partner.open.append(post)
        self.witness.posted(post)

    def commit_arrived(self, worker: Worker, commits: Mapping[Place, Commit]) -> bool:
        """A commit reaches the broker. Returns whether it was taken."""
        if worker.name not in self.group.members or worker.generation != self.group.generation:
            self.journal.note(f"commit of {worker.name} refused")
            self.journal.see("commit refused")
            return False
        for place, commit in sorted(commits.items()):
            self.witness.committed(place, commit)
            self.broker.committed[place] = commit
        return True

    def end(self) -> None:
        """Drop what is left."""
        for worker in (*self.workers, *self._buried):
            worker.drop()
