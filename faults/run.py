"""Plays one scenario, and leaves its evidence in a folder."""

import json
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from faults.cluster import Cluster
from faults.dump import commits_of, generations_of, receipts_of, records_of
from faults.evidence import Fault, RunFacts, WorkerRun, write_lines, write_run
from faults.memory import growth_mb_per_hour
from faults.perform import perform
from faults.plan import Action, Scenario
from faults.stage import Stage
from faults.staging import running_stage
from faults.supervisor import WORKER
from pop_stream.kafka.jar_lock import KAFKA_VERSION
from pop_stream.settings import TOPICS

_JOIN_SECONDS = 60.0
_QUIET_SECONDS = 120.0
_LOOKS = 5
_LOOK_SECONDS = 0.5
#: Events that are sent once all is well again: each must get through as if nothing had been.
_FRESH_EVENTS = 200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the checker says of a folder of evidence."""

    findings: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    faults: Mapping[str, int]
    #: For people.
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a scenario."""

    scenario: Scenario
    judgement: Judgement
    seconds: float
    #: Of the last worker, over the time in which it ran without a stop; 0 if that was too short.
    growth_mb_per_hour: float

    @property
    def failed(self) -> list[str]:
        """The checks that failed."""
        return [one["check"] for one in self.judgement.findings if not one["ok"]]

    @property
    def events(self) -> int:
        """How many events there were."""
        return self.judgement.counts["events"]

    @property
    def faults(self) -> Counter[str]:
        """How many faults of each kind bit."""
        return Counter(self.judgement.faults)

    @property
    def rebalances(self) -> int:
        """How many rebalances there were."""
        return self.judgement.counts["rebalances"]

    @property
    def duplicates(self) -> dict[str, int]:
        """How many duplicates, by their causes."""
        return {str(cause): int(n) for cause, n in self._finding("duplicates")["causes"].items()}

    @property
    def report(self) -> str:
        """All that the checker says."""
        return self.judgement.report

    def measured(self, check: str) -> float:
        """The figure of a check."""
        return float(self._finding(check)["measured"])

    def detail(self, check: str) -> str:
        """What a check says."""
        return str(self._finding(check)["detail"])

    def _finding(self, check: str) -> Mapping[str, Any]:
        return next(one for one in self.judgement.findings if one["check"] == check)


def play(
    scenario: Scenario,
    cluster: Cluster,
    folder: Path,
    *,
    seed: int,
    say: Say,
    argv: Sequence[str] = WORKER,
) -> Played:
    """Play it, collect the evidence, and let the checker judge. `argv` starts a worker."""
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running_stage(scenario, cluster, folder, seed=seed, argv=argv) as stage:
        facts, faults = _act(scenario, stage, seed=seed, say=say)
        runs = _end(stage)
    _collect(stage, facts, faults, runs)
    cluster.delete([str(getattr(stage.settings, name)) for name in TOPICS])
    last = stage.workers[scenario.workers]
    return Played(
        scenario=scenario,
        judgement=judge(folder),
        seconds=time.monotonic() - began,
        growth_mb_per_hour=growth_mb_per_hour(last.memory),
    )


def _act(scenario: Scenario, stage: Stage, *, seed: int, say: Say) -> tuple[RunFacts, list[Fault]]:
    began_at = time.time()
    for worker in stage.workers.values():
        worker.start()
    _wait_for_members(stage, scenario.workers)
    stage.players.start(events_per_second=scenario.events_per_second)
    faults = _perform_all(scenario, stage, say)
    stage.heal()
    stage.cluster.wait_until_whole([*stage.topics.values(), stage.settings.receipts_topic])
    healed_at = time.time()
    stage.players.stop()
    stage.players.send(_FRESH_EVENTS)
    confirmed = stage.players.finish(within_seconds=_QUIET_SECONDS)
    quiet = confirmed and _becomes_quiet(stage)
    settings = stage.settings
    facts = RunFacts(
        scenario=scenario.name,
        seed=seed,
        began_at=began_at,
        healed_at=healed_at,
        ended_at=time.time(),
        quiet=quiet,
        topics=stage.topics,
        group=settings.group,
        retries=settings.retries,
        in_flight=settings.gstv_max_in_flight,
        ordered=scenario.settings.get("order") == "screen",
        receipted=scenario.settings.get("receipts") == "on",
        recovery_seconds=scenario.recovery_seconds,
        must_have=scenario.must_have,
        idle_share=scenario.idle_share,
        least_events=int(scenario.events_per_second * scenario.seconds / 2),
        versions={
            "pop-stream": version("pop-stream"),
            "kafka": KAFKA_VERSION,
            "faust-streaming": version("faust-streaming"),
            "aiokafka": version("aiokafka"),
            "confluent-kafka": version("confluent-kafka"),
            "python": platform.python_version(),
        },
    )
    return facts, faults


