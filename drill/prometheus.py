"""A real Prometheus, Debian's, that scrapes what it is told to and judges rules."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pop_stream.kafka.ports import free_ports
from pop_stream.kafka.supervise import bind_to_this_process

PROGRAM = "prometheus"
#: So short that a few minutes have as many samples as hours have in production.
SCRAPE_SECONDS = 1
_READY_SECONDS = 30.0
_ANSWER_SECONDS = 20.0


class QueryError(Exception):
    """Prometheus refused a query; it says why."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, and its samples as (epoch seconds, value)."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


class Prometheus:
    """Asks a Prometheus that runs."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def range(self, query: str, start: float, end: float, step: float = 1.0) -> list[Series]:
        """Evaluate at every step. Raises QueryError when it is refused."""
        answer = self._ask(
            "query_range", query=query, start=str(start), end=str(end), step=str(step)
        )
        return [
            Series(one["metric"], [(float(at), float(value)) for at, value in one["values"]])
            for one in answer["result"]
        ]

    def instant(self, query: str, at: float) -> list[Series]:
        """Evaluate at one moment. Raises QueryError when it is refused."""
        answer = self._ask("query", query=query, time=str(at))
        if answer["resultType"] == "scalar":
            when, value = answer["result"]
            return [Series({}, [(float(when), float(value))])]
        return [
            Series(one["metric"], [(float(one["value"][0]), float(one["value"][1]))])
            for one in answer["result"]
        ]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule as it stands, with its health and its last error."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def is_ready(self) -> bool:
        """Whether it serves queries."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):  # noqa: S310 - http
                return True
        except OSError:
            return False

    def _ask(self, what: str, **parameters: str) -> Any:
        body = urllib.parse.urlencode(parameters).encode() if parameters else None
        request = urllib.request.Request(f"{self.url}/api/v1/{what}", body)  # noqa: S310 - http
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.loads(error.read())
            raise QueryError(f"{told.get('error')}: {parameters.get('query')}") from error


def is_installed() -> bool:
    """Whether there is a Prometheus on this machine."""
    return shutil.which(PROGRAM) is not None


@contextmanager
def running_prometheus(
    folder: Path, jobs: Mapping[str, Path], rules: Sequence[Path]
) -> Iterator[Prometheus]:
    """Run one for the time of the block.

    `jobs`: for each the file of its targets (`write_targets`), which may change meanwhile.
    """
    (port,) = free_ports(1)
    config = {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "scrape_timeout": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": "1s",
        },
        "rule_files": [str(path.absolute()) for path in rules],
        "scrape_configs": [
            {
                "job_name": job,
                "file_sd_configs": [{"files": [str(path.absolute())], "refresh_interval": "1s"}],
            }
            for job, path in jobs.items()
        ]
        + [{"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    argv = [
        PROGRAM,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            stdout=log,
            stderr=log,
            preexec_fn=bind_to_this_process(),  # noqa: PLW1509 - one system call
        )
        try:
            prometheus = Prometheus(port)
            _wait(prometheus, process, folder / "prometheus.log")
            yield prometheus
        finally:
            process.terminate()
            process.wait(_READY_SECONDS)


def write_targets(path: Path, addresses: Sequence[str]) -> None:
    """Say what is scraped from now on, `host:port`."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(json.dumps([{"targets": list(addresses)}]), "utf-8")
    fresh.replace(path)


def _wait(prometheus: Prometheus, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not prometheus.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Prometheus did not start: {log.read_text(errors='replace')}")
        time.sleep(0.1)
