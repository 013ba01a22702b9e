"""What happens to GSTV in a run, one thing at a time."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
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


def test_of_a_gstv_that_is_down_the_last_figures_are_known(tmp_path: Path) -> None:
    """Other faults go on meanwhile, and ask how much there is still to do."""
    gstv = Gstv(tmp_path / "ledger.ndjson", [])
    try:
        for name in ("a", "b"):
            _post(gstv, name)
        assert (gstv.delivered(), gstv.received()) == (2, 2)
        gstv.kill()
        assert (gstv.delivered(), gstv.received()) == (2, 2)
        gstv.ensure_running()
        _post(gstv, "a")
        assert (gstv.delivered(), gstv.received()) == (3, 3), "each run knows its own ids only"
    finally:
        gstv.close()


def _post(gstv: Gstv, pop_id: str) -> None:
    connection = HTTPConnection("127.0.0.1", gstv.port)
    connection.request("POST", "/pops", b"{}", {"Idempotency-Key": f'"{pop_id}"'})
    assert connection.getresponse().status == 200
    connection.close()
