"""A model of the consumer group: workers come and go in it, and partitions with them."""

from collections.abc import Sequence

from pop_stream.stream.ledger import Place
from tests.simulation.journal import Journal
from tests.simulation.worker import Worker


class Group:
    """Who is in it, in which generation, and who has yet to join the next."""

    def __init__(
        self, workers: Sequence[Worker], consumed: Sequence[Place], journal: Journal
    ) -> None:
        #: All that live, whatever the group knows of them.
        self._workers = workers
        self._consumed = consumed
        self._journal = journal
        self.generation = 0
        self.members: list[str] = []
        #: Members that were asked to join the next generation, and have not yet.
        self.awaited: set[str] = set()
        self.is_preparing = False

    def joined(self, worker: Worker) -> None:
        """A worker has nothing any more, and asks for a share."""
        worker.is_leaving = False
        if worker.name in self.awaited:
            self.awaited.discard(worker.name)
            self._begin_if_joined()
            return
        if worker.name not in self.members:
            self.members.append(worker.name)
        if self.is_preparing:
            return  # it waits for the others
        self.rebalance(joiner=worker)

    def lose(self, worker: Worker) -> None:
        """A member is gone, or taken to be."""
        self._leave(worker.name)
        self._begin_if_joined() if self.is_preparing else self.rebalance()

    def rebalance(self, joiner: Worker | None = None) -> None:
        """Ask the members to join anew; the one that joins only now need not."""
        if self.is_preparing:
            return
        self._journal.note("rebalance")
        if self.generation > 0:  # the first worker's first assignment disturbs nobody
            self._journal.is_disturbed = True
        self.is_preparing = True
        self.awaited = set(self.members)
        if joiner is not None:
            self.awaited.discard(joiner.name)
        for worker in self._workers:
            if worker.name in self.awaited and not worker.is_leaving:
                worker.is_leaving = True
                worker.start(worker.revoke)
        self._begin_if_joined()

    def give_up_waiting(self) -> None:
        """Wait no longer for those that have not joined yet."""
        if not self.is_preparing:
            return
        self._journal.note(f"give up {sorted(self.awaited)}")
        for name in sorted(self.awaited):
            self._leave(name)
        self._begin_if_joined()

    def _leave(self, name: str) -> None:
        if name in self.members:
            self.members.remove(name)
        self.awaited.discard(name)

    def _begin_if_joined(self) -> None:
        """Begin the next generation, unless somebody has yet to join it."""
        if not self.is_preparing or self.awaited:
            return
        self.is_preparing = False
        if not self.members:
            return
        self.generation += 1
        shares = self._shares()
        for worker in self._workers:
            if worker.name in shares:
                worker.generation = self.generation
                worker.start(worker.assign, shares[worker.name])

    def _shares(self) -> dict[str, set[Place]]:
        """Share partitions out, as the round-robin assignor does."""
        shares: dict[str, set[Place]] = {name: set() for name in self.members}
        for turn, place in enumerate(sorted(self._consumed)):
            shares[self.members[turn % len(self.members)]].add(place)
        return shares
