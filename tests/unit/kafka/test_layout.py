import json
import socket
from pathlib import Path

import pytest

from pop_stream.errors import UsageError
from pop_stream.kafka.broker_config import Node
from pop_stream.kafka.install import Installation
from pop_stream.kafka.java import Java
from pop_stream.kafka.layout import choose_nodes, claim, lay_out


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A Kafka that has been formatted, without the Kafka."""
    formatted = tmp_path / "formatted"
    (formatted / "__cluster_metadata-0").mkdir(parents=True)
    (formatted / "__cluster_metadata-0" / "0.checkpoint").write_bytes(b"features")
    java = Java(path=Path("/usr/bin/java"), major=25)
    return Installation(root=tmp_path, java=java, jars=(), formatted=formatted)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cluster's folder, still empty."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_each_broker_is_formatted_for_the_same_cluster(
    folder: Path, installation: Installation
) -> None:
    """Brokers have folders of their own, and one cluster."""
    lay_out(folder, choose_nodes(brokers=3, port=0), installation)

    marks = [
        dict(line.split("=") for line in path.read_text().splitlines())
        for path in sorted(folder.glob("broker-*/data/meta.properties"))
    ]
    assert [mark["node.id"] for mark in marks] == ["1", "2", "3"]
    assert len({mark["cluster.id"] for mark in marks}) == 1
    assert len({mark["directory.id"] for mark in marks}) == 3
    assert len(list(folder.glob("broker-*/data/*/0.checkpoint"))) == 3


def test_folder_that_is_started_again_keeps_its_cluster(
    folder: Path, installation: Installation
) -> None:
    """Ports may change, the identity does not."""
    lay_out(folder, choose_nodes(brokers=1, port=0), installation)
    before = (folder / "broker-1" / "data" / "meta.properties").read_text()

    lay_out(folder, choose_nodes(brokers=1, port=0), installation)

    assert (folder / "broker-1" / "data" / "meta.properties").read_text() == before


def test_folder_whose_making_was_cut_short_is_finished(
    folder: Path, installation: Installation
) -> None:
    """A kill between two brokers does not leave a folder that is good for nothing."""
    nodes = choose_nodes(brokers=3, port=0)
    lay_out(folder, nodes, installation)
    (folder / "broker-3" / "data" / "meta.properties").unlink()

    lay_out(folder, nodes, installation)

    cluster = json.loads((folder / "pop-stream-kafka.json").read_text())["cluster_id"]
    assert cluster in (folder / "broker-3" / "data" / "meta.properties").read_text()


def test_folder_of_another_number_of_brokers_is_refused(
    folder: Path, installation: Installation
) -> None:
    """One broker cannot go on with what three had."""
    lay_out(folder, choose_nodes(brokers=3, port=0), installation)

    with pytest.raises(UsageError, match="holds a Kafka of 3 brokers"):
        lay_out(folder, choose_nodes(brokers=1, port=0), installation)


def test_folder_with_other_things_is_refused(folder: Path) -> None:
    """Nobody's home directory becomes a Kafka by a slip, and nothing is left in it."""
    (folder / "letter").touch()

    with pytest.raises(UsageError, match="is not empty"):
        claim(folder)

    assert [path.name for path in folder.iterdir()] == ["letter"]


def test_claimed_folder_that_was_never_laid_out_can_be_claimed_again(folder: Path) -> None:
    """A kill right after the claim does not leave a folder that is good for nothing."""
    claim(folder).close()

    claim(folder).close()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"brokers": 1}'])
def test_damaged_mark_is_refused(folder: Path, installation: Installation, content: str) -> None:
    """What is not understood is not overwritten."""
    (folder / "pop-stream-kafka.json").write_text(content)

    with pytest.raises(UsageError, match="cannot be used"):
        lay_out(folder, choose_nodes(brokers=1, port=0), installation)


def test_folder_is_claimed_by_one(folder: Path) -> None:
    """A second one is refused until the first lets go."""
    with claim(folder), pytest.raises(UsageError, match="is in use"):
        claim(folder)

    claim(folder).close()


def test_port_is_the_first_brokers_and_the_next_are_the_others() -> None:
    """Whoever names a port knows all of them."""
    base = choose_nodes(brokers=3, port=0)[0].port

    nodes = choose_nodes(brokers=3, port=base)

    assert [node.port for node in nodes] == [base, base + 1, base + 2]
    assert len({node.controller_port for node in nodes} | {node.port for node in nodes}) == 6


def test_a_second_listener_has_ports_of_its_own_for_broker_and_proxy() -> None:
    """None is any other's."""
    nodes = choose_nodes(brokers=3, port=0, proxied=True)

    ports = [p for n in nodes for p in (n.port, n.controller_port, *_proxied(n))]
    assert len(set(ports)) == 12


def _proxied(node: Node) -> tuple[int, int]:
    assert node.proxied is not None
    return node.proxied.port, node.proxied.proxy_port


def test_port_that_is_taken_is_told() -> None:
    """The message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is taken"):
            choose_nodes(brokers=1, port=port)


@pytest.mark.parametrize(("brokers", "port"), [(0, 0), (2, 0), (4, 0), (3, 65_534)])
def test_what_is_not_offered_is_told(brokers: int, port: int) -> None:
    """Numbers of brokers and ports that cannot be are refused before anything starts."""
    with pytest.raises(UsageError):
        choose_nodes(brokers=brokers, port=port)
