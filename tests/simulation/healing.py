"""The end of a schedule: all faults are over, and what is left is done until nothing is."""

from typing import Final

from tests.simulation.worker import Worker
from tests.simulation.world import World

_HEALING_ROUNDS: Final = 400


def heal(world: World) -> None:
    """Run until nothing is left to do; never quiet is a violation."""
    world.journal.note("heal")
    if all(worker.is_stopping for worker in world.workers):
        world.start_worker()
    for _ in range(_HEALING_ROUNDS):
        moved = _settle_all(world)
        world.journal.check()
        if moved or _commit_all(world):
            continue
        if not world.broker.uncommitted() and not _is_busy(world):
            world.witness.check_rest(world.workers)
            return
        if not world.advance():
            break
    world.journal.violated(f"never quiet: uncommitted {world.broker.uncommitted()}")
    world.journal.check()


def _settle_all(world: World) -> bool:
    """Run all workers until they wait, and answer them."""
    broker, partner = world.broker, world.partner
    moved = False
    for worker in list(world.workers):
        moved = _settle(world, worker) or moved
    moved = moved or bool(partner.open or broker.writes)
    while partner.open:
        world.answer(len(partner.open) - 1, "success")
    while broker.writes:
        world.end_write(0, "confirmed")
    return moved


def _settle(world: World, worker: Worker) -> bool:
    """Run a worker until it waits, and let it fetch what there is."""
    moved = bool(worker.loop.ready)
    if moved:
        world.turn(worker, 10_000)
    if world.is_behind(worker):
        world.fetch(worker, 10)
        return True
    return moved


def _commit_all(world: World) -> bool:
    """Let those that were given up come to know of it, and the others commit."""
    moved = False
    for worker in world.workers:
        if world.notice(worker):
            moved = True
        elif not worker.is_leaving and _has_to_commit(worker):
            world.commit(worker)
            moved = True
    return moved


def _has_to_commit(worker: Worker) -> bool:
    if worker.consumer._committing.locked():
        return False  # it waits for the time to write its receipts again
    is_unwritten = worker.receipts is not None and worker.receipts.unwritten
    return bool(worker.ledger.commits() or is_unwritten)


def _is_busy(world: World) -> bool:
    return any(worker.is_leaving or worker.work.under_way for worker in world.workers)
