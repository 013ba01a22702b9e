"""Carries a scenario's actions out, and sees whether each has bitten."""

import resource
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

from faults.cluster import is_stopped, pause, resume
from faults.evidence import Fault
from faults.plan import (
    Action,
    BrokerChoice,
    Cut,
    ExpectEnd,
    KillBrokers,
    KillGstv,
    KillWorker,
    LimitFiles,
    Misbehave,
    PauseBrokers,
    PauseWorker,
    RefuseWrites,
    StopWorker,
)
from faults.proxy_faults import Counts
from faults.stage import Stage
from pop_stream.kafka.broker import wait_until

_PATIENCE_SECONDS = 30.0


def perform(action: Action, stage: Stage) -> list[Fault]:
    """Carry an action out, healing included; returns what was done, each with its bite."""
    # One after the other: a cluster that is just coming back cannot spare another broker.
    takes_brokers = isinstance(action, KillBrokers | PauseBrokers)
    with stage.brokers if takes_brokers else nullcontext():
        done = _PERFORM[type(action)](action, stage)
    return done if isinstance(done, list) else [done]


def _kill_worker(action: KillWorker, stage: Stage) -> Fault:
    worker = stage.workers[action.worker]
    _wait(lambda: stage.unfinished() > 0)
    unfinished = stage.unfinished()
    began = time.time()
    pid = worker.signal(signal.SIGKILL)
    gone = pid != 0 and _wait(lambda: worker.pid != pid)
    return Fault(
        kind="worker-kill",
        target=worker.name,
        began_at=began,
        ended_at=time.time(),
        bit=gone and unfinished > 0,
        seen=f"pid {pid} killed, {unfinished} events unfinished",
    )


def _stop_worker(action: StopWorker, stage: Stage) -> Fault:
    worker = stage.workers[action.worker]
    # Python itself dies of a SIGTERM that comes before the worker can take one.
    _wait(worker.has_started)
    began = time.time()
    pid = worker.signal(signal.SIGTERM)
    killed = False
    if action.kill_after is not None and pid:
        _wait(lambda: worker.pid != pid, action.kill_after)
        killed = worker.pid == pid and worker.signal(signal.SIGKILL) == pid
    gone = pid != 0 and _wait(lambda: worker.exit_code_of(pid) is not None)
    code = worker.exit_code_of(pid)
    return Fault(
        kind="worker-kill" if killed else "worker-stop",
        target=worker.name,
        began_at=began,
        ended_at=time.time(),
        bit=gone and (killed or code == 0),
        seen=f"pid {pid} ended with {code} {time.time() - began:.1f} s after SIGTERM",
    )


def _pause_worker(action: PauseWorker, stage: Stage) -> Fault:
    worker = stage.workers[action.worker]
    began = time.time()
    pid = worker.signal(signal.SIGSTOP)
    stopped = pid != 0 and _wait(lambda: is_stopped(pid), 5.0)
    time.sleep(action.seconds)
    worker.signal(signal.SIGCONT)
    return Fault(
        kind="worker-pause",
        target=worker.name,
        began_at=began,
        ended_at=time.time(),
        bit=stopped,
        seen=f"pid {pid} stood still for {action.seconds:g} s",
    )


def _kill_brokers(action: KillBrokers, stage: Stage) -> list[Fault]:
    brokers = _chosen(action.brokers, stage)
    began = time.time()
    died = []
    for number in brokers:
        broker = stage.cluster.broker(number)
        if action.clean:
            broker.stop()
        else:
            broker.kill()
        died.append(not broker.is_running)
    time.sleep(action.down_seconds)
    for number in brokers:
        stage.cluster.broker(number).start()
    stage.cluster.kafka.wait_until_ready()
    return [
        Fault(
            kind="broker-stop" if action.clean else "broker-kill",
            target=f"broker-{number}",
            began_at=began,
            ended_at=time.time(),
            bit=is_dead,
            seen=f"down for {action.down_seconds:g} s",
        )
        for number, is_dead in zip(brokers, died, strict=True)
    ]


def _pause_brokers(action: PauseBrokers, stage: Stage) -> list[Fault]:
    brokers = _chosen(action.brokers, stage)
    pids = {number: stage.cluster.broker(number).pid for number in brokers}
    began = time.time()
    for pid in pids.values():
        pause(pid)
    try:
        bit = {number: _wait(lambda pid=pid: is_stopped(pid), 5.0)  # type: ignore[misc]
               for number, pid in pids.items()}  # fmt: skip
        time.sleep(action.seconds)
    finally:
        for pid in pids.values():
            resume(pid)
    return [
        Fault(
            kind="broker-pause",
            target=f"broker-{number}",
            began_at=began,
            ended_at=time.time(),
            bit=bit[number],
            seen=f"pid {pid} stood still for {action.seconds:g} s",
        )
        for number, pid in pids.items()
    ]


def _cut(action: Cut, stage: Stage) -> Fault:
    proxies = stage.proxies(action.link)
    before = [proxy.counts for proxy in proxies]
    began = time.time()
    for proxy in proxies:
        proxy.apply(action.fault)
    time.sleep(action.seconds)
    during = [proxy.counts for proxy in proxies]
    for proxy in proxies:
        proxy.heal()
    seen = [_bite(first, last) for first, last in zip(before, during, strict=True)]
    name = type(action.fault).__name__.lower()
    return Fault(
        kind=f"{'gstv' if action.link == 'gstv' else 'broker'}-{name}",
        target=action.link,
        began_at=began,
        ended_at=time.time(),
        bit=any(seen),
        seen=f"{action.fault}: " + "; ".join(filter(None, seen)),
    )


