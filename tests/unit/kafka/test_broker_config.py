from pathlib import Path

import pytest

from pop_stream.kafka.broker_config import (
    Node,
    ProxiedListener,
    meta_properties,
    server_properties,
)
from pop_stream.kafka.secured import Protection, SecuredListeners

NODES = [Node(id=n, port=9000 + n, controller_port=9100 + n) for n in (1, 2, 3)]


def read(properties: str) -> dict[str, str]:
    """Read a properties file."""
    return dict(line.split("=", 1) for line in properties.splitlines())


def test_a_single_broker_needs_no_other() -> None:
    """With one broker nothing is replicated, so that nothing waits for a second one."""
    properties = read(server_properties(NODES[0], NODES[:1]))

    for name, value in properties.items():
        if name.endswith((".replication.factor", ".min.isr", "min.insync.replicas")):
            assert value == "1", name


def test_only_a_single_broker_asks_for_rights() -> None:
    """Three that do never come up: each waits with its vote for the rules that a leader has."""
    assert "authorizer.class.name" in read(server_properties(NODES[0], NODES[:1]))
    assert "authorizer.class.name" not in read(server_properties(NODES[0], NODES))


def test_three_brokers_keep_three_copies_and_can_lose_one() -> None:
    """With three brokers each write is on two before it is confirmed."""
    properties = read(server_properties(NODES[1], NODES))

    assert properties["default.replication.factor"] == "3"
    assert properties["offsets.topic.replication.factor"] == "3"
    assert properties["min.insync.replicas"] == "2"
    assert properties["controller.quorum.voters"] == (
        "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    )


@pytest.mark.parametrize("brokers", [1, 3])
def test_it_is_reached_from_this_machine_only(brokers: int) -> None:
    """All listeners are on the loopback interface."""
    properties = read(server_properties(NODES[0], NODES[:brokers]))

    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9001"


def test_groups_start_at_once_and_topics_are_not_made_by_accident() -> None:
    """Tests do not wait for a first rebalance, and a misspelt topic does not come into being."""
    properties = read(server_properties(NODES[0], NODES[:1]))

    assert properties["group.initial.rebalance.delay.ms"] == "0"
    assert properties["auto.create.topics.enable"] == "false"


def test_mark_of_a_formatted_folder_names_node_and_cluster() -> None:
    """A log folder belongs to one node of one cluster."""
    assert read(meta_properties(NODES[2], cluster_id="c", directory_id="d")) == {
        "version": "1",
        "node.id": "3",
        "cluster.id": "c",
        "directory.id": "d",
    }


def test_clients_behind_a_proxy_are_told_of_the_proxy() -> None:
    """Only they: the brokers themselves, and all other clients, go on without it."""
    behind = ProxiedListener(port=9200, proxy_port=9300)
    node = Node(id=1, port=9001, controller_port=9101, proxied=behind)
    properties = read(server_properties(node, [node]))

    assert properties["listeners"].split(",")[-1] == "PROXIED://127.0.0.1:9200"
    assert properties["advertised.listeners"] == (
        "PLAINTEXT://127.0.0.1:9001,PROXIED://127.0.0.1:9300"
    )
    assert properties["listener.security.protocol.map"].endswith(",PROXIED:PLAINTEXT")
    assert properties["inter.broker.listener.name"] == "PLAINTEXT"


def test_secured_listeners_allow_only_what_a_rule_allows() -> None:
    """They are on the loopback interface, too, and whoever comes there needs a right."""
    node = Node(
        id=1,
        port=9001,
        controller_port=9101,
        secured=SecuredListeners(sasl_port=9201, tls_port=9301),
    )
    protection = Protection(certificate=Path("a.pem"), authorities=Path("b.pem"))
    properties = read(server_properties(node, [node], protection))

    assert properties["listeners"].endswith(",SASL_SSL://127.0.0.1:9201,SSL://127.0.0.1:9301")
    assert properties["allow.everyone.if.no.acl.found"] == "false"
    assert properties["listener.name.ssl.ssl.client.auth"] == "required"
    assert "OAUTHBEARER" not in properties["listener.name.sasl_ssl.sasl.enabled.mechanisms"]
