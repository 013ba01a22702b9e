"""What happens to GSTV in a run, one thing at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from faults.gstv import Gstv
from faults.perform import perform
from faults.plan import KillGstv, Misbehave


def test_a_gstv_that_is_killed_while_it_misbehaves_comes_back_with_its_usual_rules(
    tmp_path: Path,
) -> None:
    """Drawn faults may fall together: the second waits, instead of asking one that is not there."""
    gstv = Gstv(tmp_path / "ledger.ndjson", [])
    stage = cast(Any, SimpleNamespace(gstv=gstv, usual_rules=[]))
    misbehave = Misbehave(at=0, seconds=0.4, name="503", rules=[{"then": {"status": 503}}])
    try:
        with ThreadPoolExecutor() as pool:
            actions = [misbehave, KillGstv(at=0, down_seconds=0.2), misbehave]
            faults = [done.result() for done in [pool.submit(perform, a, stage) for a in actions]]

        assert [fault.kind for done in faults for fault in done] == [
            "gstv-503", "gstv-kill", "gstv-503",
        ]  # fmt: skip
        assert gstv.stats()["received"] == 0
    finally:
        gstv.close()
