"""Which nodes a cluster has, and what lies in its folder before it starts."""

import base64
import fcntl
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pop_stream.errors import UsageError
from pop_stream.kafka.broker_config import (
    HOST,
    LOG_FOLDER,
    Node,
    ProxiedListener,
    meta_properties,
    server_properties,
)
from pop_stream.kafka.install import Installation, prepare_log_folder
from pop_stream.kafka.ports import free_ports, is_free
from pop_stream.kafka.secured import Protection, SecuredListeners

SERVER_PROPERTIES = "server.properties"
#: Marks a folder as ours.
MARKER = "pop-stream-kafka.json"
LOCK = ".pop-stream-lock"
SUPERVISOR_LOG = "supervisor.log"


def choose_nodes(
    *, brokers: int, port: int, proxied: bool = False, secured: bool = False
) -> list[Node]:
    """Give each broker an id and ports; `port` 0: any, else the first broker's, then the next.

    `proxied`: each has a second listener for clients behind a proxy, which may then be started.
    `secured`: each has two more, for clients that prove who they are.
    Raises UsageError for a number of brokers that is not offered, or a port that is taken.
    """
    if brokers not in (1, 3):
        raise UsageError(f"the embedded Kafka runs 1 or 3 brokers, not {brokers}")
    wanted = [port + n for n in range(brokers)] if port else []
    for each in wanted:
        if each > 65_535:
            raise UsageError(f"there is no port {each}")
        if not is_free(each):
            raise UsageError(f"port {each} of {HOST} is taken: choose another one")
    # As many more as could be among the wanted ones.
    others = [each for each in free_ports(6 * brokers) if each not in wanted]
    ports = wanted + others
    clients, controllers, behind, before, sasl, tls = (
        ports[n * brokers :][:brokers] for n in range(6)
    )
    return [
        Node(
            id=n + 1,
            port=clients[n],
            controller_port=controllers[n],
            proxied=(ProxiedListener(port=behind[n], proxy_port=before[n]) if proxied else None),
            secured=(SecuredListeners(sasl_port=sasl[n], tls_port=tls[n]) if secured else None),
        )
        for n in range(brokers)
    ]


def claim(folder: Path) -> BinaryIO:
    """Take a folder for one cluster: nobody else can until the file that this gives is closed.

    Raises UsageError when somebody has it, or when it holds other things than a Kafka of ours.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        if MARKER not in names and names - {LOCK, SUPERVISOR_LOG}:
            raise UsageError(f"{folder} is not empty, and holds no Kafka of ours")
        lock = (folder / LOCK).open("wb")
    except OSError as exc:
        raise UsageError(f"{folder} cannot be used as Kafka's folder: {exc}") from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        lock.close()
        raise UsageError(f"{folder} is in use: a Kafka runs there") from exc
    return lock


def lay_out(
    folder: Path,
    nodes: Sequence[Node],
    installation: Installation,
    protection: Protection | None = None,
) -> None:
    """Make a folder for each broker in a claimed one; brokers with records keep them.

    Raises UsageError when the folder holds a cluster of another size.
    """
    cluster_id = _cluster_id(folder, brokers=len(nodes))
    for node in nodes:
        own = broker_folder(folder, node)
        own.mkdir(exist_ok=True)
        meta = meta_properties(node, cluster_id=cluster_id, directory_id=_kafka_uuid())
        prepare_log_folder(installation, own / LOG_FOLDER, meta)
        if protection is not None:
            protection.lay_out(own)
        properties = server_properties(node, nodes, protection)
        (own / SERVER_PROPERTIES).write_text(properties, encoding="ascii")


def _cluster_id(folder: Path, *, brokers: int) -> str:
    """Give the id that the folder's cluster has; an empty folder gets a new one."""
    marker = folder / MARKER
    try:
        if marker.exists():
            held = json.loads(marker.read_text(encoding="ascii"))
            if held["brokers"] != brokers:
                raise UsageError(
                    f"{folder} holds a Kafka of {held['brokers']} brokers: "
                    "start that many, or name another folder"
                )
            return str(held["cluster_id"])
        cluster_id = _kafka_uuid()
        content = json.dumps({"brokers": brokers, "cluster_id": cluster_id})
        marker.write_text(content, encoding="ascii")
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise UsageError(f"{folder} cannot be used as Kafka's folder: {exc}") from exc
    return cluster_id


def broker_folder(folder: Path, node: Node) -> Path:
    """Where a broker runs and keeps everything."""
    return folder / f"broker-{node.id}"


def _kafka_uuid() -> str:
    """Make a UUID as Kafka writes it; it avoids a leading dash, which looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text