def _bite(before: Counts, after: Counts) -> str:
    """What a fault has done to a link, in words; empty when nothing."""
    figures = {
        "connections cut": after.cut - before.cut,
        "reset": after.reset - before.reset,
        "refused": after.refused - before.refused,
        "half closed": after.half_closed - before.half_closed,
        "chunks delayed": after.delayed - before.delayed,
        "pieces throttled": after.throttled - before.throttled,
        "bytes held back": after.held_up + after.held_down,
    }
    return ", ".join(f"{count} {what}" for what, count in figures.items() if count > 0)


def _misbehave(action: Misbehave, stage: Stage) -> Fault:
    with stage.gstv.alone:
        before = stage.gstv.stats()["by_decision"]
        began = time.time()
        stage.gstv.set_rules([*action.rules, *stage.usual_rules])
        time.sleep(action.seconds)
        after = stage.gstv.stats()["by_decision"]
        stage.gstv.set_rules(stage.usual_rules)
    more = {name: count - before.get(name, 0) for name, count in after.items()}
    odd = {name: count for name, count in more.items() if name != "200" and count > 0}
    return Fault(
        kind=f"gstv-{action.name}",
        target="gstv",
        began_at=began,
        ended_at=time.time(),
        bit=bool(odd),
        seen=", ".join(f"{count} times {name}" for name, count in odd.items()),
    )


def _kill_gstv(action: KillGstv, stage: Stage) -> Fault:
    with stage.gstv.alone:
        began = time.time()
        pid = stage.gstv.kill()
        time.sleep(action.down_seconds)
        stage.gstv.ensure_running()
    return Fault(
        kind="gstv-kill",
        target="gstv",
        began_at=began,
        ended_at=time.time(),
        bit=True,
        seen=f"pid {pid} killed, back after {action.down_seconds:g} s",
    )


#: A number of files that is open for as long as a process lives.
_NO_ROOM = 5


def _limit_files(action: LimitFiles, stage: Stage) -> Fault:
    worker = stage.workers[action.worker]
    began = time.time()
    pid = worker.pid or 0
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    # Not as many as are open: one that is closed would make room for another.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (_NO_ROOM, before[1]))
    time.sleep(action.seconds)
    same = worker.pid == pid
    if same:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    said = worker.log_path.read_text(errors="replace")
    return Fault(
        kind="worker-files",
        target=worker.name,
        began_at=began,
        ended_at=time.time(),
        bit="EXHAUSTED" in said.upper() or "Too many open files" in said or not same,
        seen=f"pid {pid} had {opened} files open and could open no more",
    )


def _refuse_writes(action: RefuseWrites, stage: Stage) -> Fault:
    topic = {**stage.topics, "receipts": stage.settings.receipts_topic}[action.topic]
    before = stage.ends(topic)
    began = time.time()
    stage.cluster.configure(topic, {"max.message.bytes": "10"})
    time.sleep(0.5)
    held = stage.ends(topic)
    time.sleep(action.seconds)
    still = stage.ends(topic)
    stage.cluster.configure(topic, {"max.message.bytes": str(2 * 1024 * 1024)})
    told_of = "receipts.unwritten" if action.topic == "receipts" else "handoff."
    said = any(told_of in worker.log_path.read_text(errors="replace")
               for worker in stage.workers.values())  # fmt: skip
    return Fault(
        kind="broker-refuses",
        target=action.topic,
        began_at=began,
        ended_at=time.time(),
        bit=held == still and said,
        seen=f"{sum(held) - sum(before)} records before it, none meanwhile",
    )


def _expect_end(action: ExpectEnd, stage: Stage) -> Fault:
    worker = stage.workers[action.worker]
    began = time.time()
    pid = worker.pid or 0
    ended = _wait(lambda: worker.exit_code_of(pid) is not None, action.within_seconds)
    code = worker.exit_code_of(pid)
    return Fault(
        kind="worker-stuck",
        target=worker.name,
        began_at=began,
        ended_at=time.time(),
        bit=ended and code != 0,
        seen=f"pid {pid} ended with {code} after {time.time() - began:.0f} s",
    )


def _chosen(choices: Sequence[BrokerChoice], stage: Stage) -> list[int]:
    found: list[int] = []
    for choice in choices:
        match choice:
            case "leader":
                number = stage.cluster.leader_of(stage.settings.events_topic, 0)
            case "coordinator":
                number = stage.cluster.coordinator_of(stage.settings.group)
            case _:
                number = choice
        if number not in found:
            found.append(number)
    return found


def _wait(condition: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> bool:
    return wait_until(condition, seconds)


_PERFORM: Mapping[type[Action], Callable[[Any, Stage], Fault | list[Fault]]] = MappingProxyType(
    {
        KillWorker: _kill_worker,
        StopWorker: _stop_worker,
        PauseWorker: _pause_worker,
        KillBrokers: _kill_brokers,
        PauseBrokers: _pause_brokers,
        Cut: _cut,
        Misbehave: _misbehave,
        KillGstv: _kill_gstv,
        LimitFiles: _limit_files,
        RefuseWrites: _refuse_writes,
        ExpectEnd: _expect_end,
    }
)
