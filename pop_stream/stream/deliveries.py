"""Deliveries, entered many at a time: nearly all that happens is this, and it is to cost little."""

import time
from collections.abc import Sequence

from pop_stream.pop.identity import time_of
from pop_stream.pop.outcome import Answer
from pop_stream.stream.claim import Claim
from pop_stream.watch.tally import Tally

#: An event that GSTV has, and the answer that says so.
Success = tuple[Claim, Answer]

#: Of so many events one is asked when it was minted: how late players are is seen of a part too.
_INGEST_SAMPLE = 16


class Deliveries:
    """Enters deliveries in the ledger and in the tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        #: How many deliveries are passed over before the next is asked when it was minted.
        self._unasked = 0

    def enter(self, successes: Sequence[Success]) -> list[Success]:
        """Enter the successes of one turn of the loop.

        Returns those that count: a partition may have been closed meanwhile.
        """
        entered = [each for each in successes if each[0].run.finish(each[0].index)]
        tally, now, wall = self._tally, time.monotonic(), time.time()
        tally.events_completed[("delivered",)] += len(entered)
        tally.outcomes.update([(claim.attempts + 1, answer.status) for claim, answer in entered])
        tally.attempts_ok.observe_all([now - claim.attempted_at for claim, _ in entered])
        tally.delivery_delay_seconds.observe_all(
            [wall - claim.produced_at / 1000 for claim, _ in entered]
        )
        tally.events_flagged.update([(flag,) for claim, _ in entered for flag in claim.flags])
        self._note_traces(entered, wall)
        self._note_ingest(entered)
        return entered

    def _note_traces(self, entered: Sequence[Success], wall: float) -> None:
        for claim, _ in entered:
            if claim.span is not None and claim.span.trace_id is not None:
                delay = wall - claim.produced_at / 1000
                self._tally.delivery_delay_seconds.exemplify(delay, claim.span.trace_id)

    def _note_ingest(self, entered: Sequence[Success]) -> None:
        for claim, _ in entered[self._unasked :: _INGEST_SAMPLE]:
            minted_at = time_of(claim.pop_id)
            if minted_at is not None:
                self._tally.ingest_delay_seconds.observe(claim.produced_at / 1000 - minted_at)
        self._unasked = (self._unasked - len(entered)) % _INGEST_SAMPLE
