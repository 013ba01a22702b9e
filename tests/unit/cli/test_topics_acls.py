"""`pop-stream topics acls`: what it tells without a Kafka, and what it refuses."""

import json
import shlex
from pathlib import Path

import pytest

from pop_stream.cli.main import run
from pop_stream.kafka.rights import Role, rules_of
from pop_stream.settings import Settings


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it prints, asked nothing of any Kafka."""
    assert run(["topics", "acls", "--kafka-bootstrap-servers", "127.0.0.1:1", *arguments]) == 0
    return capsys.readouterr().out


def test_all_roles_are_told_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """Without anybody's name, and without a Kafka."""
    out = told(capsys)
    for role in Role:
        for rule in rules_of(role, Settings()):
            assert any(line.startswith(f"{role}\t") and line.endswith(rule.because)
                       for line in out.splitlines())  # fmt: skip


def test_only_roles_that_somebody_has_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, with the names."""
    rules = json.loads(told(capsys, "--player", "b", "--player", "a", "--json"))
    (rule,) = rules
    assert (rule["role"], rule["principals"]) == ("player", ["User:a", "User:b"])
    assert (rule["name"], rule["operations"]) == ("pop-events", ["Write"])


def test_kafkas_own_tool_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is a command for a shell, whatever the name."""
    out = told(capsys, "--analyst", "CN=kim o'neil", "--admin", "a", "--format", "kafka-acls")
    commands = [shlex.split(line) for line in out.splitlines()]
    assert all(each[:2] == ["kafka-acls.sh", "--bootstrap-server"] for each in commands)
    denied = [each for each in commands if "--deny-principal" in each]
    assert [each[each.index("--deny-principal") + 1] for each in denied] == [
        "User:CN=kim o'neil"
    ] * 2
    assert shlex.join(denied[1]).endswith(
        "--operation Read --operation Delete --group pop-stream-redrive- "
        "--resource-pattern-type prefixed"
    )
    assert commands[-1][-1] == "--cluster"


def test_thousands_of_players_come_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One a line; empty lines and repeated names are none."""
    listed = tmp_path / "players.txt"
    listed.write_text("\n".join(f"p-{n}" for n in range(3000)) + "\n\n p-1 \n")
    out = told(capsys, "--player", f"@{listed}", "--player", "p-0", "--format", "kafka-acls")
    assert len(out.splitlines()) == 3000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--apply"], "--apply needs names"),
        (["--check"], "--check needs names"),
        (["--format", "kafka-acls"], "needs names"),
        (["--player", "p", "--apply", "--format", "kafka-acls"], "--format is for --print"),
        (["--player", "*"], "is everybody"),
        (["--player", "@/none.txt"], "@/none.txt: cannot be read"),
        (["--forwarder", "w", "--analyst", "w"], "User:w may Read group pop-stream"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any Kafka is asked."""
    assert run(["topics", "acls", "--kafka-bootstrap-servers", "127.0.0.1:1", *arguments]) == 2
    assert said in capsys.readouterr().err
