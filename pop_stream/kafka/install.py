"""Brings Apache Kafka onto this machine, once per user: the jars and what is made from them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pop_stream.kafka.broker_config import LOG_FOLDER, Node, server_properties
from pop_stream.kafka.jar_cache import JarCache, Progress, exclusive, fresh_folder, user_cache
from pop_stream.kafka.jar_fetch import fetch_with_jgo
from pop_stream.kafka.jar_lock import KAFKA_VERSION, read_lock
from pop_stream.kafka.java import Java, find_java, java_command
from pop_stream.kafka.unavailable import unavailable

FORMAT_TIMEOUT_SECONDS = 60
META_PROPERTIES = "meta.properties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An Apache Kafka that can be started."""

    #: Where all that can be made again is kept.
    root: Path
    java: Java
    jars: tuple[Path, ...]
    #: What Kafka's own formatting tool leaves in a log folder, without the node's identity:
    #: the feature levels of this version. The same for every node and cluster.
    formatted: Path

    def command(self, *main: str, flags: Sequence[str] = ()) -> list[str]:
        """Compose the command line of one of Kafka's main classes."""
        return java_command(self.java.path, self.jars, flags=flags, main=main)


def install(progress: Progress) -> Installation:
    """Give the embedded Kafka, fetching what is missing.

    Raises EmbeddedKafkaError when it cannot be had here.
    """
    java = find_java()
    root = user_cache(os.environ) / f"kafka-{KAFKA_VERSION}"
    cache = JarCache(root / "jars")
    lock = read_lock()
    cache.fill(lock, fetch_with_jgo, progress=progress)
    installation = Installation(
        root=root,
        java=java,
        jars=tuple(cache.path(jar) for jar in lock),
        formatted=root / "formatted",
    )
    if not installation.formatted.is_dir():
        try:
            with exclusive(root):
                _format(installation)
        except OSError as exc:
            raise unavailable(f"the cache {root} cannot be written ({exc}).") from exc
    return installation


def _format(installation: Installation) -> None:
    """Let Kafka's tool format a log folder, and keep the part that is the same for all."""
    target = installation.formatted
    if target.is_dir():
        return
    with fresh_folder(target.parent) as folder:
        node = Node(id=1, port=1, controller_port=2)
        properties = folder / "server.properties"
        properties.write_text(server_properties(node, [node]), encoding="ascii")
        command = installation.command(
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            "AAAAAAAAAAAAAAAAAAAAAg",
            "--config",
            properties.name,
        )
        _run(command, folder)
        made = folder / LOG_FOLDER
        (made / META_PROPERTIES).unlink()
        made.rename(target)


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=FORMAT_TIMEOUT_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as exc:
        said = exc.stdout.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise unavailable(f"Kafka's formatting tool failed; it said: {said[-1]}") from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise unavailable(f"Java could not be run ({exc}).") from exc


def prepare_log_folder(installation: Installation, folder: Path, meta_properties: str) -> None:
    """Format a broker's log folder, unless it is formatted already."""
    if (folder / META_PROPERTIES).exists():
        return
    shutil.copytree(installation.formatted, folder, dirs_exist_ok=True)
    # Last, for it is what marks the folder as whole.
    (folder / META_PROPERTIES).write_text(meta_properties, encoding="ascii")
