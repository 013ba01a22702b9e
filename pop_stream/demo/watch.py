"""Watches a system at work until all is done, nothing goes on any more, or a part of it died."""

import asyncio
import time
from collections.abc import Iterable

from aiokafka.errors import KafkaError

from pop_stream.demo.account import Account, account_for
from pop_stream.demo.observe import Observer
from pop_stream.demo.processes import Children
from pop_stream.demo.rate import Rate
from pop_stream.demo.screen import Screen
from pop_stream.demo.sightings import Sightings
from pop_stream.demo.snapshot import Counts, Snapshot
from pop_stream.demo.system import SCREENS_PER_SITE, SITES, PartnerLedger, System
from pop_stream.demo.tail import Tail
from pop_stream.errors import WorkFailedError

#: How long nothing may happen before the run is given up.
STALL_SECONDS = 60.0
#: With refusals only, for so long, the partner is taken to be down.
_DOWN_SECONDS = 1.5
_LAST_LOOK_SECONDS = 15.0


class Watch:
    """Puts together what the observer and the ledgers say, and shows it."""

    def __init__(
        self, observer: Observer, sightings: Sightings, system: System, *, screen: Screen
    ) -> None:
        self._observer = observer
        self._sightings = sightings
        self._system = system
        self._screen = screen
        self._partner = PartnerLedger(system.partner_ledger)
        self._players = Tail(system.players_ledger)
        self._produced = Rate()
        self._accepted = Rate()
        #: When the partner last took an event, and last did not, in seconds of the run.
        self._took_at = self._refused_at = 0.0

    def confirmed(self, pop_ids: Iterable[str]) -> None:
        """Note events that the demo itself has produced."""
        self._sightings.confirmed(pop_ids)

    async def until_done(self, expected: int, children: Children, *, begun_at: float) -> None:
        """Return when every expected event is settled and the worker has committed everything.

        Raises WorkFailedError when a part of the system ends with an error, or nothing has
        happened for a minute.
        """
        last_counts, changed_at = None, time.monotonic()
        while True:
            children.check()
            seconds = time.monotonic() - begun_at
            counts = await self._look(seconds)
            if counts != last_counts:
                last_counts, changed_at = counts, time.monotonic()
            elif time.monotonic() - changed_at > STALL_SECONDS:
                raise self._system.worker.failure(
                    f"settled {counts.settled} of {expected} events, and then nothing happened "
                    f"for {STALL_SECONDS:.0f} s; the end of its log"
                )
            is_settled = counts.settled >= expected
            if is_settled:
                phase = "committing"
            elif self._refused_at > self._took_at and seconds - self._took_at > _DOWN_SECONDS:
                phase = "GSTV is down"
            else:
                phase = _phase(counts, expected)
            self._screen.show(self._snapshot(phase, seconds, expected, counts=counts))
            if is_settled and await self._is_committed():
                return

    async def account(self) -> Account:
        """Look at everything there is once more and draw the account.

        Raises WorkFailedError when Kafka does not give all of it in time.
        """
        try:
            async with asyncio.timeout(_LAST_LOOK_SECONDS):
                committed = await self._observer.committed()
                await self._observer.look_at_all(0.0)
        except (TimeoutError, KafkaError) as error:
            raise WorkFailedError("Kafka no longer tells what is on the topics") from error
        self._read_ledgers(0.0)
        return account_for(self._sightings.evidence(committed))

    async def _is_committed(self) -> bool:
        try:
            return await self._observer.uncommitted() == 0
        except KafkaError:
            # Asked again with the next look; if Kafka is gone, nothing happens any more.
            return False

    async def _look(self, seconds: float) -> Counts:
        await self._observer.look(seconds)
        self._read_ledgers(seconds)
        return self._sightings.counts()

    def _read_ledgers(self, seconds: float) -> None:
        for line in self._players.new_lines():
            self._sightings.sent(line["id"], line["sha256"])
        for answer in self._partner.new_answers():
            self._sightings.answer(answer.pop_id, answer.digest, took=answer.took)
            if answer.took:
                self._took_at = seconds
            else:
                self._refused_at = seconds

    def _snapshot(self, phase: str, seconds: float, expected: int, *, counts: Counts) -> Snapshot:
        return Snapshot(
            phase=phase,
            seconds=seconds,
            sites=SITES,
            screens_per_site=SCREENS_PER_SITE,
            expected=expected,
            counts=counts,
            produced_per_second=self._produced.per_second(seconds, counts.produced),
            accepted_per_second=self._accepted.per_second(seconds, counts.accepted),
            happenings=self._sightings.happenings(),
        )


def _phase(counts: Counts, expected: int) -> str:
    if not counts.accepted:
        return "starting"
    return "delivering" if counts.produced < expected else "retrying"
