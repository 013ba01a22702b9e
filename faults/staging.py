"""Sets the stage for a scenario: topics, GSTV, players and workers of its own."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from faults.cluster import Cluster
from faults.gstv import Gstv
from faults.plan import USUAL_RULES, Scenario
from faults.planted import befallen
from faults.player import Players
from faults.proxy import Proxy
from faults.stage import Stage
from faults.supervisor import SupervisedWorker
from pop_stream.kafka import topics
from pop_stream.settings import TOPICS, Settings

_PARTITIONS = 6
_SETTINGS = {
    "metrics_port": "0",
    "session_timeout_seconds": "6",
    "retry_backoff_seconds": "0.2,0.4,0.6",
    "gstv_timeout_seconds": "3",
    "gstv_probe_most_seconds": "5",
    "drain_seconds": "10",
    "log_format": "json",
}


@contextmanager
def running_stage(
    scenario: Scenario, cluster: Cluster, folder: Path, *, seed: int, argv: Sequence[str]
) -> Iterator[Stage]:
    """Everything but the workers' start and the players'; all of it ends with the block."""
    run = f"{scenario.name}-{uuid.uuid4().hex[:6]}"
    names = {name: f"{run}-{name.removesuffix('_topic')}" for name in TOPICS}
    settings = Settings().model_copy(
        update={"kafka_bootstrap_servers": cluster.servers, "group": run, **names}
    )
    asyncio.run(topics.ensure(settings, partitions=_PARTITIONS, replication=3))
    rules = USUAL_RULES if scenario.rules is None else scenario.rules
    with ExitStack() as stack:
        # The next scenario expects the cluster without faults, however this one ends.
        for each in cluster.proxies.values():
            stack.callback(each.heal)
        gstv = Gstv(folder / "gstv.ndjson", rules)
        stack.callback(gstv.close)
        proxy = stack.enter_context(Proxy.start(("127.0.0.1", gstv.port), seed=seed))
        players = Players(
            cluster.servers,
            settings.events_topic,
            folder,
            screens=scenario.screens,
            bad_share=scenario.bad_share,
            seed=seed,
        )
        stack.callback(players.close)
        stack.callback(players.stop)
        environment = _environment(
            _SETTINGS
            | names
            | {
                "group": run,
                "kafka_bootstrap_servers": cluster.proxied_servers,
                "gstv_url": f"http://127.0.0.1:{proxy.port}/pops",
            }
            | dict(scenario.settings)
        )
        workers = _workers(scenario, environment, folder, argv)
        for worker in workers.values():
            stack.callback(worker.close)
        yield Stage(
            cluster=cluster,
            gstv=gstv,
            gstv_proxy=proxy,
            players=players,
            workers=workers,
            settings=settings,
            folder=folder,
            usual_rules=rules,
        )


def _environment(settings: dict[str, object]) -> dict[str, str]:
    return {f"POP_STREAM_{name.upper()}": str(value) for name, value in settings.items()}


def _workers(
    scenario: Scenario, environment: dict[str, str], folder: Path, argv: Sequence[str]
) -> dict[int, SupervisedWorker]:
    workers = {
        number: SupervisedWorker(f"worker-{number}", environment, folder, argv=argv)
        for number in range(1, scenario.workers + 1)
    }
    if scenario.befalls is not None:
        struck = befallen(scenario.befalls, folder / "befallen")
        workers[1] = SupervisedWorker("worker-1", environment, folder, argv=struck)
    return workers
