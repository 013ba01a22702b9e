"""`python -m bench.analysts`: what analysts wait for, beside what else there is to do it with.

A scan with a filter, an export and a report of the same events, by pop-stream, by kcat and jq, and
by loops on aiokafka; each whole command is measured, its start included.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import click
import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.machine import machine
from bench.measure import tree_usage
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.player.simulation.plays import Network, plays
from pop_stream.pop.identity import uuid7

TOPIC = "bench-analysts"
PARTITIONS = 4
_RESULTS = Path(__file__).parent / "results" / "analysts.json"
_LOOK_SECONDS = 0.1
_LOOP = """
import asyncio, collections, json, sys
from aiokafka import AIOKafkaConsumer, TopicPartition

async def main(servers, topic, site):
    plays = collections.Counter()
    async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=None) as consumer:
        places = [TopicPartition(topic, n) for n in range({partitions})]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        left = sum(ends.values())
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                left -= len(records)
                for record in records:
                    event = json.loads(record.value)
                    if not site:
                        plays[event["assetId"], event["siteId"], event["startTimestamp"][:13]] += 1
                    elif event["siteId"] == site:
                        sys.stdout.write(json.dumps(event) + "\\n")
    for group, number in plays.items():
        sys.stdout.write("\\n" * number)

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it."""

    task: str
    system: str
    #: A command of the shell.
    command: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run of it took."""

    task: str
    system: str
    seconds: float
    #: Of all its processes and threads.
    cpu_seconds: float
    #: The peaks of all its processes together.
    rss_mb: float
    found: int


@click.command()
@click.option("--events", type=click.IntRange(min=1000), default=400_000, show_default=True,
              metavar="N", help="How many events stand on the topic.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
              help="How often each way is measured, in turn; the one with the least CPU counts.",
)  # fmt: skip
def main(*, events: int, rounds: int) -> None:
    """Measure a scan, an export and a report, beside kcat and jq and loops on aiokafka."""
    missing = [name for name in ("kcat", "jq") if shutil.which(name) is None]
    if missing:
        click.echo(f"not measured, as it is not installed: {', '.join(missing)}", err=True)
    facts = machine()
    with (
        tempfile.TemporaryDirectory(prefix="bench-analysts-") as name,
        LocalKafka.start(LocalKafkaOptions()) as kafka,
    ):
        folder = Path(name)
        click.echo(f"producing {events:,} events", err=True)
        site, wanted = produce(kafka.bootstrap_servers, events)
        figures = []
        for number in range(rounds):
            for way in ways(kafka.bootstrap_servers, site, folder):
                if not any(program in way.command for program in missing):
                    figures.append(measure(way, folder))
                    click.echo(f"round {number + 1}: {way.task}, {way.system}", err=True)
    wrong = [each for each in figures if each.found != (wanted if each.task == "scan" else events)]
    best = best_of(figures)
    print_table(best, events)
    _RESULTS.parent.mkdir(exist_ok=True)
    told = {"machine": facts, "events": events, "figures": [asdict(each) for each in figures]}
    _RESULTS.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    if wrong:
        click.echo(f"these found another number of events: {wrong}", err=True)
        sys.exit(1)


def produce(servers: str, number: int) -> tuple[str, int]:
    """Put simulated plays on the topic; gives a site, and how many of them are of it."""
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 50, "batch.size": 262_144})
    random = Random(7)
    network = Network(
        sites=500, screens_per_site=4, seed=7, begins_at=datetime(2026, 11, 20, 12, tzinfo=UTC)
    )
    site, wanted = "", 0
    for play in plays(network, number):
        site = site or play.site_id
        wanted += play.site_id == site
        pop_id = uuid7(1_790_000_000_000, random.getrandbits(74)).encode()
        headers: list[tuple[str, str | bytes | None]] = [
            ("pop-id", pop_id),
            ("pop-seq", str(play.seq).encode()),
        ]
        while True:
            try:
                producer.produce(TOPIC, play.body, play.key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    return site, wanted


def ways(servers: str, site: str, folder: Path) -> Sequence[Way]:
    """Each writes what it found, one line an event, to the file `found`."""
    script = folder / "loop.py"
    script.write_text(_LOOP.replace("{partitions}", str(PARTITIONS)))
    counted = folder / "counted.py"
    counted.write_text(
        'import json, sys; print(json.dumps({"rows": json.load(sys.stdin)["plays"]}))'
    )
    servers_named = f"POP_STREAM_KAFKA_BOOTSTRAP_SERVERS={servers} POP_STREAM_EVENTS_TOPIC={TOPIC}"
    ours = f"{servers_named} {sys.executable} -m pop_stream events"
    kcat = f"kcat -C -e -q -b {servers} -t {TOPIC} -o beginning"
    return [
        Way("scan", "pop-stream", f"{ours} search --json --where siteId={site} > found"),
        Way("scan", "kcat|jq", f"{kcat} | jq -c 'select(.siteId==\"{site}\")' > found"),
        Way("scan", "aiokafka", f"{sys.executable} {script} {servers} {TOPIC} {site} > found"),
        Way("export", "pop-stream parquet",
            f"rm -rf x; {ours} export --format parquet --to x --json > manifest"),
        Way("export", "pop-stream ndjson",
            f"rm -rf x; {ours} export --format ndjson --to x --json > manifest"),
        Way("export", "kcat to a file", f"{kcat} > found"),
        Way("report", "pop-stream",
            f"{ours} report --json | {sys.executable} {counted} > manifest"),
        Way("report", "aiokafka, plays by hour only",
            f"{sys.executable} {script} {servers} {TOPIC} '' > found"),
    ]  # fmt: skip


def measure(way: Way, folder: Path) -> Figure:
    """Run it once."""
    (folder / "manifest").unlink(missing_ok=True)
    began, peak = time.monotonic(), 0
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            ["/bin/bash", "-o", "pipefail", "-c", way.command], cwd=folder, stderr=said
        )
        while True:
            # The kernel's own figure for a child begins with the memory of this process.
            peak = max(peak, tree_usage(process.pid).peak_rss_bytes)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            time.sleep(_LOOK_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise click.ClickException(f"{way.command}: {(folder / 'said').read_text()[-2000:]}")
    return Figure(
        way.task, way.system, seconds, usage.ru_utime + usage.ru_stime, peak / 2**20,
        found_in(folder),
    )  # fmt: skip


def found_in(folder: Path) -> int:
    """How many events the last run wrote."""
    if (folder / "manifest").exists():
        return int(orjson.loads((folder / "manifest").read_bytes())["rows"])
    with (folder / "found").open("rb") as file:
        return sum(1 for _ in file)


def best_of(figures: Sequence[Figure]) -> list[Figure]:
    """Of each way the run with the least CPU: the others were disturbed more."""
    kept: dict[tuple[str, str], Figure] = {}
    for each in figures:
        known = kept.get((each.task, each.system))
        if known is None or each.cpu_seconds < known.cpu_seconds:
            kept[each.task, each.system] = each
    return list(kept.values())


def print_table(figures: Sequence[Figure], events: int) -> None:
    """For people and for the docs."""
    print("| task | system | events/s | events/s per core | CPU us/event | peak RSS MB |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for each in figures:
        print(
            f"| {each.task} | {each.system} | {events / each.seconds:,.0f} | "
            f"{events / each.cpu_seconds:,.0f} | {1e6 * each.cpu_seconds / events:.1f} | "
            f"{each.rss_mb:.0f} |"
        )


if __name__ == "__main__":
    main()
