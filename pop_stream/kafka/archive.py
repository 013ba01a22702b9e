"""What Java may keep of one start of Kafka, so that the next ones take a third of the time.

An archive of loaded classes (JEP 483), recorded once per user and Java: warm, one broker was seen
ready after 1.0 s instead of 3.0 s, three after 3.3 s instead of 6.5 s, on two cores.
Without one, or with one that does not fit, Java only starts more slowly.
"""

import hashlib
import logging
import platform
from pathlib import Path

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.broker import Broker, wait_until
from pop_stream.kafka.install import Installation
from pop_stream.kafka.jar_cache import exclusive, fresh_folder
from pop_stream.kafka.layout import (
    SERVER_PROPERTIES,
    SUPERVISOR_LOG,
    broker_folder,
    choose_nodes,
    lay_out,
)
from pop_stream.kafka.supervisor import Supervisor

#: The first Java that makes an archive in one run.
FIRST_JAVA = 25
READY_TIMEOUT_SECONDS = 60.0
#: Java writes the archive when the broker ends.
WRITE_TIMEOUT_SECONDS = 120.0

log = logging.getLogger(__name__)


def archive_flags(installation: Installation) -> list[str]:
    """Give Java's flags to start fast, after recording the archive if there is none."""
    if installation.java.major < FIRST_JAVA:
        return []
    archive = _path(installation)
    try:
        if not archive.exists():
            with exclusive(archive.parent):
                if not archive.exists():
                    _record(installation, archive)
        # An empty one says that recording failed here: not to be tried at each start.
        return [f"-XX:AOTCache={archive}"] if archive.stat().st_size else []
    except OSError as exc:
        log.warning("kafka.archive.failed", extra={"reason": str(exc)})
        return []


def _path(installation: Installation) -> Path:
    java_home = installation.java.path.parent.parent
    jars = "".join(f"{jar}{jar.stat().st_mtime_ns}" for jar in installation.jars)
    # What Java compares before it uses an archive.
    identity = (java_home / "release").read_text(encoding="utf-8") + platform.machine() + jars
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return installation.root / "archive" / f"{digest}.aot"


def _record(installation: Installation, archive: Path) -> None:
    log.info("kafka.archive.recording")
    for old in archive.parent.glob("*.aot"):
        old.unlink()
    with fresh_folder(archive.parent) as folder:
        recorded = folder / "kafka.aot"
        try:
            flags = [f"-XX:AOTCacheOutput={recorded}"]
            _run_once(installation, folder / "cluster", flags=flags)
        except EmbeddedKafkaError as exc:
            log.warning("kafka.archive.failed", extra={"reason": str(exc)})
        if not recorded.exists():
            recorded.touch()
        recorded.rename(archive)


def _run_once(installation: Installation, folder: Path, *, flags: list[str]) -> None:
    nodes = choose_nodes(brokers=1, port=0)
    folder.mkdir()
    lay_out(folder, nodes, installation)
    supervisor = Supervisor(grace_seconds=0.0, remove=folder, log=folder / SUPERVISOR_LOG)
    try:
        broker = Broker(
            nodes[0],
            folder=broker_folder(folder, nodes[0]),
            command=installation.command("kafka.Kafka", SERVER_PROPERTIES, flags=flags),
            supervisor=supervisor,
        )
        broker.start()
        if wait_until(lambda: bool(broker.knows()) or not broker.is_running, READY_TIMEOUT_SECONDS):
            broker.stop(WRITE_TIMEOUT_SECONDS)
    finally:
        supervisor.close()
