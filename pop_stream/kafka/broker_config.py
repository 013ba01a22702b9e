"""The server.properties of the embedded Kafka: KRaft, each node broker and controller in one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pop_stream.kafka.secured import Protection, SecuredListeners

HOST = "127.0.0.1"

#: Where a broker keeps its records, from the folder that it runs in: a path from the root would
#: have to be escaped, and could not hold a comma.
LOG_FOLDER = "data"

_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedListener:
    """A second listener, for clients that come through a proxy and are to stay behind it."""

    #: Where the proxy finds the broker.
    port: int
    #: Where clients find the proxy: what the broker tells them.
    proxy_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One broker, which is a controller too."""

    #: 1 and up.
    id: int
    #: The port that clients use.
    port: int
    #: The port that the controllers use among themselves.
    controller_port: int
    proxied: ProxiedListener | None = None
    secured: SecuredListeners | None = None

    @property
    def address(self) -> str:
        """Where clients reach it, as host:port."""
        return f"{HOST}:{self.port}"


def server_properties(
    node: Node, nodes: Sequence[Node], protection: Protection | None = None
) -> str:
    """Write the configuration of one node of a cluster of these nodes.

    Topics are replicated to up to 3 nodes; with 3, a write needs 2 of them (`acks=all`).
    `protection` is what its secured listeners need, if it has any.
    """
    replicas = min(len(nodes), 3)
    in_sync = 2 if replicas == 3 else 1
    voters = ",".join(f"{n.id}@{HOST}:{n.controller_port}" for n in nodes)
    entries: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.address}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": LOG_FOLDER,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        # Internal topics: few partitions, for each costs files, memory and time at a start.
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # The default of 128 MiB a broker is a quarter of the heap that it is given here.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    if node.proxied is not None:
        told = {"listeners": node.proxied.port, "advertised.listeners": node.proxied.proxy_port}
        for name, port in told.items():
            entries[name] = f"{entries[name]},PROXIED://{HOST}:{port}"
        protocols = "listener.security.protocol.map"
        entries[protocols] = f"{entries[protocols]},PROXIED:PLAINTEXT"
    if len(nodes) == 1:
        # Everybody may do everything until an ACL says otherwise, so that rights can be tried. Of
        # several nodes none could vote: each would wait for the ACLs, which only a leader has.
        entries["authorizer.class.name"] = _AUTHORIZER
        entries["allow.everyone.if.no.acl.found"] = "true"
    else:
        # How long a killed broker's partitions have no leader. The default is 9 s.
        entries["broker.session.timeout.ms"] = 6000
    if node.secured is not None and protection is not None:
        for name in ("listeners", "advertised.listeners"):
            entries[name] = f"{entries[name]},{node.secured.listeners(HOST)}"
        protocols = "listener.security.protocol.map"
        entries[protocols] = f"{entries[protocols]},SASL_SSL:SASL_SSL,SSL:SSL"
        entries |= node.secured.properties(protection)
    return "".join(f"{name}={value}\n" for name, value in entries.items())


def meta_properties(node: Node, *, cluster_id: str, directory_id: str) -> str:
    """Write the file that marks a log folder as formatted for a node of a cluster."""
    entries = {
        "version": "1",
        "node.id": str(node.id),
        "cluster.id": cluster_id,
        "directory.id": directory_id,
    }
    return "".join(f"{name}={value}\n" for name, value in entries.items())