def _perform_all(scenario: Scenario, stage: Stage, say: Say) -> list[Fault]:
    began = time.monotonic()

    def at_its_time(action: Action) -> list[Fault]:
        time.sleep(max(0.0, began + action.at - time.monotonic()))
        done = _tried(action, stage)
        for fault in done:
            bite = "" if fault.bit else " (no bite)"
            say(f"{scenario.name}: {fault.kind} {fault.target}: {fault.seen}{bite}")
        return done

    # Not a pool: one would wait for all that is still to come when the run is interrupted.
    ends: list[Future[list[Fault]]] = [Future() for _ in scenario.actions]
    for action, end in zip(scenario.actions, ends, strict=True):
        threading.Thread(target=_into, args=(end, at_its_time, action), daemon=True).start()
    done = [fault for end in ends for fault in end.result()]
    time.sleep(max(0.0, began + scenario.seconds - time.monotonic()))
    return sorted(done, key=lambda fault: fault.began_at)


def _tried(action: Action, stage: Stage) -> list[Fault]:
    """Perform it. What could not be performed has not bitten: so is it judged, and told of."""
    began = time.time()
    try:
        return perform(action, stage)
    except Exception as error:  # noqa: BLE001 - a run of half an hour is not lost for it
        kind = type(action).__name__
        return [Fault(kind=kind, target="", began_at=began, ended_at=time.time(), bit=False,
                      seen=f"could not be performed: {error!r}")]  # fmt: skip


def _into(
    end: "Future[list[Fault]]", work: Callable[[Action], list[Fault]], action: Action
) -> None:
    try:
        end.set_result(work(action))
    except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
        end.set_exception(error)


def _becomes_quiet(stage: Stage) -> bool:
    deadline = time.monotonic() + _QUIET_SECONDS
    same, last = 0, None
    while time.monotonic() < deadline:
        seen = stage.counters()
        same = same + 1 if seen == last else 0
        last = seen
        if same >= _LOOKS and stage.lag() == 0:
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _end(stage: Stage) -> list[WorkerRun]:
    ending = [threading.Thread(target=worker.stop) for worker in stage.workers.values()]
    for thread in ending:
        thread.start()
    for thread in ending:
        thread.join()
    for worker in stage.workers.values():
        worker.close()
    return [run for worker in stage.workers.values() for run in worker.runs]


def _collect(
    stage: Stage, facts: RunFacts, faults: Sequence[Fault], runs: Sequence[WorkerRun]
) -> None:
    folder, servers = stage.folder, stage.cluster.servers
    write_lines(folder / "records.ndjson", records_of(servers, stage.topics))
    receipts = receipts_of(servers, stage.settings.receipts_topic)
    write_lines(folder / "receipts.ndjson", receipts)
    write_lines(folder / "commits.ndjson", commits_of(servers, facts.group, stage.topics))
    write_lines(folder / "generations.ndjson", generations_of(servers, facts.group))
    write_lines(folder / "faults.ndjson", faults)
    write_lines(folder / "workers.ndjson", runs)
    for number, worker in stage.workers.items():
        write_lines(folder / f"memory-{number}.ndjson", worker.memory)
    write_run(folder, facts)


def judge(folder: Path) -> Judgement:
    """Let the checker judge, as the program of its own that it is."""
    command = [sys.executable, "-m", "faults.checker", "--save", str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode not in (0, 1):
        raise RuntimeError(f"the checker failed: {told.stderr}")
    found = json.loads((folder / "report.json").read_text("utf-8"))
    return Judgement(
        findings=found["findings"],
        counts=found["counts"],
        faults=found["faults"],
        report=told.stdout,
    )


def _wait_for_members(stage: Stage, count: int) -> None:
    deadline = time.monotonic() + _JOIN_SECONDS
    while stage.cluster.members_of(stage.settings.group) != count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} workers did not join: see {stage.folder}/worker-*.log")
        time.sleep(0.1)
